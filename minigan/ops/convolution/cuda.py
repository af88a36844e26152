"""Convolution on CUDA: images are laid out position by position (N, ..., C), each kernel window becomes a row, and then it is one product.

    conv            y = rows(x) @ w^T            rows(x): (positions of y, taps C), all that the window of each position sees
    conv_weight     w = y^T @ rows(x)
    conv_transpose  x's positions with equal remainder r modulo the stride (a phase) see the same taps t = r, r + stride, ...:
                    phase r of x = rows_r(y) @ w_r, one product for all phases. Every value is written once, in one order: no atomics.

One and three dimensions are two with sizes of 1 added or as they are: kernels see three. Groups, and strides together with dilation in
the transposed convolution, are left to `formula`.
"""

import math

import numpy as np

from ...backend import array_module
from ...backend.cuda import Source
from ...backend.cuda.cublas import product
from ...backend.cuda.source import blocks
from ..rows import add_bias, column_sums, from_rows, to_rows
from . import cards, formula

MOST = 1 << 27  # numbers in the rows of one product: half a gigabyte of float32; larger batches are taken in parts

CODE = """
struct Sizes { i64 in[3], out[3], kernel[3], stride[3], padding[3], dilation[3], channels; };
struct __align__(16) Four { REAL v[4]; };

// rows[n, p, t, c] = x[n, p stride - padding + t dilation, c], 0 outside. A row is done by the threads of one threadIdx.y.
template <typename V>
__device__ inline void gather(const V* x, V* rows, const Sizes& s, i64 count, i64 channels, V zero) {
    const i64 row = (i64)blockIdx.x * blockDim.y + threadIdx.y;
    if (row >= count) return;
    i64 p[3], rest = row;
    for (int d = 2; d >= 0; d--) {
        p[d] = rest % s.out[d] * s.stride[d] - s.padding[d];
        rest /= s.out[d];
    }
    const i64 taps = s.kernel[0] * s.kernel[1] * s.kernel[2];
    const int length = (int)(taps * channels), c_count = (int)channels, k1 = (int)s.kernel[1], k2 = (int)s.kernel[2];
    for (int k = threadIdx.x; k < length; k += blockDim.x) {
        const int t = k / c_count, c = k - t * c_count, t2 = t % k2, t1 = t / k2 % k1, t0 = t / (k1 * k2);
        const i64 a = p[0] + t0 * s.dilation[0], b = p[1] + t1 * s.dilation[1], e = p[2] + t2 * s.dilation[2];
        const bool inside = a >= 0 && b >= 0 && e >= 0 && a < s.in[0] && b < s.in[1] && e < s.in[2];
        rows[row * length + k] = inside ? x[(((rest * s.in[0] + a) * s.in[1] + b) * s.in[2] + e) * channels + c] : zero;
    }
}

extern "C" __global__ void gather_one(const REAL* x, REAL* rows, Sizes s, i64 count) { gather(x, rows, s, count, s.channels, (REAL)0); }

extern "C" __global__ void gather_four(const Four* x, Four* rows, Sizes s, i64 count) {
    gather(x, rows, s, count, s.channels / 4, Four{{0, 0, 0, 0}});
}

// --- phases of the transposed convolution: in, channels are those of y; out those of x ---
// q + padding = j stride + r, and tap t = r + m stride meets y at j - m. (With stride 1 there is one phase, t = m, and y is at
// j - m dilation.) j of phase r starts at first[r].

struct Phases { i64 count[3], taps[3], step[3], first[3][8]; };

template <typename V>
__device__ inline void gather_back(const V* y, V* rows, const Sizes& s, const Phases& f, i64 count, i64 channels, V zero) {
    const i64 row = (i64)blockIdx.x * blockDim.y + threadIdx.y;  // of one phase: n, j
    if (row >= count) return;
    i64 phase = blockIdx.y, r[3], p[3], rest = row;
    for (int d = 2; d >= 0; d--) {
        r[d] = phase % s.stride[d];
        phase /= s.stride[d];
        p[d] = rest % f.count[d] + f.first[d][r[d]];
        rest /= f.count[d];
    }
    const int m1 = (int)f.taps[1], m2 = (int)f.taps[2], length = (int)(f.taps[0] * m1 * m2 * channels), c_count = (int)channels;
    const i64 base = ((i64)blockIdx.y * count + row) * length;
    for (int k = threadIdx.x; k < length; k += blockDim.x) {
        const int t = k / c_count, c = k - t * c_count;
        const i64 a = p[0] - t / (m1 * m2) * f.step[0], b = p[1] - t / m2 % m1 * f.step[1], e = p[2] - t % m2 * f.step[2];
        const bool inside = a >= 0 && b >= 0 && e >= 0 && a < s.in[0] && b < s.in[1] && e < s.in[2];
        rows[base + k] = inside ? y[(((rest * s.in[0] + a) * s.in[1] + b) * s.in[2] + e) * channels + c] : zero;
    }
}

extern "C" __global__ void back_one(const REAL* y, REAL* rows, Sizes s, Phases f, i64 count) {
    gather_back(y, rows, s, f, count, s.channels, (REAL)0);
}

extern "C" __global__ void back_four(const Four* y, Four* rows, Sizes s, Phases f, i64 count) {
    gather_back(y, rows, s, f, count, s.channels / 4, Four{{0, 0, 0, 0}});
}

// parts[phase, m, o, c] = w[o, c, t = r + m stride], 0 where there is no such tap. s.channels: o; columns: c
extern "C" __global__ void split_weight(const REAL* w, REAL* parts, Sizes s, Phases f, i64 columns, i64 n) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const i64 c = i % columns, o = i / columns % s.channels;
    i64 m = i / (columns * s.channels), taps = f.taps[0] * f.taps[1] * f.taps[2], phase = m / taps, t[3];
    m %= taps;
    bool inside = true;
    for (int d = 2; d >= 0; d--) {
        t[d] = phase % s.stride[d] + m % f.taps[d] * s.stride[d];
        phase /= s.stride[d];
        m /= f.taps[d];
        inside = inside && t[d] < s.kernel[d];
    }
    parts[i] = inside ? w[(((o * columns + c) * s.kernel[0] + t[0]) * s.kernel[1] + t[1]) * s.kernel[2] + t[2]] : (REAL)0;
}

// x[n, q, c] = parts[phase, n, j, c] + bias[c]
extern "C" __global__ void join_phases(const REAL* parts, const REAL* bias, REAL* x, Sizes s, Phases f, i64 images, i64 columns, i64 n) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const i64 c = i % columns;
    i64 q = i / columns, j[3], phase = 0, row = 0;
    for (int d = 2; d >= 0; d--) {
        j[d] = q % s.out[d] + s.padding[d];
        q /= s.out[d];
    }
    row = q;
    for (int d = 0; d < 3; d++) {
        const i64 r = j[d] % s.stride[d];
        phase = phase * s.stride[d] + r;
        row = row * f.count[d] + j[d] / s.stride[d] - f.first[d][r];
    }
    const i64 rows = images * f.count[0] * f.count[1] * f.count[2];
    const REAL v = parts[(phase * rows + row) * columns + c];
    x[i] = bias ? v + bias[c] : v;
}
"""
WINDOWS = Source("convolution", CODE)
THREE = (np.int64, (3,))
SIZES = np.dtype([*[(name, *THREE) for name in ("in", "out", "kernel", "stride", "padding", "dilation")], ("channels", np.int64)])
PHASES = np.dtype([("count", *THREE), ("taps", *THREE), ("step", *THREE), ("first", np.int64, (3, 8))])


def _three(values, fill):
    """As many sizes as kernels know."""
    return (fill,) * (3 - len(values)) + tuple(values)


def _sizes(geometry, channels, back=False):
    """The geometry as kernels take it; back: from y to x."""
    g, sizes = geometry, np.zeros(1, SIZES)
    seen, made = (g.out, g.size) if back else (g.size, g.out)
    for name, values, fill in (("in", seen, 1), ("out", made, 1), ("kernel", g.kernel, 1), ("stride", g.stride, 1),
                               ("padding", g.padding, 0), ("dilation", g.dilation, 1)):  # fmt: skip
        sizes[name][0] = _three(values, fill)
    sizes["channels"] = channels
    return sizes


def _phases(geometry):
    """(phases as kernels take them, how many, taps of each, positions of an image in each)."""
    g, f = geometry, np.zeros(1, PHASES)
    fields = ((g.size, 1), (g.kernel, 1), (g.stride, 1), (g.padding, 0), (g.dilation, 1))
    for d, (n, k, s, p, a) in enumerate(zip(*[_three(values, fill) for values, fill in fields])):
        f["count"][0, d], f["taps"][0, d], f["step"][0, d] = -(-n // s), -(-k // s), a if s == 1 else 1
        for r in range(s):
            f["first"][0, d, r] = -(-(p - r) // s)
    return f, math.prod(g.stride), int(f["taps"].prod()), int(f["count"].prod())


def _aligned(x, channels):
    """May a kernel take four numbers at once?"""
    return channels % 4 == 0 and x.data.ptr % 16 == 0


def _threads(length):
    """(threads along a row, rows of a block)."""
    along = 32 if length <= 64 else 64 if length <= 512 else 128
    return along, 256 // along


def _rows(x, geometry, images):
    """rows(x) (positions, taps C) of x laid out (images, ..., C) in memory."""
    xp, c = array_module(x), x.shape[-1]
    count, taps = images * math.prod(geometry.out), math.prod(geometry.kernel)
    if taps == 1 and set(geometry.stride) == {1} and not any(geometry.padding) and geometry.out == geometry.size:
        return x.reshape(count, c)
    rows = xp.empty((count, taps * c), x.dtype)
    four = _aligned(x, c)
    along, together = _threads(taps * c // (4 if four else 1))
    kernel = "gather_four" if four else "gather_one"
    WINDOWS.launch(kernel, x, (-(-count // together),), (along, together), x, rows, _sizes(geometry, c), count)
    return rows


def _batches(n, numbers):
    """Slices of n images, of each of which so many numbers are needed at once."""
    step = max(1, min(n, MOST // max(numbers, 1)))
    return [slice(i, min(i + step, n)) for i in range(0, n, step)]


def _by_position(x):
    """x (N, C, ...) as a C-contiguous array (N, positions, C)."""
    return to_rows(x).reshape(len(x), -1, x.shape[1])


def _same(**arrays):
    found = {name: a.dtype for name, a in arrays.items() if a is not None}
    if len(set(found.values())) > 1:
        raise TypeError(", ".join(f"{name} is {dtype}" for name, dtype in found.items()) + ": convert one, e.g. with .float()")


def _simple(geometry):
    return geometry.groups == 1


def conv(x, w, bias, geometry):
    """x (N, C, *size), w (O, C, *kernel), bias (O,) or None -> (N, O, *out)"""
    _same(input=x, weight=w, bias=bias)
    if not _simple(geometry) or not x.size:
        return _formula(formula.conv, x, w, bias, geometry)
    xp, n, o = array_module(x), len(x), len(w)
    flat = to_rows(w).reshape(o, -1)  # (O, taps C)
    points = _by_position(x)
    y = xp.empty((n, math.prod(geometry.out), o), x.dtype)
    for part in _batches(n, y.shape[1] * flat.shape[1]):
        rows = _rows(points[part], geometry, part.stop - part.start)
        product(rows, flat.T, y[part].reshape(-1, o), conv=True)
    return from_rows(add_bias(y, bias), (n, o, *geometry.out))


def conv_weight(x, y, geometry):
    """x (N, C, *size), y (N, O, *out) -> (O, C, *kernel)"""
    _same(x=x, y=y)
    if not _simple(geometry) or not x.size or not y.size:
        return _formula(formula.conv_weight, x, y, None, geometry)
    xp, n, c, o = array_module(x), len(x), x.shape[1], y.shape[1]
    points, gradient = _by_position(x), _by_position(y)
    w = xp.empty((o, math.prod(geometry.kernel) * c), x.dtype)
    for part in _batches(n, gradient.shape[1] * w.shape[1]):
        rows = _rows(points[part], geometry, part.stop - part.start)
        product(gradient[part].reshape(-1, o).T, rows, w, beta=0.0 if part.start == 0 else 1.0, conv=True)
    return xp.ascontiguousarray(from_rows(w.reshape(-1, c), (o, c, *geometry.kernel)))


def conv_transpose(y, w, bias, geometry):
    """y (N, O, *out), w (O, C, *kernel), bias (C,) or None -> (N, C, *size)"""
    _same(input=y, weight=w, bias=bias)
    mixed = any(s > 1 and d > 1 for s, d in zip(geometry.stride, geometry.dilation)) or max(geometry.stride) > 8
    if not _simple(geometry) or not y.size or mixed:
        return _formula(formula.conv_transpose, y, w, bias, geometry)
    xp, n, o, c = array_module(y), len(y), y.shape[1], w.shape[1]
    phases, count, taps, positions = _phases(geometry)
    sizes = _sizes(geometry, o, back=True)
    w = xp.ascontiguousarray(w)
    weights = xp.empty((count, taps * o, c), y.dtype)
    WINDOWS.launch("split_weight", w, blocks(weights.size), (256,), w, weights, sizes, phases, c, weights.size)
    points, x = _by_position(y), xp.empty((n, math.prod(geometry.size), c), y.dtype)
    for part in _batches(n, count * positions * taps * o):
        images, some = part.stop - part.start, points[part]
        rows = xp.empty((count, images * positions, taps * o), y.dtype)
        four = _aligned(some, o)
        along, together = _threads(taps * o // (4 if four else 1))
        grid = -(-images * positions // together), count
        WINDOWS.launch("back_four" if four else "back_one", y, grid, (along, together), some, rows, sizes, phases, images * positions)
        parts = product(rows, weights, conv=True)
        target = x[part]
        bias = bias if bias is None else xp.ascontiguousarray(bias)
        WINDOWS.launch("join_phases", y, blocks(target.size), (256,), parts, bias, target, sizes, phases, images, c, target.size)
    return from_rows(x, (n, c, *geometry.size))


def _formula(function, a, b, bias, geometry):
    y = function(a, b, geometry)
    if bias is not None:
        y += bias.reshape(-1, *[1] * (y.ndim - 2))
    return y


cards.conv.kernel("cuda")(conv)
cards.conv_transpose.kernel("cuda")(conv_transpose)
cards.conv_weight.kernel("cuda")(conv_weight)


@cards.channel_sums.kernel("cuda")
def channel_sums(g):
    return column_sums(to_rows(g))
