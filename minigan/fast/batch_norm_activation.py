"""Batch normalisation and a leaky ReLU behind it as one op: in training one pass over memory
forward, one backward."""

from ..autograd import op
from ..ops.activation import leaky_relu, leaky_relu_grad, relu
from ..ops.normalization import _batch_norm, _normalised, batch_norm_grad
from .cpu.normalization import by_kernel, gradients_by_kernel
from .table import announce

__all__ = ["activated", "batch_norm_activation"]


def activated(y, slope):
    """leaky_relu; 0 is relu, which makes 0 of minus infinity."""
    return relu(y) if slope == 0 else leaky_relu(y, slope)


@op(
    saves=(
        "x",
        "weight",
        "bias",
        "running_mean",
        "running_var",
        "momentum",
        "eps",
        "slope",
        "mean",
        "rstd",
    )
)
def batch_norm_activation(x, weight, bias, running_mean, running_var, momentum, eps, slope):
    """y = a(z), z = `_batch_norm` of x, a a leaky ReLU of this slope (0: a ReLU).
    The rule is that of `_batch_norm` for a'(z) g."""
    y, mean, rstd = _batch_norm.card.select(x)(
        x, weight, bias, running_mean, running_var, momentum, eps
    )
    return activated(y, slope), mean, rstd


@batch_norm_activation.kernel("cpu")
def _(x, weight, bias, running_mean, running_var, momentum, eps, slope):
    return by_kernel(x, weight, bias, running_mean, running_var, momentum, eps, slope)


@batch_norm_activation.backward
def _(g, need, x, weight, bias, running_mean, running_var, momentum, eps, slope, mean, rstd):
    return batch_norm_activation_grad(g, x, weight, bias, mean, rstd, slope)


@batch_norm_activation.formula
def _(x, weight, bias, running_mean, running_var, momentum, eps, slope):
    return activated(
        _batch_norm.card.formula(x, weight, bias, running_mean, running_var, momentum, eps), slope
    )


@op
def batch_norm_activation_grad(g, x, weight, bias, mean, rstd, slope):
    """The rule: the gradients of x, weight and bias."""
    return batch_norm_grad(
        leaky_relu_grad(g, _normalised(x, weight, bias, mean, rstd), slope), x, weight, mean, rstd
    )


@batch_norm_activation_grad.kernel("cpu")
def _(g, x, weight, bias, mean, rstd, slope):
    return gradients_by_kernel(g, x, weight, bias, mean, rstd, slope)


announce("batch_norm_activation", "batch_norm_activation_grad")
