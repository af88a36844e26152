"""Kernels of ops/activation.py for NumPy: compiled loops."""

from ...ops.activation import leaky_relu, leaky_relu_grad, tanh_grad
from .kernels import kernel
from .map_elements import map_elements


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
