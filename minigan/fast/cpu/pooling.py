"""Kernels of ops/max_pooling.py for NumPy: compiled loops."""

import numpy as np

from ...ops.max_pooling import _places, plane_gather, plane_scatter, window_argmax
from .kernels import kernel
from .map_elements import on_planes


@plane_gather.kernel("cpu")
def _(x, index):
    return on_planes(_gather, index.shape[-2:], x, index)


@plane_scatter.kernel("cpu")
def _(g, index, shape):
    return on_planes(_scatter, shape[-2:], g, index)


@kernel
def _gather(x, index, y):
    height, width = index.shape[1:]
    for p in range(len(x)):
        source, at = x[p].reshape(-1), index[p].reshape(-1)
        out = y[p].reshape(-1)
        for i in range(height * width):
            out[i] = source[np.uint32(at[i])]


@kernel
def _scatter(g, index, y):
    for p in range(len(g)):
        source, at = g[p].reshape(-1), index[p].reshape(-1)
        out = y[p].reshape(-1)
        for i in range(out.size):
            out[i] = 0
        for i in range(source.size):
            out[np.uint32(at[i])] += source[i]


@kernel
def _find_max(x, rows, row_step, columns, index):
    planes, height, width = x.shape
    top, at = np.empty(width, x.dtype), np.empty(width, np.int32)
    for p in range(planes):
        for o in range(index.shape[1]):
            first = rows[0, o]
            for j in range(width):  # the maximum of each column of the window's rows
                top[j] = x[p, first, j]
                at[j] = np.int32(first * width) + np.int32(j)
            for i in range(first + row_step, rows[1, o], row_step):
                start = np.int32(i * width)
                for j in range(width):
                    v, t = x[p, i, j], top[j]
                    # a NaN is the maximum; no branches, so that this loop becomes vector code
                    better = (v > t) | (v != v)
                    top[j] = v if better else t
                    at[j] = start + np.int32(j) if better else at[j]
            # the maximum of these; of equal ones the first in the plane
            for q in range(index.shape[2]):
                j = columns[0, q]
                best, found = top[j], at[j]
                for c in range(1, len(columns)):
                    j = columns[c, q]
                    v, w = top[j], at[j]
                    better = (v > best) | (v != v) | ((v == best) & (w < found))
                    best = v if better else best
                    found = w if better else found
                index[p, o, q] = found


@window_argmax.kernel("cpu")
def _(x, rows, columns, steps):
    limits, places = np.array(rows), _places(rows, columns, steps)
    size = limits.shape[1], places[1].shape[1]
    return on_planes(
        lambda x, index: _find_max(x, limits, steps[0], places[1], index), size, x, dtype=np.int32
    )
