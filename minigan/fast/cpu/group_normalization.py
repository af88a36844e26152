"""Kernels of ops/group_normalization.py for NumPy: compiled loops."""

import math

import numpy as np

from ...ops.group_normalization import _group_norm, _rows, group_norm_grad
from .kernels import kernel
from .threads import MIN_CHUNK, parallel_ranges

BLOCK = 1024  # products that are added up in the dtype of x; the sums of blocks in float64
ROUNDS = 32  # of one row or three, whose sums are likewise added up


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
def _sums(grad, weight, row, m):
    """Of a = grad weight, and of a times the deviation from m."""
    sum_a = sum_ad = row.dtype.type(0)
    for i in range(len(row)):
        a = grad[i] * weight[i]
        sum_a += a
        sum_ad += a * (row[i] - m)
    return np.float64(sum_a), np.float64(sum_ad)


@kernel
def _row_grad(grad, weight, row, mean, s, out):
    """gx of the elements of a group whose channels have one element each."""
    size, m = len(row), row.dtype.type(mean)
    rest = mean - m
    if size <= BLOCK:  # slices take longer than a short row
        sum_a, sum_ad = _sums(grad, weight, row, m)
    else:
        sum_a, sum_ad = 0.0, 0.0
        for i in range(0, size, BLOCK):
            part = slice(i, i + BLOCK)
            more_a, more_ad = _sums(grad[part], weight[part], row[part], m)
            sum_a += more_a
            sum_ad += more_ad
    sum_ad -= rest * sum_a
    k = row.dtype.type(sum_ad * s * s / size)
    h0 = row.dtype.type((sum_a - rest * s * s * sum_ad) / size)
    for i in range(size):
        out[i] = s * (grad[i] * weight[i] - h0 - (row[i] - m) * k)


@kernel
def _scale(x, mean, rstd, r):
    """The mean in the dtype of x, 1 / the deviation, and what the first has lost, in deviations."""
    m = x.dtype.type(mean[r])
    return m, rstd[r], x.dtype.type((mean[r] - m) * rstd[r])


@kernel
def _add_row(x, g, mean, rstd, r, gw, gb):
    """gw += g times the normalised x, gb += g: of one row."""
    a, grad = x[r], g[r]
    m, s, less = _scale(x, mean, rstd, r)
    for i in range(len(a)):
        gw[i] += grad[i] * ((a[i] - m) * s - less)
        gb[i] += grad[i]


@kernel
def _add_rows(x, g, mean, rstd, r, step, gw, gb):
    """The same of three rows: the sums are read and written once."""
    r1, r2 = r + step, r + 2 * step
    x0, x1, x2, g0, g1, g2 = x[r], x[r1], x[r2], g[r], g[r1], g[r2]
    m0, s0, less0 = _scale(x, mean, rstd, r)
    m1, s1, less1 = _scale(x, mean, rstd, r1)
    m2, s2, less2 = _scale(x, mean, rstd, r2)
    for i in range(len(x0)):
        a, b = g0[i] * ((x0[i] - m0) * s0 - less0), g1[i] * ((x1[i] - m1) * s1 - less1)
        gw[i] += a + b + g2[i] * ((x2[i] - m2) * s2 - less2)
    for i in range(len(x0)):
        gb[i] += g0[i] + g1[i] + g2[i]


@kernel
def _backward_of_elements(low, high, x, g, w, mean, rstd, gx, gw, gb, groups):
    """`_backward` where a channel has one element in each example: as in layer normalisation."""
    size = x.shape[1]
    near = np.zeros((2, size), x.dtype)
    to_w, to_b = near[0], near[1]
    for group in range(groups):
        weight = w[group * size : (group + 1) * size]
        r, done = low + (group - low) % groups, 0
        while r < high:
            several = r + 2 * groups < high
            last = r + 3 * groups if several else r + groups
            for k in range(r, last, groups):
                _row_grad(g[k], weight, x[k], mean[k], rstd[k], gx[k])
            if several:
                _add_rows(x, g, mean, rstd, r, groups, to_w, to_b)
            else:
                _add_row(x, g, mean, rstd, r, to_w, to_b)
            r, done = last, done + 1
            if done % ROUNDS == 0 or r >= high:
                for i in range(size):
                    gw[group * size + i] += to_w[i]
                    gb[group * size + i] += to_b[i]
                near[:] = 0


@kernel
def _backward(low, high, x, g, w, mean, rstd, gx, gw, gb, groups, length):
    size = x.shape[1]
    channels = size // length
    for r in range(low, high):
        row, grad = x[r], g[r]
        out, first = gx[r], r % groups * channels
        m, s = x.dtype.type(mean[r]), rstd[r]
        rest = mean[r] - m
        sum_a, sum_ad = 0.0, 0.0  # of a = g weight, and of a times the deviation
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
    y, mean = np.empty(x.shape, x.dtype), np.empty(len(rows))
    to = y.reshape(rows.shape)
    rstd = np.empty(len(rows), x.dtype)
    length = math.prod(x.shape[2:])

    def run(low, high):
        _forward(low, high, rows, weight, bias, eps, to, mean, rstd, groups, length)

    parallel_ranges(run, len(rows), -(-MIN_CHUNK // max(rows.shape[1], 1)))
    return y, mean, rstd


@group_norm_grad.kernel("cpu")
def _(g, x, weight, groups, mean, rstd):
    rows, grads = _rows(x, groups), _rows(g, groups)
    channels = x.shape[1]
    weight = np.ones(channels, x.dtype) if weight is None else np.ascontiguousarray(weight)
    gx, length = np.empty(x.shape, x.dtype), math.prod(x.shape[2:])
    to, parts = gx.reshape(rows.shape), {}

    def run(low, high):
        gw, gb = parts[low] = np.zeros((2, channels))
        if length == 1:
            _backward_of_elements(low, high, rows, grads, weight, mean, rstd, to, gw, gb, groups)
        else:
            _backward(low, high, rows, grads, weight, mean, rstd, to, gw, gb, groups, length)

    parallel_ranges(run, len(rows), -(-MIN_CHUNK // max(rows.shape[1], 1)))
    gw, gb = np.add.reduce([parts[low] for low in sorted(parts)]).astype(x.dtype)
    return gx, gw, gb
