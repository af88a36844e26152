"""Kernels of ops/activation.py for CUDA."""

import math

from ...ops.activation import (
    elu,
    hardtanh,
    leaky_relu,
    leaky_relu_grad,
    logsigmoid,
    relu,
    sigmoid,
    silu,
    softplus,
    tanh,
    tanh_grad,
)
from ..cpu.activation import _leaky_relu, _leaky_relu_grad, _tanh_grad
from . import elementwise


@tanh.kernel("cuda")
@elementwise
def _(x):
    return math.tanh(x)


tanh_grad.kernel("cuda")(elementwise(_tanh_grad))


@sigmoid.kernel("cuda")
@elementwise
def _(x):
    return 1 / (1 + math.exp(-x))


@softplus.kernel("cuda")
@elementwise
def _(x, beta, threshold):
    z = x * beta
    return x if z > threshold else (max(z, 0.0) + math.log1p(math.exp(-abs(z)))) / beta


@logsigmoid.kernel("cuda")
@elementwise
def _(x):
    return min(x, 0.0) - math.log1p(math.exp(-abs(x)))


@relu.kernel("cuda")
@elementwise
def _(x):
    return 0.0 if x < 0 else x


leaky_relu.kernel("cuda")(elementwise(_leaky_relu))


leaky_relu_grad.kernel("cuda")(elementwise(_leaky_relu_grad))


@elu.kernel("cuda")
@elementwise
def _(x, alpha):
    return x if x > 0 else alpha * math.expm1(x)


@silu.kernel("cuda")
@elementwise
def _(x):
    return x / (1 + math.exp(-x))


@hardtanh.kernel("cuda")
@elementwise
def _(x, low, high):
    return low if x < low else high if x > high else x
