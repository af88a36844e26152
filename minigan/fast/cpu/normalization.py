"""Batch normalisation and a leaky ReLU behind it, on the CPU: each direction is one pass for the
sums and one for the results.

x is (N, C, L): L is the product of the sizes after the channels. Sums are taken in float64, in two
passes, so nothing cancels. Threads share the channels. The leaky ReLU has slope 1 where there is
none; its argument is computed again in the backward pass.
"""

import functools
import math

import numpy as np

from ...ops.normalization import _batch_norm, batch_norm_grad
from .kernels import kernel
from .layout import row_major
from .shared_kernel import SharedKernel, carray, dispatch, pointer, record_at, room

__all__: list[str] = []  # no ops

WORTH_A_THREAD = 1 << 13  # elements


# What a thread's part of the work finds at its address: sizes, addresses of arrays, numbers.
FORWARD = np.dtype(
    [
        ("rows", np.int64),
        ("channels", np.int64),
        ("length", np.int64),
        ("x", np.int64),
        ("weight", np.int64),
        ("bias", np.int64),
        ("y", np.int64),
        ("mean", np.int64),
        ("rstd", np.int64),
        ("running_mean", np.int64),
        ("running_mean_size", np.int64),  # 0: there is none
        ("running_var", np.int64),
        ("running_var_size", np.int64),
        ("eps", np.float64),
        ("momentum", np.float64),
        ("slope", np.float64),
    ],
    align=True,
)
BACKWARD = np.dtype(
    [
        ("rows", np.int64),
        ("channels", np.int64),
        ("length", np.int64),
        ("x", np.int64),
        ("g", np.int64),
        ("weight", np.int64),
        ("bias", np.int64),
        ("mean", np.int64),
        ("rstd", np.int64),
        ("gx", np.int64),
        ("gw", np.int64),
        ("gb", np.int64),
        ("slope", np.float64),
    ],
    align=True,
)
_forward_at, _backward_at = record_at(FORWARD), record_at(BACKWARD)
_forward_room, _backward_room = room(FORWARD), room(BACKWARD)


@functools.partial(kernel, apart=True)
def _forward(kind, args, part, parts):
    """A thread's channels; kind is a number of the dtype of x."""
    p = _forward_at(args)
    rows, channels = p.rows, p.channels
    length = p.length
    x = carray(pointer(p.x, kind), (rows, channels, length))
    y = carray(pointer(p.y, kind), (rows, channels, length))
    w, b = carray(pointer(p.weight, kind), channels), carray(pointer(p.bias, kind), channels)
    mean, rstd = carray(pointer(p.mean, 0.0), channels), carray(pointer(p.rstd, kind), channels)
    running_mean = carray(pointer(p.running_mean, kind), p.running_mean_size)
    running_var = carray(pointer(p.running_var, kind), p.running_var_size)
    eps, momentum = p.eps, p.momentum
    slope, zero = x.dtype.type(p.slope), x.dtype.type(0)
    count = rows * length
    low, high = channels * part // parts, channels * (part + 1) // parts
    for c in range(low, high):
        total = 0.0
        for n in range(rows):
            for i in range(length):
                total += x[n, c, i]
        mean[c] = total / count
        m = x.dtype.type(mean[c])
        # far from 0 the rest is not small compared with the deviations
        total, rest = 0.0, mean[c] - m
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


@functools.partial(kernel, apart=True)
def _channels_backward(low, high, x, g, w, b, mean, rstd, gx, gw, gb, slope):
    """Channels low to high - 1; gx first takes the gradient of the leaky ReLU's argument.

    (A function of its own: with arrays as arguments its loops become faster code.)
    """
    rows, _, length = x.shape
    count = rows * length
    slope, zero = x.dtype.type(slope), x.dtype.type(0)
    for c in range(low, high):
        sum_g, sum_gd = 0.0, 0.0
        m, r = x.dtype.type(mean[c]), rstd[c]
        rest = mean[c] - m
        scale = r * w[c]
        shift = x.dtype.type(b[c] - rest * scale)
        for n in range(rows):
            for i in range(length):
                d = x[n, c, i] - m
                h = (
                    g[n, c, i]
                    if d * scale + shift > 0
                    else (slope * g[n, c, i] if slope != 0 else zero)
                )
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


@kernel
def _backward(kind, args, part, parts):
    """A thread's channels; kind is a number of the dtype of x."""
    p = _backward_at(args)
    channels, shape = p.channels, (p.rows, p.channels, p.length)
    x, g = carray(pointer(p.x, kind), shape), carray(pointer(p.g, kind), shape)
    gx = carray(pointer(p.gx, kind), shape)
    w, b = carray(pointer(p.weight, kind), channels), carray(pointer(p.bias, kind), channels)
    mean, rstd = carray(pointer(p.mean, 0.0), channels), carray(pointer(p.rstd, kind), channels)
    gw, gb = carray(pointer(p.gw, kind), channels), carray(pointer(p.gb, kind), channels)
    low, high = channels * part // parts, channels * (part + 1) // parts
    _channels_backward(low, high, x, g, w, b, mean, rstd, gx, gw, gb, p.slope)


def _begin_forward(
    records,
    workers,
    work,
    sched_yield,
    x,
    weight,
    bias,
    y,
    mean,
    rstd,
    running_mean,
    running_var,
    eps,
    momentum,
    slope,
):
    block = _forward_room()
    p = _forward_at(block)
    p.rows, p.channels, p.length = x.shape
    p.x = x.ctypes.data
    p.weight = weight.ctypes.data
    p.bias = bias.ctypes.data
    p.y = y.ctypes.data
    p.mean = mean.ctypes.data
    p.rstd = rstd.ctypes.data
    p.running_mean = running_mean.ctypes.data
    p.running_mean_size = running_mean.size
    p.running_var = running_var.ctypes.data
    p.running_var_size = running_var.size
    p.eps = eps
    p.momentum = momentum
    p.slope = slope
    return dispatch(records, workers, work, block, sched_yield)


def _begin_backward(
    records, workers, work, sched_yield, x, g, weight, bias, mean, rstd, gx, gw, gb, slope
):
    block = _backward_room()
    p = _backward_at(block)
    p.rows, p.channels, p.length = x.shape
    p.x = x.ctypes.data
    p.g = g.ctypes.data
    p.weight = weight.ctypes.data
    p.bias = bias.ctypes.data
    p.mean = mean.ctypes.data
    p.rstd = rstd.ctypes.data
    p.gx = gx.ctypes.data
    p.gw = gw.ctypes.data
    p.gb = gb.ctypes.data
    p.slope = slope
    return dispatch(records, workers, work, block, sched_yield)


def _forward32(args, part, parts):
    _forward(np.float32(0), args, part, parts)


def _forward64(args, part, parts):
    _forward(0.0, args, part, parts)


def _backward32(args, part, parts):
    _backward(np.float32(0), args, part, parts)


def _backward64(args, part, parts):
    _backward(0.0, args, part, parts)


def _forward_arguments(array, real, number):
    vector, written = array(real, 1), array(real, 1, written=True)
    return {
        "x": array(real, 3),
        "weight": vector,
        "bias": vector,
        "y": array(real, 3, written=True),
        "mean": array(number, 1, written=True),
        "rstd": written,
        "running_mean": written,
        "running_var": written,
        "eps": number,
        "momentum": number,
        "slope": number,
    }


def _backward_arguments(array, real, number):
    vector, written = array(real, 1), array(real, 1, written=True)
    return {
        "x": array(real, 3),
        "g": array(real, 3),
        "weight": vector,
        "bias": vector,
        "mean": array(number, 1),
        "rstd": vector,
        "gx": array(real, 3, written=True),
        "gw": written,
        "gb": written,
        "slope": number,
    }


_forward_in_threads = SharedKernel(_forward32, _forward64, _begin_forward, _forward_arguments)
_backward_in_threads = SharedKernel(_backward32, _backward64, _begin_backward, _backward_arguments)


def forward(x, weight, bias, running_mean, running_var, momentum, eps, slope):
    """y (N, C, L), the channels' means (float64), 1 / their deviations; x and the vectors without
    gaps. Updates the running statistics."""
    c, none = x.shape[1], np.empty(0, x.dtype)
    y, mean = np.empty(x.shape, x.dtype), np.empty(c)
    rstd = np.empty(c, x.dtype)
    _forward_in_threads(
        x.dtype.char,
        min(c, x.size // WORTH_A_THREAD),
        x=x,
        weight=weight,
        bias=bias,
        y=y,
        mean=mean,
        rstd=rstd,
        running_mean=none if running_mean is None else running_mean,
        running_var=none if running_var is None else running_var,
        eps=float(eps),
        momentum=float(momentum),
        slope=float(slope),
    )
    return y, mean, rstd


def backward(g, x, weight, bias, mean, rstd, slope):
    """The gradients of `forward` for x, weight and bias."""
    gx = np.empty(x.shape, x.dtype)
    gw, gb = np.empty(len(rstd), x.dtype), np.empty(len(rstd), x.dtype)
    _backward_in_threads(
        x.dtype.char,
        min(len(rstd), x.size // WORTH_A_THREAD),
        x=x,
        g=g,
        weight=weight,
        bias=bias,
        mean=mean,
        rstd=rstd,
        gx=gx,
        gw=gw,
        gb=gb,
        slope=float(slope),
    )
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
    return (
        y.reshape(shape[1], shape[0], *shape[2:]).swapaxes(0, 1) if by_channel else y.reshape(shape)
    )


def _affine(weight, bias, x):
    """weight and bias without gaps, 1 and 0 for None."""
    c = x.shape[1]
    weight = np.ones(c, x.dtype) if weight is None else np.ascontiguousarray(weight)
    return weight, np.zeros(c, x.dtype) if bias is None else np.ascontiguousarray(bias)


@_batch_norm.kernel("cpu")
def _(x, weight, bias, running_mean, running_var, momentum, eps):
    return by_kernel(x, weight, bias, running_mean, running_var, momentum, eps, 1.0)


def by_kernel(x, weight, bias, running_mean, running_var, momentum, eps, slope):
    """Batch normalisation and a leaky ReLU of this slope behind it (1: none), and the
    statistics."""
    by_channel = _channel_by_channel(x)
    running = [
        r if r is None or r.flags.c_contiguous else r.copy() for r in (running_mean, running_var)
    ]
    y, *statistics = forward(
        _planes(x, by_channel), *_affine(weight, bias, x), *running, momentum, eps, slope
    )
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
