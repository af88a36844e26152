"""Kernels of ops/normalization.py for CUDA."""

from ...ops.normalization import _batch_norm, batch_norm_grad
from ..batch_norm_activation import batch_norm_activation, batch_norm_activation_grad
from .columns import norm_backward, norm_forward


@_batch_norm.kernel("cuda")
def _(x, weight, bias, running_mean, running_var, momentum, eps):
    return norm_forward(x, weight, bias, running_mean, running_var, momentum, eps, 1.0)


@batch_norm_grad.kernel("cuda")
def _(g, x, weight, mean, rstd):
    return norm_backward(g, x, weight, None, mean, rstd, 1.0)


batch_norm_activation.kernel("cuda")(norm_forward)
batch_norm_activation_grad.kernel("cuda")(norm_backward)
