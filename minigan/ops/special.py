"""Further functions of one or two numbers, under torch's names."""

import math

import numpy as np

from ..autograd import Tensor, op, raw
from ..autograd._types import Operand
from .arithmetic import _div, floor, ge, gt, isnan, le, lt, ne, sub
from .arithmetic import _where as where
from .compose import floats, logaddexp, trunc
from .elementary import abs, erf, exp, log, sign
from .placement import to

__all__ = [
    "copysign", "div", "divide", "erfc", "erfinv", "fix", "float_power", "fmax", "fmin",
    "greater", "greater_equal", "heaviside", "isneginf", "isposinf", "isreal", "ldexp", "less",
    "less_equal", "logaddexp2", "not_equal", "positive", "real", "rsub", "sgn", "signbit",
    "true_divide",
    "xlogy",
]  # fmt: skip

greater = gt
greater_equal = ge
less = lt
less_equal = le
not_equal = ne
fix = trunc
sgn = sign


def erfc(input: Tensor) -> Tensor:
    """1 - erf(x)"""
    return 1 - erf(input)


@op(saves=("out",), floating=True)
def erfinv(input: Tensor) -> Tensor:
    """y with erf(y) = x; infinite at -1 and 1, NaN outside.    dL/dx = g sqrt(pi) / 2 e^(y^2)

    Winitzki's approximation (2008), then Newton's method with Halley's correction, which triples
    the digits twice.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        x = input.astype(np.float64)
        tail = np.log1p(-x * x)
        a = 2 / (math.pi * 0.147) + tail / 2
        y = np.sign(x) * np.sqrt(np.sqrt(a * a - tail / 0.147) - a)
        for _ in range(3):
            step = (erf(y) - x) * (math.sqrt(math.pi) / 2) * np.exp(y * y)
            step = step / (1 + y * step)
            y = np.where(np.isfinite(step), y - step, y)
        y = np.where(np.abs(x) == 1, np.copysign(np.inf, x), y)
    return y.astype(input.dtype if input.dtype.kind == "f" else np.float32)


@erfinv.backward
def _(g, need, y):
    return g * exp(y * y) * (math.sqrt(math.pi) / 2)


@op(saves=("input", "other"), floating=True)
def xlogy(input: Tensor, other: Operand) -> Tensor:
    """y = input log other, and 0 where input is 0.

    dL/dinput = g log other (0 where input = 0 and other <= 0), dL/dother = g input / other
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.equal(input, 0) & ~np.isnan(other), input * 0, input * np.log(other))


@xlogy.backward
def _(g, need, x, y):
    gx = None
    if need[0]:
        nothing = (x == 0) & (y <= 0)
        gx = where(nothing, 0.0, g * log(where(nothing, 1.0, y)))
    return gx, need[1] and g * x / y


def div(input: Tensor, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; rounding_mode "floor": rounded down, "trunc": towards 0, and then of integers
    an integer.
    """
    if rounding_mode is None:
        return _div(input, other)
    if rounding_mode not in ("floor", "trunc"):
        raise ValueError(f"div: rounding_mode={rounding_mode!r}; expected None, 'floor' or 'trunc'")
    rounded = floor if rounding_mode == "floor" else trunc
    arrays = [raw(a) for a in (input, other) if hasattr(raw(a), "dtype")]
    if (
        not all(a.dtype.kind in "iub" for a in arrays)
        or isinstance(input, float)
        or isinstance(other, float)
    ):
        return rounded(_div(input, other))
    if isinstance(raw(other), (np.ndarray, int)) and np.any(raw(other) == 0):
        raise ZeroDivisionError("div: other has a 0, by which integers cannot be divided")
    dtype = np.result_type(*arrays)
    if dtype.kind == "b":
        dtype = np.dtype(np.int64)
    else:  # numbers that it cannot hold wrap around
        input, other = (
            a if hasattr(a, "dtype") else np.asarray(a).astype(dtype) for a in (input, other)
        )
    wide = lambda a: to(a, np.float64) if isinstance(a, Tensor) else np.asarray(a, np.float64)
    return to(rounded(_div(wide(input), wide(other))), dtype)


divide = true_divide = div


def float_power(input: Tensor, exponent: Operand) -> Tensor:
    """input ** exponent in float64."""
    to64 = lambda v: (
        v.astype(np.float64)
        if isinstance(v, np.ndarray)
        else v.to(np.float64)
        if hasattr(v, "to")
        else float(v)
    )
    return to64(input) ** to64(exponent)


def logaddexp2(input: Tensor, other: Operand) -> Tensor:
    """log2(2^x + 2^y), stable."""
    two = math.log(2)
    return logaddexp(input * two, other * two) * (1 / two)


def ldexp(input: Tensor, other: Operand) -> Tensor:
    """input 2^other"""
    return input * (2.0**other)


def fmax(input: Tensor, other: Operand) -> Tensor:
    """The larger of two; of a number and a NaN the number. Of equal ones it is the first."""
    return where((input >= other) | isnan(other), input, other)


def fmin(input: Tensor, other: Operand) -> Tensor:
    """The smaller of two; of a number and a NaN the number. Of equal ones it is the first."""
    return where((input <= other) | isnan(other), input, other)


def copysign(input: Tensor, other: Operand) -> Tensor:
    """|input| with the sign of other (a Tensor or a number)."""
    size = abs(floats(input))
    if hasattr(raw(other), "dtype"):
        return where(signbit(other), -size, size)
    return size * math.copysign(1, other)


def heaviside(input: Tensor, values: Operand) -> Tensor:
    """0 where input < 0, 1 where input > 0, values where it is 0."""
    return where(input == 0, values, to(input > 0, input.dtype))


def rsub(input: Tensor, other: Operand, alpha: float = 1) -> Tensor:
    """other - alpha input"""
    return sub(other, input, alpha)


def real(input: Tensor) -> Tensor:
    """input: there are no complex numbers"""
    return input


def positive(input: Tensor) -> Tensor:
    """input"""
    return input


@op
def signbit(input: Tensor) -> Tensor:
    """Is the sign bit set? (Also that of -0.)"""
    return np.signbit(input)


def isposinf(input: Tensor) -> Tensor:
    """Is the element plus infinity?"""
    return input == math.inf


def isneginf(input: Tensor) -> Tensor:
    """Is the element minus infinity?"""
    return input == -math.inf


def isreal(input: Tensor) -> Tensor:
    """True for every element: there are no complex ones."""
    return (input == input) | (input != input)
