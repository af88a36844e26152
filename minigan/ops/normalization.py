"""Batch normalisation (Ioffe and Szegedy 2015), and a leaky ReLU behind it: forward and backward are each one fused kernel. The
kernels see (N, C, L): L is the product of the sizes after the channels. Arrays that lie in memory channel by channel (the results of
`linear`) are seen as (1, C, N L) without a copy.
"""

import numpy as np

from ..autograd import op
from ..backend import row_major
from ..backend.cuda import has_kernels
from . import normalization_kernels
from .activation import leaky_relu, leaky_relu_grad, relu
from .reduction import sum
from .rows import norm_backward, norm_forward

__all__ = ["batch_norm"]


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


def _affine(weight, bias, x):
    """weight and bias without gaps, 1 and 0 for None."""
    c = x.shape[1]
    weight = np.ones(c, x.dtype) if weight is None else np.ascontiguousarray(weight)
    return weight, np.zeros(c, x.dtype) if bias is None else np.ascontiguousarray(bias)


@op
class _batch_norm:
    """y = a((x - mean) / sqrt(var + eps) * weight + bias), mean and (biased) variance taken over all dimensions but 1; a is a leaky ReLU
    with this slope (1: none).

    With h = (x - mean) rstd, g the gradient of a's argument, and means over a channel of N elements:
    dL/dx = weight rstd (g - mean(g) - h mean(g h)),    dL/dweight = sum g h,    dL/dbias = sum g
    """

    saves = ("x", "weight", "bias", "running_mean", "running_var", "momentum", "eps", "slope", "mean", "rstd")

    def forward(x, weight, bias, running_mean, running_var, momentum, eps, slope=1.0):
        if x.dtype.char == "e":
            running = singles(running_mean, running_var)
            y, *rest = _batch_norm.card.forward(*singles(x, weight, bias), *running, momentum, eps, slope)
            for old, new in zip((running_mean, running_var), running):
                if old is not None:
                    old[...] = new
            return y.astype(x.dtype), *rest
        mean = np.mean(x, axis=_axes(x), dtype=x.dtype)
        var = np.mean(np.square(x - _channels(x, mean)), axis=_axes(x), dtype=x.dtype)
        rstd = 1 / np.sqrt(var + eps)
        _update_running(x, running_mean, running_var, momentum, mean, var)
        y = _normalised(x, weight, bias, mean, rstd)
        return _activated(y, slope), mean, rstd

    def cpu(x, weight, bias, running_mean, running_var, momentum, eps, slope=1.0):
        by_channel = _channel_by_channel(x)
        running = [r if r is None or r.flags.c_contiguous else r.copy() for r in (running_mean, running_var)]
        y, *statistics = normalization_kernels.forward(_planes(x, by_channel), *_affine(weight, bias, x), *running, momentum, eps, slope)
        for old, new in zip((running_mean, running_var), running):
            if new is not old:  # it had gaps
                old[...] = new
        return _unplanes(y, x.shape, by_channel), *statistics

    def cuda(x, weight, bias, running_mean, running_var, momentum, eps, slope=1.0):
        y, *statistics = norm_forward(x, weight, bias, running_mean, running_var, momentum, eps)
        return _activated(y, slope), *statistics

    def backward(g, need, x, weight, bias, running_mean, running_var, momentum, eps, slope, mean, rstd):
        if isinstance(x, np.ndarray) and x.dtype.char in "fd":
            by_channel = _channel_by_channel(x)
            planes = [_planes(a, by_channel) for a in (g, x)]
            gx, *rest = normalization_kernels.backward(*planes, *_affine(weight, bias, x), mean, rstd, slope)
            return _unplanes(gx, x.shape, by_channel), *rest
        if slope != 1:
            g = leaky_relu_grad(g, _normalised(x, weight, bias, mean, rstd), slope)
        return (norm_backward if has_kernels(x) else _batch_norm_grad)(g, x, weight, mean, rstd)

    def formula(x, weight, bias, running_mean, running_var, momentum, eps, slope=1.0):
        shape, axes = (1, -1) + (1,) * (x.ndim - 2), _axes(x)
        d = x - x.mean(axes, True)
        y = d * ((d * d).mean(axes, True) + eps).rsqrt()
        y = y if weight is None else y * weight.reshape(shape)
        y = y if bias is None else y + bias.reshape(shape)
        return _activated(y, slope)


def _activated(y, slope):
    """leaky_relu; 0 is relu, which makes 0 of minus infinity, and 1 is nothing."""
    return y if slope == 1 else relu(y) if slope == 0 else leaky_relu(y, slope)


def _normalised(x, weight, bias, mean, rstd):
    """(x - mean) rstd weight + bias in array operations of either library."""
    y = (x - _channels(x, mean.astype(x.dtype))) * _channels(x, rstd)
    y = y if weight is None else y * _channels(x, weight)
    return y if bias is None else y + _channels(x, bias)


def singles(*arrays):
    """float16 as float32, in which sums of them are taken; None stays None."""
    return [a if a is None else a.astype(np.float32) for a in arrays]


def halves(*arrays):
    """float32 back as float16; what is no array stays what it is."""
    return tuple(a.astype(np.float16) if hasattr(a, "dtype") else a for a in arrays)


def _batch_norm_grad(g, x, weight, mean, rstd):
    """The rule of `_batch_norm` in array operations of either library."""
    if x.dtype.char == "e":
        return halves(*_batch_norm_grad(*singles(g, x, weight), mean, rstd))
    axes = _axes(x)
    h = (x - _channels(x, mean)) * _channels(x, rstd)
    gb, gw = sum(g, axes), sum(g * h, axes)
    count = x.size // x.shape[1]
    a = rstd if weight is None else rstd * weight
    return _channels(x, a) * (g - _channels(x, gb / count) - h * _channels(x, gw / count)), gw, gb


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
    return batch_norm_leaky_relu(input, running_mean, running_var, weight, bias, training, momentum, eps, 1.0)


def batch_norm_leaky_relu(input, running_mean, running_var, weight, bias, training, momentum, eps, slope):
    """`batch_norm`, and leaky_relu of this slope (0: relu; 1: nothing) behind it: in training on the CPU they are one op."""
    check_parameters("batch_norm", input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if training:
        if not input.array.size:  # nothing to normalise, and no statistics
            return _activated(_normalised(input, weight, bias, *[np.zeros_like(input.array, shape=input.shape[1])] * 2), slope)
        if input.array.size // max(input.shape[1], 1) == 1:
            raise ValueError(f"batch_norm: expected more than 1 value per channel when training, got input of shape {tuple(input.shape)}")
        arrays = [None if v is None else v.array for v in (running_mean, running_var)]
        fused = isinstance(input.array, np.ndarray)
        y = _batch_norm(input, weight, bias, *arrays, momentum, eps, slope if fused else 1.0)
        for running in (running_mean, running_var):
            if running is not None:
                running._version[0] += 1
        return y if fused else _activated(y, slope)
    if running_mean is None or running_var is None:
        raise ValueError("batch_norm: running_mean and running_var are needed when not training")
    shape = (1, -1) + (1,) * (input.ndim - 2)
    scale = (running_var + eps).rsqrt()
    scale = scale if weight is None else scale * weight
    y = (input - running_mean.reshape(shape)) * scale.reshape(shape)
    y = y if bias is None else y + bias.reshape(shape)
    return _activated(y, slope)
