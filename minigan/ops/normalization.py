"""Batch normalisation (Ioffe and Szegedy 2015): forward and backward are each one fused kernel.

The kernels see (N, C, L): L is the product of the sizes after the channels. The (N, C) results of `linear`, which are laid out
feature by feature, are seen as (1, C, N) without a copy. Sums are taken in float64, in two passes, so nothing cancels.
"""

import numpy as np

from ..autograd import op
from ..backend import kernel

__all__ = ["batch_norm"]


@kernel
def _forward(x, w, b, eps, y, mean, rstd, running_mean, running_var, momentum):
    rows, channels, length = x.shape
    count = rows * length
    for c in range(channels):
        total = 0.0
        for n in range(rows):
            for i in range(length):
                total += x[n, c, i]
        mean[c] = total / count
        m = mean[c]
        total = 0.0
        for n in range(rows):
            for i in range(length):
                d = x[n, c, i] - m
                total += d * d
        rstd[c] = 1 / np.sqrt(total / count + eps)
        if running_mean is not None:
            running_mean[c] += momentum * (m - running_mean[c])
        if running_var is not None:
            running_var[c] += momentum * (total / max(count - 1, 1) - running_var[c])
        scale = rstd[c] * w[c]
        for n in range(rows):
            for i in range(length):
                y[n, c, i] = (x[n, c, i] - m) * scale + b[c]


@kernel
def _backward(g, x, w, mean, rstd, gx, gw, gb):
    rows, channels, length = x.shape
    count = rows * length
    for c in range(channels):
        sum_g, sum_gx, m, r = 0.0, 0.0, mean[c], rstd[c]
        for n in range(rows):
            for i in range(length):
                sum_g += g[n, c, i]
                sum_gx += g[n, c, i] * ((x[n, c, i] - m) * r)
        gb[c], gw[c] = sum_g, sum_gx
        # In x's dtype: float64 numbers here would make the last loop do everything in float64.
        a, k, h = w[c] * r, gw[c] * r / np.float32(count), gb[c] / np.float32(count)
        for n in range(rows):
            for i in range(length):
                gx[n, c, i] = a * (g[n, c, i] - h - (x[n, c, i] - m) * k)


def _planes(x):
    """x (N, C, ...) as a C-contiguous (N, C, L), or (1, C, N) for (N, C)."""
    if x.ndim == 2:
        return np.ascontiguousarray(x.T)[None]
    return np.ascontiguousarray(x).reshape(x.shape[0], x.shape[1], -1)


def _unplanes(y, shape):
    return y[0].T if len(shape) == 2 else y.reshape(shape)


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
        c, planes = x.shape[1], _planes(x)
        weight = np.ones(c, x.dtype) if weight is None else weight
        bias = np.zeros(c, x.dtype) if bias is None else bias
        y = np.empty(planes.shape, x.dtype)
        mean, rstd = np.empty((2, c), x.dtype)
        _forward(planes, weight, bias, eps, y, mean, rstd, running_mean, running_var, momentum)
        return _unplanes(y, x.shape), mean, rstd

    def backward(g, need, x, weight, bias, running_mean, running_var, momentum, eps, mean, rstd):
        rule = _batch_norm_grad_cpu if isinstance(x, np.ndarray) and x.dtype.char in "fd" else _batch_norm_grad
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
    planes = _planes(x)
    weight = np.ones_like(mean) if weight is None else weight
    gx = np.empty(planes.shape, x.dtype)
    gw, gb = np.empty((2, len(mean)), x.dtype)
    _backward(_planes(g), planes, weight, mean, rstd, gx, gw, gb)
    return _unplanes(gx, x.shape), gw, gb


def batch_norm(input, running_mean=None, running_var=None, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """Batch normalisation of input (N, C, ...) over all dimensions but 1, as torch.nn.functional.batch_norm.

    running_mean, running_var : (C,) Tensors; in training updated in place (unless None), otherwise used
    weight, bias : (C,) scale and shift, or None
    momentum : share of the new statistics in the running ones
    eps : added to the variance
    """
    if input.ndim < 2:
        raise ValueError(f"batch_norm: expected input (N, C, ...), got shape {tuple(input.shape)}")
    c = input.shape[1]
    for name, v in dict(running_mean=running_mean, running_var=running_var, weight=weight, bias=bias).items():
        if v is not None and tuple(v.shape) != (c,):
            raise ValueError(f"batch_norm: {name} has shape {tuple(v.shape)}, the input has {c} channels (shape {tuple(input.shape)})")
    if training:
        for name, v in dict(running_mean=running_mean, running_var=running_var).items():
            if v is not None and v.dtype != input.dtype:
                raise ValueError(f"batch_norm: {name} is {v.dtype}, the input {input.dtype}: convert one, e.g. the module with .double()")
        if input.array.size // max(c, 1) <= 1:
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
