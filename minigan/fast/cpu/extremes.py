"""Kernels of ops/extremes.py for NumPy: compiled loops."""

import numpy as np

from ...ops.axes import Groups
from ...ops.extremes import _extreme, _share
from .kernels import kernel
from .map_elements import over_groups

# inner elements, with which the loops over groups are faster than those along the inner elements
FEW = 8


@kernel
def _extremes(x, y, largest):
    outer, group, inner = x.shape
    for a in range(outer):
        for b in range(inner):
            best = x[a, 0, b]
            for k in range(1, group):
                v = x[a, k, b]
                # a NaN is the result, as nothing is larger than it
                if v != v or (v > best if largest else v < best):
                    best = v
            y[a, 0, b] = best


@kernel
def _extremes_inner(x, y, largest):
    outer, group, inner = x.shape
    for a in range(outer):
        best, row = y[a, 0], x[a, 0]
        for b in range(inner):
            best[b] = row[b]
        for k in range(1, group):
            row = x[a, k]
            for b in range(inner):
                best[b] = (
                    row[b]
                    if row[b] != row[b] or (row[b] > best[b] if largest else row[b] < best[b])
                    else best[b]
                )


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


@_extreme.kernel("cpu")
def _(x, axes, keepdim, largest):
    if not x.size:
        return (np.max if largest else np.min)(x, axis=axes, keepdims=keepdim)
    groups = Groups(x, axes)
    outer, _, inner = groups.x.shape
    y = np.empty((outer, 1, inner), x.dtype)
    loop = _extremes if inner < FEW else _extremes_inner
    over_groups(lambda x, y: loop(x, y, largest), groups.x, y)
    return groups.back(y, keepdim)


@_share.kernel("cpu")
def _(x, y, axes):
    groups = Groups(x, axes)
    shares = np.empty(groups.x.shape, x.dtype)
    over_groups(
        _shares if shares.shape[2] < FEW else _shares_inner, groups.x, groups.view(y), shares
    )
    return groups.back(shares)
