"""Kernels of ops/max_pooling.py for CUDA."""

import functools
import math

import numpy as np

from ...arrays import array_module
from ...ops.max_pooling import _elements, _places, plane_gather, plane_scatter, window_argmax
from . import Source
from .source import blocks, on_device

PLANES = Source("planes", """
extern "C" __global__ void gather_plane(
        const REAL* x, const int* index, REAL* y, i64 inside, i64 size, i64 n) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = x[i / size * inside + index[i]];
}

// A thread adds up a whole plane: so always in the same order, without atomics.
extern "C" __global__ void scatter_plane(
        const REAL* g, const int* index, REAL* y, i64 inside, i64 size, i64 planes) {
    const i64 p = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (p >= planes) return;
    for (i64 i = p * size; i < (p + 1) * size; i++) y[p * inside + index[i]] += g[i];
}

// index of the first maximum (a NaN counts as one) of the window whose elements are in rows[., o]
// and columns[., q]
extern "C" __global__ void find_max(
        const REAL* x, const u32* rows, const u32* columns, int* index, i64 most_rows,
        i64 most_columns, i64 height, i64 width, i64 down, i64 across, i64 n) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const i64 q = i % across, o = i / across % down;
    const REAL* plane = x + i / (across * down) * height * width;
    i64 found = (i64)rows[o] * width + columns[q];
    REAL best = plane[found];
    for (i64 r = 0; r < most_rows; r++)
        for (i64 c = 0; c < most_columns; c++) {
            const i64 at = (i64)rows[r * down + o] * width + columns[c * across + q];
            const REAL v = plane[at];
            if (v > best || v != v) best = v, found = at;
        }
    index[i] = (int)found;
}
""")  # fmt: skip


@plane_gather.kernel("cuda")
def _(x, index):
    xp = array_module(x)
    x, index = xp.ascontiguousarray(x), xp.ascontiguousarray(index, np.int32)
    y = xp.empty(index.shape, x.dtype)
    if y.size:
        inside, size = math.prod(x.shape[-2:]), math.prod(index.shape[-2:])
        PLANES.launch("gather_plane", x, blocks(y.size), (256,), x, index, y, inside, size, y.size)
    return y


@plane_scatter.kernel("cuda")
def _(g, index, shape):
    xp = array_module(g)
    g, index = xp.ascontiguousarray(g), xp.ascontiguousarray(index, np.int32)
    y = xp.zeros(shape, g.dtype)
    if g.size:
        planes = math.prod(shape[:-2])
        inside, size = math.prod(shape[-2:]), math.prod(index.shape[-2:])
        PLANES.launch(
            "scatter_plane", g, blocks(planes, 64), (64,), g, index, y, inside, size, planes
        )
    return y


@functools.lru_cache(maxsize=64)
def _table(xp, device, first, stop, step):
    """`_elements` on a GPU."""
    with on_device(xp, device):
        return xp.asarray(_elements(first, stop, step))


@window_argmax.kernel("cuda")
def _(x, rows, columns, steps):
    xp, places = array_module(x), _places(rows, columns, steps)
    x, (down, across) = xp.ascontiguousarray(x), [p.shape[1] for p in places]
    index = xp.empty((*x.shape[:-2], down, across), np.int32)
    if index.size:
        tables = [_table(xp, x.device.id, *w, s) for w, s in zip((rows, columns), steps)]
        most = [len(p) for p in places]
        PLANES.launch(
            "find_max",
            x,
            blocks(index.size),
            (256,),
            x,
            *tables,
            index,
            *most,
            *x.shape[-2:],
            down,
            across,
            index.size,
        )
    return index
