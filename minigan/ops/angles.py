"""Angles and hyperbolic angles: the inverses of sine, cosine, tangent and of their hyperbolic
relatives, and what goes with them.
"""

import math

import numpy as np

from ..autograd import op
from .arithmetic import where
from .elementary import rsqrt, sin

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "asin", "asinh", "atan", "atan2", "atanh", "deg2rad", "hypot", "rad2deg", "sinc",
]  # fmt: skip


@op
class asin:
    """y = arcsin x.    dL/dx = g / sqrt(1 - x^2)"""

    saves = ("input",)
    floating = True

    def forward(input):
        return np.arcsin(input)

    def backward(g, need, x):
        return g * rsqrt(1 - x * x)


@op
class acos:
    """y = arccos x.    dL/dx = -g / sqrt(1 - x^2)"""

    saves = ("input",)
    floating = True

    def forward(input):
        return np.arccos(input)

    def backward(g, need, x):
        return g * -rsqrt(1 - x * x)


@op
class atan:
    """y = arctan x.    dL/dx = g / (1 + x^2)"""

    saves = ("input",)
    floating = True

    def forward(input):
        return np.arctan(input)

    def backward(g, need, x):
        return g / (x * x + 1)


@op
class atan2:
    """y = the angle of the point (other, input), in (-pi, pi].    dL/dinput = g other / r^2,
    dL/dother = -g input / r^2; 0 at r = 0
    """

    saves = ("input", "other")
    floating = True

    def forward(input, other):
        return np.arctan2(input, other)

    def backward(g, need, y, x):
        square = x * x + y * y
        origin = square == 0
        scale = where(origin, 0.0, g / where(origin, 1.0, square))
        return need[0] and scale * x, need[1] and scale * -y


@op
class asinh:
    """y = arsinh x.    dL/dx = g / sqrt(x^2 + 1)"""

    saves = ("input",)
    floating = True

    def forward(input):
        return np.arcsinh(input)

    def backward(g, need, x):
        return g * rsqrt(x * x + 1)


@op
class acosh:
    """y = arcosh x.    dL/dx = g / sqrt(x^2 - 1)"""

    saves = ("input",)
    floating = True

    def forward(input):
        return np.arccosh(input)

    def backward(g, need, x):
        return g * rsqrt(x * x - 1)


@op
class atanh:
    """y = artanh x.    dL/dx = g / (1 - x^2)"""

    saves = ("input",)
    floating = True

    def forward(input):
        return np.arctanh(input)

    def backward(g, need, x):
        return g / (1 - x * x)


arcsin, arccos, arctan, arctan2, arcsinh, arccosh, arctanh = (
    asin,
    acos,
    atan,
    atan2,
    asinh,
    acosh,
    atanh,
)


@op
class hypot:
    """y = sqrt(input^2 + other^2), without overflow on the way.    dL/dinput = g input / y,
    dL/dother = g other / y
    """

    saves = ("input", "other", "out")

    def forward(input, other):
        return np.hypot(input, other)

    def backward(g, need, a, b, y):
        return need[0] and g * (a / y), need[1] and g * (b / y)


def deg2rad(input):
    """Degrees as radians."""
    return input * (math.pi / 180)


def rad2deg(input):
    """Radians as degrees."""
    return input * (180 / math.pi)


def sinc(input):
    """sin(pi x) / (pi x), and 1 at 0."""
    zero = input == 0
    angle = where(zero, 1.0, input) * math.pi
    return where(zero, 1.0, sin(angle) / angle)
