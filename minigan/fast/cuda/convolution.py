"""Convolution on CUDA: images are laid out position by position (N, ..., C), and then it is one
product and one pass over memory.

    conv            y = rows(x) @ w^T, where rows(x) (positions of y, taps C) is all that the
                    window of each position sees
    conv_weight     w = y^T @ rows(x)
    conv_transpose  y @ w: (positions of y, taps C), what each y gives to its window; each x then
                    adds up what its taps got, in one order and without atomics. With stride 1 and
                    more channels in x than in y it is `conv` with the kernel turned around, whose
                    rows are smaller.

One and three dimensions are two with sizes of 1 added or as they are: kernels see three. Groups are
left to `formula`. Where products round their inputs to bfloat16, so is x before its rows are made:
they are half as large.
"""

import math

import numpy as np

from ...arrays import array_module
from ...ops.convolution import cards, formula
from . import Source
from .columns import add_bias, column_sums, from_rows, to_rows
from .cublas import gemm, halved

# numbers in the rows of one product: half a gigabyte of float32; larger batches are taken in parts
MOST = 1 << 27

TOGETHER = 256  # rows or positions that a block takes at most, and threads of a block
AT_ONCE = 4096  # numbers (or vectors of them) that a block makes, about
BLOCKS = 1056  # so many keep the largest GPU busy: 8 for each of its 132 multiprocessors

# A block of 256 threads does some whole rows or positions, side by side in memory: first one thread
# finds where each lies, then all threads take number after number, whatever the count of channels.
CODE = """
struct Sizes { i64 in[3], out[3], kernel[3], stride[3], padding[3], dilation[3], channels; };
struct __align__(16) Four { REAL v[4]; };
struct __align__(16) Eight { unsigned short v[8]; };

// n / divisor for n < limit: a multiplication where that is exact (n divisor < 2^32)
struct Divider { u32 divisor, factor; };
__device__ inline Divider divider(u32 divisor, u32 limit) {
    const bool exact = divisor > 1 && !((u64)limit * divisor >> 32);
    return {divisor, exact ? (u32)((0x100000000ull + divisor - 1) / divisor) : 0};
}
__device__ inline u32 divided(u32 n, Divider by) {
    return by.factor ? (u32)((u64)n * by.factor >> 32) : n / by.divisor;
}

// Where the window of a row begins (also outside of x), and what a tap adds to that.
struct Window { i64 start; int p[3]; };
struct Tap { i64 offset; int d[3]; };

__device__ inline Window window_at(i64 row, const Sizes& s, i64 channels) {
    Window w;
    for (int d = 2; d >= 0; d--) {
        w.p[d] = (int)(modulo(row, s.out[d]) * s.stride[d] - s.padding[d]);
        row = quotient(row, s.out[d]);
    }
    w.start = (((row * s.in[0] + w.p[0]) * s.in[1] + w.p[1]) * s.in[2] + w.p[2]) * channels;
    return w;
}

__device__ inline Tap tap_at(int t, const Sizes& s, i64 channels) {
    Tap tap;
    for (int d = 2; d >= 0; d--) {
        tap.d[d] = (int)(t % (int)s.kernel[d] * s.dilation[d]);
        t /= (int)s.kernel[d];
    }
    tap.offset = ((tap.d[0] * s.in[1] + tap.d[1]) * s.in[2] + tap.d[2]) * channels;
    return tap;
}

__device__ inline bool inside(const Window& w, const Tap& tap, const Sizes& s) {
    bool all = true;
    for (int d = 0; d < 3; d++) all = all && (u32)(w.p[d] + tap.d[d]) < (u32)s.in[d];
    return all;
}

// rows[n, p, t, c] = x[n, p stride - padding + t dilation, c], 0 outside
template <typename V>
__device__ inline void gather(
        const V* __restrict__ x, V* __restrict__ rows, const Sizes& s, i64 count, i64 together,
        i64 channels, V zero) {
    __shared__ Window windows[256];
    __shared__ Tap taps[256];
    const i64 first = (i64)blockIdx.x * together;
    const u32 number = (u32)(count - first < together ? count - first : together);
    const u32 kernel = (u32)(s.kernel[0] * s.kernel[1] * s.kernel[2]);
    const u32 length = kernel * (u32)channels, total = number * length;
    if (threadIdx.x < number) windows[threadIdx.x] = window_at(first + threadIdx.x, s, channels);
    if (threadIdx.x < kernel) taps[threadIdx.x] = tap_at((int)threadIdx.x, s, channels);
    __syncthreads();
    const Divider by_length = divider(length, total), by_channels = divider((u32)channels, length);
    rows += first * length;
    #pragma unroll 4
    for (u32 i = threadIdx.x; i < total; i += blockDim.x) {
        const u32 r = divided(i, by_length), k = i - r * length, t = divided(k, by_channels);
        const Tap tap = t < 256 ? taps[t] : tap_at((int)t, s, channels);
        const i64 from = windows[r].start + tap.offset + (k - t * (u32)channels);
        rows[i] = inside(windows[r], tap, s) ? x[from] : zero;
    }
}

extern "C" __global__ void gather_one(
        const REAL* __restrict__ x, REAL* __restrict__ rows, Sizes s, i64 count, i64 together) {
    gather(x, rows, s, count, together, s.channels, (REAL)0);
}

extern "C" __global__ void gather_four(
        const Four* __restrict__ x, Four* __restrict__ rows, Sizes s, i64 count, i64 together) {
    gather(x, rows, s, count, together, s.channels / 4, Four{{0, 0, 0, 0}});
}

extern "C" __global__ void gather_half(
        const unsigned short* __restrict__ x, unsigned short* __restrict__ rows, Sizes s, i64 count,
        i64 together) {
    gather(x, rows, s, count, together, s.channels, (unsigned short)0);
}

extern "C" __global__ void gather_eight(
        const Eight* __restrict__ x, Eight* __restrict__ rows, Sizes s, i64 count, i64 together) {
    gather(x, rows, s, count, together, s.channels / 8, Eight{{0, 0, 0, 0, 0, 0, 0, 0}});
}

// --- the transposed convolution ---
// in is the size of y, whose positions are p; out that of x, whose positions are q

// Which taps t of one dimension meet q, and where: the y at p = (q - t dilation) / stride, from tap
// `t` on every `step` taps, p each time `back` less; up to tap `end`.
struct Taps { int t, step, end, p, back; };

__device__ inline Taps taps_of(int q, int stride, int dilation, int kernel, int in) {
    int step = 1;
    while (step * dilation % stride) step++;  // stride / gcd(stride, dilation)
    int t = 0;
    while (t < step && (q - t * dilation) % stride) t++;
    if (t == step) return {kernel, step, kernel, 0, 0};  // none
    const int back = step * dilation / stride;
    int p = (q - t * dilation) / stride;
    while (p >= in && t < kernel) t += step, p -= back;
    return {t, step, kernel, p, back};
}

// What meets a position of x: taps in each dimension, of this image of y
struct Meeting { i64 image; Taps f[3]; };

__device__ inline Meeting meeting_at(i64 position, const Sizes& s) {
    Meeting m;
    for (int d = 2; d >= 0; d--) {
        const int q = (int)(modulo(position, s.out[d]) + s.padding[d]);
        position = quotient(position, s.out[d]);
        m.f[d] = taps_of(q, (int)s.stride[d], (int)s.dilation[d], (int)s.kernel[d], (int)s.in[d]);
    }
    m.image = position;
    return m;
}

__device__ inline void add(REAL& sum, REAL v) { sum += v; }
__device__ inline void add(Four& sum, Four v) { for (int k = 0; k < 4; k++) sum.v[k] += v.v[k]; }

// x[n, q, c] = bias[c] + sum of cols[n, p, t, c] over the taps t and positions p with
// p stride - padding + t dilation = q
template <typename V>
__device__ inline void gather_back(
        const V* __restrict__ cols, const V* __restrict__ bias, V* __restrict__ x, const Sizes& s,
        i64 count, i64 together, i64 channels, V zero) {
    __shared__ Meeting meetings[256];
    const i64 first = (i64)blockIdx.x * together;
    const u32 number = (u32)(count - first < together ? count - first : together);
    const u32 total = number * (u32)channels;
    if (threadIdx.x < number) meetings[threadIdx.x] = meeting_at(first + threadIdx.x, s);
    __syncthreads();
    const Divider by_channels = divider((u32)channels, total);
    x += first * channels;
    for (u32 i = threadIdx.x; i < total; i += blockDim.x) {
        const u32 r = divided(i, by_channels), c = i - r * (u32)channels;
        const Meeting& m = meetings[r];
        const Taps a = m.f[0], b = m.f[1], e = m.f[2];
        V sum = zero;
        if (bias) sum = bias[c];
        for (int t0 = a.t, p0 = a.p; t0 < a.end && p0 >= 0; t0 += a.step, p0 -= a.back)
            for (int t1 = b.t, p1 = b.p; t1 < b.end && p1 >= 0; t1 += b.step, p1 -= b.back)
                #pragma unroll 2
                for (int t2 = e.t, p2 = e.p; t2 < e.end && p2 >= 0; t2 += e.step, p2 -= e.back) {
                    const i64 p = ((m.image * s.in[0] + p0) * s.in[1] + p1) * s.in[2] + p2;
                    const i64 tap = ((p * s.kernel[0] + t0) * s.kernel[1] + t1) * s.kernel[2] + t2;
                    add(sum, cols[tap * channels + c]);
                }
        x[i] = sum;
    }
}

extern "C" __global__ void back_one(
        const REAL* __restrict__ cols, const REAL* __restrict__ bias, REAL* __restrict__ x, Sizes s,
        i64 count, i64 together) {
    gather_back(cols, bias, x, s, count, together, s.channels, (REAL)0);
}

extern "C" __global__ void back_four(
        const Four* __restrict__ cols, const Four* __restrict__ bias, Four* __restrict__ x, Sizes s,
        i64 count, i64 together) {
    gather_back(cols, bias, x, s, count, together, s.channels / 4, Four{{0, 0, 0, 0}});
}
"""
WINDOWS = Source("convolution", CODE)
THREE = (np.int64, (3,))
SIZES = np.dtype(
    [
        *[(name, *THREE) for name in ("in", "out", "kernel", "stride", "padding", "dilation")],
        ("channels", np.int64),
    ]
)


def _three(values, fill):
    """As many sizes as kernels know."""
    return (fill,) * (3 - len(values)) + tuple(values)


def _sizes(geometry, channels, back=False):
    """The geometry as kernels take it; back: from y to x."""
    g, sizes = geometry, np.zeros(1, SIZES)
    seen, made = (g.out, g.size) if back else (g.size, g.out)
    for name, values, fill in (
        ("in", seen, 1),
        ("out", made, 1),
        ("kernel", g.kernel, 1),
        ("stride", g.stride, 1),
        ("padding", g.padding, 0),
        ("dilation", g.dilation, 1),
    ):
        sizes[name][0] = _three(values, fill)
    sizes["channels"] = channels
    return sizes


def _aligned(channels, together, *arrays):
    """May a kernel take so many numbers at once?"""
    return channels % together == 0 and all(x.data.ptr % 16 == 0 for x in arrays)


def _shared(count, length):
    """(grid, block, rows that a block takes) for `count` rows of this length."""
    together = max(1, min(TOGETHER, AT_ONCE // max(length, 1), -(-count // BLOCKS)))
    return (-(-count // together),), (TOGETHER,), together


def _as_they_lie(geometry):
    """Are rows(x) the elements of x as they lie in memory? Where the kernel is one point, or sees
    the whole of x at once."""
    g = geometry
    point = math.prod(g.kernel) == 1 and set(g.stride) == {1} and g.out == g.size
    return not any(g.padding) and (
        point or (g.kernel == g.size and set(g.out) == {1} == set(g.dilation))
    )


def _rows(x, geometry, images):
    """rows(x) (positions, taps C) of x laid out (images, ..., C) in memory."""
    xp, c = array_module(x), x.shape[-1]
    count, taps = images * math.prod(geometry.out), math.prod(geometry.kernel)
    if _as_they_lie(geometry):
        return x.reshape(count, taps * c)
    rows = xp.empty((count, taps * c), x.dtype)
    (one, many), at_once = (
        (("gather_half", "gather_eight"), 8)
        if x.dtype == np.uint16
        else (("gather_one", "gather_four"), 4)
    )
    wide = _aligned(c, at_once, x, rows)
    grid, block, together = _shared(count, taps * c // (at_once if wide else 1))
    WINDOWS.launch(
        many if wide else one, x, grid, block, x, rows, _sizes(geometry, c), count, together
    )
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
        raise TypeError(
            ", ".join(f"{name} is {dtype}" for name, dtype in found.items())
            + ": convert one, e.g. with .float()"
        )


def _simple(geometry):
    return geometry.groups == 1


def conv(x, w, bias, geometry):
    """x (N, C, *size), w (O, C, *kernel), bias (O,) or None -> (N, O, *out)"""
    _same(input=x, weight=w, bias=bias)
    if not _simple(geometry) or not x.size:
        return _formula(formula.conv, x, w, bias, geometry)
    xp, n = array_module(x), len(x)
    o = len(w)
    points, flat = halved(_by_position(x), to_rows(w).reshape(o, -1))  # the latter (O, taps C)
    y = xp.empty((n, math.prod(geometry.out), o), x.dtype)
    for part in _batches(n, y.shape[1] * flat.shape[1]):
        rows = _rows(points[part], geometry, part.stop - part.start)
        gemm(rows, flat.T, y[part].reshape(-1, o), conv=True)
    return from_rows(add_bias(y, bias), (n, o, *geometry.out))


def conv_weight(x, y, geometry):
    """x (N, C, *size), y (N, O, *out) -> (O, C, *kernel), which lies in memory as (O, *kernel,
    C)"""
    _same(x=x, y=y)
    if not _simple(geometry) or not x.size or not y.size:
        return _formula(formula.conv_weight, x, y, None, geometry)
    xp, n = array_module(x), len(x)
    c, o = x.shape[1], y.shape[1]
    points, gradient = halved(_by_position(x), _by_position(y))
    w = xp.empty((o, math.prod(geometry.kernel) * c), x.dtype)
    for part in _batches(n, gradient.shape[1] * w.shape[1]):
        rows = _rows(points[part], geometry, part.stop - part.start)
        gemm(
            gradient[part].reshape(-1, o).T,
            rows,
            w,
            beta=0.0 if part.start == 0 else 1.0,
            conv=True,
        )
    return from_rows(w.reshape(-1, c), (o, c, *geometry.kernel))


def conv_transpose(y, w, bias, geometry):
    """y (N, O, *out), w (O, C, *kernel), bias (C,) or None -> (N, C, *size)"""
    _same(input=y, weight=w, bias=bias)
    if not _simple(geometry) or not y.size:
        return _formula(formula.conv_transpose, y, w, bias, geometry)
    xp, n = array_module(y), len(y)
    o, c = y.shape[1], w.shape[1]
    whole = _as_they_lie(geometry)
    if c > o and set(geometry.stride) == {1} and not whole:
        return _as_flipped_conv(y, w, bias, geometry)
    taps, positions = math.prod(geometry.kernel), math.prod(geometry.out)
    points, flat = halved(_by_position(y), to_rows(w).reshape(o, taps * c))
    x, sizes = xp.empty((n, math.prod(geometry.size), c), y.dtype), _sizes(geometry, c, back=True)
    bias = bias if bias is None else xp.ascontiguousarray(bias)
    for part in _batches(n, positions * taps * c):
        target = x[part]
        if whole:
            gemm(points[part].reshape(-1, o), flat, target.reshape(-1, taps * c), conv=True)
            continue
        cols = gemm(points[part].reshape(-1, o), flat, conv=True)
        wide = _aligned(c, 4, cols, target, *([] if bias is None else [bias]))
        count = target.size // c
        grid, block, together = _shared(count, c // (4 if wide else 1))
        kernel = "back_four" if wide else "back_one"
        WINDOWS.launch(kernel, y, grid, block, cols, bias, target, sizes, count, together)
    if whole:
        add_bias(x, bias)
    return from_rows(x, (n, c, *geometry.size))


def _as_flipped_conv(y, w, bias, geometry):
    """`conv_transpose` with stride 1, as `conv` with the kernel turned around."""
    padding = tuple(
        d * (k - 1) - p for d, k, p in zip(geometry.dilation, geometry.kernel, geometry.padding)
    )
    flipped = w[(slice(None), slice(None), *[slice(None, None, -1)] * (w.ndim - 2))].swapaxes(0, 1)
    return conv(
        y, flipped, bias, geometry._replace(size=geometry.out, out=geometry.size, padding=padding)
    )


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
