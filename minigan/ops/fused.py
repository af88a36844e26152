"""A linear layer and its activation as one op: one pass over the result instead of three, one entry on the tape instead of two."""

import numpy as np

from ..autograd import Tensor, op
from ..backend import kernel, product, row_major
from ..backend.cuda import has_kernels
from ..backend.cuda import matmul as device_matmul
from ..backend.late import can_wait, late_product
from .activation import leaky_relu_grad, sigmoid, softplus, tanh_grad
from .elementary import expm1
from .product import check_bias, linear, linear_rule
from .rows import RULES, add_bias, rule_and_sums

__all__ = ["linear_activation"]


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


KERNELS = {"leaky_relu": _leaky_rule, "tanh": _tanh_rule}  # h = dL/d(argument) and its sums over the rows, in one pass


def _leaky(y, slope):
    return np.where(y > 0, y, y * slope)


# name -> (the function, its rule in terms of its result). A leaky ReLU with positive slope has the sign of its argument.
ACTIVATIONS = {
    "leaky_relu": (_leaky, leaky_relu_grad),
    "tanh": (lambda y, slope: np.tanh(y), lambda g, y, slope: tanh_grad(g, y)),
    "sigmoid": (lambda y, slope: sigmoid(y), lambda g, y, slope: g * (y * (1 - y))),
    "softplus": (lambda y, slope: softplus(y), lambda g, y, slope: g * -expm1(-y)),  # 1 - e^-log(1 + e^x) = sigmoid(x)
}


def _check_slope(activation, slope):
    if activation not in ACTIVATIONS or (activation == "leaky_relu" and not slope > 0):
        raise ValueError(f"linear_activation: {activation!r} with slope {slope}; expected one of {', '.join(ACTIVATIONS)}, and a slope > 0")


@op(saves=("input for weight", "weight for input", "out", "activation", "slope"))
def linear_activation(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    activation: str | None,
    slope: float = 0.0,
) -> Tensor:
    """y = activation(input @ weight^T + bias), shapes as in `linear`; activation a name in ACTIVATIONS (slope > 0 of leaky_relu).

    With h = dL/d(activation's argument), which follows from y: dL/dinput = h @ weight, dL/dweight = h^T @ input, dL/dbias = sum h
    """
    _check_slope(activation, slope)
    return ACTIVATIONS[activation][0](linear(input, weight, bias), slope)


@linear_activation.kernel("cpu")
def _(input, weight, bias, activation, slope=0.0):
    _check_slope(activation, slope)
    if bias is None or input.ndim != 2 or activation not in KERNELS:
        return linear_activation.card.forward(input, weight, bias, activation, slope)
    check_bias(weight, bias)
    if activation == "leaky_relu":
        return product(weight, input.T, bias, slope).T
    y = product(weight, input.T, bias)
    return np.tanh(y, out=y).T  # NumPy's tanh is vectorised


@linear_activation.kernel("cuda")
def _(input, weight, bias, activation, slope=0.0):
    _check_slope(activation, slope)
    check_bias(weight, bias)
    return add_bias(device_matmul(input, weight.T), bias, activation, slope)


@linear_activation.backward
@can_wait(1)
def _(g, need, x, w, y, activation, slope):
    if isinstance(g, np.ndarray) and g.ndim == 2 and need[1] and activation in KERNELS and g.dtype.char in "fd":
        return _rule_cpu(g, need, x, w, y, activation, slope)
    if has_kernels(g) and activation in RULES:
        return _rule_cuda(g, need, x, w, y, activation, slope)
    return linear_rule(ACTIVATIONS[activation][1](g, y, slope), need, x, w)


def _rule_cpu(g, need, x, w, y, activation, slope):
    """The rule with a kernel that makes h and the gradient of the bias in one pass, laid out as `linear` lays out y."""
    columns = row_major(y.T)
    h, total = np.empty_like(columns), np.empty(len(columns), y.dtype)
    KERNELS[activation](row_major(g.T), columns, slope, h, total)
    return need[0] and product(w.T, h).T, late_product(need[1], h, x), total


def _rule_cuda(g, need, x, w, y, activation, slope):
    """The same with a CUDA kernel."""
    shape = g.shape[:-1]
    g, y, x = (a.reshape(-1, a.shape[-1]) if a is not None and a.ndim != 2 else a for a in (g, y, x))
    h, total = rule_and_sums(g, y, activation, slope)
    gx = need[0] and device_matmul(h, w).reshape(*shape, w.shape[1])
    return gx, need[1] and device_matmul(h.T, x), need[2] and total
