"""Kernels of ops/activation.py for NumPy: compiled loops."""

import math

import numpy as np

from ...ops.activation import (
    leaky_relu,
    leaky_relu_grad,
    prelu,
    prelu_grad,
    prelu_weight_grad,
    tanh_grad,
)
from .kernels import kernel
from .layout import row_major
from .map_elements import map_elements
from .shared_kernel import InPieces, pieces_of

MIN_WORK = 1 << 16  # numbers that are worth a thread


@kernel
def _tanh_grad(g, y, out):
    for i in range(g.size):
        out[i] = g[i] * (1 - y[i] * y[i])


@tanh_grad.kernel("cpu")
def _(g, y):
    return map_elements(_tanh_grad, g, y)


@kernel
def _leaky_relu(x, slope, y):
    slope = x.dtype.type(slope)
    for i in range(x.size):
        y[i] = x[i] if x[i] > 0 else slope * x[i]


@leaky_relu.kernel("cpu")
def _(x, negative_slope=0.01):
    return map_elements(_leaky_relu, x, negative_slope)


@kernel
def _leaky_relu_grad(g, x, slope, out):
    slope, zero = x.dtype.type(slope), x.dtype.type(0)
    if slope == zero:
        for i in range(x.size):
            out[i] = g[i] if x[i] > 0 else zero
    else:
        for i in range(x.size):
            out[i] = g[i] if x[i] > 0 else slope * g[i]


@leaky_relu_grad.kernel("cpu")
def _(g, x, slope):
    return map_elements(_leaky_relu_grad, g, x, slope)


@kernel
def _prelu(piece, pieces, g, x, weight, y):
    """y = g where x > 0, else weight g: (N, C, positions), weight (C,). Pieces are of planes."""
    channels = x.shape[1]
    planes = len(x) * channels
    for plane in range(planes * piece // pieces, planes * (piece + 1) // pieces):
        n, c = plane // channels, plane % channels
        given, own, out, w = g[n, c], x[n, c], y[n, c], weight[c]
        for k in range(len(own)):
            v = given[k]
            out[k] = v if own[k] > 0 else w * v


@kernel
def _prelu_weight(piece, pieces, g, x, sums):
    """sums (C,), float64: of g x over x <= 0. Pieces are of the channels."""
    zero = x.dtype.type(0)
    for c in range(x.shape[1] * piece // pieces, x.shape[1] * (piece + 1) // pieces):
        sums[c] = 0
        for n in range(len(x)):
            given, own = g[n, c], x[n, c]
            for start in range(0, len(own), PART):
                part = zero
                for k in range(start, min(len(own), start + PART)):
                    part += zero if own[k] > 0 else given[k] * own[k]
                sums[c] += part


PART = 1024  # numbers that are summed up in their own precision
_prelu_in_pieces, _prelu_weight_in_pieces = InPieces(_prelu), InPieces(_prelu_weight)


def _planes(weight, *arrays):
    """As (N, C, positions), and whether that is possible: of one type, where there is a number."""
    x = arrays[0]
    fit = x.size and x.ndim > 0 and all(a.dtype == x.dtype for a in (weight, *arrays))
    if not fit or not (weight.size == 1 or (x.ndim > 1 and weight.size == x.shape[1])):
        return None
    shape = (1, 1, x.size) if weight.size == 1 else (len(x), x.shape[1], math.prod(x.shape[2:]))
    return [row_major(a).reshape(shape) for a in arrays]


@prelu_grad.kernel("cpu")
def _(g, x, weight):
    if (planes := _planes(weight, g, x)) is None:
        return prelu_grad.card.forward(g, x, weight)
    y = np.empty(x.shape, x.dtype)
    count = len(planes[0]) * planes[0].shape[1]
    pieces, long = pieces_of(count, MIN_WORK * count // x.size)
    _prelu_in_pieces(pieces, long, *planes, weight.reshape(-1), y.reshape(planes[0].shape))
    return y


@prelu.kernel("cpu")
def _(x, weight):
    return prelu_grad(x, x, weight)


@prelu_weight_grad.kernel("cpu")
def _(g, x, weight):
    if (planes := _planes(weight, g, x)) is None:
        return prelu_weight_grad.card.forward(g, x, weight)
    sums = np.empty(planes[0].shape[1])
    pieces, long = pieces_of(len(sums), MIN_WORK * len(sums) // x.size)
    _prelu_weight_in_pieces(pieces, long, *planes, sums)
    return sums.astype(x.dtype).reshape(weight.shape)
