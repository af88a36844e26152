"""Kernels of fast/linear_activation.py for NumPy: compiled loops."""

import numpy as np

from ...ops.product import check_bias
from ..linear_activation import _check_slope, activation_grad, linear_activation
from .kernels import kernel
from .layout import row_major
from .matmul import tiled_matmul


@kernel
def _leaky_rule(g, y, slope, h, total):
    slope = y.dtype.type(slope)
    for o in range(y.shape[0]):
        sum_h = y.dtype.type(0)
        for i in range(y.shape[1]):
            v = g[o, i] if y[o, i] > 0 else slope * g[o, i]
            h[o, i] = v
            sum_h += v
        total[o] = sum_h


@kernel
def _tanh_rule(g, y, slope, h, total):
    one = y.dtype.type(1)
    for o in range(y.shape[0]):
        sum_h = y.dtype.type(0)
        for i in range(y.shape[1]):
            v = g[o, i] * (one - y[o, i] * y[o, i])
            h[o, i] = v
            sum_h += v
        total[o] = sum_h


# h = dL/d(argument) and its sums over the rows, in one pass
KERNELS = {"leaky_relu": _leaky_rule, "tanh": _tanh_rule}


@linear_activation.kernel("cpu")
def _(input, weight, bias, activation, slope=0.0):
    _check_slope(activation, slope)
    if bias is None or input.ndim != 2 or activation not in KERNELS:
        return linear_activation.card.forward(input, weight, bias, activation, slope)
    check_bias(weight, bias)
    if activation == "leaky_relu":
        return tiled_matmul(weight, input.T, bias, slope).T
    y = tiled_matmul(weight, input.T, bias)
    return np.tanh(y, out=y).T  # NumPy's tanh is vectorised


@activation_grad.kernel("cpu")
def _(g, y, activation, slope):
    """One pass; h is laid out as `linear` lays out y."""
    if g.ndim != 2 or activation not in KERNELS:
        return activation_grad.card.forward(g, y, activation, slope)
    columns = row_major(y.T)
    h, total = np.empty_like(columns), np.empty(len(columns), y.dtype)
    KERNELS[activation](row_major(g.T), columns, slope, h, total)
    return h.T, total
