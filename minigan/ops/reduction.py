"""Ops that reduce dimensions: sums, means, norms, and the softmax family."""

import math

import numpy as np

from ..autograd import Tensor, op, raw
from ..autograd._types import Dims, DType
from ..autograd.primitives import expand
from ..backend import array_module
from .arithmetic import where
from .axes import axes_of, axis_of, count, kept, needed_axis
from .elementary import abs, exp, sign, sqrt, square
from .extremes import amax, amin
from .shape import cat, to

__all__ = [
    "all", "allclose", "any", "count_nonzero", "cumsum", "equal", "log_softmax", "logsumexp", "mean", "norm", "prod", "softmax", "std",
    "sum", "var", "var_mean",
]  # fmt: skip


@op(saves=("x.shape", "axes"))
def _sum(x, axes, keepdim):
    """y = sum of x over `axes`.    dL/dx = g for every element"""
    return np.add.reduce(x, axis=axes, keepdims=keepdim, dtype=np.int64 if x.dtype.kind in "iub" else None)


@_sum.backward
def _(g, need, shape, axes):
    return expand(g.reshape(kept(shape, axes)), shape)


def sum(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    dtype: DType = None,
    *,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """The sum over `dim` (None: all; an int or a tuple). keepdim: reduced dimensions stay with size 1."""
    if dtype is not None:
        input = to(input, dtype)
    return _sum(input, axes_of(dim if axis is None else axis, input.ndim), keepdim or keepdims)


@op(saves=("x.shape", "axes"))
def _mean(x, axes, keepdim):
    """y = mean of x over `axes`, N elements each.    dL/dx = g / N for every element"""
    total = np.add.reduce(x, axis=axes, keepdims=keepdim)
    return total * x.dtype.type(total.size / x.size)


@_mean.backward
def _(g, need, shape, axes):
    return expand((g * (1 / count(shape, axes))).reshape(kept(shape, axes)), shape)


def mean(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    dtype: DType = None,
    *,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """The mean over `dim` (None: all; an int or a tuple). TypeError for integers, as in torch."""
    if dtype is not None:
        input = to(input, dtype)
    array = raw(input)
    if array.dtype.kind != "f":
        raise TypeError(f"mean of {array.dtype} elements: convert to a floating-point dtype first, e.g. with .float()")
    axes = axes_of(dim if axis is None else axis, input.ndim)
    if not array.size:
        return sum(input, axes, keepdim or keepdims) * math.nan
    return _mean(input, axes, keepdim or keepdims)


def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """The variance over `dim`: squared deviations from the mean, summed and divided by N - 1 (unbiased) or N - correction."""
    return var_mean(input, dim, unbiased, keepdim or keepdims, correction=correction, axis=axis)[0]


def var_mean(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims = None,
    keepdims: bool = False,
) -> tuple[Tensor, Tensor]:
    """(variance, mean) over `dim`."""
    if isinstance(dim, bool):  # torch's var(unbiased)
        dim, unbiased = None, dim
    axes = axes_of(dim if axis is None else axis, input.ndim)
    keepdim = keepdim or keepdims
    correction = (1 if unbiased else 0) if correction is None else correction
    mu = mean(input, axes, True)
    total = sum(square(input - mu), axes, keepdim)
    free = count(input.shape, axes) - correction
    variance = total * (1 / free if free > 0 else math.nan)
    return variance, mu if keepdim else mu.reshape(tuple(n for i, n in enumerate(input.shape) if i not in axes))


def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """The standard deviation: the square root of `var`. Where it is 0, so is its gradient (a subgradient, as in torch)."""
    variance = var(input, dim, unbiased, keepdim or keepdims, correction=correction, axis=axis)
    zero = variance == 0
    return where(zero, 0.0, sqrt(where(zero, 1.0, variance)))


@op(saves=("x", "axis", "out"))
def _prod(x, axis, keepdim):
    """y = product of x over one axis.    dL/dx_i = g times the product of all others (right also where x has zeros)"""
    return np.multiply.reduce(x, axis=axis, keepdims=keepdim)


@_prod.backward
def _(g, need, x, axis, y):
    shape = kept(x.shape, (axis,))
    g, y = g.reshape(shape), y.reshape(shape)
    if isinstance(raw(x), np.ndarray) and (raw(x) != 0).all():  # asking CUDA would make the CPU wait
        return g * y / x
    # With zeros: the product of the others = (product of those before) * (product of those after), each by multiplying up.
    n = x.shape[axis]
    parts = [x[(slice(None),) * axis + (slice(i, i + 1),)] for i in range(n)]
    before, after = [_ones(y)], [_ones(y)]
    for i in range(n - 1):
        before.append(before[-1] * parts[i])
        after.append(after[-1] * parts[n - 1 - i])
    return cat([g * b * a for b, a in zip(before, reversed(after))], axis)


def prod(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    dtype: DType = None,
    *,
    axis: int | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The product over `dim` (None: of all elements)."""
    if dtype is not None:
        input = to(input, dtype)
    dim = dim if axis is None else axis
    if dim is None:
        flat = input.reshape(-1)
        if not flat.shape[0]:
            return sum(flat) + 1
        return _prod(flat, 0, False)
    axis = axis_of(dim, input.ndim)
    if not input.shape[axis]:
        return sum(input, axis, keepdim or keepdims) + 1
    return _prod(input, axis, keepdim or keepdims)


@op(saves=("axis", "reverse"))
def _cumsum(x, axis, reverse):
    """y_i = x_1 + ... + x_i along an axis.    dL/dx_i = g_i + ... + g_n"""
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis) if reverse else np.cumsum(x, axis)


@_cumsum.backward
def _(g, need, axis, reverse):
    return _cumsum(g, axis, not reverse)


def cumsum(input: Tensor, dim: int | None = None, *, axis: int | None = None) -> Tensor:
    """The running sum along `dim`."""
    return _cumsum(input, needed_axis("cumsum", dim, axis, input.ndim), False)


def norm(
    input: Tensor,
    p: float | str | None = 2,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """The p-norm (sum |x|^p)^(1/p) over `dim` (None: all); p may be "fro" (2), inf or -inf. The gradient at 0 is 0."""
    axes = axes_of(dim if axis is None else axis, input.ndim)
    keepdim = keepdim or keepdims
    p = 2 if p in (None, "fro") else p
    if p == 2:
        return _norm2(input, axes, keepdim)
    if p == 1:
        return sum(abs(input), axes, keepdim)
    if p in (math.inf, -math.inf):
        return (amax if p > 0 else amin)(abs(input), axes, keepdim)
    if p == 0:
        return sum(abs(sign(input)), axes, keepdim)
    size = abs(input)
    zero = size == 0  # neither the powers (p < 1) nor the root have a derivative there: it counts as 0, as in torch
    total = sum(where(zero, 0.0, where(zero, 1.0, size) ** p), axes, keepdim)
    zero = total == 0
    return where(zero, 0.0, where(zero, 1.0, total) ** (1 / p))


@op(saves=("x", "axes", "out"))
def _norm2(x, axes, keepdim):
    """y = sqrt(sum x^2).    dL/dx = g x / y, and 0 where y = 0 (a subgradient)"""
    return np.sqrt(np.add.reduce(np.square(x), axis=axes, keepdims=keepdim))


@_norm2.backward
def _(g, need, x, axes, y):
    shape = kept(x.shape, axes)
    g, y = g.reshape(shape), y.reshape(shape)
    zero = y == 0
    return where(zero, 0.0, g / where(zero, y * 0 + 1, y)) * x


# --- softmax and relatives ---


@op(saves=("x", "axes", "out"))
def _logsumexp(x, axes, keepdim):
    """y = log sum e^x, shifted by the largest x so that nothing overflows.    dL/dx = g e^(x - y)"""
    top = np.max(x, axis=axes, keepdims=True)
    top = np.where(np.isfinite(top), top, x.dtype.type(0))
    with np.errstate(divide="ignore"):  # log 0 = -inf where all x are -inf
        y = np.log(np.add.reduce(np.exp(x - top), axis=axes, keepdims=True)) + top
    return y if keepdim else y.reshape(tuple(n for i, n in enumerate(x.shape) if i not in axes))


@_logsumexp.backward
def _(g, need, x, axes, y):
    shape = kept(x.shape, axes)
    y = y.reshape(shape)
    nothing = y == -math.inf  # all of its x are -inf: their shares are 0, not e^(-inf + inf)
    return g.reshape(shape) * exp(x - where(nothing, _zeros(y), y))


def _ones(x):
    """Ones like x: an array also where x has no dimensions, which keeps its dtype beside Tensors."""
    array = getattr(x, "array", x)
    return array_module(array).ones_like(array)


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


@op(saves=("out", "axis"))
def _softmax(x, axis):
    """y_i = e^x_i / sum e^x.    dL/dx = y (g - sum g y)"""
    if not x.size:
        return x.copy()
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.add.reduce(e, axis=axis, keepdims=True)


@_softmax.backward
def _(g, need, y, axis):
    gy = g * y
    return gy - y * gy.sum(axis, keepdims=True)


@op(saves=("out", "axis"))
def _log_softmax(x, axis):
    """y = x - log sum e^x.    dL/dx = g - softmax(x) sum g"""
    if not x.size:
        return x.copy()
    x = x - np.max(x, axis=axis, keepdims=True)
    return x - np.log(np.add.reduce(np.exp(x), axis=axis, keepdims=True))


@_log_softmax.backward
def _(g, need, y, axis):
    return g - exp(y) * g.sum(axis, keepdims=True)


def softmax(
    input: Tensor,
    dim: int | None = None,
    dtype: DType = None,
    *,
    axis: int | None = None,
) -> Tensor:
    """e^x / sum e^x along `dim`."""
    return _softmax(input if dtype is None else to(input, dtype), needed_axis("softmax", dim, axis, input.ndim))


def log_softmax(
    input: Tensor,
    dim: int | None = None,
    dtype: DType = None,
    *,
    axis: int | None = None,
) -> Tensor:
    """log(softmax(x)) along `dim`, stable."""
    return _log_softmax(input if dtype is None else to(input, dtype), needed_axis("log_softmax", dim, axis, input.ndim))


# --- without gradients ---


@op
def _logical(x, axes, keepdim, every):
    """Are all (or any) elements non-zero?"""
    return (np.all if every else np.any)(x, axis=axes, keepdims=keepdim)


def all(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """Are all elements over `dim` non-zero?"""
    return _logical(input, axes_of(dim if axis is None else axis, input.ndim), keepdim or keepdims, True)


def any(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """Is any element over `dim` non-zero?"""
    return _logical(input, axes_of(dim if axis is None else axis, input.ndim), keepdim or keepdims, False)


def count_nonzero(input: Tensor, dim: Dims = None, *, axis: Dims = None) -> Tensor:
    """How many elements over `dim` are not zero (int64)."""
    return sum(input != 0, dim if axis is None else axis)


def equal(input: Tensor, other: Tensor) -> bool:
    """Are shapes and all elements equal? A Python bool."""
    return tuple(input.shape) == tuple(other.shape) and bool((raw(input) == raw(other)).all())


def allclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> bool:
    """Is |input - other| <= atol + rtol |other| everywhere? A Python bool."""
    return bool(np.allclose(raw(input), raw(other), rtol=rtol, atol=atol, equal_nan=equal_nan))
