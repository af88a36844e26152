"""A linear layer and its activation as one op: one pass over the result instead of three, one entry
on the tape instead of two."""

import numpy as np

from ..autograd import Tensor, op
from ..ops.activation import leaky_relu_grad, sigmoid, softplus, tanh_grad
from ..ops.elementary import expm1
from ..ops.product import linear, sum_rows, weight_grad
from .table import announce

__all__ = ["linear_activation"]


def _leaky(y, slope):
    return np.where(y > 0, y, y * slope)


# name -> (the function, its rule in terms of its result). A leaky ReLU with positive slope has the
# sign of its argument.
ACTIVATIONS = {
    "leaky_relu": (_leaky, leaky_relu_grad),
    "tanh": (lambda y, slope: np.tanh(y), lambda g, y, slope: tanh_grad(g, y)),
    "sigmoid": (lambda y, slope: sigmoid(y), lambda g, y, slope: g * (y * (1 - y))),
    # 1 - e^-log(1 + e^x) = sigmoid(x)
    "softplus": (lambda y, slope: softplus(y), lambda g, y, slope: g * -expm1(-y)),
}


def _check_slope(activation, slope):
    if activation not in ACTIVATIONS or (activation == "leaky_relu" and not slope > 0):
        raise ValueError(
            f"linear_activation: {activation!r} with slope {slope}; expected one of "
            f"{', '.join(ACTIVATIONS)}, and a slope > 0"
        )


@op(saves=("input for weight", "weight for input", "out", "activation", "slope"))
def linear_activation(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    activation: str | None,
    slope: float = 0.0,
) -> Tensor:
    """y = activation(input @ weight^T + bias), shapes as in `linear`; activation a name in
    ACTIVATIONS (slope > 0 of leaky_relu).

    With h = dL/d(activation's argument), which follows from y: dL/dinput = h @ weight, dL/dweight =
    h^T @ input, dL/dbias = sum h
    """
    _check_slope(activation, slope)
    return ACTIVATIONS[activation][0](linear(input, weight, bias), slope)


@op
def activation_grad(g, y, activation, slope):
    """(h, sum of h over all rows): h = dL/d(activation's argument), of the activation's result y
    (..., C) and its gradient g."""
    h = ACTIVATIONS[activation][1](g, y, slope)
    return h, h.reshape(-1, h.shape[-1]).sum(0)


@linear_activation.backward
def _(g, need, x, w, y, activation, slope):
    return linear_activation_gradients(g, need, x, w, y, activation, slope)


def linear_activation_gradients(g, need, x, w, y, activation, slope, outer=None):
    """The gradients of `linear_activation` for input, weight and bias.

    outer : what computes g^T x, if not `weight_grad`
    """
    if isinstance(g, Tensor):  # for derivatives of higher order, in recorded ops
        h = ACTIVATIONS[activation][1](g, y, slope)
        total = need[2] and sum_rows(h.reshape(-1, h.shape[-1]))
        gx = need[0] and linear(h, w.T)
        outer = weight_grad
    else:  # the same, less what an op call does beside its work
        h, total = activation_grad.card.select(g)(g, y, activation, slope)
        gx = need[0] and linear.card.select(h)(h, w.T)
        outer = outer or weight_grad.card.select(h)
    rows = (a.reshape(-1, a.shape[-1]) if a.ndim != 2 else a for a in (h, x)) if need[1] else ()
    return gx, need[1] and outer(*rows), need[2] and total


announce("linear_activation", "activation_grad")
