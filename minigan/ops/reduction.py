"""Ops that reduce dimensions: sums, means, norms."""

import math

import numpy as np

from ..arrays import array_module, total
from ..autograd import Tensor, op, raw
from ..autograd._types import Dims, DType
from ..engine.primitives import expand
from .arithmetic import _where as where
from .axes import axes_of, axis_of, count, kept, needed_axis, of_scalars
from .elementary import abs, sign, sqrt, square
from .extremes import amax, amin
from .joining import cat
from .placement import to

__all__ = [
    "all", "allclose", "any", "count_nonzero", "cumsum", "equal", "mean", "norm", "prod", "std",
    "sum", "var", "var_mean",
]  # fmt: skip


@op(saves=("x.shape", "axes"))
def _sum(x, axes, keepdim):
    """y = sum of x over `axes`.    dL/dx = g for every element"""
    return total(x, axes, keepdim)


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
    """The sum over `dim` (None: all; an int or a tuple). keepdim: reduced dimensions stay with size
    1."""
    if dtype is not None:
        input = to(input, dtype)
    y = _sum(input, axes_of(dim if axis is None else axis, input.ndim), keepdim or keepdims)
    return y if dtype is None else to(y, dtype)


@op(saves=("x.shape", "axes"))
def _mean(x, axes, keepdim):
    """y = mean of x over `axes`, N elements each.    dL/dx = g / N for every element"""
    if x.dtype.char == "e":  # their sum may be larger than all float16
        return _mean.card.forward(x.astype(np.float32), axes, keepdim).astype(x.dtype)
    return total(x, axes, keepdim) / count(x.shape, axes)


@_mean.backward
def _(g, need, shape, axes):
    return expand((g / count(shape, axes)).reshape(kept(shape, axes)), shape)


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
        raise TypeError(
            f"mean of {array.dtype} elements: convert to a floating-point dtype first, e.g. with "
            ".float()"
        )
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
    """The variance over `dim`: squared deviations from the mean, summed and divided by N - 1
    (unbiased) or N - correction."""
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
    if raw(input).dtype.char == "e":  # squares and sums of float16 are taken in float32
        return tuple(
            to(y, np.float16)
            for y in var_mean(to(input, np.float32), axes, unbiased, keepdim, correction=correction)
        )
    correction = (1 if unbiased else 0) if correction is None else correction
    mu = mean(input, axes, True)
    free = count(input.shape, axes) - correction
    variance = sum(square(input - mu), axes, keepdim) / (free if free > 0 else math.nan)
    return variance, mu if keepdim else mu.reshape(
        tuple(n for i, n in enumerate(input.shape) if i not in axes)
    )


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
    """The standard deviation: the square root of `var`. Where it is 0, so is its gradient (a
    subgradient, as in torch)."""
    if raw(input).dtype.char == "e":
        return to(
            std(
                to(input, np.float32),
                dim,
                unbiased,
                keepdim or keepdims,
                correction=correction,
                axis=axis,
            ),
            np.float16,
        )
    variance = var(input, dim, unbiased, keepdim or keepdims, correction=correction, axis=axis)
    zero = variance == 0
    return where(zero, 0.0, sqrt(where(zero, 1.0, variance)))


def _wide(x):
    """The dtype in which sums and products are taken: int64 for integers, that of x for floats."""
    return None if x.dtype.kind == "f" else np.int64


@op(saves=("x", "axis", "out"))
def _prod(x, axis, keepdim):
    """y = product of x over one axis.
    dL/dx_i = g times the product of all others (right also where x has zeros)"""
    return np.multiply.reduce(x, axis=axis, keepdims=keepdim, dtype=_wide(x))


@_prod.backward
def _(g, need, x, axis, y):
    shape = kept(x.shape, (axis,))
    g, y = g.reshape(shape), y.reshape(shape)
    # asking CUDA would make the CPU wait
    if isinstance(raw(x), np.ndarray) and (raw(x) != 0).all():
        return g * y / x
    # With zeros: the product of the others = (product of those before) * (product of those after),
    # each by multiplying up.
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
        return prod(flat, 0, False, dtype)
    axis = axis_of(dim, input.ndim)
    if input.shape and not input.shape[axis]:
        y = sum(input, axis, keepdim or keepdims) + 1
    else:
        y = _prod(input, axis, keepdim or keepdims) if input.shape else prod(input, dtype=dtype)
    return y if dtype is None else to(y, dtype)


@op(saves=("axis", "reverse"))
def _cumsum(x, axis, reverse):
    """y_i = x_1 + ... + x_i along an axis.    dL/dx_i = g_i + ... + g_n"""
    # the error of a long sum would grow with each term
    wide = np.float64 if x.dtype.kind == "f" else np.int64
    y = (
        np.flip(np.cumsum(np.flip(x, axis), axis, wide), axis)
        if reverse
        else np.cumsum(x, axis, wide)
    )
    return y.astype(x.dtype, copy=False) if x.dtype.kind == "f" else y


@_cumsum.backward
def _(g, need, axis, reverse):
    return _cumsum(g, axis, not reverse)


@of_scalars
def cumsum(
    input: Tensor, dim: int | None = None, dtype: DType = None, *, axis: int | None = None
) -> Tensor:
    """The running sum along `dim`; of integers and booleans int64."""
    axis = needed_axis("cumsum", dim, axis, input.ndim)
    y = _cumsum(input if dtype is None else to(input, dtype), axis, False)
    return y if dtype is None else to(y, dtype)


def norm(
    input: Tensor,
    p: float | str | None = 2,
    dim: Dims = None,
    keepdim: bool = False,
    dtype: DType = None,
    *,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """The p-norm (sum |x|^p)^(1/p) over `dim` (None: all); p may be "fro" (2), inf or -inf, and for
    matrices "nuc" (the sum of their singular values). The gradient at 0 is 0.
    """
    if p == "nuc":
        from .matrices import matrix_norm

        return matrix_norm(
            input, p, (dim if axis is None else axis) or (0, 1), keepdim or keepdims, dtype=dtype
        )
    axes = axes_of(dim if axis is None else axis, input.ndim)
    keepdim = keepdim or keepdims
    input = input if dtype is None else to(input, dtype)
    p = 2 if p in (None, "fro") else p
    if raw(input).dtype.kind != "f":
        raise TypeError(
            f"norm of {raw(input).dtype} elements: convert to a floating-point dtype first, e.g. "
            "with .float()"
        )
    if raw(input).dtype.char == "e":  # powers and sums of float16 are taken in float32
        return to(norm(to(input, np.float32), p, axes, keepdim), np.float16)
    if p == 2:
        return _norm2(input, axes, keepdim)
    if p == 1:
        return sum(abs(input), axes, keepdim)
    if p in (math.inf, -math.inf):
        return (amax if p > 0 else amin)(abs(input), axes, keepdim)
    if p == 0:
        return sum(abs(sign(input)), axes, keepdim)
    size = abs(input)
    # neither the powers (p < 1) nor the root have a derivative there: it counts as 0, as in torch
    zero = size == 0
    total = sum(where(zero, 0.0, where(zero, 1.0, size) ** p), axes, keepdim)
    zero = total == 0
    return where(zero, 0.0, where(zero, 1.0, total) ** (1 / p))


@op(saves=("x", "axes", "out"))
def _norm2(x, axes, keepdim):
    """y = sqrt(sum x^2).    dL/dx = g x / y, and 0 where y = 0 (a subgradient)"""
    return np.sqrt(total(np.square(x), axes, keepdim))


@_norm2.backward
def _(g, need, x, axes, y):
    shape = kept(x.shape, axes)
    g, y = g.reshape(shape), y.reshape(shape)
    zero = y == 0
    return where(zero, 0.0, g / where(zero, y * 0 + 1, y)) * x


def _ones(x):
    """Ones like x: an array also where x has no dimensions, which keeps its dtype beside
    Tensors."""
    array = getattr(x, "array", x)
    return array_module(array).ones_like(array)


# --- without gradients ---


@op
def _logical(x, axes, keepdim, every):
    """Are all (or any) elements non-zero?"""
    y = (np.all if every else np.any)(x, axis=axes, keepdims=keepdim)
    # torch's old booleans stay what they are
    return y.astype(x.dtype) if x.dtype == np.uint8 else y


def all(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """Are all elements over `dim` non-zero?"""
    return _logical(
        input, axes_of(dim if axis is None else axis, input.ndim), keepdim or keepdims, True
    )


def any(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """Is any element over `dim` non-zero?"""
    return _logical(
        input, axes_of(dim if axis is None else axis, input.ndim), keepdim or keepdims, False
    )


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
