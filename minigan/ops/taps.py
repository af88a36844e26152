"""Linear maps along the last two dimensions in which each output is a weighted sum of a few inputs.

Averages over windows, interpolation, and padding with copies are all y = R x C^T for each plane x
(H, W), with sparse R and C. `Taps` is such a matrix. The map of the gradient is the same with R and
C transposed, so one card closes under differentiation, and since transposed maps gather too, sums
are always taken in the same order.
"""

import functools
from collections.abc import Sequence

import numpy as np

from ..arrays import array_module, device_of
from ..autograd import Tensor, op

__all__ = ["apply_taps"]


class Taps:
    """A sparse matrix (outputs, inputs): output o is the sum over k of weight[k, o] * x[index[k,
    o]].

    Made from triplets: output[i] gets weight[i] times input source[i] (repeated ones add up).
    Outputs with fewer taps than others have index = inputs in the rest of their column, which
    stands for nothing.
    """

    def __init__(self, outputs, inputs, output, source, weight):
        self.outputs, self.inputs = outputs, inputs
        self._triplets = output, source, weight
        order = np.argsort(output, kind="stable")
        output = output[order]
        source = source[order]
        weight = weight[order]
        counts = np.bincount(output, minlength=outputs)
        most = max(int(counts.max(initial=0)), 1)
        place = np.arange(len(output)) - (np.cumsum(counts) - counts)[output]
        # unsigned: compiled code need not look for negative ones
        self.index = np.full((most, outputs), inputs, np.uint32)
        self.weight = np.zeros((most, outputs))
        self.index[place, output], self.weight[place, output] = source, weight
        self.gaps = bool((counts < most).any())
        self._copies = {}

    @functools.cached_property
    def T(self):
        output, source, weight = self._triplets
        transposed = Taps(self.inputs, self.outputs, source, output, weight)
        transposed.T = self
        return transposed

    def like(self, x):
        """(index, weight) where x is, the weights in its dtype."""
        xp = array_module(x)
        key = xp, device_of(x), x.dtype
        if key not in self._copies:
            self._copies[key] = xp.asarray(self.index), xp.asarray(self.weight.astype(x.dtype))
        return self._copies[key]


def taps(
    outputs: int,
    inputs: int,
    output: Sequence[int] | range,
    source: Sequence[int] | range,
    weight: Sequence[float] | None = None,
) -> Taps:
    """Taps from sequences of numbers; without weights they are 1."""
    output, source = np.asarray(output, np.int64), np.asarray(source, np.int64)
    return Taps(
        outputs,
        inputs,
        output,
        source,
        np.ones(len(output)) if weight is None else np.asarray(weight, np.float64),
    )


@functools.lru_cache(maxsize=64)
def identity_taps(n):
    """The identity matrix of n rows."""
    return taps(n, n, range(n), range(n))


def _along(x, taps, axis):
    """The map along one axis (-1 or -2) in array operations."""
    index, weight = taps.like(x)
    if taps.gaps:
        shape = list(x.shape)
        shape[axis] = 1
        xp = array_module(x)
        x = xp.concatenate([x, xp.zeros(shape, x.dtype)], axis=axis)
    if axis == -2:
        weight = weight[:, :, None]
    y = x[..., index[0], :] * weight[0] if axis == -2 else x[..., index[0]] * weight[0]
    for k in range(1, len(index)):
        y += (x[..., index[k], :] if axis == -2 else x[..., index[k]]) * weight[k]
    return y


@op(saves=("rows", "columns"))
def _taps(x, rows, columns):
    """y = rows @ x @ columns^T for each plane of x (..., H, W).    dL/dx = rows^T @ g @ columns"""
    return _along(_along(x, rows, -2), columns, -1)


@_taps.backward
def _(g, need, rows, columns):
    return _taps(g, rows.T, columns.T)


def apply_taps(input: Tensor, *maps: Taps) -> Tensor:
    """The maps along the last len(maps) dimensions (1 to 3) of `input`."""
    shape = tuple(input.shape)
    lead, out = shape[: len(shape) - len(maps)], tuple(m.outputs for m in maps)
    if len(maps) == 2:
        return _taps(input, *maps)
    if len(maps) == 1:
        return _taps(input.reshape((*lead, 1, shape[-1])), identity_taps(1), *maps).reshape(
            (*lead, *out)
        )
    area = out[1] * out[2]
    y = _taps(input, *maps[1:]).reshape((*lead, shape[-3], area))
    return _taps(y, maps[0], identity_taps(area)).reshape((*lead, *out))
