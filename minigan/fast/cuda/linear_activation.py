"""Kernels of fast/linear_activation.py for CUDA."""

from ...ops.product import check_bias
from ..linear_activation import _check_slope, activation_grad, linear_activation
from . import matmul as device_matmul
from .columns import RULES, add_bias, rule_and_sums


@linear_activation.kernel("cuda")
def _(input, weight, bias, activation, slope=0.0):
    _check_slope(activation, slope)
    check_bias(weight, bias)
    return add_bias(device_matmul(input, weight.T), bias, activation, slope)


@activation_grad.kernel("cuda")
def _(g, y, activation, slope):
    if activation not in RULES:
        return activation_grad.card.forward(g, y, activation, slope)
    h, total = rule_and_sums(*(a.reshape(-1, a.shape[-1]) for a in (g, y)), activation, slope)
    return h.reshape(g.shape), total
