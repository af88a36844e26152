"""Normalisation within an example: instance (Ulyanov et al. 2016), layer (Ba et al. 2016), group (Wu and He 2018).

All are one op: the channels of each example are divided into groups that follow each other, one for each channel, one of all, or some
between. The kernels see (N groups, elements of a group); sums are taken in float64, in two passes, so that nothing cancels.
"""

import math

import numpy as np

from ..autograd import op, raw
from ..backend import array_module, kernel, parallel_ranges
from ..backend.cuda import has_kernels
from ..backend.program import told
from ..backend.threads import MIN_CHUNK
from .normalization import _channels, batch_norm, check_parameters, halves, singles
from .reduction import sum
from .rows import norm_backward, norm_forward

__all__ = ["group_norm", "instance_norm", "layer_norm"]


@kernel
def _forward(low, high, x, w, b, eps, y, mean, rstd, groups, length):
    size = x.shape[1]
    channels = size // length
    for r in range(low, high):
        row, out, first = x[r], y[r], r % groups * channels
        total = 0.0
        for i in range(size):
            total += row[i]
        mean[r] = total / size
        m = x.dtype.type(mean[r])
        total, rest = 0.0, mean[r] - m  # far from 0 the rest is not small compared with the deviations
        for i in range(size):
            d = row[i] - m
            total += d * d
        rstd[r] = 1 / np.sqrt(total / size - rest * rest + eps)
        s = rstd[r]
        if length == 1:
            less = x.dtype.type(rest * s)
            weight, bias = w[first : first + channels], b[first : first + channels]
            for i in range(size):
                out[i] = ((row[i] - m) * s - less) * weight[i] + bias[i]
        else:
            for c in range(channels):
                scale, part, to = s * w[first + c], row[c * length : (c + 1) * length], out[c * length : (c + 1) * length]
                shift = x.dtype.type(b[first + c] - rest * scale)
                for i in range(length):
                    to[i] = (part[i] - m) * scale + shift


@kernel
def _backward(low, high, x, g, w, mean, rstd, gx, gw, gb, groups, length):
    size = x.shape[1]
    channels = size // length
    for r in range(low, high):
        row, grad, out, first = x[r], g[r], gx[r], r % groups * channels
        m, s = x.dtype.type(mean[r]), rstd[r]
        rest = mean[r] - m
        less = x.dtype.type(rest * s)
        sum_a, sum_ad = 0.0, 0.0  # of a = g weight, and of a times the deviation
        if length == 1:
            weight, to_w, to_b = w[first : first + channels], gw[first : first + channels], gb[first : first + channels]
            for i in range(size):
                a = grad[i] * weight[i]
                sum_a += a
                sum_ad += a * (row[i] - m)
            sum_ad -= rest * sum_a
            for i in range(size):
                to_w[i] += grad[i] * ((row[i] - m) * s - less)
                to_b[i] += grad[i]
        else:
            for c in range(channels):
                part, from_y = row[c * length : (c + 1) * length], grad[c * length : (c + 1) * length]
                sum_g, sum_gd = 0.0, 0.0
                for i in range(length):
                    sum_g += from_y[i]
                    sum_gd += from_y[i] * (part[i] - m)
                sum_gd -= rest * sum_g
                gb[first + c] += sum_g
                gw[first + c] += sum_gd * s
                sum_a += w[first + c] * sum_g
                sum_ad += w[first + c] * sum_gd
        k = x.dtype.type(sum_ad * s * s / size)
        h0 = x.dtype.type((sum_a - rest * s * s * sum_ad) / size)
        if length == 1:
            for i in range(size):
                out[i] = s * (grad[i] * weight[i] - h0 - (row[i] - m) * k)
        else:
            for c in range(channels):
                part, from_y = row[c * length : (c + 1) * length], grad[c * length : (c + 1) * length]
                to, v = out[c * length : (c + 1) * length], w[first + c]
                for i in range(length):
                    to[i] = s * (from_y[i] * v - h0 - (part[i] - m) * k)


def _rows(x, groups):
    """x (N, C, ...) as (N groups, elements)."""
    return array_module(x).ascontiguousarray(x).reshape(x.shape[0] * groups, math.prod(x.shape[1:]) // groups)


@op
class _group_norm:
    """y = (x - mean) / sqrt(var + eps) * weight + bias; mean and (biased) variance over a group of channels of an example (N, C, ...).

    With h = (x - mean) rstd, a = g weight, and means over a group:
    dL/dx = rstd (a - mean(a) - h mean(a h)),    dL/dweight = sum g h,    dL/dbias = sum g
    """

    saves = ("x", "weight", "bias", "groups", "eps", "mean", "rstd")

    def forward(x, weight, bias, groups, eps):
        if x.dtype.char == "e":
            y, mean, rstd = _group_norm.card.forward(*singles(x, weight, bias), groups, eps)
            return y.astype(x.dtype), mean, rstd
        rows = _rows(x, groups)
        mean = np.mean(rows, axis=1, dtype=x.dtype)
        d = rows - mean[:, None]
        rstd = 1 / np.sqrt(np.mean(np.square(d), axis=1, dtype=x.dtype) + x.dtype.type(eps))
        return _affine((d * rstd[:, None]).reshape(x.shape), weight, bias), mean, rstd

    def cpu(x, weight, bias, groups, eps):
        rows, channels = _rows(x, groups), x.shape[1]
        weight = np.ones(channels, x.dtype) if weight is None else np.ascontiguousarray(weight)
        bias = np.zeros(channels, x.dtype) if bias is None else np.ascontiguousarray(bias)
        y, mean, rstd = np.empty_like(rows), np.empty(len(rows)), np.empty(len(rows), x.dtype)
        length = math.prod(x.shape[2:])

        def run(low, high):
            _forward(low, high, rows, weight, bias, eps, y, mean, rstd, groups, length)

        parallel_ranges(run, len(rows), -(-MIN_CHUNK // max(rows.shape[1], 1)))
        return y.reshape(x.shape), mean, rstd

    def cuda(x, weight, bias, groups, eps):
        y, mean, rstd = norm_forward(x.reshape(1, x.shape[0] * groups, -1), None, None, None, None, 0.0, eps)
        return _affine(y.reshape(x.shape), weight, bias), mean, rstd

    def backward(g, need, x, weight, bias, groups, eps, mean, rstd):
        rule = _rule_cpu if isinstance(x, np.ndarray) and x.dtype.char in "fd" else _rule
        return rule(g, need, x, weight, groups, mean, rstd)

    def formula(x, weight, bias, groups, eps):
        rows = x.reshape(x.shape[0] * groups, math.prod(x.shape[1:]) // groups)
        d = rows - rows.mean(1, True)
        return _affine((d * ((d * d).mean(1, True) + eps).rsqrt()).reshape(x.shape), weight, bias)


def _affine(y, weight, bias):
    """y weight + bias, channel by channel."""
    if weight is not None:
        y = y * _channels(y, weight)
    return y if bias is None else y + _channels(y, bias)


def _rule(g, need, x, weight, groups, mean, rstd):
    """The rule of `_group_norm` in array operations of either library."""
    if x.dtype.char == "e":
        return halves(*_rule(*singles(g), need, *singles(x, weight), groups, mean, rstd))
    h = ((_rows(x, groups) - mean[:, None]).astype(x.dtype) * rstd[:, None]).reshape(x.shape)
    others = (0, *range(2, x.ndim))
    gw, gb = need[1] and sum(g * h, others), need[2] and sum(g, others)
    a = g if weight is None else g * _channels(x, weight)
    if has_kernels(x):
        gx = norm_backward(*(v.reshape(1, len(mean), -1) for v in (a, x)), None, mean, rstd)[0].reshape(x.shape)
        return gx, gw, gb
    a, h = _rows(a, groups), _rows(h, groups)
    gx = rstd[:, None] * (a - a.mean(1, keepdims=True) - h * (a * h).mean(1, keepdims=True))
    return gx.reshape(x.shape), gw, gb


def _rule_cpu(g, need, x, weight, groups, mean, rstd):
    """The same as one compiled kernel."""
    rows, grads, channels = _rows(x, groups), _rows(g, groups), x.shape[1]
    weight = np.ones(channels, x.dtype) if weight is None else np.ascontiguousarray(weight)
    gx, length, parts = np.empty_like(rows), math.prod(x.shape[2:]), {}

    def run(low, high):
        gw, gb = parts[low] = np.zeros((2, channels))
        _backward(low, high, rows, grads, weight, mean, rstd, gx, gw, gb, groups, length)

    parallel_ranges(run, len(rows), -(-MIN_CHUNK // max(rows.shape[1], 1)))
    gw, gb = np.add.reduce([parts[low] for low in sorted(parts)]).astype(x.dtype)
    return gx.reshape(x.shape), gw, gb


def _track(x, running_mean, running_var, momentum):
    """running += momentum (mean over the examples - running), of x (N, C, ...), with the unbiased variance."""
    x = x.reshape(*x.shape[:2], -1)
    count = x.shape[2]
    for running, new in ((running_mean, x.mean(2)), (running_var, x.var(2) * (count / (count - 1)))):
        if running is not None:
            running += momentum * (new.mean(0) - running)


def instance_norm(
    input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5
):  # fmt: skip
    """Normalisation of each channel of each example of input (N, C, ...), as torch.nn.functional.instance_norm.

    running_mean, running_var : (C,) Tensors, or None; updated in place with the means over the batch if use_input_stats, else used
    weight, bias : (C,) scale and shift, or None
    """
    check_parameters("instance_norm", input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    _, c, *sizes = input.shape
    if math.prod(sizes) == 1:
        raise ValueError(f"instance_norm: expected more than 1 value per channel and example, got input of shape {tuple(input.shape)}")
    if input.array.size and (running_mean is not None or running_var is not None):
        told(_track, raw(input), raw(running_mean), raw(running_var), momentum)
        for running in (running_mean, running_var):
            if running is not None:
                running._version[0] += 1
    return _group_norm(input, weight, bias, c, eps)


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Normalisation over the last dimensions, whose sizes are `normalized_shape`, as torch.nn.functional.layer_norm.

    weight, bias : scale and shift of the shape `normalized_shape`, or None
    """
    normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    shape = tuple(input.shape)
    if not normalized_shape or shape[-len(normalized_shape) :] != normalized_shape:
        raise ValueError(f"layer_norm: normalized_shape={normalized_shape} is not the end of the input's shape {shape}")
    for what, v in dict(weight=weight, bias=bias).items():
        if v is not None and tuple(v.shape) != normalized_shape:
            raise ValueError(f"layer_norm: {what} has shape {tuple(v.shape)}, expected normalized_shape={normalized_shape}")
    weight, bias = (v if v is None else v.reshape(-1) for v in (weight, bias))
    rows = input.reshape((math.prod(shape[: -len(normalized_shape)]), math.prod(normalized_shape)))
    return _group_norm(rows, weight, bias, 1, eps).reshape(shape)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """Normalisation of `num_groups` groups of channels of each example of input (N, C, ...), as torch.nn.functional.group_norm.

    weight, bias : (C,) scale and shift, or None
    """
    check_parameters("group_norm", input, weight=weight, bias=bias)
    c = input.shape[1]
    if num_groups < 1 or c % num_groups:
        raise ValueError(f"group_norm: {c} channels cannot be divided into num_groups={num_groups} (input of shape {tuple(input.shape)})")
    return _group_norm(input, weight, bias, num_groups, eps)
