"""Batch normalisation and a leaky ReLU behind it, on the CPU: each direction is one pass for the sums and one for the results.

x is (N, C, L): L is the product of the sizes after the channels. Sums are taken in float64, in two passes, so nothing cancels. Threads
share the channels. The leaky ReLU has slope 1 where there is none; its argument is computed again in the backward pass.
"""

import math

import numpy as np

from ...ops.normalization import _batch_norm, batch_norm_grad
from .kernels import kernel
from .layout import row_major
from .shared import Shared, carray, lead, pointer

__all__: list[str] = []  # no ops

SHARE = 1 << 13  # elements that are worth another thread


@kernel
def _forward(low, high, x, w, b, y, mean, rstd, running_mean, running_var, eps, momentum, slope):
    """Channels low to high - 1. Running statistics of size 0: there are none."""
    rows, _, length = x.shape
    count = rows * length
    slope, zero = x.dtype.type(slope), x.dtype.type(0)
    for c in range(low, high):
        total = 0.0
        for n in range(rows):
            for i in range(length):
                total += x[n, c, i]
        mean[c] = total / count
        m = x.dtype.type(mean[c])
        total, rest = 0.0, mean[c] - m  # far from 0 the rest is not small compared with the deviations
        for n in range(rows):
            for i in range(length):
                d = x[n, c, i] - m
                total += d * d
        var = total / count - rest * rest
        rstd[c] = 1 / np.sqrt(var + eps)
        if running_mean.size:
            running_mean[c] += momentum * (mean[c] - running_mean[c])
        if running_var.size:
            running_var[c] += momentum * (var * count / max(count - 1, 1) - running_var[c])
        # In x's dtype: float64 numbers here would make the last loop do everything in float64.
        scale = rstd[c] * w[c]
        shift = x.dtype.type(b[c] - rest * scale)
        for n in range(rows):
            for i in range(length):
                v = (x[n, c, i] - m) * scale + shift
                y[n, c, i] = v if not v <= 0 else (slope * v if slope != 0 else zero)  # NaN stays


@kernel
def _backward(low, high, x, g, w, b, mean, rstd, gx, gw, gb, slope):
    """Channels low to high - 1; gx first takes the gradient of the leaky ReLU's argument."""
    rows, _, length = x.shape
    count = rows * length
    slope, zero = x.dtype.type(slope), x.dtype.type(0)
    for c in range(low, high):
        sum_g, sum_gd, m, r = 0.0, 0.0, x.dtype.type(mean[c]), rstd[c]
        rest = mean[c] - m
        scale = r * w[c]
        shift = x.dtype.type(b[c] - rest * scale)
        for n in range(rows):
            for i in range(length):
                d = x[n, c, i] - m
                h = g[n, c, i] if d * scale + shift > 0 else (slope * g[n, c, i] if slope != 0 else zero)
                gx[n, c, i] = h
                sum_g += h
                sum_gd += h * d
        sum_gh = (sum_gd - rest * sum_g) * r
        gb[c], gw[c] = sum_g, sum_gh
        a, k = w[c] * r, x.dtype.type(sum_gh * r / count)
        h0 = x.dtype.type((sum_g - rest * r * sum_gh) / count)
        for n in range(rows):
            for i in range(length):
                gx[n, c, i] = a * (gx[n, c, i] - h0 - (x[n, c, i] - m) * k)


# What a thread's part of the work finds: sizes, addresses, and behind them the scalars as float64.
ROWS, CHANNELS, LENGTH, MEANS, VARS, X, G, W, B, Y, MEAN, RSTD, RUNNING_MEAN, RUNNING_VAR, GW, GB, EPS, MOMENTUM, SLOPE, NUMBERS = range(20)


@kernel
def _sizes(x, w, b, mean, rstd, slope):
    """The numbers of both directions."""
    p = np.zeros(NUMBERS, np.int64)
    p[ROWS], p[CHANNELS], p[LENGTH] = x.shape
    p[X], p[W], p[B], p[MEAN], p[RSTD] = x.ctypes.data, w.ctypes.data, b.ctypes.data, mean.ctypes.data, rstd.ctypes.data
    p.view(np.float64)[SLOPE] = slope
    return p


def _begin_forward(rows, work, sched_yield, x, w, b, y, mean, rstd, running_mean, running_var, eps, momentum, slope):
    p = _sizes(x, w, b, mean, rstd, slope)
    p[Y], p[MEANS], p[VARS] = y.ctypes.data, running_mean.size, running_var.size
    p[RUNNING_MEAN], p[RUNNING_VAR] = running_mean.ctypes.data, running_var.ctypes.data
    p.view(np.float64)[EPS], p.view(np.float64)[MOMENTUM] = eps, momentum
    return lead(rows, work, p, sched_yield)


def _begin_backward(rows, work, sched_yield, x, g, w, b, mean, rstd, gx, gw, gb, slope):
    p = _sizes(x, w, b, mean, rstd, slope)
    p[G], p[Y], p[GW], p[GB] = g.ctypes.data, gx.ctypes.data, gw.ctypes.data, gb.ctypes.data
    return lead(rows, work, p, sched_yield)


@kernel
def _forward_part(zero, args, part, parts):
    p, q = carray(pointer(args, 0), (NUMBERS,)), carray(pointer(args, 0.0), (NUMBERS,))
    shape, c = (p[ROWS], p[CHANNELS], p[LENGTH]), (p[CHANNELS],)
    x, y, mean = carray(pointer(p[X], zero), shape), carray(pointer(p[Y], zero), shape), carray(pointer(p[MEAN], 0.0), c)
    w, b, rstd = carray(pointer(p[W], zero), c), carray(pointer(p[B], zero), c), carray(pointer(p[RSTD], zero), c)
    running_mean, running_var = carray(pointer(p[RUNNING_MEAN], zero), p[MEANS]), carray(pointer(p[RUNNING_VAR], zero), p[VARS])
    low, high = c[0] * part // parts, c[0] * (part + 1) // parts
    _forward(low, high, x, w, b, y, mean, rstd, running_mean, running_var, q[EPS], q[MOMENTUM], q[SLOPE])


@kernel
def _backward_part(zero, args, part, parts):
    p, q = carray(pointer(args, 0), (NUMBERS,)), carray(pointer(args, 0.0), (NUMBERS,))
    shape, c = (p[ROWS], p[CHANNELS], p[LENGTH]), (p[CHANNELS],)
    x, g, gx = carray(pointer(p[X], zero), shape), carray(pointer(p[G], zero), shape), carray(pointer(p[Y], zero), shape)
    w, b, rstd = carray(pointer(p[W], zero), c), carray(pointer(p[B], zero), c), carray(pointer(p[RSTD], zero), c)
    gw, gb, mean = carray(pointer(p[GW], zero), c), carray(pointer(p[GB], zero), c), carray(pointer(p[MEAN], 0.0), c)
    _backward(c[0] * part // parts, c[0] * (part + 1) // parts, x, g, w, b, mean, rstd, gx, gw, gb, q[SLOPE])


def _forward32(args, part, parts):
    _forward_part(np.float32(0), args, part, parts)


def _forward64(args, part, parts):
    _forward_part(0.0, args, part, parts)


def _backward32(args, part, parts):
    _backward_part(np.float32(0), args, part, parts)


def _backward64(args, part, parts):
    _backward_part(0.0, args, part, parts)


def _forward_arguments(array, real, number):
    x, v, new = array(real, 3), array(real, 1), array(real, 1, written=True)
    return x, v, v, array(real, 3, written=True), array(number, 1, written=True), new, new, new, number, number, number


def _backward_arguments(array, real, number):
    x, v, new = array(real, 3), array(real, 1), array(real, 1, written=True)
    return x, x, v, v, array(number, 1), v, array(real, 3, written=True), new, new, number


FORWARD = Shared(_forward32, _forward64, _begin_forward, _forward_arguments)
BACKWARD = Shared(_backward32, _backward64, _begin_backward, _backward_arguments)


def forward(x, weight, bias, running_mean, running_var, momentum, eps, slope):
    """y (N, C, L), the channels' means (float64), 1 / their deviations; x and the vectors without gaps. Updates the running statistics."""
    c, none = x.shape[1], np.empty(0, x.dtype)
    y, mean, rstd = np.empty(x.shape, x.dtype), np.empty(c), np.empty(c, x.dtype)
    running = [none if r is None else r for r in (running_mean, running_var)]
    FORWARD(x.dtype.char, min(c, x.size // SHARE), x, weight, bias, y, mean, rstd, *running, float(eps), float(momentum), float(slope))
    return y, mean, rstd


def backward(g, x, weight, bias, mean, rstd, slope):
    """The gradients of `forward` for x, weight and bias."""
    gx, gw, gb = np.empty(x.shape, x.dtype), np.empty(len(rstd), x.dtype), np.empty(len(rstd), x.dtype)
    BACKWARD(x.dtype.char, min(len(rstd), x.size // SHARE), x, g, weight, bias, mean, rstd, gx, gw, gb, float(slope))
    return gx, gw, gb


def _channel_by_channel(x):
    """Does x (N, C, ...) lie in memory as (C, N, ...)?"""
    return x.ndim == 2 or (not x.flags.c_contiguous and x.swapaxes(0, 1).flags.c_contiguous)


def _planes(x, by_channel):
    """x (N, C, ...) as a C-contiguous (N, C, L), or (1, C, N L)."""
    if by_channel:
        return row_major(x.swapaxes(0, 1)).reshape(1, x.shape[1], x.size // max(x.shape[1], 1))
    return row_major(x).reshape(*x.shape[:2], math.prod(x.shape[2:]))


def _unplanes(y, shape, by_channel):
    return y.reshape(shape[1], shape[0], *shape[2:]).swapaxes(0, 1) if by_channel else y.reshape(shape)


def _affine(weight, bias, x):
    """weight and bias without gaps, 1 and 0 for None."""
    c = x.shape[1]
    weight = np.ones(c, x.dtype) if weight is None else np.ascontiguousarray(weight)
    return weight, np.zeros(c, x.dtype) if bias is None else np.ascontiguousarray(bias)


@_batch_norm.kernel("cpu")
def _(x, weight, bias, running_mean, running_var, momentum, eps):
    return by_kernel(x, weight, bias, running_mean, running_var, momentum, eps, 1.0)


def by_kernel(x, weight, bias, running_mean, running_var, momentum, eps, slope):
    """Batch normalisation and a leaky ReLU of this slope behind it (1: none), and the statistics."""
    by_channel = _channel_by_channel(x)
    running = [r if r is None or r.flags.c_contiguous else r.copy() for r in (running_mean, running_var)]
    y, *statistics = forward(_planes(x, by_channel), *_affine(weight, bias, x), *running, momentum, eps, slope)
    for old, new in zip((running_mean, running_var), running):
        if new is not old:  # it had gaps
            old[...] = new
    return _unplanes(y, x.shape, by_channel), *statistics


@batch_norm_grad.kernel("cpu")
def _(g, x, weight, mean, rstd):
    return gradients_by_kernel(g, x, weight, None, mean, rstd, 1.0)


def gradients_by_kernel(g, x, weight, bias, mean, rstd, slope):
    """The gradients of `by_kernel`."""
    by_channel = _channel_by_channel(x)
    planes = [_planes(a, by_channel) for a in (g, x)]
    gx, *rest = backward(*planes, *_affine(weight, bias, x), mean, rstd, slope)
    return _unplanes(gx, x.shape, by_channel), *rest
