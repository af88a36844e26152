"""Kernels of ops/group_normalization.py for NumPy: compiled loops."""

import math

import numpy as np

from ...ops.group_normalization import _group_norm, _rows, group_norm_grad
from .kernels import kernel
from .threads import MIN_CHUNK, parallel_ranges


@kernel
def _forward(low, high, x, w, b, eps, y, mean, rstd, groups, length):
    size = x.shape[1]
    channels = size // length
    for r in range(low, high):
        row, out = x[r], y[r]
        first = r % groups * channels
        total = 0.0
        for i in range(size):
            total += row[i]
        mean[r] = total / size
        m = x.dtype.type(mean[r])
        # far from 0 the rest is not small compared with the deviations
        total, rest = 0.0, mean[r] - m
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
                scale = s * w[first + c]
                part = row[c * length : (c + 1) * length]
                to = out[c * length : (c + 1) * length]
                shift = x.dtype.type(b[first + c] - rest * scale)
                for i in range(length):
                    to[i] = (part[i] - m) * scale + shift


@kernel
def _backward(low, high, x, g, w, mean, rstd, gx, gw, gb, groups, length):
    size = x.shape[1]
    channels = size // length
    for r in range(low, high):
        row, grad = x[r], g[r]
        out, first = gx[r], r % groups * channels
        m, s = x.dtype.type(mean[r]), rstd[r]
        rest = mean[r] - m
        less = x.dtype.type(rest * s)
        sum_a, sum_ad = 0.0, 0.0  # of a = g weight, and of a times the deviation
        if length == 1:
            weight = w[first : first + channels]
            to_w = gw[first : first + channels]
            to_b = gb[first : first + channels]
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
                part = row[c * length : (c + 1) * length]
                from_y = grad[c * length : (c + 1) * length]
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
                part = row[c * length : (c + 1) * length]
                from_y = grad[c * length : (c + 1) * length]
                to, v = out[c * length : (c + 1) * length], w[first + c]
                for i in range(length):
                    to[i] = s * (from_y[i] * v - h0 - (part[i] - m) * k)


@_group_norm.kernel("cpu")
def _(x, weight, bias, groups, eps):
    rows, channels = _rows(x, groups), x.shape[1]
    weight = np.ones(channels, x.dtype) if weight is None else np.ascontiguousarray(weight)
    bias = np.zeros(channels, x.dtype) if bias is None else np.ascontiguousarray(bias)
    y, mean = np.empty_like(rows), np.empty(len(rows))
    rstd = np.empty(len(rows), x.dtype)
    length = math.prod(x.shape[2:])

    def run(low, high):
        _forward(low, high, rows, weight, bias, eps, y, mean, rstd, groups, length)

    parallel_ranges(run, len(rows), -(-MIN_CHUNK // max(rows.shape[1], 1)))
    return y.reshape(x.shape), mean, rstd


@group_norm_grad.kernel("cpu")
def _(g, x, weight, groups, mean, rstd):
    rows, grads = _rows(x, groups), _rows(g, groups)
    channels = x.shape[1]
    weight = np.ones(channels, x.dtype) if weight is None else np.ascontiguousarray(weight)
    gx, length = np.empty_like(rows), math.prod(x.shape[2:])
    parts = {}

    def run(low, high):
        gw, gb = parts[low] = np.zeros((2, channels))
        _backward(low, high, rows, grads, weight, mean, rstd, gx, gw, gb, groups, length)

    parallel_ranges(run, len(rows), -(-MIN_CHUNK // max(rows.shape[1], 1)))
    gw, gb = np.add.reduce([parts[low] for low in sorted(parts)]).astype(x.dtype)
    return gx.reshape(x.shape), gw, gb
