"""Along a dimension: running products and extrema, differences, and areas under curves."""

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, op, raw
from ..autograd._types import DType
from .axes import axis_of, needed_axis
from .extremes import values_indices
from .indexing import gather
from .joining import cat, narrow
from .placement import to
from .reduction import _cumsum, sum
from .shape import clone

__all__ = ["cummax", "cummin", "cumprod", "cumulative_trapezoid", "diff", "trapezoid", "trapz"]


@op(saves=("x", "axis", "out"))
def _cumprod(x, axis):
    """y_i = x_1 ... x_i along an axis.    dL/dx_k = sum over i >= k of g_i times the product of the
    others (right also with zeros)
    """
    return np.cumprod(x, axis, np.int64 if x.dtype.kind in "iub" else None)


@_cumprod.backward
def _(g, need, x, axis, y):
    # asking CUDA would make the CPU wait
    if isinstance(raw(x), np.ndarray) and (raw(x) != 0).all():
        return _cumsum(g * y, axis, True) / x
    # s_k = g_k + x_(k+1) s_(k+1), and dL/dx_k = x_1 ... x_(k-1) s_k
    n = x.shape[axis]
    part = lambda a, k: narrow(a, axis, k, 1)
    found = [part(g, n - 1)]
    for k in range(n - 2, -1, -1):
        found.append(part(g, k) + part(x, k + 1) * found[-1])
    sums = cat(found[::-1], axis)
    return (
        sums
        if n == 1
        else cat([part(sums, 0), narrow(y, axis, 0, n - 1) * narrow(sums, axis, 1, n - 1)], axis)
    )


def cumprod(
    input: Tensor,
    dim: int | None = None,
    dtype: DType = None,
    *,
    axis: int | None = None,
) -> Tensor:
    """The running product along `dim`."""
    input = input if dtype is None else to(input, dtype)
    axis = needed_axis("cumprod", dim, axis, input.ndim)
    if input.ndim and input.shape[axis]:
        y = _cumprod(input, axis)
    else:
        y = input * 1 if raw(input).dtype.kind == "f" else to(input, np.int64)
    return y if dtype is None else to(y, dtype)


@op
def _running(x, axis, largest):
    """The position of the largest (or smallest) element so far along an axis; of equal ones the
    last, and a NaN counts as larger
    """
    xp, n = array_module(x), x.shape[axis]
    index = xp.zeros(x.shape, np.int64)
    lines, found = [xp.moveaxis(a, axis, 0) for a in (x, index)]
    best = lines[0]
    for k in range(1, n):
        new = lines[k]
        better = ((new >= best) if largest else (new <= best)) | (new != new)
        better = better & ((best == best) | (new != new))
        best = xp.where(better, new, best)
        found[k] = xp.where(better, k, found[k - 1])
    return index


def _extremes(input, dim, largest):
    if not input.ndim:
        return values_indices(clone(input), to(input != input, np.int64))
    axis = axis_of(dim, input.ndim)
    index = _running(input, axis, largest) if input.shape[axis] else to(input, np.int64)
    return values_indices(gather(input, axis, index), index)


def cummax(input: Tensor, dim: int) -> values_indices:
    """(values, indices) of the largest element so far along `dim`; of equal ones the last."""
    return _extremes(input, dim, True)


def cummin(input: Tensor, dim: int) -> values_indices:
    """(values, indices) of the smallest element so far along `dim`; of equal ones the last."""
    return _extremes(input, dim, False)


def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """The differences of neighbours along `dim`, taken n times; `prepend` and `append` are joined
    to the input first.
    """
    if not input.ndim:
        raise ValueError("diff: expected an input of at least one dimension")
    axis = axis_of(dim, input.ndim)
    if n == 0:
        return input
    parts = [x for x in (prepend, input, append) if x is not None]
    input = cat(parts, axis) if len(parts) > 1 else input
    for _ in range(n):
        size = input.shape[axis]
        if size < 2:
            return narrow(input, axis, 0, 0)
        after, before = narrow(input, axis, 1, size - 1), narrow(input, axis, 0, size - 1)
        input = after != before if raw(input).dtype.kind == "b" else after - before
    return input


def _areas(y, x, dx, dim):
    """Twice the areas under the pieces of a polygon, and their axis."""
    axis = axis_of(dim, y.ndim)
    n = y.shape[axis]
    if n < 2:
        return narrow(y, axis, 0, 0) * 1, axis
    height = narrow(y, axis, 0, n - 1) + narrow(y, axis, 1, n - 1)
    if x is None:
        return height * dx, axis
    if x.ndim == 1:
        return height * diff(x).reshape((-1,) + (1,) * (y.ndim - 1 - axis)), axis
    return height * diff(x, 1, axis - y.ndim), axis


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """The integral of y along `dim` by the trapezoidal rule; x: where the values are (else `dx`
    apart).
    """
    areas, axis = _areas(y, x, dx, dim)
    return sum(areas, axis) * 0.5


trapz = trapezoid


def cumulative_trapezoid(
    y: Tensor,
    x: Tensor | None = None,
    *,
    dx: float = 1,
    dim: int = -1,
) -> Tensor:
    """The running integral of y along `dim` by the trapezoidal rule: one element less than y."""
    areas, axis = _areas(y, x, dx, dim)
    return _cumsum(areas, axis, False) * 0.5
