"""Recurrent layers and cells. The recursions and their formulas are in `minigan.ops.recurrent`.

Parameters have torch's names and gate order: weight_ih (gates H, input), weight_hh (gates H, H),
bias_ih and bias_hh (gates H), in layers with a suffix: _l0, _l0_reverse, _l1, ... All start as
U(-k, k), k = 1 / sqrt(hidden_size).
"""

import math
import warnings
from typing import Any

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, tensor_of
from ..ops import cat, stack
from ..ops.recurrent import gru_steps, lstm_formula, lstm_steps, rnn_steps
from . import functional as F
from . import init
from .module import Module
from .parameter import new_parameter
from .sequences import PackedSequence, packed_like, padded_rows

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNCell"]


def _rnn(projected, states, weight, bias, nonlinearity):
    hs = rnn_steps(projected, *states, weight, nonlinearity)
    return hs, lambda *t: (hs[t],)


def _lstm(projected, states, weight, bias, nonlinearity, projection=None):
    if projection is not None:
        hs, cs = lstm_formula(projected, *states, weight, projection)
        return hs, lambda *t: (hs[t], cs[t])
    both = lstm_steps(projected, *states, weight)
    return both[0], lambda *t: (both[0, *t], both[1, *t])


def _gru(projected, states, weight, bias, nonlinearity):
    hs = gru_steps(projected, *states, weight, bias)
    return hs, lambda *t: (hs[t],)


class _Recurrent(Module):
    """What cells and layers share. `gates`: blocks of rows in the weights; `states`: the names of
    what is carried along.

    kind : (projected inputs (T, N, gates H), states, weight_hh, bias_hh, nonlinearity) -> (all h_t,
        a function of an index into (T, N) that gives the states there)
    """

    gates = 1
    states: tuple[str, ...] = ("h_0",)
    kind = staticmethod(_rnn)
    proj_size = 0  # units of h_t, if it is projected (LSTM); 0: hidden_size, and no projection

    def __init__(self, input_size: int, hidden_size: int, bias: bool) -> None:
        super().__init__()
        if input_size <= 0 or hidden_size <= 0:
            raise ValueError(
                f"{type(self).__name__}: input_size={input_size} and hidden_size={hidden_size} "
                "must be positive"
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias

    def _add(self, suffix, inputs, device, dtype):
        """Register the parameters of one direction of one layer."""
        rows = self.gates * self.hidden_size
        self.register_parameter("weight_ih" + suffix, new_parameter((rows, inputs), device, dtype))
        self.register_parameter(
            "weight_hh" + suffix,
            new_parameter((rows, self.proj_size or self.hidden_size), device, dtype),
        )
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(
                name + suffix, new_parameter((rows,), device, dtype) if self.bias else None
            )
        if self.proj_size:
            self.register_parameter(
                "weight_hr" + suffix,
                new_parameter((self.proj_size, self.hidden_size), device, dtype),
            )

    def reset_parameters(self):
        """Draw all parameters anew."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def _run(self, x, states, suffix, nonlinearity="tanh"):
        """One direction of one layer over x (T, N, input), in the order of x: what `kind`
        returns."""
        w_ih, w_hh, b_ih, b_hh = (
            getattr(self, name + suffix)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        projected = x.reshape(-1, x.shape[-1]) @ w_ih.T  # all steps at once
        # a GRU's second bias does not add to the first: its reset gate comes between
        if b_ih is not None:
            projected = projected + (b_ih if self.kind is _gru else b_ih + b_hh)
        projection = (getattr(self, "weight_hr" + suffix),) if self.proj_size else ()
        return self.kind(
            projected.reshape(*x.shape[:-1], w_ih.shape[0]),
            states,
            w_hh,
            b_hh,
            nonlinearity,
            *projection,
        )

    def _states(self, hx, sizes, like):
        """The initial states (*sizes, units) as a tuple, checked; zeros for None."""
        count, name = len(self.states), type(self).__name__
        shapes = [(*sizes, self.proj_size or self.hidden_size), (*sizes, self.hidden_size)][:count]
        if hx is None:
            return tuple(
                tensor_of(array_module(like.array).zeros(shape, like.dtype)) for shape in shapes
            )
        hx = (hx,) if isinstance(hx, Tensor) else tuple(hx)
        if len(hx) != count:
            raise ValueError(
                f"{name}: expected {count} initial state{'s' * (count > 1)} "
                f"({', '.join(self.states)}), got {len(hx)}"
            )
        for state, h, shape in zip(self.states, hx, shapes):
            if tuple(h.shape) != shape:
                raise ValueError(
                    f"{name}: {state} has shape {tuple(h.shape)}, expected {shape} for this input"
                )
        return hx

    def _check(self, input, dims, shapes):
        name = f"{type(self).__name__}({self.input_size}, {self.hidden_size})"
        if input.ndim not in dims:
            raise ValueError(f"{name}: expected input {shapes}, got shape {tuple(input.shape)}")
        if input.shape[-1] != self.input_size:
            raise ValueError(
                f"{name}: the last size of the input must be input_size={self.input_size}, got "
                f"shape {tuple(input.shape)}"
            )


# --- layers ---


class _RecurrentLayers(_Recurrent):
    """Layers over a sequence (L, N, input_size), (N, L, input_size) with batch_first, or (L,
    input_size) without a batch.

    num_layers : each further layer takes the outputs of the one before it
    batch_first : is the batch the first dimension of input and output (not of the states)?
    dropout : probability, between the layers and in training only
    bidirectional : a second recursion from the end; its outputs stand behind those of the first

    Returns (output, h_n), of an LSTM (output, (h_n, c_n)): output (L, N, D H), D = 2 if
    bidirectional, else 1; states (D num_layers, N, H), layer by layer. Initial states have the
    shape of final ones; default zeros. Of a PackedSequence the output is one, too, and the final
    states are those behind the last element of each sequence.
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias)
        if num_layers <= 0:
            raise ValueError(f"{type(self).__name__}: num_layers={num_layers} must be positive")
        if not 0 <= dropout <= 1:
            raise ValueError(
                f"{type(self).__name__}: dropout={dropout} must be a probability, in [0, 1]"
            )
        if dropout and num_layers == 1:
            warnings.warn(
                f"{type(self).__name__}: dropout={dropout} acts between layers, and num_layers is "
                "1: it does nothing",
                stacklevel=2,
            )
        self.num_layers = num_layers
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        self.suffixes = [
            [f"_l{k}{end}" for end in ("", "_reverse")[: 1 + bidirectional]]
            for k in range(num_layers)
        ]
        for k, directions in enumerate(self.suffixes):
            for suffix in directions:
                self._add(
                    suffix,
                    (self.proj_size or hidden_size) * len(directions) if k else input_size,
                    device,
                    dtype,
                )
        self.reset_parameters()

    nonlinearity = "tanh"

    def flatten_parameters(self):
        """Nothing: torch programs call it to please cuDNN."""

    def forward(self, input, hx=None):
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        batch = "(N, L, input_size)" if self.batch_first else "(L, N, input_size)"
        self._check(input, (2, 3), f"{batch} or (L, input_size)")
        batched = input.ndim == 3
        x = input if batched else input.unsqueeze(1)
        if batched and self.batch_first:
            x = input.transpose(0, 1)
        if not len(x):
            raise ValueError(
                f"{type(self).__name__}: the sequence is empty: input of shape {tuple(input.shape)}"
            )
        count = len(self.suffixes) * len(self.suffixes[0])
        states = self._states(hx, (count, x.shape[1]) if batched else (count,), input)
        x, final = self._layers(x, [s if batched else s.unsqueeze(1) for s in states])
        final = final if batched else [s.squeeze(1) for s in final]
        output = x.squeeze(1) if not batched else x.transpose(0, 1) if self.batch_first else x
        return output, final[0] if len(final) == 1 else tuple(final)

    def _packed(self, input, hx):
        """Over sequences of different lengths: (a packed output, the final states in the order of
        the batch)."""
        self._check(input.data, (2,), "data (sum of the lengths, input_size)")
        lengths, order, back = input.lengths(), input.sorted_indices, input.unsorted_indices
        count = len(self.suffixes) * len(self.suffixes[0])
        states = self._states(hx, (count, len(lengths)), input.data)
        if hx is not None and order is not None:
            states = [s.index_select(1, order) for s in states]
        x, final = self._layers(padded_rows(input), states, lengths)
        if back is not None:
            final = [s.index_select(1, back) for s in final]
        return packed_like(x, input), final[0] if len(final) == 1 else tuple(final)

    def _layers(self, x, states, lengths=None):
        """All layers over x (T, N, input): (their output, the final states).

        lengths : of the sequences; what lies behind their ends does not count
        """
        last, reverse = (-1,), None
        if lengths is not None:
            t, n = np.arange(len(x))[:, None], np.arange(len(lengths))
            last, reverse = (lengths - 1, n), (np.where(t < lengths, lengths - 1 - t, t), n)
        turned = lambda x: x[::-1] if reverse is None else x[reverse]
        # one tuple for each layer and direction
        starts = list(zip(*states))
        ends = []
        for k, directions in enumerate(self.suffixes):
            if k and self.dropout:
                x = F.dropout(x, self.dropout, self.training)
            outputs = []
            for suffix in directions:
                backwards = suffix.endswith("_reverse")
                hs, states_at = self._run(
                    turned(x) if backwards else x, starts[len(ends)], suffix, self.nonlinearity
                )
                outputs.append(turned(hs) if backwards else hs)
                ends.append(states_at(*last))
            x = outputs[0] if len(outputs) == 1 else cat(outputs, 2)
        return x, [stack(s) for s in zip(*ends)]

    def extra_repr(self):
        shown = [f"{self.input_size}, {self.hidden_size}"]
        defaults = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0}
        defaults |= {"bidirectional": False, "proj_size": 0}
        for name, default in defaults.items():
            if (value := getattr(self, name)) != default:
                shown.append(f"{name}={value}")
        return ", ".join(shown)


class RNN(_RecurrentLayers):
    __doc__ = f"""h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh); with nonlinearity="relu" relu.

    {_RecurrentLayers.__doc__}"""

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        self.nonlinearity = _nonlinearity("RNN", nonlinearity)
        sizes, ways = (input_size, hidden_size, num_layers), (batch_first, dropout, bidirectional)
        super().__init__(*sizes, bias, *ways, device, dtype)


class LSTM(_RecurrentLayers):
    __doc__ = f"""Long short-term memory: gates i, f, g, o (in torch's letters).

    proj_size : units of a projection of h_t, weight_hr (Sak et al. 2014; output and h_n then
        have that many); 0: none
    {_RecurrentLayers.__doc__}"""

    gates = 4
    states = ("h_0", "c_0")
    kind = staticmethod(_lstm)

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        if not 0 <= proj_size < hidden_size:
            raise ValueError(
                f"LSTM: proj_size={proj_size} must be at least 0 and smaller than "
                f"hidden_size={hidden_size}"
            )
        self.proj_size = proj_size
        sizes, ways = (input_size, hidden_size, num_layers), (batch_first, dropout, bidirectional)
        super().__init__(*sizes, bias, *ways, device, dtype)


class GRU(_RecurrentLayers):
    __doc__ = f"""Gated recurrent units: gates r, z, n (in torch's letters).

    {_RecurrentLayers.__doc__}"""

    gates, kind = 3, staticmethod(_gru)


def _nonlinearity(name, nonlinearity):
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"{name}: nonlinearity={nonlinearity!r}; expected 'tanh' or 'relu'")
    return nonlinearity


# --- cells ---


class _Cell(_Recurrent):
    """One step: input (N, input_size) and states (N, H), or without N; default states: zeros.
    Returns the new state(s)."""

    nonlinearity = "tanh"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias)
        self._add("", input_size, device, dtype)
        self.reset_parameters()

    def forward(self, input, hx=None):
        self._check(input, (1, 2), "(N, input_size) or (input_size,)")
        batched = input.ndim == 2
        states = self._states(hx, input.shape[:-1], input)
        if not batched:
            input, states = input.unsqueeze(0), [s.unsqueeze(0) for s in states]
        _, states_at = self._run(input.unsqueeze(0), states, "", self.nonlinearity)
        new = states_at(-1)
        new = new if batched else tuple(s.squeeze(0) for s in new)
        return new[0] if len(new) == 1 else new

    def extra_repr(self):
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(_Cell):
    __doc__ = f"""h' = tanh(W_ih x + b_ih + W_hh h + b_hh); with nonlinearity="relu" relu.

    {_Cell.__doc__}"""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.nonlinearity = _nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, device, dtype)


class LSTMCell(_Cell):
    __doc__ = f"""One step of an LSTM: (h, c) -> (h', c').\n\n    {_Cell.__doc__}"""

    gates = 4
    states = ("h_0", "c_0")
    kind = staticmethod(_lstm)


class GRUCell(_Cell):
    __doc__ = f"""One step of a GRU.\n\n    {_Cell.__doc__}"""

    gates, kind = 3, staticmethod(_gru)


RNNBase = _RecurrentLayers  # torch's name
