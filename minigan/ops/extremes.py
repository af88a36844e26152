"""The largest and smallest elements, and where they are."""

from typing import NamedTuple, overload

import numpy as np

from ..autograd import Tensor, op
from ..autograd._types import Dims
from .arithmetic import maximum, minimum
from .axes import axes_of, axis_of, kept, of_scalars
from .indexing import gather

__all__ = ["amax", "amin", "argmax", "argmin", "max", "min"]


@op(saves=("x", "axes", "out"))
def _extreme(x, axes, keepdim, largest):
    """y = the largest (or smallest) element over `axes`.
    dL/dx = g, shared equally by those that are it"""
    return (np.max if largest else np.min)(x, axis=axes, keepdims=keepdim)


@_extreme.backward
def _(g, need, x, axes, y):
    shape = kept(x.shape, axes)
    return g.reshape(shape) * _share(x, y.reshape(shape), axes)


@op
def _share(x, y, axes):
    """1 / n for the n elements of x that are the extreme y of their group over `axes`, 0 for
    others. Constant in pieces: dL/dx = 0"""
    hit = x == y
    # of a group with a NaN nothing is y
    return hit / np.maximum(hit.sum(axes, keepdims=True, dtype=x.dtype), 1)


def amax(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """The largest element over `dim`; equal ones share the gradient."""
    return _extreme(
        input, axes_of(dim if axis is None else axis, input.ndim), keepdim or keepdims, True
    )


def amin(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """The smallest element over `dim`; equal ones share the gradient."""
    return _extreme(
        input, axes_of(dim if axis is None else axis, input.ndim), keepdim or keepdims, False
    )


class values_indices(NamedTuple):
    """What functions along a dimension return."""

    values: Tensor
    indices: Tensor


@of_scalars
def _pick(input, dim, keepdim, arg):
    index = arg(input, dim, True)
    values = gather(input, dim, index)
    return (
        values_indices(values, index)
        if keepdim
        else values_indices(values.squeeze(dim), index.squeeze(dim))
    )


@overload
def max(
    input: Tensor,
    dim: None = None,
    keepdim: bool = False,
    *,
    other: Tensor | None = None,
    axis: None = None,
    keepdims: bool = False,
) -> Tensor: ...
@overload
def max(
    input: Tensor,
    dim: int,
    keepdim: bool = False,
    *,
    other: None = None,
    axis: None = None,
    keepdims: bool = False,
) -> values_indices: ...
@overload
def max(
    input: Tensor,
    dim: None = None,
    keepdim: bool = False,
    *,
    other: None = None,
    axis: int,
    keepdims: bool = False,
) -> values_indices: ...
@overload
def max(
    input: Tensor,
    dim: Tensor,
    keepdim: bool = False,
    *,
    other: None = None,
    axis: None = None,
    keepdims: bool = False,
) -> Tensor: ...
def max(input, dim=None, keepdim=False, *, other=None, axis=None, keepdims=False):
    """max(x): the largest element. max(x, dim): (values, indices), the gradient goes to the first.
    max(x, y): `maximum`."""
    dim = other if other is not None else dim if axis is None else axis
    if dim is None:
        return amax(input)
    return (
        _pick(input, dim, keepdim or keepdims, argmax)
        if isinstance(dim, int)
        else maximum(input, dim)
    )


@overload
def min(
    input: Tensor,
    dim: None = None,
    keepdim: bool = False,
    *,
    other: Tensor | None = None,
    axis: None = None,
    keepdims: bool = False,
) -> Tensor: ...
@overload
def min(
    input: Tensor,
    dim: int,
    keepdim: bool = False,
    *,
    other: None = None,
    axis: None = None,
    keepdims: bool = False,
) -> values_indices: ...
@overload
def min(
    input: Tensor,
    dim: None = None,
    keepdim: bool = False,
    *,
    other: None = None,
    axis: int,
    keepdims: bool = False,
) -> values_indices: ...
@overload
def min(
    input: Tensor,
    dim: Tensor,
    keepdim: bool = False,
    *,
    other: None = None,
    axis: None = None,
    keepdims: bool = False,
) -> Tensor: ...
def min(input, dim=None, keepdim=False, *, other=None, axis=None, keepdims=False):
    """min(x): the smallest element. min(x, dim): (values, indices), the gradient goes to the first.
    min(x, y): `minimum`."""
    dim = other if other is not None else dim if axis is None else axis
    if dim is None:
        return amin(input)
    return (
        _pick(input, dim, keepdim or keepdims, argmin)
        if isinstance(dim, int)
        else minimum(input, dim)
    )


@op
def _argextreme(x, axis, keepdim, largest):
    """The index of the first largest (or smallest) element"""
    return (np.argmax if largest else np.argmin)(x, axis=axis, keepdims=keepdim)


@of_scalars
def argmax(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The index (int64) of the largest element along `dim`, of the flattened input if None; the
    first of equal ones."""
    dim = dim if axis is None else axis
    return _argextreme(
        input, None if dim is None else axis_of(dim, input.ndim), keepdim or keepdims, True
    )


@of_scalars
def argmin(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The index (int64) of the smallest element along `dim`, of the flattened input if None; the
    first of equal ones."""
    dim = dim if axis is None else axis
    return _argextreme(
        input, None if dim is None else axis_of(dim, input.ndim), keepdim or keepdims, False
    )
