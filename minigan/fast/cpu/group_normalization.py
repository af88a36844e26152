"""Kernels of ops/group_normalization.py for NumPy: compiled loops."""

import math

import numpy as np

from ...ops.group_normalization import _group_norm, _rows, group_norm_grad
from .kernels import kernel
from .shared_kernel import InPieces, pieces_of
from .threads import MIN_CHUNK

BLOCK = 1024  # products that are added up in the dtype of x; the sums of blocks in float64
ROUNDS = 32  # of one row or three, whose sums are likewise added up


@kernel
def _total(x, m):
    """The sum of x - m."""
    total = x.dtype.type(0)
    for i in range(len(x)):
        total += x[i] - m
    return np.float64(total)


@kernel
def _deviations(x, m):
    """The sum of x - m, and of its square (infinite from deviations of 5e17 on)."""
    total = squares = x.dtype.type(0)
    for i in range(len(x)):
        d = x[i] - m
        total += d
        squares += d * d
    return np.float64(total), np.float64(squares)


@kernel
def _moments(row, eps):
    """The mean, in the dtype of x; what that has lost; and 1 / the deviation."""
    size, first = len(row), row.dtype.type(0)
    if size:
        first = row[0]  # of equal numbers the deviations from it are 0
    share, total, squares = 1 / size, 0.0, 0.0
    for i in range(0, size, BLOCK):
        total += _total(row[i : i + BLOCK], first)
    m = row.dtype.type(first + total * share)
    total = 0.0
    for i in range(0, size, BLOCK):
        more, more_squares = _deviations(row[i : i + BLOCK], m)
        total += more
        squares += more_squares
    # far from 0 the rest is not small compared with the deviations
    rest = total * share
    variance = max(squares * share - rest * rest, 0.0)
    return m, rest, 1 / np.sqrt(variance + eps)


@kernel
def _forward(piece, pieces, x, w, b, eps, y, mean, rstd, groups, length):
    rows, size = x.shape
    channels = size // length
    for r in range(rows * piece // pieces, rows * (piece + 1) // pieces):
        row, out = x[r], y[r]
        first = r % groups * channels
        m, rest, rstd[r] = _moments(row, eps)
        mean[r], s = m + rest, rstd[r]
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
def _backward_of_elements(piece, pieces, x, g, w, mean, rstd, gx, sums, near, groups):
    """`_backward` where a channel has one element in each example: as in layer normalisation.

    near : zeros, (pieces, 2, elements)
    """
    rows, size = x.shape
    low, high = rows * piece // pieces, rows * (piece + 1) // pieces
    gw, gb, to_w, to_b = sums[piece, 0], sums[piece, 1], near[piece, 0], near[piece, 1]
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
                    to_w[i] = to_b[i] = 0


@kernel
def _backward(piece, pieces, x, g, w, mean, rstd, gx, sums, groups, length):
    """sums : zeros, (pieces, 2, channels), for the gradients of weight and bias"""
    rows, size = x.shape
    channels, gw, gb = size // length, sums[piece, 0], sums[piece, 1]
    for r in range(rows * piece // pieces, rows * (piece + 1) // pieces):
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


_forward_in_pieces, _backward_in_pieces = InPieces(_forward), InPieces(_backward)
_backward_of_elements_in_pieces = InPieces(_backward_of_elements)


def _pieces(rows):
    return pieces_of(len(rows), -(-MIN_CHUNK // max(rows.shape[1], 1)))


@_group_norm.kernel("cpu")
def _(x, weight, bias, groups, eps):
    rows, channels = _rows(x, groups), x.shape[1]
    weight = np.ones(channels, x.dtype) if weight is None else np.ascontiguousarray(weight)
    bias = np.zeros(channels, x.dtype) if bias is None else np.ascontiguousarray(bias)
    y, mean = np.empty(x.shape, x.dtype), np.empty(len(rows))
    rstd, to = np.empty(len(rows), x.dtype), y.reshape(rows.shape)
    length = math.prod(x.shape[2:])
    _forward_in_pieces(*_pieces(rows), rows, weight, bias, eps, to, mean, rstd, groups, length)
    return y, mean, rstd


@group_norm_grad.kernel("cpu")
def _(g, x, weight, groups, mean, rstd):
    rows, grads, channels = _rows(x, groups), _rows(g, groups), x.shape[1]
    weight = np.ones(channels, x.dtype) if weight is None else np.ascontiguousarray(weight)
    gx, length = np.empty(x.shape, x.dtype), math.prod(x.shape[2:])
    pieces, long = _pieces(rows)
    sums = np.zeros((pieces, 2, channels))
    args = pieces, long, rows, grads, weight, mean, rstd, gx.reshape(rows.shape), sums
    if length == 1:
        near = np.zeros((pieces, 2, rows.shape[1]), x.dtype)
        _backward_of_elements_in_pieces(*args, near, groups)
    else:
        _backward_in_pieces(*args, groups, length)
    gw, gb = sums.sum(0).astype(x.dtype)
    return gx, gw, gb
