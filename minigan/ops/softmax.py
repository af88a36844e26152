"""Softmax, its logarithm, and log(sum(exp(x))): shifted by the largest x, so nothing overflows."""

import math

import numpy as np

from ..arrays import array_module, total
from ..autograd import Tensor, op, raw
from ..autograd._types import Dims, DType
from .arithmetic import _where as where
from .axes import axes_of, count, kept, needed_axis, of_scalars
from .elementary import exp
from .normalization import halves, singles
from .placement import to
from .reduction import _sum, sum

__all__ = ["log_softmax", "logsumexp", "softmax"]


@op(saves=("x", "axes", "out"), floating=True)
def _logsumexp(x, axes, keepdim):
    """y = log sum e^x, shifted by the largest x so that nothing overflows.
    dL/dx = g e^(x - y)"""
    if x.dtype.char == "e":
        return _logsumexp.card.forward(x.astype(np.float32), axes, keepdim).astype(x.dtype)
    top = np.max(x, axis=axes, keepdims=True)
    top = np.where(np.isfinite(top), top, x.dtype.type(0))
    with np.errstate(divide="ignore"):  # log 0 = -inf where all x are -inf
        y = np.log(total(np.exp(x - top), axes, True)) + top
    return y if keepdim else y.reshape(tuple(n for i, n in enumerate(x.shape) if i not in axes))


@_logsumexp.backward
def _(g, need, x, axes, y):
    shape = kept(x.shape, axes)
    y = y.reshape(shape)
    nothing = y == -math.inf  # all of its x are -inf: their shares are 0, not e^(-inf + inf)
    return g.reshape(shape) * exp(x - where(nothing, _zeros(y), y))


def _zeros(x):
    """Zeros like x (x * 0 would be NaN where x is infinite)."""
    return array_module(raw(x)).zeros_like(raw(x))


def logsumexp(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """log(sum(exp(x))) over `dim` (None: all), stable; -inf for a sum of nothing."""
    axes = axes_of(dim if axis is None else axis, input.ndim)
    if not count(input.shape, axes):
        return sum(input, axes, keepdim or keepdims) - math.inf
    return _logsumexp(input, axes, keepdim or keepdims)


@op(saves=("out", "axis"), floating=True)
def _softmax(x, axis):
    """y_i = e^x_i / sum e^x.    dL/dx = y (g - sum g y)"""
    if not x.size:
        return x.copy()
    if x.dtype.char == "e":
        return _softmax.card.forward(x.astype(np.float32), axis).astype(x.dtype)
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / total(e, (axis,), True)


@_softmax.backward
def _(g, need, y, axis):
    return softmax_grad(g, y, axis)


@op(saves=("g", "y", "axis"))
def softmax_grad(g, y, axis):
    """y (g - sum g y), with y = softmax x.
    d/dg = y (gg - sum gg y), d/dy = gg (g - sum g y) - g sum gg y"""
    if y.dtype.char == "e":
        return halves(softmax_grad.card.forward(*singles(g, y), axis))[0]
    gy = g * y
    return gy - y * total(gy, (axis,), True)


@softmax_grad.backward
def _(gg, need, g, y, axis):
    return (
        need[0] and softmax_grad(gg, y, axis),
        need[1] and gg * (g - _sum(g * y, (axis,), True)) - g * _sum(gg * y, (axis,), True),
    )


@op(saves=("out", "axis"), floating=True)
def _log_softmax(x, axis):
    """y = x - log sum e^x.    dL/dx = g - softmax(x) sum g"""
    if not x.size:
        return x.copy()
    if x.dtype.char == "e":
        return _log_softmax.card.forward(x.astype(np.float32), axis).astype(x.dtype)
    x = x - np.max(x, axis=axis, keepdims=True)
    return x - np.log(total(np.exp(x), (axis,), True))


@_log_softmax.backward
def _(g, need, y, axis):
    return log_softmax_grad(g, y, axis)


@op(saves=("g", "y", "axis"))
def log_softmax_grad(g, y, axis):
    """g - e^y sum g, with y = log softmax x.
    d/dg = gg - sum gg e^y, d/dy = -gg e^y sum g"""
    if y.dtype.char == "e":
        return halves(log_softmax_grad.card.forward(*singles(g, y), axis))[0]
    return g - np.exp(y) * total(g, (axis,), True)


@log_softmax_grad.backward
def _(gg, need, g, y, axis):
    e = gg * exp(y)
    return (
        need[0] and gg - _sum(e, (axis,), True),
        need[1] and -e * _sum(g, (axis,), True),
    )


@of_scalars
def softmax(
    input: Tensor, dim: int | None = None, dtype: DType = None, *, axis: int | None = None
) -> Tensor:
    """e^x / sum e^x along `dim`."""
    return _softmax(
        input if dtype is None else to(input, dtype), needed_axis("softmax", dim, axis, input.ndim)
    )


@of_scalars
def log_softmax(
    input: Tensor, dim: int | None = None, dtype: DType = None, *, axis: int | None = None
) -> Tensor:
    """log(softmax(x)) along `dim`, stable."""
    return _log_softmax(
        input if dtype is None else to(input, dtype),
        needed_axis("log_softmax", dim, axis, input.ndim),
    )
