"""Activation functions: a NumPy formula as reference, and one compiled pass over memory on the
CPU."""

import math

import numpy as np

from ..autograd import Tensor, op, zero
from ..autograd._types import Operand
from .arithmetic import _where as where
from .elementary import erf, exp
from .joining import narrow
from .reduction import sum

__all__ = [
    "elu", "gelu", "glu", "hardswish", "hardtanh", "leaky_relu", "logsigmoid", "mish", "prelu",
    "relu", "selu", "sigmoid", "silu",
    "softplus", "tanh",
]  # fmt: skip


@op(saves=("out",), floating=True)
def tanh(x: Tensor) -> Tensor:
    """y = tanh x.    dL/dx = g (1 - y^2)"""
    return np.tanh(x)


@tanh.backward
def _(g, need, y):
    return tanh_grad(g, y)


@op(saves=("g", "y"))
def tanh_grad(g, y):
    """g (1 - y^2), with y = tanh x.    d/dg = gg (1 - y^2), d/dy = -2 gg g y"""
    return g * (1 - y * y)


@tanh_grad.backward
def _(gg, need, g, y):
    return need[0] and tanh_grad(gg, y), need[1] and gg * g * y * -2


@op(saves=("out",), floating=True)
def sigmoid(x: Tensor) -> Tensor:
    """y = 1 / (1 + e^-x), which for x far below 0 is e^x: where e^-x overflows it is 0.
    dL/dx = g y (1 - y)"""
    if x.dtype.char == "e":
        return sigmoid.card.forward(x.astype(np.float32)).astype(x.dtype)
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


@sigmoid.backward
def _(g, need, y):
    return g * (y * (1 - y))


def log1p_exp(x):
    """log(1 + e^-|x|): what softplus is beside max(x, 0), and cannot overflow."""
    return np.log1p(np.exp(-np.abs(x)))


@op(saves=("x", "beta", "threshold"), floating=True)
def softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """y = log(1 + e^(beta x)) / beta; linear above beta x = threshold, as in torch.
    dL/dx = g sigmoid(beta x)

    In the stable form max(x, 0) + log(1 + e^-|x|).
    """
    z = x if beta == 1 else x * beta
    y = np.maximum(z, 0) + log1p_exp(z)
    y = y if beta == 1 else y / beta
    return np.where(z > threshold, x, y) if threshold < 20 else y


@softplus.backward
def _(g, need, x, beta, threshold):
    z = x if beta == 1 else x * beta
    slope = g * sigmoid(z)
    return where(z > threshold, g, slope) if threshold < 20 else slope


@op(saves=("x",), floating=True)
def logsigmoid(x: Tensor) -> Tensor:
    """y = log sigmoid(x) = -softplus(-x).    dL/dx = g sigmoid(-x)"""
    return np.minimum(x, 0) - log1p_exp(x)


@logsigmoid.backward
def _(g, need, x):
    return g * sigmoid(-x)


@op(saves=("out",))
def relu(x: Tensor) -> Tensor:
    """y = max(x, 0).    dL/dx = g where y > 0, else 0"""
    return np.maximum(x, 0)


@relu.backward
def _(g, need, y):
    return leaky_relu_grad(g, y, 0.0)


@op(saves=("x", "negative_slope"), floating=True)
def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """y = x where x > 0, else slope x.    dL/dx = g where x > 0, else slope g"""
    return np.where(x > 0, x, x * negative_slope)


@leaky_relu.backward
def _(g, need, x, slope):
    return leaky_relu_grad(g, x, slope)


@op(saves=("x", "slope"))
def leaky_relu_grad(g, x, slope):
    """g where x > 0, else slope g (0 for slope 0, also where g is infinite).
    d/dg = the same of gg, d/dx = 0"""
    return np.where(x > 0, g, g * slope if slope else 0)


@leaky_relu_grad.backward
def _(gg, need, x, slope):
    return need[0] and leaky_relu_grad(gg, x, slope), need[1] and zero(gg)


@op(saves=("x", "alpha"), floating=True)
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """y = x where x > 0, else alpha (e^x - 1).    dL/dx = g where x > 0, else g alpha e^x"""
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)) * alpha)


@elu.backward
def _(g, need, x, alpha):
    return where(x > 0, g, g * exp(where(x > 0, 0.0, x)) * alpha)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017, eq. 14


def selu(input: Tensor) -> Tensor:
    """scale * (x where x > 0, else alpha (e^x - 1)), with the constants that keep mean 0 and
    variance 1."""
    return elu(input, SELU_ALPHA) * SELU_SCALE


@op(saves=("x", "approximate"), floating=True)
def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """y = x Phi(x), Phi the standard normal distribution function; approximate="tanh": its tanh
    formula.

    dL/dx = g (Phi(x) + x phi(x)).    Hendrycks and Gimpel 2016.
    """
    if approximate == "tanh":
        return x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    if approximate != "none":
        raise ValueError(f"gelu: approximate={approximate!r}; expected 'none' or 'tanh'")
    return x * 0.5 * (1 + erf(x * math.sqrt(0.5)))


@gelu.backward
def _(g, need, x, approximate):
    if approximate == "tanh":
        t = tanh((x + x * x * x * 0.044715) * math.sqrt(2 / math.pi))
        inner = (1 + x * x * (3 * 0.044715)) * math.sqrt(2 / math.pi)
        return g * ((1 + t) * 0.5 + x * (1 - t * t) * inner * 0.5)
    phi = exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
    return g * ((erf(x * math.sqrt(0.5)) + 1) * 0.5 + x * phi)


@op(saves=("x",), floating=True)
def silu(x: Tensor) -> Tensor:
    """y = x sigmoid(x).    dL/dx = g s (1 + x (1 - s)), s = sigmoid(x)"""
    return x * sigmoid(x)


@silu.backward
def _(g, need, x):
    s = sigmoid(x)
    return g * (s * (1 + x * (1 - s)))


@op(saves=("x", "min_val", "max_val"))
def hardtanh(x: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """x limited to [min_val, max_val].    dL/dx = g strictly inside, else 0"""
    y = np.minimum(np.maximum(x, min_val), max_val)
    return y if x.dtype.kind == "f" else y.astype(x.dtype)  # the limits are floats


@hardtanh.backward
def _(g, need, x, low, high):
    return where((x > low) & (x < high), g, 0.0)


def mish(x: Tensor) -> Tensor:
    """x tanh(softplus(x)). Misra 2019"""
    return x * tanh(softplus(x))


def hardswish(x: Tensor) -> Tensor:
    """x relu6(x + 3) / 6. Howard et al. 2019, eq. 5.2"""
    return x * (hardtanh(x + 3, 0.0, 6.0) * (1 / 6))


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a sigmoid(b), where a and b are the halves of input along `dim`. Dauphin et al. 2017"""
    size = input.shape[dim]
    if size % 2:
        raise ValueError(
            f"glu: dimension {dim} of the input must be even to be halved, its shape is "
            f"{tuple(input.shape)}"
        )
    return narrow(input, dim, 0, size // 2) * sigmoid(narrow(input, dim, size // 2, size // 2))


@op(saves=("x", "weight"))
def prelu(x: Tensor, weight: Operand) -> Tensor:
    """y = x where x > 0, else weight x; one weight, or one for each channel (dimension 1).

    dL/dx = g where x > 0, else g weight;    dL/dweight = sum of g x over x <= 0.    He et al. 2015
    """
    return np.where(x > 0, x, x * _per_channel(weight, x))


@prelu.backward
def _(g, need, x, weight):
    return need[0] and prelu_grad(g, x, weight), need[1] and prelu_weight_grad(g, x, weight)


@op(saves=("g", "x", "weight"))
def prelu_grad(g, x, weight):
    """g where x > 0, else weight g.
    d/dg = the same of gg,    d/dx = 0,    d/dweight = sum of gg g over x <= 0"""
    return np.where(x > 0, g, g * _per_channel(weight, x))


@prelu_grad.backward
def _(gg, need, g, x, weight):
    found = need[2] and _summed(where(x > 0, 0.0, gg * g), weight)
    return need[0] and prelu_grad(gg, x, weight), need[1] and zero(gg), found


@op(saves=("g", "x", "weight"))
def prelu_weight_grad(g, x, weight):
    """The sum of g x over x <= 0, in the shape of weight, whose values do not count.
    d/dg = gg x,  d/dx = gg g,  both where x <= 0, else 0;  d/dweight = 0"""
    return _summed(np.where(x > 0, 0, g * x), weight)


@prelu_weight_grad.backward
def _(gg, need, g, x, weight):
    w = _per_channel(gg, x)
    return (
        need[0] and where(x > 0, 0.0, w * x),
        need[1] and where(x > 0, 0.0, w * g),
        need[2] and zero(gg),
    )


def _summed(x, weight):
    """The sum of x for each number of weight."""
    axes = tuple(i for i in range(x.ndim) if i != 1 or math.prod(weight.shape) == 1)
    return sum(x, axes).reshape(weight.shape)


def _per_channel(weight, x):
    return (
        weight.reshape((1, -1) + (1,) * (x.ndim - 2))
        if x.ndim > 1
        else weight.reshape((-1,)[: x.ndim])
    )
