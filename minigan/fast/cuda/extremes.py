"""Kernels of ops/extremes.py for CUDA."""

import math

from ...arrays import array_module
from ...ops.extremes import _share
from . import Source
from .source import blocks

# elements of a group that one thread goes through; larger groups are left to CuPy's operations
LONGEST = 64

EXTREMES = Source("extremes", """
// Groups (outer, length, inner) of x and their extremes y (outer, inner): 1 / n for the n elements
// that are y, 0 for the others.
extern "C" __global__ void shares(
        const REAL* __restrict__ x, const REAL* __restrict__ y, REAL* __restrict__ out, i64 groups,
        i64 length, i64 inner) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= groups) return;
    const i64 first = quotient(i, inner) * length * inner + modulo(i, inner);
    int hits = 0;
    for (i64 k = 0; k < length; k++) hits += x[first + k * inner] == y[i];
    const REAL share = (REAL)1 / (REAL)(hits ? hits : 1);
    for (i64 k = 0; k < length; k++)
        out[first + k * inner] = x[first + k * inner] == y[i] ? share : (REAL)0;
}
""")  # fmt: skip


@_share.kernel("cuda")
def _(x, y, axes):
    first, last = min(axes, default=0), max(axes, default=-1) + 1
    length = math.prod(x.shape[first:last])
    together = len(axes) == last - first and x.flags.c_contiguous and y.flags.c_contiguous
    if not together or not 0 < length <= LONGEST or not x.size:
        return _share.card.forward(x, y, axes)
    out, groups = array_module(x).empty_like(x), x.size // length
    inner = math.prod(x.shape[last:])
    EXTREMES.launch("shares", x, blocks(groups), (256,), x, y, out, groups, length, inner)
    return out
