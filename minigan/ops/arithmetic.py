"""Arithmetic and comparisons, element by element, with broadcasting. NumPy's ufuncs run on the
arrays of either library."""

import math

import numpy as np

from ..arrays.defaults import default
from ..autograd import Tensor, op, zero
from ..autograd._types import Operand
from ..engine.arguments import integer_dtype
from .elementary import abs, log, sign

__all__ = [
    "add", "clamp", "eq", "floor", "floor_divide", "fmod", "ge", "gt", "isfinite", "isnan", "le",
    "logical_and", "logical_not",
    "logical_or", "lt", "maximum", "minimum", "mul", "ne", "neg", "pow", "remainder", "round",
    "sub",
]  # fmt: skip


def _times(alpha, x):
    """alpha x; of unsigned integers negative numbers wrap around, as in torch."""
    if getattr(getattr(x, "dtype", None), "kind", "f") == "u" and isinstance(alpha, int):
        alpha = alpha % (1 << 8 * x.itemsize)
    return alpha * x


@op(saves=("alpha",))
def add(input: Tensor, other: Operand, alpha: float = 1) -> Tensor:
    """y = input + alpha * other.    dL/dinput = g, dL/dother = alpha g"""
    if alpha == 1:
        return np.add(input, other)
    if all(getattr(a, "dtype", None) == np.bool_ for a in (input, other)):
        return np.add(input, other & bool(alpha))
    return np.add(input, _times(alpha, other))


@add.backward
def _(g, need, alpha):
    return g, need[1] and (g if alpha == 1 else g * alpha)


@op(saves=("alpha",))
def sub(input: Tensor, other: Operand, alpha: float = 1) -> Tensor:
    """y = input - alpha * other.    dL/dinput = g, dL/dother = -alpha g"""
    return np.subtract(input, other if alpha == 1 else _times(alpha, other))


@sub.backward
def _(g, need, alpha):
    return g, need[1] and g * -alpha


@op(saves=("input for other", "other for input"))
def mul(input: Tensor, other: Operand) -> Tensor:
    """y = input * other.    dL/dinput = g other, dL/dother = g input"""
    return np.multiply(input, other)


@mul.backward
def _(g, need, x, y):
    return need[0] and g * y, need[1] and g * x


@op(saves=("input for other", "other"))
def _div(input: Tensor, other: Operand) -> Tensor:
    """y = input / other.    dL/dinput = g / other, dL/dother = -g input / other^2"""
    return np.true_divide(input, other)


@_div.backward
def _(g, need, x, y):
    gx = g / y
    return gx, need[1] and -gx * x / y


@op
def neg(x: Tensor) -> Tensor:
    """y = -x.    dL/dx = -g"""
    return np.negative(x)


@neg.backward
def _(g, need):
    return -g


@op(saves=("input", "exponent", "out for exponent"))
def pow(input: Tensor, exponent: Operand) -> Tensor:
    """y = input ** exponent.
    dL/dinput = g e x^(e-1),  dL/dexponent = g y log x  (0 where x = 0)"""
    kind = getattr(getattr(input, "dtype", None), "kind", "f" if input.__class__ is float else "i")
    if (
        exponent.__class__ in (int, float)
        and exponent == 2
        and (kind == "f" or exponent.__class__ is int)
    ):
        return np.square(input, dtype=np.int64 if kind == "b" else None)
    if kind in "iu" and getattr(getattr(exponent, "dtype", None), "kind", "f") == "i":
        return _integer_powers(input, exponent)
    return np.power(
        input, exponent, dtype=np.int64 if kind == "b" and exponent.__class__ is int else None
    )


@pow.backward
def _(g, need, x, e, y):
    gx = ge = None
    if need[0]:
        if isinstance(e, (int, float)):
            gx = g * x * 2 if e == 2 else zero(g) if e == 0 else g * (x ** (e - 1) * e)
        else:
            gx = _where(e == 0, 0.0, g * e * x ** (e - 1))
    # a number's logarithm must stay a number: 0-d arrays are float64
    if need[1] and isinstance(x, (int, float)):
        ge = g * y * (math.log(x) if x > 0 else 0.0 if x == 0 else math.nan)
    elif need[1]:
        at_0 = x == 0
        ge = _where(at_0, 0.0, g * y * log(_where(at_0, 1.0, x)))
    return gx, ge


def _integer_powers(x, e):
    """x ** e of integers, also with negative ones: then it is 0, but of 1 and -1."""
    dtype = np.result_type(x, e)
    y = np.power(x, np.maximum(e, 0), dtype=dtype)
    units = np.where(x == 1, 1, np.where(x == -1, 1 - 2 * (e % 2), 0))
    return np.where(e < 0, units, y).astype(dtype)


@op(saves=("input", "other"))
def maximum(input: Tensor, other: Operand) -> Tensor:
    """The larger of two, element by element.    dL/d(the larger) = g; a tie shares it equally"""
    return np.maximum(input, other)


@maximum.backward
def _(g, need, x, y):
    return _share(g, need, x == y, x < y, x > y)


@op(saves=("input", "other"))
def minimum(input: Tensor, other: Operand) -> Tensor:
    """The smaller of two, element by element.    dL/d(the smaller) = g; a tie shares it equally"""
    return np.minimum(input, other)


@minimum.backward
def _(g, need, x, y):
    return _share(g, need, x == y, x > y, x < y)


def _share(g, need, tie, not_first, not_second):
    """Of what cannot be compared, a NaN, both have the gradient."""
    g = _where(tie, g * 0.5, g)
    return need[0] and _where(not_first, 0.0, g), need[1] and _where(not_second, 0.0, g)


@op(saves=("condition",), mixed=True)
def _where(condition: Operand, input: Operand, other: Operand) -> Tensor:
    """input where condition, else other.
    dL/dinput = g where condition, else 0; dL/dother the other way round"""
    out = np.where(condition, input, other)
    values = [v for v in (input, other) if hasattr(v, "dtype")]
    floats = {v.dtype for v in values if v.dtype.kind == "f" and v.ndim} or {
        v.dtype for v in values if v.dtype.kind == "f"
    }
    if len(floats) > 1:
        raise TypeError(
            f"input and other have different dtypes ({' and '.join(sorted(map(str, floats)))}): "
            "convert one of them"
        )
    if floats:
        return out.astype(*floats, copy=False)
    if out.dtype.kind == "f":
        return out.astype(default.dtype)  # numbers alone, or beside integers
    return out.astype(integer_dtype(values), copy=False) if len(values) == 2 else out


@_where.backward
def _(g, need, condition):
    return None, need[1] and _where(condition, g, 0.0), need[2] and _where(condition, 0.0, g)


@op(saves=("x", "min", "max"))
def clamp(x: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """y = min(max(x, low), high); numbers or Tensors, either may be None.

    dL/dx = g where low <= x <= high; dL/dlow = g where x < low < high; dL/dhigh = g where x > high
    or low > high; else 0
    """
    if min is None and max is None:
        raise ValueError("clamp needs min, max or both")
    y = x if min is None else np.maximum(x, min)
    return y if max is None else np.minimum(y, max)


@clamp.backward
def _(g, need, x, low, high):
    inside = x >= low if high is None else x <= high if low is None else (x >= low) & (x <= high)
    to_low = need[1] and _where(x < low if high is None else (x < low) & (low < high), g, 0.0)
    to_high = need[2] and _where(x > high if low is None else (x > high) | (low > high), g, 0.0)
    return need[0] and _where(inside, g, 0.0), to_low, to_high


# --- comparisons and logic: booleans, without gradients ---


@op
def eq(input: Tensor, other: Operand) -> Tensor:
    """input == other"""
    return np.equal(input, other)


@op
def ne(input: Tensor, other: Operand) -> Tensor:
    """input != other"""
    return np.not_equal(input, other)


@op
def lt(input: Tensor, other: Operand) -> Tensor:
    """input < other"""
    return np.less(input, other)


@op
def le(input: Tensor, other: Operand) -> Tensor:
    """input <= other"""
    return np.less_equal(input, other)


@op
def gt(input: Tensor, other: Operand) -> Tensor:
    """input > other"""
    return np.greater(input, other)


@op
def ge(input: Tensor, other: Operand) -> Tensor:
    """input >= other"""
    return np.greater_equal(input, other)


@op
def logical_and(input: Tensor, other: Operand) -> Tensor:
    """input and other, element by element"""
    return np.logical_and(input, other)


@op
def logical_or(input: Tensor, other: Operand) -> Tensor:
    """input or other, element by element"""
    return np.logical_or(input, other)


@op
def logical_not(input: Tensor) -> Tensor:
    """not input, element by element"""
    return np.logical_not(input)


@op
def isfinite(input: Tensor) -> Tensor:
    """Is the element neither NaN nor infinite?"""
    return np.isfinite(input)


@op
def isnan(input: Tensor) -> Tensor:
    """Is the element not a number?"""
    return np.isnan(input)


@op
def floor(input: Tensor) -> Tensor:
    """The largest integer not above.    dL/dx = 0"""
    return np.floor(input)


@floor.backward
def _(g, need):
    return zero(g)


@op
def round(input: Tensor, decimals: int = 0) -> Tensor:
    """The nearest integer, or number of `decimals` digits, ties to even.    dL/dx = 0"""
    return np.round(input, decimals)


@round.backward
def _(g, need):
    return zero(g)


def _divided(ufunc, x, y):
    """ufunc(x, y), a division: of integers by 0 it is an error, as they have no infinity and no
    NaN; booleans count as integers."""
    whole = not any(
        a.dtype.kind == "f" if hasattr(a, "dtype") else isinstance(a, float) for a in (x, y)
    )
    # (CUDA is not asked)
    if whole and (
        bool((y == 0).any()) if isinstance(y, np.ndarray) else isinstance(y, int) and y == 0
    ):
        raise ZeroDivisionError("other has a 0, by which integers cannot be divided")
    numbers = whole and all(a.dtype.kind == "b" for a in (x, y) if hasattr(a, "dtype"))
    return ufunc(x, y, dtype=np.int64 if numbers else None)


@op(saves=("input for other", "other for other"))
def remainder(input: Tensor, other: Operand) -> Tensor:
    """input - floor(input / other) other: the rest with the sign of other.
    dL/dinput = g, dL/dother = -g floor(input / other)"""
    return _divided(np.remainder, input, other)


@remainder.backward
def _(g, need, x, y):
    return g, need[1] and -g * floor(x / y)


@op(saves=("input for other", "other for other"))
def fmod(input: Tensor, other: Operand) -> Tensor:
    """input - trunc(input / other) other: the rest with the sign of input.
    dL/dinput = g, dL/dother = -g trunc(input / other)"""
    return _divided(np.fmod, input, other)


@fmod.backward
def _(g, need, x, y):
    return g, need[1] and -g * (sign(x / y) * floor(abs(x / y)))


@op
def floor_divide(input: Tensor, other: Operand) -> Tensor:
    """floor(input / other).    dL/dinput = dL/dother = 0"""
    return _divided(np.floor_divide, input, other)


@floor_divide.backward
def _(g, need):
    return zero(g), need[1] and zero(g)
