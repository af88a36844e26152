"""Kernels of ops/normalization.py for CUDA: batch normalisation, and a leaky ReLU behind it
(slope 1: none)."""

import numpy as np

from ...arrays import array_module
from ...ops.normalization import _batch_norm, batch_norm_grad
from ..batch_norm_activation import batch_norm_activation, batch_norm_activation_grad
from . import Source
from .columns import COLUMN_SUMS, from_rows, grid_of, to_rows, vectors
from .source import blocks

# the formulas of ops/normalization.py
CODE = """
struct Channel { double mean, var; };

// Deviations are counted from the first element of the channel, so that in double precision nothing
// cancels.
__device__ inline Channel channel(double sum, double square, double shift, double count) {
    const double mean = sum / count, var = square / count - mean * mean;
    return {shift + mean, var > 0 ? var : 0};
}

__device__ inline void keep(
        i64 c, Channel s, double count, double eps, double momentum, double* mean, REAL* rstd,
        REAL* running_mean, REAL* running_var) {
    mean[c] = s.mean;
    rstd[c] = (REAL)(1 / sqrt(s.var + eps));
    if (running_mean) running_mean[c] += (REAL)(momentum * (s.mean - running_mean[c]));
    if (running_var)
        running_var[c] += (REAL)(
            momentum * (s.var * count / (count > 1 ? count - 1 : 1) - running_var[c]));
}

// y = (x - m) scale + shift; what rounding the mean to m leaves is in the shift
struct Map { REAL m, scale, shift; };
__device__ inline Map map_of(double mean, REAL rstd, REAL w, REAL b) {
    const REAL m = (REAL)mean, scale = rstd * w;
    return {m, scale, b - (REAL)(mean - m) * scale};
}
__device__ inline REAL mapped(Map f, REAL x) { return (x - f.m) * f.scale + f.shift; }

__device__ inline REAL small(REAL v, REAL slope) { return slope == 0 ? (REAL)0 : slope * v; }
__device__ inline REAL leaky(REAL v, REAL slope) {
    return v <= 0 ? small(v, slope) : v;  // NaN stays
}
__device__ inline REAL leaky_back(REAL g, REAL v, REAL slope) {
    return v > 0 ? g : small(g, slope);
}

// Sums of the deviations and their squares; where one block has all rows (y given), everything at
// once.
extern "C" __global__ void __launch_bounds__(1024) norm_forward(
        const REAL* __restrict__ x, const REAL* __restrict__ w, const REAL* __restrict__ b,
        REAL* __restrict__ y, double* __restrict__ partial, double* __restrict__ mean,
        REAL* __restrict__ rstd, REAL* __restrict__ running_mean, REAL* __restrict__ running_var,
        i64 rows, i64 columns, i64 chunk, double eps, double momentum, double slope) {
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
    const Map f =
        map_of(s.mean, (REAL)(1 / sqrt(s.var + eps)), w ? w[c] : (REAL)1, b ? b[c] : (REAL)0);
    #pragma unroll 4
    for (i64 row = threadIdx.y; row < rows; row += blockDim.y)
        y[row * columns + c] = leaky(mapped(f, x[row * columns + c]), (REAL)slope);
    if (!threadIdx.y)
        keep(c, s, (double)rows, eps, momentum, mean, rstd, running_mean, running_var);
}

extern "C" __global__ void __launch_bounds__(1024) norm_finish(
        const REAL* __restrict__ x, const double* __restrict__ partial, double* __restrict__ mean,
        REAL* __restrict__ rstd, REAL* __restrict__ running_mean, REAL* __restrict__ running_var,
        i64 rows, i64 columns, i64 count, double eps, double momentum) {
    const Place at = place(rows, columns, 0);
    const i64 c = at.column;
    double sum = at.inside ? gathered(partial, c, columns, count, 2, 0) : 0;
    double square = at.inside ? gathered(partial, c, columns, count, 2, 1) : 0;
    column_sum(sum, square);
    if (threadIdx.y || !at.inside) return;
    keep(c, channel(sum, square, x[c], (double)rows), (double)rows, eps, momentum, mean, rstd,
        running_mean, running_var);
}

extern "C" __global__ void norm_apply(
        const REAL* __restrict__ x, const REAL* __restrict__ w, const REAL* __restrict__ b,
        const double* __restrict__ mean, const REAL* __restrict__ rstd, REAL* __restrict__ y, i64 n,
        i64 columns, double slope) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const i64 c = modulo(i, columns);
    const Map f = map_of(mean[c], rstd[c], w ? w[c] : (REAL)1, b ? b[c] : (REAL)0);
    y[i] = leaky(mapped(f, x[i]), (REAL)slope);
}

// The gradient of x is a (h - h0 - (x - m) k), where h is that of the leaky ReLU's argument.
struct Back { REAL a, h0, k; };
__device__ inline Back back_of(
        double mean, REAL r, REAL w, double sum_g, double sum_gh, double count) {
    return {
        w * r, (REAL)((sum_g - (mean - (REAL)mean) * r * sum_gh) / count),
        (REAL)(sum_gh * r / count)};
}
__device__ inline REAL carried(Back s, Map f, REAL x, REAL g, REAL slope) {
    return s.a * (leaky_back(g, mapped(f, x), slope) - s.h0 - (x - f.m) * s.k);
}

// Sums of h and of h (x - mean) / deviation: the gradients of bias and weight; where one block has
// all rows (gx given) also that of x.
extern "C" __global__ void __launch_bounds__(1024) norm_backward(
        const REAL* __restrict__ x, const REAL* __restrict__ g, const REAL* __restrict__ w,
        const REAL* __restrict__ b, const double* __restrict__ mean, const REAL* __restrict__ rstd,
        REAL* __restrict__ gx, double* __restrict__ partial, REAL* __restrict__ gw,
        REAL* __restrict__ gb, i64 rows, i64 columns, i64 chunk, double slope) {
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
        const double* __restrict__ partial, const double* __restrict__ mean,
        const REAL* __restrict__ rstd, REAL* __restrict__ sums, REAL* __restrict__ gw,
        REAL* __restrict__ gb, i64 rows, i64 columns, i64 count) {
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

extern "C" __global__ void norm_backward_apply(
        const REAL* __restrict__ x, const REAL* __restrict__ g, const REAL* __restrict__ w,
        const REAL* __restrict__ b, const double* __restrict__ mean, const REAL* __restrict__ rstd,
        const REAL* __restrict__ sums, REAL* __restrict__ gx, i64 n, i64 columns, double slope) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const i64 c = modulo(i, columns);
    const REAL weight = w ? w[c] : (REAL)1;
    const Back s = {weight * rstd[c], sums[c], sums[columns + c]};
    const Map f = map_of(mean[c], rstd[c], weight, b ? b[c] : (REAL)0);
    gx[i] = carried(s, f, x[i], g[i], (REAL)slope);
}
"""
NORMALIZATION = Source("normalization", COLUMN_SUMS + CODE)


def norm_forward(x, weight, bias, running_mean, running_var, momentum, eps, slope=1.0):
    """Batch normalisation of x (N, C, ...) and a leaky ReLU of this slope: y, the channels' means
    (float64), 1 / their deviations. Updates the running statistics."""
    xp, rows = array_module(x), to_rows(x)
    count, columns = rows.shape
    mean = xp.empty(columns, np.float64)
    rstd = xp.empty(columns, x.dtype)
    y = xp.empty_like(rows)
    grid, block, chunk = grid_of(count, columns)
    eps, momentum, slope = [float(v) for v in (eps, momentum, slope)]
    weight, bias, *running = vectors(
        x, weight=weight, bias=bias, running_mean=running_mean, running_var=running_var
    )
    if grid[1] == 1:
        NORMALIZATION.launch("norm_forward", x, grid, block,
                    rows, weight, bias, y, None, mean, rstd, *running, count, columns, chunk, eps,
                    momentum, slope)  # fmt: skip
    else:
        partial = xp.empty((2 * grid[1], columns), np.float64)
        NORMALIZATION.launch("norm_forward", x, grid, block,
                    rows, None, None, None, partial, None, None, None, None, count, columns, chunk,
                    eps, momentum, slope)  # fmt: skip
        NORMALIZATION.launch(
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
        NORMALIZATION.launch(
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
    weight, bias = vectors(x, weight=weight, bias=bias)
    count, columns = rows.shape
    gx, gw = xp.empty_like(rows), xp.empty(columns, x.dtype)
    gb = xp.empty(columns, x.dtype)
    grid, block, chunk = grid_of(count, columns)
    given, slope = (rows, grad, weight, bias, mean, rstd), float(slope)
    if grid[1] == 1:
        NORMALIZATION.launch(
            "norm_backward", x, grid, block, *given, gx, None, gw, gb, count, columns, chunk, slope
        )
    else:
        partial = xp.empty((2 * grid[1], columns), np.float64)
        sums = xp.empty((2, columns), x.dtype)
        NORMALIZATION.launch(
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
        NORMALIZATION.launch(
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
        NORMALIZATION.launch(
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


@_batch_norm.kernel("cuda")
def _(x, weight, bias, running_mean, running_var, momentum, eps):
    return norm_forward(x, weight, bias, running_mean, running_var, momentum, eps, 1.0)


@batch_norm_grad.kernel("cuda")
def _(g, x, weight, mean, rstd):
    return norm_backward(g, x, weight, None, mean, rstd, 1.0)


batch_norm_activation.kernel("cuda")(norm_forward)
batch_norm_activation_grad.kernel("cuda")(norm_backward)
