"""Activation functions: a NumPy formula as reference, and one compiled pass over memory on the CPU."""

import math

import numpy as np

from ..autograd import op
from ..backend import kernel
from ..backend.cuda import elementwise
from .arithmetic import where
from .each import each
from .elementary import erf, exp
from .reduction import sum
from .shape import narrow

__all__ = [
    "elu", "gelu", "glu", "hardswish", "hardtanh", "leaky_relu", "logsigmoid", "mish", "prelu", "relu", "selu", "sigmoid", "silu",
    "softplus", "tanh",
]  # fmt: skip


@op
class tanh:
    """y = tanh x.    dL/dx = g (1 - y^2)"""

    saves = ("out",)
    floating = True

    def forward(x):
        return np.tanh(x)

    @elementwise
    def cuda(x):
        return math.tanh(x)

    def backward(g, need, y):
        return tanh_grad(g, y)


@kernel
def _tanh_grad(g, y, out):
    for i in range(g.size):
        out[i] = g[i] * (1 - y[i] * y[i])


@op
class tanh_grad:
    """g (1 - y^2), with y = tanh x.    d/dg = gg (1 - y^2), d/dy = -2 gg g y"""

    saves = ("g", "y")

    def forward(g, y):
        return g * (1 - y * y)

    def cpu(g, y):
        return each(_tanh_grad, g, y)

    cuda = elementwise(_tanh_grad)

    def backward(gg, need, g, y):
        return need[0] and tanh_grad(gg, y), need[1] and gg * g * y * -2


@op
class sigmoid:
    """y = 1 / (1 + e^-x) = (1 + tanh(x / 2)) / 2, which cannot overflow.    dL/dx = g y (1 - y)"""

    saves = ("out",)
    floating = True

    def forward(x):
        return np.tanh(x * 0.5) * 0.5 + 0.5

    @elementwise
    def cuda(x):
        return math.tanh(x * 0.5) * 0.5 + 0.5

    def backward(g, need, y):
        return g * (y * (1 - y))


@op
class softplus:
    """y = log(1 + e^(beta x)) / beta; linear above beta x = threshold, as in torch.    dL/dx = g sigmoid(beta x)

    In the stable form max(x, 0) + log1p(e^-|x|).
    """

    saves = ("x", "beta", "threshold")
    floating = True

    def forward(x, beta=1.0, threshold=20.0):
        z = x if beta == 1 else x * beta
        y = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
        y = y if beta == 1 else y / beta
        return np.where(z > threshold, x, y) if threshold < 20 else y

    @elementwise
    def cuda(x, beta, threshold):
        z = x * beta
        return x if z > threshold else (max(z, 0.0) + math.log1p(math.exp(-abs(z)))) / beta

    def backward(g, need, x, beta, threshold):
        z = x if beta == 1 else x * beta
        slope = g * sigmoid(z)
        return where(z > threshold, g, slope) if threshold < 20 else slope


@op
class logsigmoid:
    """y = log sigmoid(x) = -softplus(-x).    dL/dx = g sigmoid(-x)"""

    saves = ("x",)
    floating = True

    def forward(x):
        return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))

    @elementwise
    def cuda(x):
        return min(x, 0.0) - math.log1p(math.exp(-abs(x)))

    def backward(g, need, x):
        return g * sigmoid(-x)


@op
class relu:
    """y = max(x, 0).    dL/dx = g where y > 0, else 0"""

    saves = ("out",)

    def forward(x):
        return np.maximum(x, 0)

    @elementwise
    def cuda(x):
        return 0.0 if x < 0 else x

    def backward(g, need, y):
        return leaky_relu_grad(g, y, 0.0)


@kernel
def _leaky_relu(x, slope, y):
    slope = x.dtype.type(slope)
    for i in range(x.size):
        y[i] = x[i] if x[i] > 0 else slope * x[i]


@op
class leaky_relu:
    """y = x where x > 0, else slope x.    dL/dx = g where x > 0, else slope g"""

    saves = ("x", "negative_slope")
    floating = True

    def forward(x, negative_slope=0.01):
        return np.where(x > 0, x, x * negative_slope)

    def cpu(x, negative_slope=0.01):
        return each(_leaky_relu, x, negative_slope)

    cuda = elementwise(_leaky_relu)

    def backward(g, need, x, slope):
        return leaky_relu_grad(g, x, slope)


@kernel
def _leaky_relu_grad(g, x, slope, out):
    slope, zero = x.dtype.type(slope), x.dtype.type(0)
    if slope == zero:
        for i in range(x.size):
            out[i] = g[i] if x[i] > 0 else zero
    else:
        for i in range(x.size):
            out[i] = g[i] if x[i] > 0 else slope * g[i]


@op
class leaky_relu_grad:
    """g where x > 0, else slope g (0 for slope 0, also where g is infinite).    d/dg = the same of gg, d/dx = 0"""

    saves = ("x", "slope")

    def forward(g, x, slope):
        return np.where(x > 0, g, g * slope if slope else 0)

    def cpu(g, x, slope):
        return each(_leaky_relu_grad, g, x, slope)

    cuda = elementwise(_leaky_relu_grad)

    def backward(gg, need, x, slope):
        return need[0] and leaky_relu_grad(gg, x, slope), need[1] and x * 0


@op
class elu:
    """y = x where x > 0, else alpha (e^x - 1).    dL/dx = g where x > 0, else g alpha e^x"""

    saves = ("x", "alpha")
    floating = True

    def forward(x, alpha=1.0):
        return np.where(x > 0, x, np.expm1(np.minimum(x, 0)) * alpha)

    @elementwise
    def cuda(x, alpha):
        return x if x > 0 else alpha * math.expm1(x)

    def backward(g, need, x, alpha):
        return where(x > 0, g, g * exp(where(x > 0, 0.0, x)) * alpha)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017, eq. 14


def selu(input):
    """scale * (x where x > 0, else alpha (e^x - 1)), with the constants that keep mean 0 and variance 1."""
    return elu(input, SELU_ALPHA) * SELU_SCALE


@op
class gelu:
    """y = x Phi(x), Phi the standard normal distribution function; approximate="tanh": its tanh formula.

    dL/dx = g (Phi(x) + x phi(x)).    Hendrycks and Gimpel 2016.
    """

    saves = ("x", "approximate")
    floating = True

    def forward(x, approximate="none"):
        if approximate == "tanh":
            return x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
        if approximate != "none":
            raise ValueError(f"gelu: approximate={approximate!r}; expected 'none' or 'tanh'")
        return x * 0.5 * (1 + erf(x * math.sqrt(0.5)))

    def backward(g, need, x, approximate):
        if approximate == "tanh":
            t = tanh((x + x * x * x * 0.044715) * math.sqrt(2 / math.pi))
            inner = (1 + x * x * (3 * 0.044715)) * math.sqrt(2 / math.pi)
            return g * ((1 + t) * 0.5 + x * (1 - t * t) * inner * 0.5)
        phi = exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
        return g * ((erf(x * math.sqrt(0.5)) + 1) * 0.5 + x * phi)


@op
class silu:
    """y = x sigmoid(x).    dL/dx = g s (1 + x (1 - s)), s = sigmoid(x)"""

    saves = ("x",)
    floating = True

    def forward(x):
        return x * sigmoid(x)

    @elementwise
    def cuda(x):
        return x * (math.tanh(x * 0.5) * 0.5 + 0.5)

    def backward(g, need, x):
        s = sigmoid(x)
        return g * (s * (1 + x * (1 - s)))


@op
class hardtanh:
    """x limited to [min_val, max_val].    dL/dx = g strictly inside, else 0"""

    saves = ("x", "min_val", "max_val")

    def forward(x, min_val=-1.0, max_val=1.0):
        y = np.minimum(np.maximum(x, min_val), max_val)
        return y if x.dtype.kind == "f" else y.astype(x.dtype)  # the limits are floats

    @elementwise
    def cuda(x, low, high):
        return low if x < low else high if x > high else x

    def backward(g, need, x, low, high):
        return where((x > low) & (x < high), g, 0.0)


def mish(x):
    """x tanh(softplus(x)). Misra 2019"""
    return x * tanh(softplus(x))


def hardswish(x):
    """x relu6(x + 3) / 6. Howard et al. 2019, eq. 5.2"""
    return x * (hardtanh(x + 3, 0.0, 6.0) * (1 / 6))


def glu(input, dim=-1):
    """a sigmoid(b), where a and b are the halves of input along `dim`. Dauphin et al. 2017"""
    size = input.shape[dim]
    if size % 2:
        raise ValueError(f"glu: dimension {dim} of the input must be even to be halved, its shape is {tuple(input.shape)}")
    return narrow(input, dim, 0, size // 2) * sigmoid(narrow(input, dim, size // 2, size // 2))


@op
class prelu:
    """y = x where x > 0, else weight x; one weight, or one for each channel (dimension 1).

    dL/dx = g where x > 0, else g weight;    dL/dweight = sum of g x over x <= 0.    He et al. 2015
    """

    saves = ("x", "weight")

    def forward(x, weight):
        return np.where(x > 0, x, x * _per_channel(weight, x))

    def backward(g, need, x, weight):
        w = _per_channel(weight, x)
        gw = None
        if need[1]:
            gw = where(x > 0, 0.0, g * x)
            axes = tuple(i for i in range(x.ndim) if i != 1 or math.prod(weight.shape) == 1)
            gw = sum(gw, axes).reshape(weight.shape)
        return need[0] and where(x > 0, g, g * w), gw


def _per_channel(weight, x):
    return weight.reshape((1, -1) + (1,) * (x.ndim - 2)) if x.ndim > 1 else weight.reshape((-1,)[: x.ndim])
