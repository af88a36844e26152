"""Elementary functions of one argument. Each is one ufunc, and its derivative a line of arithmetic."""

import math

import numpy as np

from ..autograd import op
from ..backend import array_module, kernel
from ..backend.cuda import elementwise
from .each import each

__all__ = ["abs", "cos", "erf", "exp", "expm1", "log", "log1p", "reciprocal", "rsqrt", "sign", "sin", "sqrt", "square"]


@op
class abs:
    """y = |x|.    dL/dx = g sign(x)"""

    saves = ("x",)

    def forward(x):
        return np.abs(x)

    def backward(g, need, x):
        return g * sign(x)


@op
class sign:
    """-1, 0 or 1.    dL/dx = 0"""

    def forward(x):
        return x.copy() if x.dtype.kind == "b" else np.where(x == x, np.sign(x), x.dtype.type(0))  # of NaN 0, as in torch

    def backward(g, need):
        return g * 0


@op
class square:
    """y = x^2.    dL/dx = 2 g x"""

    saves = ("x",)

    def forward(x):
        return np.square(x, dtype=np.int64 if x.dtype.kind == "b" else None)

    def backward(g, need, x):
        return g * x * 2


@op
class sqrt:
    """y = sqrt(x).    dL/dx = g / (2 y)"""

    saves = ("out",)
    floating = True

    def forward(x):
        return np.sqrt(x)

    def backward(g, need, y):
        return g / y * 0.5


@op
class rsqrt:
    """y = 1 / sqrt(x).    dL/dx = -g y^3 / 2"""

    saves = ("out",)
    floating = True

    def forward(x):
        return np.reciprocal(np.sqrt(x))

    def backward(g, need, y):
        return g * (y * y * y) * -0.5


@op
class reciprocal:
    """y = 1 / x.    dL/dx = -g y^2"""

    saves = ("out",)
    floating = True

    def forward(x):
        return np.true_divide(1.0, x)

    def backward(g, need, y):
        return g * y * -y


@op
class exp:
    """y = e^x.    dL/dx = g y"""

    saves = ("out",)
    floating = True

    def forward(x):
        return np.exp(x)

    def backward(g, need, y):
        return g * y


@op
class expm1:
    """y = e^x - 1, accurate near 0.    dL/dx = g (y + 1)"""

    saves = ("out",)
    floating = True

    def forward(x):
        return np.expm1(x)

    def backward(g, need, y):
        return g * (y + 1)


@op
class log:
    """y = ln x.    dL/dx = g / x"""

    saves = ("x",)
    floating = True

    def forward(x):
        return np.log(x)

    def backward(g, need, x):
        return g / x


@op
class log1p:
    """y = ln(1 + x), accurate near 0.    dL/dx = g / (1 + x)"""

    saves = ("x",)
    floating = True

    def forward(x):
        return np.log1p(x)

    def backward(g, need, x):
        return g / (x + 1)


@op
class sin:
    """y = sin x.    dL/dx = g cos x"""

    saves = ("x",)
    floating = True

    def forward(x):
        return np.sin(x)

    def backward(g, need, x):
        return g * cos(x)


@op
class cos:
    """y = cos x.    dL/dx = -g sin x"""

    saves = ("x",)
    floating = True

    def forward(x):
        return np.cos(x)

    def backward(g, need, x):
        return g * -sin(x)


@kernel
def _erf(x, y):
    for i in range(x.size):
        y[i] = math.erf(x[i])


@op
class erf:
    """y = 2/sqrt(pi) * integral of e^(-t^2) from 0 to x.    dL/dx = g 2/sqrt(pi) e^(-x^2)"""

    saves = ("x",)
    floating = True

    def forward(x):
        if array_module(x) is np:
            return np.vectorize(math.erf, otypes=[x.dtype])(x)
        from cupyx.scipy.special import erf

        return erf(x)

    def cpu(x):
        return each(_erf, x)

    cuda = elementwise(_erf)

    def backward(g, need, x):
        return g * exp(-(x * x)) * (2 / math.sqrt(math.pi))
