"""Kernels of ops/product.py for CUDA."""

from ...ops.product import check_bias, linear, matmul, sum_rows, weight_grad
from . import matmul as device_matmul
from .columns import add_bias, column_sums


@matmul.kernel("cuda")
def _(input, other):
    return device_matmul(input, other)


@linear.kernel("cuda")
def _(input, weight, bias=None):
    check_bias(weight, bias)
    y = device_matmul(input, weight.T)
    return y if bias is None else add_bias(y, bias)


@weight_grad.kernel("cuda")
def _(g, x):
    return device_matmul(g.T, x)


@sum_rows.kernel("cuda")
def _(rows):
    return column_sums(rows)
