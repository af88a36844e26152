"""Normalisation within an example: instance (Ulyanov et al. 2016), layer (Ba et al. 2016), group
(Wu and He 2018).

All are one op: the channels of each example are divided into groups that follow each other, one for
each channel, one of all, or some between. The kernels see (N groups, elements of a group). Sums for
means and deviations are taken in float64, in two passes, so that nothing cancels.
"""

import math
from collections.abc import Sequence

import numpy as np

from ..arrays import array_module, seam
from ..autograd import Tensor, op, raw
from ..engine.views import own
from .normalization import _affine, _channels, batch_norm, check_parameters, halves, singles
from .reduction import sum

__all__ = ["group_norm", "instance_norm", "layer_norm"]


def _rows(x, groups):
    """x (N, C, ...) as (N groups, elements)."""
    return (
        array_module(x)
        .ascontiguousarray(x)
        .reshape(x.shape[0] * groups, math.prod(x.shape[1:]) // groups)
    )


@op(saves=("x", "weight", "bias", "groups", "eps", "mean", "rstd"))
def _group_norm(x, weight, bias, groups, eps):
    """y = (x - mean) / sqrt(var + eps) * weight + bias; mean and (biased) variance over a group of
    channels of an example (N, C, ...).

    With h = (x - mean) rstd, a = g weight, and means over a group:
    dL/dx = rstd (a - mean(a) - h mean(a h)),    dL/dweight = sum g h,    dL/dbias = sum g
    """
    if x.dtype.char == "e":
        y, mean, rstd = _group_norm.card.forward(*singles(x, weight, bias), groups, eps)
        return y.astype(x.dtype), mean, rstd
    rows = _rows(x, groups)
    mean = np.mean(rows, axis=1, dtype=np.float64)
    d = rows - mean[:, None]
    rstd = (1 / np.sqrt(np.mean(np.square(d), axis=1) + eps)).astype(x.dtype)
    return _affine((d.astype(x.dtype) * rstd[:, None]).reshape(x.shape), weight, bias), mean, rstd


@_group_norm.backward
def _(g, need, x, weight, bias, groups, eps, mean, rstd):
    return group_norm_grad(g, x, weight, groups, mean, rstd)


@_group_norm.formula
def _(x, weight, bias, groups, eps):
    rows = x.reshape(x.shape[0] * groups, math.prod(x.shape[1:]) // groups)
    d = rows - rows.mean(1, True)
    return _affine((d * ((d * d).mean(1, True) + eps).rsqrt()).reshape(x.shape), weight, bias)


@op
def group_norm_grad(g, x, weight, groups, mean, rstd):
    """The rule of `_group_norm`: the gradients of x, weight and bias."""
    if x.dtype.char == "e":
        return halves(*group_norm_grad(*singles(g, x, weight), groups, mean, rstd))
    h, a = _normalised(x, groups, mean, rstd), g if weight is None else g * _channels(x, weight)
    gw, gb = _parameter_gradients(g, h)
    a, h = _rows(a, groups), _rows(h, groups)
    gx = rstd[:, None] * (a - a.mean(1, keepdims=True) - h * (a * h).mean(1, keepdims=True))
    return gx.reshape(x.shape), gw, gb


def _normalised(x, groups, mean, rstd):
    return ((_rows(x, groups) - mean[:, None]).astype(x.dtype) * rstd[:, None]).reshape(x.shape)


def _parameter_gradients(g, h):
    others = (0, *range(2, g.ndim))
    return sum(g * h, others), sum(g, others)


def _track(x, running_mean, running_var, momentum):
    """running += momentum (mean over the examples - running), of x (N, C, ...), with the unbiased
    variance."""
    x = x.reshape(*x.shape[:2], -1)
    count = x.shape[2]
    for running, new in (
        (running_mean, x.mean(2)),
        (running_var, x.var(2) * (count / (count - 1))),
    ):
        if running is not None:
            running += momentum * (new.mean(0) - running)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalisation of each channel of each example of input (N, C, ...), as
    torch.nn.functional.instance_norm.

    running_mean, running_var : (C,) Tensors, or None; updated in place with the means over the
        batch if use_input_stats, else used
    weight, bias : (C,) scale and shift, or None
    """
    check_parameters(
        "instance_norm",
        input,
        running_mean=running_mean,
        running_var=running_var,
        weight=weight,
        bias=bias,
    )
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    _, c, *sizes = input.shape
    if math.prod(sizes) == 1:
        raise ValueError(
            "instance_norm: expected more than 1 value per channel and example, got input of "
            f"shape {tuple(input.shape)}"
        )
    if raw(input).size and (running_mean is not None or running_var is not None):
        seam.execute(_track, raw(input), raw(running_mean), raw(running_var), momentum)
        for running in (running_mean, running_var):
            if running is not None:
                running._version[0] += 1
    return _group_norm(input, weight, bias, c, eps)


def layer_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalisation over the last dimensions, whose sizes are `normalized_shape`, as
    torch.nn.functional.layer_norm.

    weight, bias : scale and shift of the shape `normalized_shape`, or None
    """
    normalized_shape = (
        (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    )
    shape = tuple(input.shape)
    if not normalized_shape or shape[-len(normalized_shape) :] != normalized_shape:
        raise ValueError(
            f"layer_norm: normalized_shape={normalized_shape} is not the end of the input's shape "
            f"{shape}"
        )
    for what, v in dict(weight=weight, bias=bias).items():
        if v is not None and tuple(v.shape) != normalized_shape:
            raise ValueError(
                f"layer_norm: {what} has shape {tuple(v.shape)}, expected "
                f"normalized_shape={normalized_shape}"
            )
    weight, bias = (v if v is None else v.reshape(-1) for v in (weight, bias))
    rows = input.reshape((math.prod(shape[: -len(normalized_shape)]), math.prod(normalized_shape)))
    return own(_group_norm(rows, weight, bias, 1, eps).reshape(shape))


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalisation of `num_groups` groups of channels of each example of input (N, C, ...), as
    torch.nn.functional.group_norm.

    weight, bias : (C,) scale and shift, or None
    """
    check_parameters("group_norm", input, weight=weight, bias=bias)
    c = input.shape[1]
    if num_groups < 1 or c % num_groups:
        raise ValueError(
            f"group_norm: {c} channels cannot be divided into num_groups={num_groups} (input of "
            f"shape {tuple(input.shape)})"
        )
    return _group_norm(input, weight, bias, num_groups, eps)
