"""CUDA kernels over the rows and columns of a matrix: bias and activation, sums over rows.

On CUDA images (N, C, ...) lie in memory as (N, ..., C): the values of all channels at a position
side by side. Such an array is a matrix of rows (positions) and columns (channels); sums over a
column are what a bias and batch normalisation need. A block does 32 columns with 8 or 32 threads
each; many rows are shared among several blocks, whose sums are added in a second launch, always in
one order.
"""

import numpy as np

from ...arrays import array_module
from ...ops import layout
from . import Source
from .source import blocks

KINDS = {None: 0, "leaky_relu": 1, "tanh": 2, "sigmoid": 3, "softplus": 4}
RULES = KINDS.keys() - {None}
# up to so many rows one block takes them all, with up to 32 threads for a column; where there are
# several each has 8
ALONE = 512
CHUNK = 128  # rows that one of several blocks takes at least
BLOCKS = 528  # so many fill the largest GPU: 4 of 256 threads for each of its 132 multiprocessors

# what kernels with sums over columns have in common
COLUMN_SUMS = """
// The sums of two numbers over the threads of a column, known to each of them; blocks are
// (32, a power of two up to 32).
__device__ inline void column_sum(double& a, double& b) {
    __shared__ double tile[2][32][32];
    const u32 x = threadIdx.x, lane = threadIdx.y;
    tile[0][lane][x] = a;
    tile[1][lane][x] = b;
    __syncthreads();
    for (u32 half = blockDim.y / 2; half > 0; half /= 2) {
        if (lane < half) {
            tile[0][lane][x] += tile[0][lane + half][x];
            tile[1][lane][x] += tile[1][lane + half][x];
        }
        __syncthreads();
    }
    a = tile[0][0][x];
    b = tile[1][0][x];
    __syncthreads();
}

// Where a thread's column is, and which rows are its block's.
struct Place { i64 column, first, last; bool inside; };
__device__ inline Place place(i64 rows, i64 columns, i64 chunk) {
    const i64 column = (i64)blockIdx.x * 32 + threadIdx.x, first = (i64)blockIdx.y * chunk;
    return {column, first, first + chunk < rows ? first + chunk : rows, column < columns};
}

// What the parts of a column's sums make together: partial[step k + start][column]
// for k = 0 ... count - 1
__device__ inline double gathered(
        const double* __restrict__ partial, i64 column, i64 columns, i64 count, i64 step,
        i64 start) {
    double sum = 0;
    #pragma unroll 4
    for (i64 k = threadIdx.y; k < count; k += blockDim.y)
        sum += partial[(step * k + start) * columns + column];
    return sum;
}
"""
CODE = """
enum { LEAKY = 1, TANH = 2, SIGMOID = 3, SOFTPLUS = 4 };

// y = activation(y + bias), row by row
extern "C" __global__ void bias_activation(
        REAL* __restrict__ y, const REAL* __restrict__ bias, i64 n, i64 columns, i64 kind,
        double slope) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    REAL v = bias ? y[i] + bias[modulo(i, columns)] : y[i];
    if (kind == LEAKY) v = v > 0 ? v : (REAL)slope * v;
    else if (kind == TANH) v = tanh(v);
    else if (kind == SIGMOID) v = (REAL)1 / ((REAL)1 + exp(-v));
    else if (kind == SOFTPLUS) v = (v > 0 ? v : 0) + log1p(exp(-fabs(v)));
    y[i] = v;
}

// h = g times the activation's slope, which follows from its result y; the sum of a thread's h
template <int kind>
__device__ inline double rule(
        const REAL* __restrict__ g, const REAL* __restrict__ y, REAL* __restrict__ h, Place at,
        i64 columns, REAL slope) {
    double sum = 0;
    #pragma unroll 4
    for (i64 row = at.first + threadIdx.y; row < at.last; row += blockDim.y) {
        const i64 i = row * columns + at.column;
        REAL v = g[i];
        if (kind == LEAKY) v = y[i] > 0 ? v : slope * v;
        else if (kind == TANH) v = v * (1 - y[i] * y[i]);
        else if (kind == SIGMOID) v = v * (y[i] * (1 - y[i]));
        else if (kind == SOFTPLUS) v = v * -expm1(-y[i]);
        if (kind) h[i] = v;
        sum += v;
    }
    return sum;
}

// The rule (kind 0: h is g, and not written) and the sums of h over the rows: total where one block
// has them all, else partial[block row][column].
extern "C" __global__ void __launch_bounds__(1024) rule_sums(
        const REAL* __restrict__ g, const REAL* __restrict__ y, REAL* __restrict__ h,
        double* __restrict__ partial, REAL* __restrict__ total, i64 rows, i64 columns, i64 chunk,
        i64 kind, double slope) {
    const Place at = place(rows, columns, chunk);
    double sum = 0, none = 0;
    if (at.inside) {
        if (kind == LEAKY) sum = rule<LEAKY>(g, y, h, at, columns, (REAL)slope);
        else if (kind == TANH) sum = rule<TANH>(g, y, h, at, columns, 0);
        else if (kind == SIGMOID) sum = rule<SIGMOID>(g, y, h, at, columns, 0);
        else if (kind == SOFTPLUS) sum = rule<SOFTPLUS>(g, y, h, at, columns, 0);
        else sum = rule<0>(g, y, h, at, columns, 0);
    }
    column_sum(sum, none);
    if (threadIdx.y || !at.inside) return;
    if (total) total[at.column] = (REAL)sum;
    else partial[blockIdx.y * columns + at.column] = sum;
}

extern "C" __global__ void __launch_bounds__(1024) add_partial(
        const double* __restrict__ partial, REAL* __restrict__ total, i64 count, i64 columns) {
    const Place at = place(0, columns, 0);
    double sum = at.inside ? gathered(partial, at.column, columns, count, 1, 0) : 0, none = 0;
    column_sum(sum, none);
    if (at.inside && !threadIdx.y) total[at.column] = (REAL)sum;
}
"""
COLUMNS = Source("columns", COLUMN_SUMS + CODE)


def to_rows(x):
    """x (N, C, ...) as a matrix (positions, C), row-major: a view where it lies so."""
    if x.ndim > 2:
        x = x.transpose(0, *range(2, x.ndim), 1)
    return array_module(x).ascontiguousarray(x).reshape(-1, x.shape[-1])


def from_rows(y, shape):
    """The array (N, C, ...) of this shape whose rows `to_rows` would give: a view."""
    n, c, *sizes = shape
    return y.reshape(n, *sizes, c).transpose(0, len(shape) - 1, *range(1, len(shape) - 1))


@layout.by_position.kernel("cuda")
def by_position(x):
    """x (N, C, ...) laid out in memory as (N, ..., C): itself, or a copy."""
    return from_rows(to_rows(x), x.shape)


def grid_of(rows, columns):
    """(grid, block, rows of each block) for sums over rows: few enough blocks that their sums are
    quickly added, enough to fill the GPU."""
    across = -(-columns // 32)
    if rows <= ALONE:
        return (across, 1), (32, 8 if rows <= 16 else 16 if rows <= 32 else 32), rows
    chunk = max(CHUNK, -(-rows // -(-BLOCKS // across)))
    return (across, -(-rows // chunk)), (32, 8), chunk


def add_bias(y, bias, activation=None, slope=0.0):
    """activation(y + bias) for y (..., C), which is overwritten; bias (C,) or None."""
    if y.size and (bias is not None or activation is not None):
        (bias,) = vectors(y, bias=bias)
        COLUMNS.launch(
            "bias_activation",
            y,
            blocks(y.size),
            (256,),
            y,
            bias,
            y.size,
            y.shape[-1],
            KINDS[activation],
            float(slope),
        )
    return y


def vectors(like, **vectors):
    """Each without gaps, as kernels read it (None stays); TypeError for another dtype than that of
    `like`."""
    for name, v in vectors.items():
        if v is not None and v.dtype != like.dtype:
            raise TypeError(f"{name} is {v.dtype}, the rest {like.dtype}")
    return [
        v if v is None or v.flags.c_contiguous else array_module(like).ascontiguousarray(v)
        for v in vectors.values()
    ]


def column_sums(g):
    """The sums over the rows of a matrix (rows, C) -> (C,)"""
    return rule_and_sums(g, None, None, 0.0)[1]


def rule_and_sums(g, y, activation, slope):
    """h = g activation'(its argument), which follows from its result y, and the sums of h over the
    rows: (rows, C), (C,)."""
    xp = array_module(g)
    g = xp.ascontiguousarray(g)
    rows, columns = g.shape
    total = (xp.empty if g.size else xp.zeros)(columns, g.dtype)
    if activation is None:
        h = g
    else:
        y, h = xp.ascontiguousarray(y), xp.empty_like(g)
    if not g.size:
        return h, total
    grid, block, chunk = grid_of(rows, columns)
    partial = None if grid[1] == 1 else xp.empty((grid[1], columns), np.float64)
    target = None if activation is None else h
    whole = total if partial is None else None
    kind = KINDS[activation]
    COLUMNS.launch(
        "rule_sums",
        g,
        grid,
        block,
        g,
        y,
        target,
        partial,
        whole,
        rows,
        columns,
        chunk,
        kind,
        float(slope),
    )
    if partial is not None:
        COLUMNS.launch("add_partial", g, grid[:1], (32, 32), partial, total, grid[1], columns)
    return h, total
