"""CUDA kernels over the rows and columns of a matrix: bias and activation, sums over rows, batch
normalisation.

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

CODE = """
enum { LEAKY = 1, TANH = 2, SIGMOID = 3, SOFTPLUS = 4 };

// y = activation(y + bias), row by row
extern "C" __global__ void bias_activation(REAL* __restrict__ y, const REAL* __restrict__ bias, i64 n, i64 columns, i64 kind,
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

// The sums of two numbers over the threads of a column, known to each of them; blocks are (32, a power of two up to 32).
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

// What the parts of a column's sums make together: partial[step k + start][column], k = 0 ... count - 1
__device__ inline double gathered(const double* __restrict__ partial, i64 column, i64 columns, i64 count, i64 step, i64 start) {
    double sum = 0;
    #pragma unroll 4
    for (i64 k = threadIdx.y; k < count; k += blockDim.y) sum += partial[(step * k + start) * columns + column];
    return sum;
}

// h = g times the activation's slope, which follows from its result y; the sum of a thread's h
template <int kind>
__device__ inline double rule(const REAL* __restrict__ g, const REAL* __restrict__ y, REAL* __restrict__ h, Place at, i64 columns,
                              REAL slope) {
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

// The rule (kind 0: h is g, and not written) and the sums of h over the rows: total where one block has them all, else
// partial[block row][column].
extern "C" __global__ void __launch_bounds__(1024) rule_sums(
        const REAL* __restrict__ g, const REAL* __restrict__ y, REAL* __restrict__ h, double* __restrict__ partial,
        REAL* __restrict__ total, i64 rows, i64 columns, i64 chunk, i64 kind, double slope) {
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

extern "C" __global__ void __launch_bounds__(1024) add_partial(const double* __restrict__ partial, REAL* __restrict__ total, i64 count,
                                                               i64 columns) {
    const Place at = place(0, columns, 0);
    double sum = at.inside ? gathered(partial, at.column, columns, count, 1, 0) : 0, none = 0;
    column_sum(sum, none);
    if (at.inside && !threadIdx.y) total[at.column] = (REAL)sum;
}

// --- batch normalisation, and a leaky ReLU behind it (slope 1: none): the formulas of minigan/ops/normalization.py ---

struct Channel { double mean, var; };

// Deviations are counted from the first element of the channel, so that in double precision nothing cancels.
__device__ inline Channel channel(double sum, double square, double shift, double count) {
    const double mean = sum / count, var = square / count - mean * mean;
    return {shift + mean, var > 0 ? var : 0};
}

__device__ inline void keep(i64 c, Channel s, double count, double eps, double momentum, double* mean, REAL* rstd,
                            REAL* running_mean, REAL* running_var) {
    mean[c] = s.mean;
    rstd[c] = (REAL)(1 / sqrt(s.var + eps));
    if (running_mean) running_mean[c] += (REAL)(momentum * (s.mean - running_mean[c]));
    if (running_var) running_var[c] += (REAL)(momentum * (s.var * count / (count > 1 ? count - 1 : 1) - running_var[c]));
}

// y = (x - m) scale + shift; what rounding the mean to m leaves is in the shift
struct Map { REAL m, scale, shift; };
__device__ inline Map map_of(double mean, REAL rstd, REAL w, REAL b) {
    const REAL m = (REAL)mean, scale = rstd * w;
    return {m, scale, b - (REAL)(mean - m) * scale};
}
__device__ inline REAL mapped(Map f, REAL x) { return (x - f.m) * f.scale + f.shift; }

__device__ inline REAL small(REAL v, REAL slope) { return slope == 0 ? (REAL)0 : slope * v; }
__device__ inline REAL leaky(REAL v, REAL slope) { return v <= 0 ? small(v, slope) : v; }  // NaN stays
__device__ inline REAL leaky_back(REAL g, REAL v, REAL slope) { return v > 0 ? g : small(g, slope); }

// Sums of the deviations and their squares; where one block has all rows (y given), everything at once.
extern "C" __global__ void __launch_bounds__(1024) norm_forward(
        const REAL* __restrict__ x, const REAL* __restrict__ w, const REAL* __restrict__ b, REAL* __restrict__ y,
        double* __restrict__ partial, double* __restrict__ mean, REAL* __restrict__ rstd, REAL* __restrict__ running_mean,
        REAL* __restrict__ running_var, i64 rows, i64 columns, i64 chunk, double eps, double momentum, double slope) {
    const Place at = place(rows, columns, chunk);
    const i64 c = at.column;
    const double shift = at.inside ? (double)x[c] : 0;
    double sum = 0, square = 0;
    if (at.inside) {
        #pragma unroll 4
        for (i64 row = at.first + threadIdx.y; row < at.last; row += blockDim.y) {
            const double d = x[row * columns + c] - shift;
            sum += d;
            square += d * d;
        }
    }
    column_sum(sum, square);
    if (!at.inside) return;
    if (!y) {
        if (!threadIdx.y) {
            partial[(2 * blockIdx.y) * columns + c] = sum;
            partial[(2 * blockIdx.y + 1) * columns + c] = square;
        }
        return;
    }
    const Channel s = channel(sum, square, shift, (double)rows);
    const Map f = map_of(s.mean, (REAL)(1 / sqrt(s.var + eps)), w ? w[c] : (REAL)1, b ? b[c] : (REAL)0);
    #pragma unroll 4
    for (i64 row = threadIdx.y; row < rows; row += blockDim.y) y[row * columns + c] = leaky(mapped(f, x[row * columns + c]), (REAL)slope);
    if (!threadIdx.y) keep(c, s, (double)rows, eps, momentum, mean, rstd, running_mean, running_var);
}

extern "C" __global__ void __launch_bounds__(1024) norm_finish(
        const REAL* __restrict__ x, const double* __restrict__ partial, double* __restrict__ mean, REAL* __restrict__ rstd,
        REAL* __restrict__ running_mean, REAL* __restrict__ running_var, i64 rows, i64 columns, i64 count, double eps, double momentum) {
    const Place at = place(rows, columns, 0);
    const i64 c = at.column;
    double sum = at.inside ? gathered(partial, c, columns, count, 2, 0) : 0;
    double square = at.inside ? gathered(partial, c, columns, count, 2, 1) : 0;
    column_sum(sum, square);
    if (threadIdx.y || !at.inside) return;
    keep(c, channel(sum, square, x[c], (double)rows), (double)rows, eps, momentum, mean, rstd, running_mean, running_var);
}

extern "C" __global__ void norm_apply(const REAL* __restrict__ x, const REAL* __restrict__ w, const REAL* __restrict__ b,
                                      const double* __restrict__ mean, const REAL* __restrict__ rstd, REAL* __restrict__ y, i64 n,
                                      i64 columns, double slope) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const i64 c = modulo(i, columns);
    y[i] = leaky(mapped(map_of(mean[c], rstd[c], w ? w[c] : (REAL)1, b ? b[c] : (REAL)0), x[i]), (REAL)slope);
}

// The gradient of x is a (h - h0 - (x - m) k), where h is that of the leaky ReLU's argument.
struct Back { REAL a, h0, k; };
__device__ inline Back back_of(double mean, REAL r, REAL w, double sum_g, double sum_gh, double count) {
    return {w * r, (REAL)((sum_g - (mean - (REAL)mean) * r * sum_gh) / count), (REAL)(sum_gh * r / count)};
}
__device__ inline REAL carried(Back s, Map f, REAL x, REAL g, REAL slope) {
    return s.a * (leaky_back(g, mapped(f, x), slope) - s.h0 - (x - f.m) * s.k);
}

// Sums of h and of h (x - mean) / deviation: the gradients of bias and weight; where one block has all rows (gx given) also that of x.
extern "C" __global__ void __launch_bounds__(1024) norm_backward(
        const REAL* __restrict__ x, const REAL* __restrict__ g, const REAL* __restrict__ w, const REAL* __restrict__ b,
        const double* __restrict__ mean, const REAL* __restrict__ rstd, REAL* __restrict__ gx, double* __restrict__ partial,
        REAL* __restrict__ gw, REAL* __restrict__ gb, i64 rows, i64 columns, i64 chunk, double slope) {
    const Place at = place(rows, columns, chunk);
    const i64 c = at.column;
    const REAL weight = at.inside && w ? w[c] : (REAL)1, r = at.inside ? rstd[c] : (REAL)0;
    const double centre = at.inside ? mean[c] : 0;
    const Map f = map_of(centre, r, weight, at.inside && b ? b[c] : (REAL)0);
    double sum_g = 0, sum_gh = 0;
    if (at.inside) {
        #pragma unroll 4
        for (i64 row = at.first + threadIdx.y; row < at.last; row += blockDim.y) {
            const i64 i = row * columns + c;
            const double v = leaky_back(g[i], mapped(f, x[i]), (REAL)slope);
            sum_g += v;
            sum_gh += v * (x[i] - centre);
        }
    }
    column_sum(sum_g, sum_gh);
    if (!at.inside) return;
    if (!gx) {
        if (!threadIdx.y) {
            partial[(2 * blockIdx.y) * columns + c] = sum_g;
            partial[(2 * blockIdx.y + 1) * columns + c] = sum_gh;
        }
        return;
    }
    sum_gh *= r;
    const Back s = back_of(centre, r, weight, sum_g, sum_gh, (double)rows);
    #pragma unroll 4
    for (i64 row = threadIdx.y; row < rows; row += blockDim.y) {
        const i64 i = row * columns + c;
        gx[i] = carried(s, f, x[i], g[i], (REAL)slope);
    }
    if (!threadIdx.y) gb[c] = (REAL)sum_g, gw[c] = (REAL)sum_gh;
}

// The gradients of weight and bias, and what norm_backward_apply needs of each column: h0 and k
extern "C" __global__ void __launch_bounds__(1024) norm_backward_finish(
        const double* __restrict__ partial, const double* __restrict__ mean, const REAL* __restrict__ rstd, REAL* __restrict__ sums,
        REAL* __restrict__ gw, REAL* __restrict__ gb, i64 rows, i64 columns, i64 count) {
    const Place at = place(rows, columns, 0);
    const i64 c = at.column;
    double sum_g = at.inside ? gathered(partial, c, columns, count, 2, 0) : 0;
    double sum_gh = at.inside ? gathered(partial, c, columns, count, 2, 1) : 0;
    column_sum(sum_g, sum_gh);
    if (threadIdx.y || !at.inside) return;
    sum_gh *= rstd[c];
    const Back s = back_of(mean[c], rstd[c], 1, sum_g, sum_gh, (double)rows);
    sums[c] = s.h0;
    sums[columns + c] = s.k;
    gb[c] = (REAL)sum_g;
    gw[c] = (REAL)sum_gh;
}

extern "C" __global__ void norm_backward_apply(const REAL* __restrict__ x, const REAL* __restrict__ g, const REAL* __restrict__ w,
                                               const REAL* __restrict__ b, const double* __restrict__ mean,
                                               const REAL* __restrict__ rstd, const REAL* __restrict__ sums, REAL* __restrict__ gx,
                                               i64 n, i64 columns, double slope) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const i64 c = modulo(i, columns);
    const REAL weight = w ? w[c] : (REAL)1;
    const Back s = {weight * rstd[c], sums[c], sums[columns + c]};
    gx[i] = carried(s, map_of(mean[c], rstd[c], weight, b ? b[c] : (REAL)0), x[i], g[i], (REAL)slope);
}
"""
COLUMNS = Source("columns", CODE)


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


def _grid(rows, columns):
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
        (bias,) = _vectors(y, bias=bias)
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


def _vectors(like, **vectors):
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
    grid, block, chunk = _grid(rows, columns)
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


def norm_forward(x, weight, bias, running_mean, running_var, momentum, eps, slope=1.0):
    """Batch normalisation of x (N, C, ...) and a leaky ReLU of this slope: y, the channels' means
    (float64), 1 / their deviations. Updates the running statistics."""
    xp, rows = array_module(x), to_rows(x)
    count, columns = rows.shape
    mean = xp.empty(columns, np.float64)
    rstd = xp.empty(columns, x.dtype)
    y = xp.empty_like(rows)
    grid, block, chunk = _grid(count, columns)
    eps, momentum, slope = [float(v) for v in (eps, momentum, slope)]
    weight, bias, *running = _vectors(
        x, weight=weight, bias=bias, running_mean=running_mean, running_var=running_var
    )
    if grid[1] == 1:
        COLUMNS.launch("norm_forward", x, grid, block,
                    rows, weight, bias, y, None, mean, rstd, *running, count, columns, chunk, eps,
                    momentum, slope)  # fmt: skip
    else:
        partial = xp.empty((2 * grid[1], columns), np.float64)
        COLUMNS.launch("norm_forward", x, grid, block,
                    rows, None, None, None, partial, None, None, None, None, count, columns, chunk,
                    eps, momentum, slope)  # fmt: skip
        COLUMNS.launch(
            "norm_finish",
            x,
            grid[:1],
            (32, 32),
            rows,
            partial,
            mean,
            rstd,
            *running,
            count,
            columns,
            grid[1],
            eps,
            momentum,
        )
        COLUMNS.launch(
            "norm_apply",
            x,
            blocks(rows.size),
            (256,),
            rows,
            weight,
            bias,
            mean,
            rstd,
            y,
            rows.size,
            columns,
            slope,
        )
    for old, new in zip((running_mean, running_var), running):
        if new is not old:  # it had gaps
            old[...] = new
    return from_rows(y, x.shape), mean, rstd


def norm_backward(g, x, weight, bias, mean, rstd, slope=1.0):
    """The gradients of `norm_forward` for x, weight and bias."""
    xp, rows = array_module(x), to_rows(x)
    grad = to_rows(g)
    weight, bias = _vectors(x, weight=weight, bias=bias)
    count, columns = rows.shape
    gx, gw = xp.empty_like(rows), xp.empty(columns, x.dtype)
    gb = xp.empty(columns, x.dtype)
    grid, block, chunk = _grid(count, columns)
    given, slope = (rows, grad, weight, bias, mean, rstd), float(slope)
    if grid[1] == 1:
        COLUMNS.launch(
            "norm_backward", x, grid, block, *given, gx, None, gw, gb, count, columns, chunk, slope
        )
    else:
        partial, sums = (
            xp.empty((2 * grid[1], columns), np.float64),
            xp.empty((2, columns), x.dtype),
        )
        COLUMNS.launch(
            "norm_backward",
            x,
            grid,
            block,
            *given,
            None,
            partial,
            None,
            None,
            count,
            columns,
            chunk,
            slope,
        )
        COLUMNS.launch(
            "norm_backward_finish",
            x,
            grid[:1],
            (32, 32),
            partial,
            mean,
            rstd,
            sums,
            gw,
            gb,
            count,
            columns,
            grid[1],
        )
        COLUMNS.launch(
            "norm_backward_apply",
            x,
            blocks(rows.size),
            (256,),
            *given,
            sums,
            gx,
            rows.size,
            columns,
            slope,
        )
    return from_rows(gx, x.shape), gw, gb
