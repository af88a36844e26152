"""Angles and hyperbolic angles: the inverses of sine, cosine, tangent and of their hyperbolic
relatives, and what goes with them.
"""

import math

import numpy as np

from ..autograd import Tensor, op
from ..autograd._types import Operand
from .arithmetic import _where as where
from .elementary import rsqrt, sin

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "asin", "asinh", "atan", "atan2", "atanh", "deg2rad", "hypot", "rad2deg", "sinc",
]  # fmt: skip


@op(saves=("input",), floating=True)
def asin(input: Tensor) -> Tensor:
    """y = arcsin x.    dL/dx = g / sqrt(1 - x^2)"""
    return np.arcsin(input)


@asin.backward
def _(g, need, x):
    return g * rsqrt(1 - x * x)


@op(saves=("input",), floating=True)
def acos(input: Tensor) -> Tensor:
    """y = arccos x.    dL/dx = -g / sqrt(1 - x^2)"""
    return np.arccos(input)


@acos.backward
def _(g, need, x):
    return g * -rsqrt(1 - x * x)


@op(saves=("input",), floating=True)
def atan(input: Tensor) -> Tensor:
    """y = arctan x.    dL/dx = g / (1 + x^2)"""
    return np.arctan(input)


@atan.backward
def _(g, need, x):
    return g / (x * x + 1)


@op(saves=("input", "other"), floating=True)
def atan2(input: Tensor, other: Operand) -> Tensor:
    """y = the angle of the point (other, input), in (-pi, pi].    dL/dinput = g other / r^2,
    dL/dother = -g input / r^2; 0 at r = 0
    """
    return np.arctan2(input, other)


@atan2.backward
def _(g, need, y, x):
    square = x * x + y * y
    origin = square == 0
    scale = where(origin, 0.0, g / where(origin, 1.0, square))
    return need[0] and scale * x, need[1] and scale * -y


@op(saves=("input",), floating=True)
def asinh(input: Tensor) -> Tensor:
    """y = arsinh x.    dL/dx = g / sqrt(x^2 + 1)"""
    return np.arcsinh(input)


@asinh.backward
def _(g, need, x):
    return g * rsqrt(x * x + 1)


@op(saves=("input",), floating=True)
def acosh(input: Tensor) -> Tensor:
    """y = arcosh x.    dL/dx = g / sqrt(x^2 - 1)"""
    return np.arccosh(input)


@acosh.backward
def _(g, need, x):
    return g * rsqrt(x * x - 1)


@op(saves=("input",), floating=True)
def atanh(input: Tensor) -> Tensor:
    """y = artanh x.    dL/dx = g / (1 - x^2)"""
    return np.arctanh(input)


@atanh.backward
def _(g, need, x):
    return g / (1 - x * x)


arcsin = asin
arccos = acos
arctan = atan
arctan2 = atan2
arcsinh = asinh
arccosh = acosh
arctanh = atanh


@op(saves=("input", "other", "out"))
def hypot(input: Tensor, other: Operand) -> Tensor:
    """y = sqrt(input^2 + other^2), without overflow on the way.    dL/dinput = g input / y,
    dL/dother = g other / y
    """
    return np.hypot(input, other)


@hypot.backward
def _(g, need, a, b, y):
    return need[0] and g * (a / y), need[1] and g * (b / y)


def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians."""
    return input * (math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees."""
    return input * (180 / math.pi)


def sinc(input: Tensor) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0."""
    zero = input == 0
    angle = where(zero, 1.0, input) * math.pi
    return where(zero, 1.0, sin(angle) / angle)
