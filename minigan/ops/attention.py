"""Attention: sums of values, weighted by how well their keys fit a query (Vaswani et al. 2017,
"Attention is all you need").
"""

import math
from typing import Any

from ..arrays import array_module
from ..autograd import Tensor, expand, raw
from .arithmetic import _where as where
from .dropout import dropout
from .joining import cat
from .padding import pad
from .product import linear, matmul
from .reduction import mean
from .scattering import repeat_interleave
from .shape import permute, transpose
from .softmax import softmax

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]


def _added(mask, like):
    """A mask as numbers to add to scores: booleans say where attention is allowed."""
    if raw(mask).dtype.kind != "b":
        return mask
    return (
        where(mask, 0.0, -math.inf).to(like.dtype)
        if isinstance(mask, Tensor)
        else where(mask, 0.0, -math.inf).astype(like.dtype)
    )


def _weights(query, key, attn_mask, is_causal, scale):
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = matmul(query * scale, transpose(key, -2, -1))
    if is_causal:
        allowed = array_module(raw(query)).tri(query.shape[-2], key.shape[-2], dtype=bool)
        scores = where(allowed, scores, -math.inf)
    return softmax(scores if attn_mask is None else scores + _added(attn_mask, scores), -1)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query key^T scale + mask) value: (..., L, E), (..., S, E), (..., S, V) -> (..., L,
    V).

    attn_mask : (..., L, S), booleans (True: may attend) or numbers that are added;  is_causal :
        query i sees keys 0 to i
    dropout_p : probability with which a weight is 0 (always: pass 0 in evaluation);  scale :
        default 1 / sqrt(E)
    enable_gqa : keys and values have fewer heads (dimension -3), each for several of the query's
    """
    if is_causal and attn_mask is not None:
        raise ValueError("scaled_dot_product_attention: give attn_mask or is_causal=True, not both")
    if enable_gqa:
        key, value = [
            repeat_interleave(x, query.shape[-3] // x.shape[-3], -3) for x in (key, value)
        ]
    return matmul(dropout(_weights(query, key, attn_mask, is_causal, scale), dropout_p), value)


def _projected(query, key, value, weight, bias, separate):
    """The three inputs times their parts of the weight."""
    size = query.shape[-1]
    weights = (
        separate if separate is not None else [weight[i * size : (i + 1) * size] for i in range(3)]
    )
    biases = [None] * 3 if bias is None else [bias[i * size : (i + 1) * size] for i in range(3)]
    return [linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases)]


def _padding(mask, like):
    """key_padding_mask as numbers to add: booleans say which keys to leave out."""
    if raw(mask).dtype.kind != "b":
        return mask
    return _added(~mask, like)


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: Any,
    num_heads: Any,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: Any,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: Any = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: Any = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: Any = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """(output, weights) of several attentions side by side, each on its part of the projected
    inputs: what nn.MultiheadAttention does.

    query (L, N, E), key (S, N, E), value (S, N, E) -> (L, N, E), and (N, L, S), or (N, heads, L, S)
    with average_attn_weights=False;
    or all without N. Masks: attn_mask (L, S) or (N heads, L, S), key_padding_mask (N, S); True: may
    not attend; numbers are added.
    """
    alone = query.ndim == 2
    if alone:
        query, key, value = [x[:, None] for x in (query, key, value)]
        key_padding_mask = None if key_padding_mask is None else key_padding_mask[None]
    length, batch, size = query.shape
    if size != embed_dim_to_check or size % num_heads:
        raise ValueError(
            f"multi_head_attention_forward: query has {size} numbers, not {embed_dim_to_check}, a "
            f"multiple of {num_heads}"
        )
    if is_causal and attn_mask is None:
        raise ValueError("multi_head_attention_forward: is_causal=True needs attn_mask too")
    if static_k is not None or static_v is not None:
        raise NotImplementedError(
            "multi_head_attention_forward: static_k and static_v are not available"
        )
    separate = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    q, k, v = _projected(query, key, value, in_proj_weight, in_proj_bias, separate)
    if bias_k is not None:
        k, v = [cat([x, expand(b, (1, batch, size))]) for x, b in ((k, bias_k), (v, bias_v))]
    heads = lambda x: permute(
        x.reshape(x.shape[0], batch, num_heads, size // num_heads), 1, 2, 0, 3
    )
    q = heads(q)
    k = heads(k)
    v = heads(v)
    if add_zero_attn:
        k, v = pad(k, (0, 0, 0, 1)), pad(v, (0, 0, 0, 1))
    more = k.shape[2] - key.shape[0]  # keys that the masks do not know
    mask = None
    if attn_mask is not None:
        mask = _padding(attn_mask, q)
        mask = mask.reshape(batch, num_heads, *mask.shape[1:]) if mask.ndim == 3 else mask
        mask = pad(mask, (0, more)) if more else mask
    if key_padding_mask is not None:
        keys = _padding(key_padding_mask, q)
        keys = (pad(keys, (0, more)) if more else keys).reshape(batch, 1, 1, k.shape[2])
        mask = keys if mask is None else mask + keys
    weights = _weights(q, k, mask, False, None)
    weights = dropout(weights, dropout_p, training)
    y = linear(
        permute(matmul(weights, v), 2, 0, 1, 3).reshape(length, batch, size),
        out_proj_weight,
        out_proj_bias,
    )
    weights = (mean(weights, 1) if average_attn_weights else weights) if need_weights else None
    if alone:
        return y[:, 0], None if weights is None else weights[0]
    return y, weights
