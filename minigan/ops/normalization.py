"""Batch normalisation (Ioffe and Szegedy 2015): forward and backward are each one fused kernel. The kernels see
(N, C, L): L is the product of the sizes after the channels. Arrays that lie in memory channel by channel (the results of
`linear`) are seen as (1, C, N L) without a copy. Sums are taken in float64, in two passes, so nothing cancels.
"""

import numpy as np

from ..autograd import op
from ..backend import kernel, parallel_chunks, row_major
from ..backend.cuda import has_kernels
from ..backend.threads import MIN_CHUNK
from .rows import norm_backward, norm_forward

__all__ = ["batch_norm"]


@kernel
def _forward(channels, x, w, b, eps, y, mean, rstd, running_mean, running_var, momentum):
    rows, _, length = x.shape
    count = rows * length
    for c in channels:
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
        if running_mean is not None:
            running_mean[c] += momentum * (mean[c] - running_mean[c])
        if running_var is not None:
            running_var[c] += momentum * (var * count / max(count - 1, 1) - running_var[c])
        # In x's dtype: float64 numbers here would make the last loop do everything in float64.
        scale = rstd[c] * w[c]
        shift = x.dtype.type(b[c] - rest * scale)
        for n in range(rows):
            for i in range(length):
                y[n, c, i] = (x[n, c, i] - m) * scale + shift


@kernel
def _backward(channels, x, g, w, mean, rstd, gx, gw, gb):
    rows, _, length = x.shape
    count = rows * length
    for c in channels:
        sum_g, sum_gd, m, r = 0.0, 0.0, x.dtype.type(mean[c]), rstd[c]
        rest = mean[c] - m
        for n in range(rows):
            for i in range(length):
                sum_g += g[n, c, i]
                sum_gd += g[n, c, i] * (x[n, c, i] - m)
        sum_gh = (sum_gd - rest * sum_g) * r
        gb[c], gw[c] = sum_g, sum_gh
        a, k = w[c] * r, x.dtype.type(sum_gh * r / count)
        h0 = x.dtype.type((sum_g - rest * r * sum_gh) / count)
        for n in range(rows):
            for i in range(length):
                gx[n, c, i] = a * (g[n, c, i] - h0 - (x[n, c, i] - m) * k)


def _over_channels(loop, x, *rest):
    """loop(channels, x, *rest), the channels of x (N, C, L) shared among threads."""
    rows, c, length = x.shape
    parallel_chunks(lambda channels: loop(channels, x, *rest), c, np.arange(c), min_chunk=-(-MIN_CHUNK // max(rows * length, 1)))


def _channel_by_channel(x):
    """Does x (N, C, ...) lie in memory as (C, N, ...)?"""
    return x.ndim == 2 or (not x.flags.c_contiguous and x.swapaxes(0, 1).flags.c_contiguous)


def _planes(x, by_channel):
    """x (N, C, ...) as a C-contiguous (N, C, L), or (1, C, N L)."""
    if by_channel:
        return row_major(x.swapaxes(0, 1)).reshape(1, x.shape[1], -1)
    return row_major(x).reshape(x.shape[0], x.shape[1], -1)


def _unplanes(y, shape, by_channel):
    return y.reshape(shape[1], shape[0], *shape[2:]).swapaxes(0, 1) if by_channel else y.reshape(shape)


def _channels(x, v):
    """v (C,) shaped so that it broadcasts over x (N, C, ...)."""
    return v.reshape((1, -1) + (1,) * (x.ndim - 2))


def _axes(x):
    return (0, *range(2, x.ndim))


def _update_running(x, running_mean, running_var, momentum, mean, var):
    """running += momentum (batch - running), with the unbiased variance, as torch does."""
    count = x.size // x.shape[1]
    for running, new in ((running_mean, mean), (running_var, var * (count / max(count - 1, 1)))):
        if running is not None:
            running += momentum * (new - running)


@op
class _batch_norm:
    """y = (x - mean) / sqrt(var + eps) * weight + bias, mean and (biased) variance taken over all dimensions but 1.

    With h = (x - mean) rstd, and means over a channel of N elements:
    dL/dx = weight rstd (g - mean(g) - h mean(g h)),    dL/dweight = sum g h,    dL/dbias = sum g
    """

    saves = ("x", "weight", "bias", "running_mean", "running_var", "momentum", "eps", "mean", "rstd")

    def forward(x, weight, bias, running_mean, running_var, momentum, eps):
        mean = np.mean(x, axis=_axes(x), dtype=x.dtype)
        var = np.mean(np.square(x - _channels(x, mean)), axis=_axes(x), dtype=x.dtype)
        rstd = 1 / np.sqrt(var + eps)
        y = (x - _channels(x, mean)) * _channels(x, rstd)
        y = y if weight is None else y * _channels(x, weight)
        _update_running(x, running_mean, running_var, momentum, mean, var)
        return (y if bias is None else y + _channels(x, bias)), mean, rstd

    def cpu(x, weight, bias, running_mean, running_var, momentum, eps):
        c, by_channel = x.shape[1], _channel_by_channel(x)
        planes = _planes(x, by_channel)
        weight = np.ones(c, x.dtype) if weight is None else weight
        bias = np.zeros(c, x.dtype) if bias is None else bias
        y = np.empty(planes.shape, x.dtype)
        mean, rstd = np.empty(c), np.empty(c, x.dtype)  # the mean in float64 also of float32
        _over_channels(_forward, planes, weight, bias, eps, y, mean, rstd, running_mean, running_var, momentum)
        return _unplanes(y, x.shape, by_channel), mean, rstd

    def cuda(x, weight, bias, running_mean, running_var, momentum, eps):
        return norm_forward(x, weight, bias, running_mean, running_var, momentum, eps)

    def backward(g, need, x, weight, bias, running_mean, running_var, momentum, eps, mean, rstd):
        if isinstance(x, np.ndarray) and x.dtype.char in "fd":
            rule = _batch_norm_grad_cpu
        else:
            rule = norm_backward if has_kernels(x) else _batch_norm_grad
        return rule(g, x, weight, mean, rstd)

    def formula(x, weight, bias, running_mean, running_var, momentum, eps):
        shape, axes = (1, -1) + (1,) * (x.ndim - 2), _axes(x)
        d = x - x.mean(axes, True)
        y = d * ((d * d).mean(axes, True) + eps).rsqrt()
        y = y if weight is None else y * weight.reshape(shape)
        return y if bias is None else y + bias.reshape(shape)


def _batch_norm_grad(g, x, weight, mean, rstd):
    """The rule of `_batch_norm` in array operations of either library."""
    axes = _axes(x)
    h = (x - _channels(x, mean)) * _channels(x, rstd)
    gb, gw = g.sum(axes), (g * h).sum(axes)
    count = x.size // x.shape[1]
    a = rstd if weight is None else rstd * weight
    return _channels(x, a) * (g - _channels(x, gb / count) - h * _channels(x, gw / count)), gw, gb


def _batch_norm_grad_cpu(g, x, weight, mean, rstd):
    """The same as one compiled kernel."""
    by_channel = _channel_by_channel(x)
    planes = _planes(x, by_channel)
    weight = np.ones_like(rstd) if weight is None else weight
    gx = np.empty(planes.shape, x.dtype)
    gw, gb = np.empty((2, len(mean)), x.dtype)
    _over_channels(_backward, planes, _planes(g, by_channel), weight, mean, rstd, gx, gw, gb)
    return _unplanes(gx, x.shape, by_channel), gw, gb


def check_parameters(name, input, **parameters):
    """Each must be None or have one number for each channel."""
    if input.ndim < 2:
        raise ValueError(f"{name}: expected input (N, C, ...), got shape {tuple(input.shape)}")
    c = input.shape[1]
    for what, v in parameters.items():
        if v is not None and tuple(v.shape) != (c,):
            raise ValueError(f"{name}: {what} has shape {tuple(v.shape)}, the input has {c} channels (shape {tuple(input.shape)})")
        if v is not None and what.startswith("running") and v.dtype != input.dtype:
            raise ValueError(f"{name}: {what} is {v.dtype}, the input {input.dtype}: convert one, e.g. the module with .double()")


def batch_norm(input, running_mean=None, running_var=None, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """Batch normalisation of input (N, C, ...) over all dimensions but 1, as torch.nn.functional.batch_norm.

    running_mean, running_var : (C,) Tensors; in training updated in place (unless None), otherwise used
    weight, bias : (C,) scale and shift, or None
    momentum : share of the new statistics in the running ones
    eps : added to the variance
    """
    check_parameters("batch_norm", input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if training:
        if input.array.size // max(input.shape[1], 1) <= 1:
            raise ValueError(f"batch_norm: expected more than 1 value per channel when training, got input of shape {tuple(input.shape)}")
        arrays = [None if v is None else v.array for v in (running_mean, running_var)]
        y = _batch_norm(input, weight, bias, *arrays, momentum, eps)
        for running in (running_mean, running_var):
            if running is not None:
                running._version[0] += 1
        return y
    if running_mean is None or running_var is None:
        raise ValueError("batch_norm: running_mean and running_var are needed when not training")
    shape = (1, -1) + (1,) * (input.ndim - 2)
    scale = (running_var + eps).rsqrt()
    scale = scale if weight is None else scale * weight
    y = (input - running_mean.reshape(shape)) * scale.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)
