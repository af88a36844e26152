"""CUDA kernels over the rows and columns of a matrix: bias and activation, sums over rows, batch normalisation.

On CUDA images (N, C, ...) lie in memory as (N, ..., C): the values of all channels at a position side by side. Such an array is a
matrix of rows (positions) and columns (channels); sums over a column are what a bias and batch normalisation need. A block does 32
columns with 8 threads each; many rows are shared among several blocks, whose sums are added in a second launch, always in one order.
"""

import numpy as np

from ..backend import array_module
from ..backend.cuda import Source
from ..backend.cuda.source import blocks

KINDS = {None: 0, "leaky_relu": 1, "tanh": 2, "sigmoid": 3, "softplus": 4}
RULES = KINDS.keys() - {None}
LANES = 8  # threads of a column
CHUNK = 1024  # rows that one block takes at least, where there are several

CODE = """
enum { LEAKY = 1, TANH = 2, SIGMOID = 3, SOFTPLUS = 4 };

// y = activation(y + bias), row by row
extern "C" __global__ void bias_activation(REAL* y, const REAL* bias, i64 n, i64 columns, i64 kind, double slope) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    REAL v = bias ? y[i] + bias[i % columns] : y[i];
    if (kind == LEAKY) v = v > 0 ? v : (REAL)slope * v;
    else if (kind == TANH) v = tanh(v);
    else if (kind == SIGMOID) v = tanh(v * (REAL)0.5) * (REAL)0.5 + (REAL)0.5;
    else if (kind == SOFTPLUS) v = (v > 0 ? v : 0) + log1p(exp(-fabs(v)));
    y[i] = v;
}

// The sums of two numbers over the 8 threads of a column, for the thread of lane 0; blocks are (32, 8).
__device__ inline void column_sum(double& a, double& b) {
    __shared__ double tile[2][8][32];
    tile[0][threadIdx.y][threadIdx.x] = a;
    tile[1][threadIdx.y][threadIdx.x] = b;
    __syncthreads();
    a = b = 0;
    for (int lane = 0; lane < 8; lane++) {
        a += tile[0][lane][threadIdx.x];
        b += tile[1][lane][threadIdx.x];
    }
    __syncthreads();
}

// h = g times the activation's slope, which follows from its result y (h null: g itself is summed up); sums of h over the rows:
// total where one block has them all, else partial[block row][column].
extern "C" __global__ void rule_sums(const REAL* g, const REAL* y, REAL* h, double* partial, REAL* total, i64 rows, i64 columns,
                                     i64 chunk, i64 kind, double slope) {
    const i64 column = (i64)blockIdx.x * 32 + threadIdx.x, first = (i64)blockIdx.y * chunk;
    const i64 last = first + chunk < rows ? first + chunk : rows;
    double sum = 0, none = 0;
    if (column < columns) {
        for (i64 row = first + threadIdx.y; row < last; row += 8) {
            const i64 i = row * columns + column;
            REAL v = g[i];
            if (kind == LEAKY) v = y[i] > 0 ? v : (REAL)slope * v;
            else if (kind == TANH) v = v * (1 - y[i] * y[i]);
            else if (kind == SIGMOID) v = v * (y[i] * (1 - y[i]));
            else if (kind == SOFTPLUS) v = v * -expm1(-y[i]);
            if (h) h[i] = v;
            sum += v;
        }
    }
    column_sum(sum, none);  // barrier
    if (threadIdx.y || column >= columns) return;
    if (total) total[column] = (REAL)sum;
    else partial[blockIdx.y * columns + column] = sum;
}

extern "C" __global__ void add_partial(const double* partial, REAL* total, i64 count, i64 columns) {
    const i64 column = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= columns) return;
    double sum = 0;
    for (i64 k = 0; k < count; k++) sum += partial[k * columns + column];
    total[column] = (REAL)sum;
}

// --- batch normalisation: the formulas of minigan/ops/normalization.py ---

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

__device__ inline REAL normalised(REAL x, double mean, REAL rstd, REAL w, REAL b) {
    const REAL m = (REAL)mean, scale = rstd * w, rest = (REAL)(mean - m);
    return (x - m) * scale + (b - rest * scale);
}

// Sums of the deviations and their squares; where one block has all rows (y given), everything at once.
extern "C" __global__ void norm_forward(const REAL* x, const REAL* w, const REAL* b, REAL* y, double* partial, double* mean, REAL* rstd,
                                        REAL* running_mean, REAL* running_var, i64 rows, i64 columns, i64 chunk, double eps,
                                        double momentum) {
    const i64 column = (i64)blockIdx.x * 32 + threadIdx.x, first = (i64)blockIdx.y * chunk;
    const i64 last = first + chunk < rows ? first + chunk : rows;
    const bool inside = column < columns;
    const double shift = inside ? (double)x[column] : 0;
    double sum = 0, square = 0;
    if (inside)
        for (i64 row = first + threadIdx.y; row < last; row += 8) {
            const double d = x[row * columns + column] - shift;
            sum += d;
            square += d * d;
        }
    column_sum(sum, square);  // barrier
    if (!y) {
        if (inside && !threadIdx.y) {
            partial[(2 * blockIdx.y) * columns + column] = sum;
            partial[(2 * blockIdx.y + 1) * columns + column] = square;
        }
        return;
    }
    if (!inside) return;
    const Channel s = channel(sum, square, shift, (double)rows);
    const REAL r = (REAL)(1 / sqrt(s.var + eps)), weight = w ? w[column] : 1, bias = b ? b[column] : 0;
    for (i64 row = threadIdx.y; row < rows; row += 8) {
        const i64 i = row * columns + column;
        y[i] = normalised(x[i], s.mean, r, weight, bias);
    }
    if (!threadIdx.y) keep(column, s, (double)rows, eps, momentum, mean, rstd, running_mean, running_var);
}

extern "C" __global__ void norm_finish(const REAL* x, const double* partial, double* mean, REAL* rstd, REAL* running_mean,
                                       REAL* running_var, i64 rows, i64 columns, i64 count, double eps, double momentum) {
    const i64 c = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= columns) return;
    double sum = 0, square = 0;
    for (i64 k = 0; k < count; k++) {
        sum += partial[2 * k * columns + c];
        square += partial[(2 * k + 1) * columns + c];
    }
    keep(c, channel(sum, square, x[c], (double)rows), (double)rows, eps, momentum, mean, rstd, running_mean, running_var);
}

extern "C" __global__ void norm_apply(const REAL* x, const REAL* w, const REAL* b, const double* mean, const REAL* rstd, REAL* y, i64 n,
                                      i64 columns) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const i64 c = i % columns;
    y[i] = normalised(x[i], mean[c], rstd[c], w ? w[c] : (REAL)1, b ? b[c] : (REAL)0);
}

__device__ inline REAL norm_rule(REAL x, REAL g, double mean, REAL r, REAL w, double sum_g, double sum_gh, double count) {
    const REAL m = (REAL)mean, k = (REAL)(sum_gh * r / count), h0 = (REAL)((sum_g - (mean - m) * r * sum_gh) / count);
    return w * r * (g - h0 - (x - m) * k);
}

// Sums of g and of g (x - mean) / deviation: the gradients of bias and weight; where one block has all rows (gx given) also that of x.
extern "C" __global__ void norm_backward(const REAL* x, const REAL* g, const REAL* w, const double* mean, const REAL* rstd, REAL* gx,
                                         double* partial, REAL* gw, REAL* gb, i64 rows, i64 columns, i64 chunk) {
    const i64 column = (i64)blockIdx.x * 32 + threadIdx.x, first = (i64)blockIdx.y * chunk;
    const i64 last = first + chunk < rows ? first + chunk : rows;
    const bool inside = column < columns;
    double sum_g = 0, sum_gh = 0;
    if (inside)
        for (i64 row = first + threadIdx.y; row < last; row += 8) {
            const double v = g[row * columns + column];
            sum_g += v;
            sum_gh += v * (x[row * columns + column] - mean[column]);
        }
    column_sum(sum_g, sum_gh);  // barrier
    if (!inside) return;
    if (!gx) {
        if (!threadIdx.y) {
            partial[(2 * blockIdx.y) * columns + column] = sum_g;
            partial[(2 * blockIdx.y + 1) * columns + column] = sum_gh;
        }
        return;
    }
    sum_gh *= rstd[column];
    const REAL weight = w ? w[column] : 1;
    for (i64 row = threadIdx.y; row < rows; row += 8) {
        const i64 i = row * columns + column;
        gx[i] = norm_rule(x[i], g[i], mean[column], rstd[column], weight, sum_g, sum_gh, (double)rows);
    }
    if (!threadIdx.y) gb[column] = (REAL)sum_g, gw[column] = (REAL)sum_gh;
}

// partial's first two rows become the whole sums
extern "C" __global__ void norm_backward_finish(double* partial, const REAL* rstd, REAL* gw, REAL* gb, i64 columns, i64 count) {
    const i64 c = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= columns) return;
    double sum_g = 0, sum_gh = 0;
    for (i64 k = 0; k < count; k++) {
        sum_g += partial[2 * k * columns + c];
        sum_gh += partial[(2 * k + 1) * columns + c];
    }
    partial[c] = sum_g;
    partial[columns + c] = sum_gh * rstd[c];
    gb[c] = (REAL)sum_g;
    gw[c] = (REAL)partial[columns + c];
}

extern "C" __global__ void norm_backward_apply(const REAL* x, const REAL* g, const REAL* w, const double* mean, const REAL* rstd,
                                               const double* sums, REAL* gx, i64 rows, i64 columns) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= rows * columns) return;
    const i64 c = i % columns;
    gx[i] = norm_rule(x[i], g[i], mean[c], rstd[c], w ? w[c] : (REAL)1, sums[c], sums[columns + c], (double)rows);
}
"""
ROWS = Source("rows", CODE)


def to_rows(x):
    """x (N, C, ...) as a matrix (positions, C), row-major: a view where it lies so."""
    if x.ndim > 2:
        x = x.transpose(0, *range(2, x.ndim), 1)
    return array_module(x).ascontiguousarray(x).reshape(-1, x.shape[-1])


def from_rows(y, shape):
    """The array (N, C, ...) of this shape whose rows `to_rows` would give: a view."""
    n, c, *sizes = shape
    return y.reshape(n, *sizes, c).transpose(0, len(shape) - 1, *range(1, len(shape) - 1))


def _shared(rows, columns):
    """(grid, rows of each block): blocks are few enough that their sums are quickly added, and enough to fill the GPU."""
    across = -(-columns // 32)
    wanted = max(1, min(rows // CHUNK, -(-264 // across), 256))
    return (across, wanted), -(-rows // wanted)


def add_bias(y, bias, activation=None, slope=0.0):
    """activation(y + bias) for y (..., C), which is overwritten; bias (C,) or None."""
    if y.size and (bias is not None or activation is not None):
        (bias,) = _vectors(y, bias=bias)
        ROWS.launch("bias_activation", y, blocks(y.size), (256,), y, bias, y.size, y.shape[-1], KINDS[activation], float(slope))
    return y


def _vectors(like, **vectors):
    """Each without gaps, as kernels read it (None stays); TypeError for another dtype than that of `like`."""
    for name, v in vectors.items():
        if v is not None and v.dtype != like.dtype:
            raise TypeError(f"{name} is {v.dtype}, the rest {like.dtype}")
    return [v if v is None or v.flags.c_contiguous else array_module(like).ascontiguousarray(v) for v in vectors.values()]


def column_sums(g):
    """The sums over the rows of a matrix (rows, C) -> (C,)"""
    return rule_and_sums(g, None, None, 0.0)[1]


def rule_and_sums(g, y, activation, slope):
    """h = g activation'(its argument), which follows from its result y, and the sums of h over the rows: (rows, C), (C,)."""
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
    grid, chunk = _shared(rows, columns)
    partial = None if grid[1] == 1 else xp.empty((grid[1], columns), np.float64)
    target = None if activation is None else h
    whole = total if partial is None else None
    kind = KINDS[activation]
    ROWS.launch("rule_sums", g, grid, (32, LANES), g, y, target, partial, whole, rows, columns, chunk, kind, float(slope))
    if partial is not None:
        ROWS.launch("add_partial", g, blocks(columns), (256,), partial, total, grid[1], columns)
    return h, total


def norm_forward(x, weight, bias, running_mean, running_var, momentum, eps):
    """Batch normalisation of x (N, C, ...): y, the channels' means (float64), 1 / their deviations. Updates the running statistics."""
    xp, rows = array_module(x), to_rows(x)
    count, columns = rows.shape
    mean, rstd, y = xp.empty(columns, np.float64), xp.empty(columns, x.dtype), xp.empty_like(rows)
    grid, chunk = _shared(count, columns)
    numbers = float(eps), float(momentum)
    weight, bias, *running = _vectors(x, weight=weight, bias=bias, running_mean=running_mean, running_var=running_var)
    if grid[1] == 1:
        ROWS.launch("norm_forward", x, grid, (32, LANES),
                    rows, weight, bias, y, None, mean, rstd, *running, count, columns, chunk, *numbers)  # fmt: skip
    else:
        partial = xp.empty((2 * grid[1], columns), np.float64)
        ROWS.launch("norm_forward", x, grid, (32, LANES),
                    rows, None, None, None, partial, None, None, None, None, count, columns, chunk, *numbers)  # fmt: skip
        ROWS.launch("norm_finish", x, blocks(columns), (256,), rows, partial, mean, rstd, *running, count, columns, grid[1], *numbers)
        ROWS.launch("norm_apply", x, blocks(rows.size), (256,), rows, weight, bias, mean, rstd, y, rows.size, columns)
    for old, new in zip((running_mean, running_var), running):
        if new is not old:  # it had gaps
            old[...] = new
    return from_rows(y, x.shape), mean, rstd


def norm_backward(g, x, weight, mean, rstd):
    """The gradients of `norm_forward` for x, weight and bias."""
    xp, rows, grad = array_module(x), to_rows(x), to_rows(g)
    (weight,) = _vectors(x, weight=weight)
    count, columns = rows.shape
    gx, gw, gb = xp.empty_like(rows), xp.empty(columns, x.dtype), xp.empty(columns, x.dtype)
    grid, chunk = _shared(count, columns)
    if grid[1] == 1:
        ROWS.launch("norm_backward", x, grid, (32, LANES),
                    rows, grad, weight, mean, rstd, gx, None, gw, gb, count, columns, chunk)  # fmt: skip
    else:
        partial = xp.empty((2 * grid[1], columns), np.float64)
        ROWS.launch("norm_backward", x, grid, (32, LANES),
                    rows, grad, None, mean, rstd, None, partial, None, None, count, columns, chunk)  # fmt: skip
        ROWS.launch("norm_backward_finish", x, blocks(columns), (256,), partial, rstd, gw, gb, columns, grid[1])
        ROWS.launch("norm_backward_apply", x, blocks(rows.size), (256,), rows, grad, weight, mean, rstd, partial, gx, count, columns)
    return from_rows(gx, x.shape), gw, gb
