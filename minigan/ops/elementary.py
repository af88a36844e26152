"""Elementary functions of one argument. Each is one ufunc, and its derivative a line of
arithmetic."""

import math

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, op, zero

__all__ = [
    "abs",
    "cos",
    "erf",
    "exp",
    "expm1",
    "log",
    "log1p",
    "reciprocal",
    "rsqrt",
    "sign",
    "sin",
    "sqrt",
    "square",
]


@op(saves=("x",))
def abs(x: Tensor) -> Tensor:
    """y = |x|.    dL/dx = g sign(x)"""
    return np.abs(x)


@abs.backward
def _(g, need, x):
    return g * sign(x)


@op
def sign(x: Tensor) -> Tensor:
    """-1, 0 or 1.    dL/dx = 0"""
    # of NaN 0, as in torch
    return x.copy() if x.dtype.kind == "b" else np.where(x == x, np.sign(x), x.dtype.type(0))


@sign.backward
def _(g, need):
    return zero(g)


@op(saves=("x",))
def square(x: Tensor) -> Tensor:
    """y = x^2.    dL/dx = 2 g x"""
    return np.square(x, dtype=np.int64 if x.dtype.kind == "b" else None)


@square.backward
def _(g, need, x):
    return g * x * 2


@op(saves=("out",), floating=True)
def sqrt(x: Tensor) -> Tensor:
    """y = sqrt(x).    dL/dx = g / (2 y)"""
    return np.sqrt(x)


@sqrt.backward
def _(g, need, y):
    return g / y * 0.5


@op(saves=("out",), floating=True)
def rsqrt(x: Tensor) -> Tensor:
    """y = 1 / sqrt(x).    dL/dx = -g y^3 / 2"""
    return np.reciprocal(np.sqrt(x))


@rsqrt.backward
def _(g, need, y):
    return g * (y * y * y) * -0.5


@op(saves=("out",), floating=True)
def reciprocal(x: Tensor) -> Tensor:
    """y = 1 / x.    dL/dx = -g y^2"""
    return np.true_divide(1.0, x)


@reciprocal.backward
def _(g, need, y):
    return g * y * -y


@op(saves=("out",), floating=True)
def exp(x: Tensor) -> Tensor:
    """y = e^x.    dL/dx = g y"""
    return np.exp(x)


@exp.backward
def _(g, need, y):
    return g * y


@op(saves=("out",), floating=True)
def expm1(x: Tensor) -> Tensor:
    """y = e^x - 1, accurate near 0.    dL/dx = g (y + 1)"""
    return np.expm1(x)


@expm1.backward
def _(g, need, y):
    return g * (y + 1)


@op(saves=("x",), floating=True)
def log(x: Tensor) -> Tensor:
    """y = ln x.    dL/dx = g / x"""
    return np.log(x)


@log.backward
def _(g, need, x):
    return g / x


@op(saves=("x",), floating=True)
def log1p(x: Tensor) -> Tensor:
    """y = ln(1 + x), accurate near 0.    dL/dx = g / (1 + x)"""
    return np.log1p(x)


@log1p.backward
def _(g, need, x):
    return g / (x + 1)


@op(saves=("x",), floating=True)
def sin(x: Tensor) -> Tensor:
    """y = sin x.    dL/dx = g cos x"""
    return np.sin(x)


@sin.backward
def _(g, need, x):
    return g * cos(x)


@op(saves=("x",), floating=True)
def cos(x: Tensor) -> Tensor:
    """y = cos x.    dL/dx = -g sin x"""
    return np.cos(x)


@cos.backward
def _(g, need, x):
    return g * -sin(x)


@op(saves=("x",), floating=True)
def erf(x: Tensor) -> Tensor:
    """y = 2/sqrt(pi) * integral of e^(-t^2) from 0 to x.    dL/dx = g 2/sqrt(pi) e^(-x^2)"""
    if array_module(x) is np:
        return np.vectorize(math.erf, otypes=[x.dtype])(x)
    from cupyx.scipy.special import erf

    return erf(x)


@erf.backward
def _(g, need, x):
    return g * exp(-(x * x)) * (2 / math.sqrt(math.pi))
