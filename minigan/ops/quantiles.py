"""Where a value stands among others: medians, quantiles, the k-th smallest. The values are
gathered, so that gradients go back to them.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, op, raw
from .arithmetic import _where as where
from .arithmetic import clamp, floor, isnan, round
from .axes import axis_of
from .creation import as_tensor
from .extremes import _share, amax, argmax, values_indices
from .indexing import gather
from .joining import narrow
from .placement import to
from .reduction import any, count_nonzero
from .shape import clone, expand, movedim
from .sorting import argsort, sort

__all__ = ["kthvalue", "median", "mode", "msort", "nanmedian", "nanquantile", "quantile"]


def _line(name, input):
    if not math.prod(input.shape):
        raise ValueError(f"{name}: no elements in an input of shape {tuple(input.shape)}")


def _middle(x, axis, skip):
    """Positions along the axis of the (lower) median; NaNs count as the largest, or are skipped."""
    order = argsort(x, axis)
    n = x.shape[axis]
    nans = count_nonzero(isnan(x), axis) if raw(x).dtype.kind == "f" else None
    if nans is None:
        place = narrow(order, axis, (n - 1) // 2, 1)
    else:
        nans = nans.reshape(tuple(1 if i == axis else m for i, m in enumerate(x.shape)))
        found = clamp(n - 1 - nans, min=0) // 2 if skip else where(nans > 0, n - 1, (n - 1) // 2)
        place = gather(order, axis, found)
    return place


@op(saves=("x", "out"))
def _median(x, skip):
    """The (lower) median of all elements.    dL/dx = g, shared equally by those that are it"""
    flat = x.reshape(-1)
    return flat[_middle(flat, 0, skip)].reshape(())


@_median.backward
def _(g, need, x, y):
    return g * _share(x, y.reshape((1,) * x.ndim), tuple(range(x.ndim)))


def _medians(name, input, dim, keepdim, skip):
    _line(name, input)
    if dim is None:
        return _median(input, skip)
    if not input.ndim:
        return values_indices(clone(input), to(input != input, np.int64) * 0)
    axis = axis_of(dim, input.ndim)
    index = _middle(input, axis, skip)
    values = gather(input, axis, index)
    return (
        values_indices(values, index)
        if keepdim
        else values_indices(values.squeeze(axis), index.squeeze(axis))
    )


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median, of two in the middle the lower: median(x) of all elements, median(x, dim):
    (values, indices). A NaN is the median.
    """
    return _medians("median", input, dim, keepdim, False)


def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """As `median`, of the elements that are numbers."""
    return _medians("nanmedian", input, dim, keepdim, True)


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> values_indices:
    """(values, indices) of the k-th smallest (from 1) elements along `dim`."""
    if not input.ndim:
        return values_indices(*[x.reshape(()) for x in kthvalue(input.reshape(1), k)])
    axis = axis_of(dim, input.ndim)
    if not 1 <= k <= input.shape[axis]:
        raise ValueError(f"kthvalue: k={k} for dimension {dim} of size {input.shape[axis]}")
    index = narrow(argsort(input, axis), axis, k - 1, 1)
    values = gather(input, axis, index)
    return (
        values_indices(values, index)
        if keepdim
        else values_indices(values.squeeze(axis), index.squeeze(axis))
    )


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> values_indices:
    """(values, indices) of the most frequent elements along `dim`; of equally frequent ones the
    smallest.
    """
    if not input.ndim:
        return values_indices(*[x.reshape(()) for x in mode(input.reshape(1))])
    axis = axis_of(dim, input.ndim)
    lines = movedim(input, axis, -1)
    same = count_nonzero(lines[..., :, None] == lines[..., None, :], -1)
    top = same == amax(same, -1, True)
    order = argsort(lines, -1)
    place = argmax(gather(to(top, np.int64), -1, order), -1, True)
    value = gather(lines, -1, gather(order, -1, place))
    n = lines.shape[-1]
    last = array_module(raw(input)).arange(n)
    index = movedim(amax(where(lines == value, last, -1), -1, True), -1, axis)
    values = gather(input, axis, index)
    return (
        values_indices(values, index)
        if keepdim
        else values_indices(values.squeeze(axis), index.squeeze(axis))
    )


def msort(input: Tensor) -> Tensor:
    """Sorted along the first dimension."""
    return sort(input, 0).values


INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(name, input, q, dim, keepdim, interpolation, skip):
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"{name}: interpolation={interpolation!r}; expected one of "
            f"{', '.join(map(repr, INTERPOLATIONS))}"
        )
    if raw(input).dtype.kind != "f":
        raise TypeError(f"{name}: the input is {raw(input).dtype}: convert it with .float()")
    _line(name, input)
    if not isinstance(q, Tensor):
        q = as_tensor(array_module(raw(input)).asarray(np.asarray(q, raw(input).dtype)))
    if q.ndim > 1 or q.dtype != input.dtype:
        raise ValueError(
            f"{name}: q is {q.dtype} {tuple(q.shape)}: expected a number, or a vector, of the "
            f"input's {input.dtype}"
        )
    if isinstance(q.array, np.ndarray) and not ((q.array >= 0) & (q.array <= 1)).all():
        raise ValueError(f"{name}: q={q.tolist()} must be in [0, 1]")
    axis = 0 if dim is None or not input.ndim else axis_of(dim, input.ndim)
    shape = (
        [1] * input.ndim
        if dim is None
        else [1 if i == axis else n for i, n in enumerate(input.shape)]
    )
    lines = input.reshape(1, -1) if dim is None or not input.ndim else movedim(input, axis, -1)
    n = lines.shape[-1]
    lines = sort(lines, -1).values
    bad = isnan(lines)
    ranks = q.reshape(-1)
    if skip:
        ranks = ranks * clamp(to(count_nonzero(~bad, -1)[..., None], input.dtype) - 1, min=0)
    else:
        ranks = where(any(bad, -1, True), float(n - 1), ranks * (n - 1))
    if interpolation == "lower":
        ranks = floor(ranks)
    elif interpolation == "higher":
        ranks = -floor(-ranks)
    elif interpolation == "nearest":
        ranks = round(ranks)
    ranks = expand(ranks, (*lines.shape[:-1], ranks.shape[-1]))
    low = floor(ranks)
    values = gather(lines, -1, to(low, np.int64))
    if interpolation in ("linear", "midpoint"):
        above = gather(lines, -1, clamp(to(-floor(-ranks), np.int64), max=n - 1))
        share = ranks - low if interpolation == "linear" else to(ranks > low, ranks.dtype) * 0.5
        values = values + where(ranks > low, (above - values) * share, 0.0)
    values = movedim(values, -1, 0)
    out = shape if keepdim else [] if dim is None else [m for i, m in enumerate(shape) if i != axis]
    return values.reshape(([q.shape[0]] if q.ndim else []) + out)


def quantile(
    input: Tensor,
    q: float | Sequence[float] | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The q-quantiles along `dim` (None: of all elements): where the share q of the sorted elements
    lies below. A NaN makes it NaN.

    q : a number in [0, 1], or a vector of them, which gives a first dimension of the result
    interpolation : between two elements: "linear", "lower", "higher", "midpoint" or "nearest"
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


def nanquantile(
    input: Tensor,
    q: float | Sequence[float] | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """As `quantile`, of the elements that are numbers."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)
