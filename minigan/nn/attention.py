"""Attention as a module, and the layers of a Transformer (Vaswani et al. 2017). The arithmetic is
in `minigan.ops.attention`.
"""

import copy
import math

from ..arrays import module_for
from ..arrays.defaults import default
from ..ops import as_tensor
from . import functional as F
from . import init
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm
from .parameter import as_device, new_parameter

__all__ = [
    "MultiheadAttention", "Transformer", "TransformerDecoder", "TransformerDecoderLayer",
    "TransformerEncoder", "TransformerEncoderLayer",
]  # fmt: skip

__all__ = [
    "MultiheadAttention", "Transformer", "TransformerDecoder", "TransformerDecoderLayer",
    "TransformerEncoder", "TransformerEncoderLayer",
]  # fmt: skip


class MultiheadAttention(Module):
    """num_heads attentions side by side, each on its part of the projected inputs: forward gives
    (output, weights).

    query (L, N, E), key (S, N, kdim), value (S, N, vdim) -> (L, N, E), (N, L, S); batch_first: N
    first; all also without N.
    in_proj_weight : (3 E, E), starts as Xavier's uniform numbers; or q_, k_ and v_proj_weight where
        kdim or vdim is not E
    in_proj_bias : (3 E,) zeros, or None with bias=False;  out_proj : Linear(E, E)
    add_bias_kv : one more learned key and value;  add_zero_attn : one more key and value of zeros
    """

    out_proj: Linear

    def __init__(
        self, embed_dim, num_heads, dropout=0.0, bias=True, add_bias_kv=False, add_zero_attn=False,
        kdim=None, vdim=None,
        batch_first=False, device=None, dtype=None,
    ) -> None:  # fmt: skip
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: embed_dim={embed_dim} must be a positive multiple of "
                f"num_heads={num_heads}"
            )
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.add_zero_attn = add_zero_attn
        self.head_dim, self._same = embed_dim // num_heads, self.kdim == self.vdim == embed_dim
        make = lambda *shape: new_parameter(shape, device, dtype)
        for name, size in (
            ("q_proj_weight", embed_dim),
            ("k_proj_weight", self.kdim),
            ("v_proj_weight", self.vdim),
        ):
            self.register_parameter(name, None if self._same else make(embed_dim, size))
        self.register_parameter(
            "in_proj_weight", make(3 * embed_dim, embed_dim) if self._same else None
        )
        self.register_parameter("in_proj_bias", make(3 * embed_dim) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias, device, dtype)
        self.register_parameter("bias_k", make(1, 1, embed_dim) if add_bias_kv else None)
        self.register_parameter("bias_v", make(1, 1, embed_dim) if add_bias_kv else None)
        self._reset_parameters()

    def _reset_parameters(self):
        for w in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if w is not None:
                init.xavier_uniform_(w)
        for b in (self.in_proj_bias, self.out_proj.bias):
            if b is not None:
                init.zeros_(b)
        for b in (self.bias_k, self.bias_v):
            if b is not None:
                init.xavier_normal_(b)

    @property
    def per_example(self):
        return self.batch_first

    def forward(
        self, query, key, value, key_padding_mask=None, need_weights=True,
        attn_mask=None, average_attn_weights=True, is_causal=False,
    ):  # fmt: skip
        """(output, attention weights or None). Masks: attn_mask (L, S) or (N heads, L, S),
        key_padding_mask (N, S); True: may not attend; numbers are added."""
        turn = self.batch_first and query.ndim == 3
        inputs = [x.swapaxes(0, 1) if turn else x for x in (query, key, value)]
        y, weights = F.multi_head_attention_forward(
            *inputs, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias,
            self.bias_k, self.bias_v,
            self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias,
            self.training, key_padding_mask, need_weights,
            attn_mask, not self._same, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight,
            None, None, average_attn_weights,
            is_causal,
        )  # fmt: skip
        return y.swapaxes(0, 1) if turn else y, weights


def _activation(activation):
    if activation not in ("relu", "gelu") and not callable(activation):
        raise RuntimeError(f"activation should be relu/gelu, or a function, not {activation!r}")
    return (
        {"relu": F.relu, "gelu": F.gelu}[activation] if isinstance(activation, str) else activation
    )


class TransformerEncoderLayer(Module):
    """Self-attention, then two linear layers, each added to its input and normalised (norm_first:
    normalised before).

    src (S, N, d_model) -> the same; batch_first: (N, S, d_model). dim_feedforward : features
    between the linear layers
    """

    self_attn: MultiheadAttention

    def __init__(
        self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation="relu",
        layer_norm_eps=1e-5, batch_first=False,
        norm_first=False, bias=True, device=None, dtype=None,
    ) -> None:  # fmt: skip
        super().__init__()
        place = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **place
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, **place)
        self.dropout = Dropout(dropout)
        self.linear2, self.norm_first = Linear(dim_feedforward, d_model, bias, **place), norm_first
        self.norm1, self.norm2 = [
            LayerNorm(d_model, layer_norm_eps, bias=bias, **place) for _ in range(2)
        ]
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = _activation(activation)

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        attend = lambda x: self.dropout1(
            self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]
        )
        if self.norm_first:
            x = src + attend(self.norm1(src))
            return x + self._feed(self.norm2(x))
        x = self.norm1(src + attend(src))
        return self.norm2(x + self._feed(x))

    def _feed(self, x):
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerDecoderLayer(Module):
    """Self-attention, attention to `memory`, then two linear layers, each added to its input and
    normalised (norm_first: before).

    tgt (T, N, d_model), memory (S, N, d_model) -> (T, N, d_model); batch_first: N first
    """

    self_attn: MultiheadAttention
    multihead_attn: MultiheadAttention

    def __init__(
        self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation="relu",
        layer_norm_eps=1e-5, batch_first=False,
        norm_first=False, bias=True, device=None, dtype=None,
    ) -> None:  # fmt: skip
        super().__init__()
        place = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **place
        )
        self.multihead_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **place
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, **place)
        self.dropout = Dropout(dropout)
        self.linear2, self.norm_first = Linear(dim_feedforward, d_model, bias, **place), norm_first
        self.norm1, self.norm2, self.norm3 = [
            LayerNorm(d_model, layer_norm_eps, bias=bias, **place) for _ in range(3)
        ]
        self.dropout1, self.dropout2, self.dropout3 = [Dropout(dropout) for _ in range(3)]
        self.activation = _activation(activation)

    def forward(
        self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None,
        memory_key_padding_mask=None,
        tgt_is_causal=False, memory_is_causal=False,
    ):  # fmt: skip
        own = lambda x: self.dropout1(
            self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[
                0
            ]
        )
        given = memory, memory, memory_key_padding_mask, False, memory_mask
        other = lambda x: self.dropout2(
            self.multihead_attn(x, *given, is_causal=memory_is_causal)[0]
        )
        feed = lambda x: self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))
        x = tgt
        for step, norm in ((own, self.norm1), (other, self.norm2), (feed, self.norm3)):
            x = x + step(norm(x)) if self.norm_first else norm(x + step(x))
        return x


class _Stack(Module):
    def __init__(self, layer, num_layers, norm=None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm


class TransformerEncoder(_Stack):
    """num_layers copies of an encoder layer, one after the other; then `norm`, if given."""

    def __init__(
        self, encoder_layer, num_layers, norm=None, enable_nested_tensor=True, mask_check=True
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)

    def forward(self, src, mask=None, src_key_padding_mask=None, is_causal=None):
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, bool(is_causal))
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(_Stack):
    """num_layers copies of a decoder layer, one after the other; then `norm`, if given."""

    def __init__(self, decoder_layer, num_layers, norm=None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None,
        memory_key_padding_mask=None,
        tgt_is_causal=None, memory_is_causal=False,
    ):  # fmt: skip
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        for layer in self.layers:
            tgt = layer(tgt, memory, *masks, bool(tgt_is_causal), memory_is_causal)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder of src and a decoder that makes tgt from it: src (S, N, d_model), tgt (T, N,
    d_model) -> (T, N, d_model).
    """

    def __init__(
        self, d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6,
        dim_feedforward=2048, dropout=0.1, activation="relu",
        custom_encoder=None, custom_decoder=None, layer_norm_eps=1e-5, batch_first=False,
        norm_first=False, bias=True, device=None,
        dtype=None,
    ) -> None:  # fmt: skip
        super().__init__()
        options = (
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
            bias,
            device,
            dtype,
        )
        norm = lambda: LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)
        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*options), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*options), num_decoder_layers, norm()
        )
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)

    def forward(
        self, src, tgt, src_mask=None, tgt_mask=None, memory_mask=None, src_key_padding_mask=None,
        tgt_key_padding_mask=None,
        memory_key_padding_mask=None, src_is_causal=None, tgt_is_causal=None,
        memory_is_causal=False,
    ):  # fmt: skip
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        return self.decoder(tgt, memory, *masks, tgt_is_causal, memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz, device=None, dtype=None):
        """(sz, sz): 0 on and below the diagonal, -inf above: position i sees those up to itself."""
        xp = module_for(as_device("cpu" if device is None else device))
        return as_tensor(
            xp.where(xp.tri(sz, dtype=bool), 0.0, -math.inf).astype(dtype or default.dtype)
        )
