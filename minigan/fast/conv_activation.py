"""A convolution and the leaky ReLU behind it as one op: no pass over memory of its own, one entry
on the tape and one saved result instead of two."""

from ..autograd import Tensor, op
from ..ops.activation import leaky_relu, leaky_relu_grad
from ..ops.convolution.cards import channel_sums, conv, conv_transpose, conv_weight
from .table import announce

__all__ = ["conv_activation"]


@op(saves=("x for w", "w for x", "out", "geometry", "slope"))
def conv_activation(x, w, bias, geometry, slope):
    """y = leaky_relu(conv(x, w, bias, geometry)), slope > 0: then y has the sign of its argument.

    The rule is that of `conv` for the argument's gradient h, which follows from y.
    """
    if not slope > 0:
        raise ValueError(f"conv_activation: slope must be above 0, got {slope}")
    return leaky_relu(conv(x, w, bias, geometry), slope)


@op
def activation_grad_and_sums(g, y, slope):
    """(h, the sums of h over all dimensions but 1): h = dL/d(activation's argument), of its result
    y (N, C, ...) and the gradient g of that."""
    h = leaky_relu_grad(g, y, slope)
    return h, channel_sums(h)


@conv_activation.backward
def _(g, need, x, w, y, geometry, slope):
    if need[2] and not isinstance(g, Tensor):
        h, total = activation_grad_and_sums(g, y, slope)
    else:
        h = leaky_relu_grad(g, y, slope)
        total = need[2] and channel_sums(h)
    return (
        need[0] and conv_transpose(h, w, None, geometry),
        need[1] and conv_weight(x, h, geometry),
        total,
    )


announce("conv_activation", "activation_grad_and_sums")
