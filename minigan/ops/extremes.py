"""The largest and smallest elements, and where they are."""

from collections import namedtuple

import numpy as np

from ..autograd import op
from ..backend import kernel
from .arithmetic import maximum, minimum
from .axes import Groups, axes_of, axis_of, kept, of_scalars, over_groups
from .indexing import gather

__all__ = ["amax", "amin", "argmax", "argmin", "max", "min"]


FEW = 8  # inner elements, with which the loops over groups are faster than those along the inner elements


@kernel
def _extremes(x, y, largest):
    outer, group, inner = x.shape
    for a in range(outer):
        for b in range(inner):
            best = x[a, 0, b]
            for k in range(1, group):
                v = x[a, k, b]
                if v != v or (v > best if largest else v < best):  # a NaN is the result, as nothing is larger than it
                    best = v
            y[a, 0, b] = best


@kernel
def _extremes_inner(x, y, largest):
    outer, group, inner = x.shape
    for a in range(outer):
        best = y[a, 0]
        best[:] = x[a, 0]
        for k in range(1, group):
            row = x[a, k]
            for b in range(inner):
                best[b] = row[b] if row[b] != row[b] or (row[b] > best[b] if largest else row[b] < best[b]) else best[b]


@kernel
def _shares(x, y, out):
    outer, group, inner = x.shape
    zero, one = x.dtype.type(0), x.dtype.type(1)
    for a in range(outer):
        for b in range(inner):
            best, hits = y[a, 0, b], 0
            for k in range(group):
                hits += x[a, k, b] == best
            share = one / x.dtype.type(hits)
            for k in range(group):
                out[a, k, b] = share if x[a, k, b] == best else zero


@kernel
def _shares_inner(x, y, out):
    outer, group, inner = x.shape
    zero, one = x.dtype.type(0), x.dtype.type(1)
    share = np.empty(inner, x.dtype)
    for a in range(outer):
        best = y[a, 0]
        share[:] = zero
        for k in range(group):
            row = x[a, k]
            for b in range(inner):
                share[b] += one if row[b] == best[b] else zero
        for b in range(inner):
            share[b] = one / share[b]
        for k in range(group):
            row, to = x[a, k], out[a, k]
            for b in range(inner):
                to[b] = share[b] if row[b] == best[b] else zero


@op
class _extreme:
    """y = the largest (or smallest) element over `axes`.    dL/dx = g, shared equally by those that are it"""

    saves = ("x", "axes", "out")

    def forward(x, axes, keepdim, largest):
        return (np.max if largest else np.min)(x, axis=axes, keepdims=keepdim)

    def cpu(x, axes, keepdim, largest):
        if not x.size:
            return (np.max if largest else np.min)(x, axis=axes, keepdims=keepdim)
        groups = Groups(x, axes)
        outer, _, inner = groups.x.shape
        y = np.empty((outer, 1, inner), x.dtype)
        loop = _extremes if inner < FEW else _extremes_inner
        over_groups(lambda x, y: loop(x, y, largest), groups.x, y)
        return groups.back(y, keepdim)

    def backward(g, need, x, axes, y):
        shape = kept(x.shape, axes)
        return g.reshape(shape) * _share(x, y.reshape(shape), axes)


@op
class _share:
    """1 / n for the n elements of x that are the extreme y of their group over `axes`, 0 for others. Constant in pieces: dL/dx = 0"""

    def forward(x, y, axes):
        hit = x == y
        return hit / np.maximum(hit.sum(axes, keepdims=True, dtype=x.dtype), 1)  # of a group with a NaN nothing is y

    def cpu(x, y, axes):
        groups = Groups(x, axes)
        shares = np.empty(groups.x.shape, x.dtype)
        over_groups(_shares if shares.shape[2] < FEW else _shares_inner, groups.x, groups.view(y), shares)
        return groups.back(shares)


def amax(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The largest element over `dim`; equal ones share the gradient."""
    return _extreme(input, axes_of(dim if axis is None else axis, input.ndim), keepdim or keepdims, True)


def amin(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The smallest element over `dim`; equal ones share the gradient."""
    return _extreme(input, axes_of(dim if axis is None else axis, input.ndim), keepdim or keepdims, False)


values_indices = namedtuple("values_indices", ["values", "indices"])


@of_scalars
def _pick(input, dim, keepdim, arg):
    index = arg(input, dim, True)
    values = gather(input, dim, index)
    return values_indices(values, index) if keepdim else values_indices(values.squeeze(dim), index.squeeze(dim))


def max(input, dim=None, keepdim=False, *, other=None, axis=None, keepdims=False):
    """max(x): the largest element. max(x, dim): (values, indices), the gradient goes to the first. max(x, y): `maximum`."""
    dim = other if other is not None else dim if axis is None else axis
    if dim is None:
        return amax(input)
    return _pick(input, dim, keepdim or keepdims, argmax) if isinstance(dim, int) else maximum(input, dim)


def min(input, dim=None, keepdim=False, *, other=None, axis=None, keepdims=False):
    """min(x): the smallest element. min(x, dim): (values, indices), the gradient goes to the first. min(x, y): `minimum`."""
    dim = other if other is not None else dim if axis is None else axis
    if dim is None:
        return amin(input)
    return _pick(input, dim, keepdim or keepdims, argmin) if isinstance(dim, int) else minimum(input, dim)


@op
class _argextreme:
    """The index of the first largest (or smallest) element"""

    def forward(x, axis, keepdim, largest):
        return (np.argmax if largest else np.argmin)(x, axis=axis, keepdims=keepdim)


@of_scalars
def argmax(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The index (int64) of the largest element along `dim`, of the flattened input if None; the first of equal ones."""
    dim = dim if axis is None else axis
    return _argextreme(input, None if dim is None else axis_of(dim, input.ndim), keepdim or keepdims, True)


@of_scalars
def argmin(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The index (int64) of the smallest element along `dim`, of the flattened input if None; the first of equal ones."""
    dim = dim if axis is None else axis
    return _argextreme(input, None if dim is None else axis_of(dim, input.ndim), keepdim or keepdims, False)
