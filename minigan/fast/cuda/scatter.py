"""CUDA kernels that add into picked places, where places may be named several times: always in one
order, without atomics."""

import math

from ...arrays import array_module
from . import Source
from .source import blocks

__all__: list[str] = []  # no ops

ADDING = Source("adding", """
// y[at[i], c] = the sum of x[j, c] over all j with at[j] = at[i], for the first such i
extern "C" __global__ void add_rows(
        const REAL* x, const i64* at, REAL* y, i64 rows, i64 columns, i64 n) {
    const i64 t = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (t >= n * columns) return;
    const i64 i = t / columns, c = t % columns;
    for (i64 j = 0; j < i; j++)
        if (at[j] == at[i]) return;
    REAL sum = 0;
    for (i64 j = i; j < n; j++)
        if (at[j] == at[i]) sum += x[j * columns + c];
    y[at[i] * columns + c] = sum;
}

// y[o, index[o, k, i], i] += x[o, k, i]; x and index (outer, n, inner), y (outer, size, inner): a
// thread has a line of n
extern "C" __global__ void add_lines(
        const REAL* x, const i64* index, REAL* y, i64 n, i64 size, i64 inner, i64 lines) {
    const i64 t = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (t >= lines) return;
    const i64 o = t / inner, i = t % inner;
    for (i64 k = 0; k < n; k++) {
        const i64 from = (o * n + k) * inner + i;
        y[(o * size + index[from]) * inner + i] += x[from];
    }
}
""")  # fmt: skip

MOST = 1 << 32  # comparisons of one call
LONGEST = 1 << 12  # line that one thread walks


def add_rows(x, at, shape):
    """Zeros of `shape` (rows, ...) with x (n, ...) added to the rows `at` (n integers). CuPy's own
    (atomic) additions where n is so large that comparing all pairs would take longer."""
    xp, rows = array_module(x), shape[0]
    columns, n = math.prod(shape[1:]), at.size
    y = xp.zeros(shape, x.dtype)
    if n * n * columns > MOST:
        xp.add.at(y, at.reshape(-1), x.reshape(n, *shape[1:]))
    elif n * columns:
        # as CuPy takes numbers outside: no address is outside
        at = at.reshape(-1).astype("int64") % rows
        ADDING.launch(
            "add_rows",
            x,
            blocks(n * columns),
            (256,),
            xp.ascontiguousarray(x),
            at,
            y,
            rows,
            columns,
            n,
        )
    return y


def add_at(x, index, shape):
    """Zeros of `shape` with x added at an index that has arrays."""
    xp, parts = array_module(x), index if isinstance(index, tuple) else (index,)
    arrays = [i for i in parts if hasattr(i, "dtype")]
    if all(a.dtype.kind == "b" for a in arrays):  # a mask names no place twice
        y = xp.zeros(shape, x.dtype)
        y[index] = x
        return y
    axis = len(parts) - 1
    if (
        arrays[-1] is parts[-1]
        and arrays[-1].ndim == 1
        and all(i.__class__ is slice and i == slice(None) for i in parts[:-1])
    ):
        moved = add_rows(
            xp.moveaxis(x, axis, 0),
            xp.asarray(arrays[-1]),
            (shape[axis], *shape[:axis], *shape[axis + 1 :]),
        )
        return xp.moveaxis(moved, 0, axis)
    places = xp.arange(math.prod(shape)).reshape(shape)[index]
    return add_rows(x.reshape(-1), places, (math.prod(shape),)).reshape(shape)


def add_lines(x, axis, index, shape):
    """Zeros of `shape` with x added along `axis` at `index`, of the shape of x: equal to `shape`
    but for the axis."""
    xp = array_module(x)
    inner, n = math.prod(shape[axis + 1 :]), x.shape[axis]
    y, lines = xp.zeros(shape, x.dtype), math.prod(shape[:axis]) * inner
    if n and lines:
        index = xp.ascontiguousarray(index, "int64") % shape[axis]
        ADDING.launch(
            "add_lines",
            x,
            blocks(lines),
            (256,),
            xp.ascontiguousarray(x),
            index,
            y,
            n,
            shape[axis],
            inner,
            lines,
        )
    return y
