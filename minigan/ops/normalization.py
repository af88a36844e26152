"""Batch normalisation (Ioffe and Szegedy 2015): forward and backward are each one fused kernel. The
kernels see (N, C, L): L is the product of the sizes after the channels. Arrays that lie in memory
channel by channel (the results of `linear`) are seen as (1, C, N L) without a copy.
"""

import numpy as np

from ..autograd import Tensor, op
from .reduction import sum

__all__ = ["batch_norm"]


def _channels(x, v):
    """v (C,) shaped so that it broadcasts over x (N, C, ...)."""
    return v.reshape((1, -1) + (1,) * (x.ndim - 2))


def _affine(x, scale, bias):
    """x (N, C, ...) times scale plus bias, a number for each channel each; None is 1 or 0."""
    y = x if scale is None else x * _channels(x, scale)
    return y if bias is None else y + _channels(x, bias)


def _axes(x):
    return (0, *range(2, x.ndim))


def _update_running(x, running_mean, running_var, momentum, mean, var):
    """running += momentum (batch - running), with the unbiased variance, as torch does."""
    count = x.size // x.shape[1]
    for running, new in ((running_mean, mean), (running_var, var * (count / max(count - 1, 1)))):
        if running is not None:
            running += momentum * (new - running)


@op(saves=("x", "weight", "bias", "running_mean", "running_var", "momentum", "eps", "mean", "rstd"))
def _batch_norm(x, weight, bias, running_mean, running_var, momentum, eps):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, mean and (biased) variance taken over all
    dimensions but 1.

    With h = (x - mean) rstd, and means over a channel of N elements:
    dL/dx = weight rstd (g - mean(g) - h mean(g h)),    dL/dweight = sum g h,    dL/dbias = sum g
    """
    if x.dtype.char == "e":
        running = singles(running_mean, running_var)
        y, *rest = _batch_norm.card.forward(*singles(x, weight, bias), *running, momentum, eps)
        for old, new in zip((running_mean, running_var), running):
            if old is not None:
                old[...] = new
        return y.astype(x.dtype), *rest
    mean = np.mean(x, axis=_axes(x), dtype=np.float64)
    var = np.mean(np.square(x - _channels(x, mean)), axis=_axes(x), dtype=np.float64)
    rstd = (1 / np.sqrt(var + eps)).astype(x.dtype)
    _update_running(x, running_mean, running_var, momentum, mean, var)
    return _normalised(x, weight, bias, mean, rstd), mean, rstd


@_batch_norm.backward
def _(g, need, x, weight, bias, running_mean, running_var, momentum, eps, mean, rstd):
    return batch_norm_grad(g, x, weight, mean, rstd)


@_batch_norm.formula
def _(x, weight, bias, running_mean, running_var, momentum, eps):
    d = x - x.mean(_axes(x), True)
    return _affine(d * ((d * d).mean(_axes(x), True) + eps).rsqrt(), weight, bias)


def _normalised(x, weight, bias, mean, rstd):
    """(x - mean) rstd weight + bias in array operations of either library."""
    y = ((x - _channels(x, mean)) * _channels(x, rstd)).astype(x.dtype)
    return _affine(y, weight, bias)


def singles(*arrays):
    """float16 as float32, in which sums of them are taken; None stays None."""
    return [a if a is None else a.astype(np.float32) for a in arrays]


def halves(*arrays):
    """float32 back as float16; what is no array stays what it is."""
    return tuple(a.astype(np.float16) if hasattr(a, "dtype") else a for a in arrays)


@op
def batch_norm_grad(g, x, weight, mean, rstd):
    """The rule of `_batch_norm`: the gradients of x, weight and bias."""
    if x.dtype.char == "e":
        return halves(*batch_norm_grad(*singles(g, x, weight), mean, rstd))
    axes = _axes(x)
    h = (x - _channels(x, mean)) * _channels(x, rstd)
    gb, gw = sum(g, axes), sum(g * h, axes)
    count = x.size // x.shape[1]
    a = rstd if weight is None else rstd * weight
    gx = _channels(x, a) * (g - _channels(x, gb / count) - h * _channels(x, gw / count))
    return gx.astype(x.dtype), gw.astype(x.dtype), gb.astype(x.dtype)


def check_parameters(name, input, **parameters):
    """Each must be None or have one number for each channel."""
    if input.ndim < 2:
        raise ValueError(f"{name}: expected input (N, C, ...), got shape {tuple(input.shape)}")
    c = input.shape[1]
    for what, v in parameters.items():
        if v is not None and tuple(v.shape) != (c,):
            raise ValueError(
                f"{name}: {what} has shape {tuple(v.shape)}, the input has {c} channels (shape "
                f"{tuple(input.shape)})"
            )
        if v is not None and what.startswith("running") and v.dtype != input.dtype:
            raise ValueError(
                f"{name}: {what} is {v.dtype}, the input {input.dtype}: convert one, e.g. the "
                "module with .double()"
            )


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Batch normalisation of input (N, C, ...) over all dimensions but 1, as
    torch.nn.functional.batch_norm.

    running_mean, running_var : (C,) Tensors; in training updated in place (unless None), otherwise
        used
    weight, bias : (C,) scale and shift, or None
    momentum : share of the new statistics in the running ones
    eps : added to the variance
    """
    check_parameters(
        "batch_norm",
        input,
        running_mean=running_mean,
        running_var=running_var,
        weight=weight,
        bias=bias,
    )
    if training:
        return in_training(
            _batch_norm, input, running_mean, running_var, weight, bias, momentum, eps
        )
    if running_mean is None or running_var is None:
        raise ValueError("batch_norm: running_mean and running_var are needed when not training")
    scale = (running_var + eps).rsqrt()
    scale = scale if weight is None else scale * weight
    return _affine(input - _channels(input, running_mean), scale, bias)


def in_training(op, input, running_mean, running_var, weight, bias, momentum, eps, *more):
    """`op`, an op like `_batch_norm`, of a batch; it updates the running statistics, of which
    backward is told."""
    if not input.array.size:  # nothing to normalise, and no statistics
        return _affine(input * 1, weight, bias)
    if input.array.size // max(input.shape[1], 1) == 1:
        raise ValueError(
            "batch_norm: expected more than 1 value per channel when training, got input of "
            f"shape {tuple(input.shape)}"
        )
    arrays = [None if v is None else v.array for v in (running_mean, running_var)]
    y = op(input, weight, bias, *arrays, momentum, eps, *more)
    for running in (running_mean, running_var):
        if running is not None:
            running._version[0] += 1
    return y
