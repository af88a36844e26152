"""Names of torch that are a line or two of other ops. Their derivatives, of any order, are those of
the ops they are made of."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, op, raw, tensor_of, zero
from ..autograd._types import Dims, Operand
from ..engine.primitives import expand
from .arithmetic import _where as where
from .arithmetic import clamp, eq, floor, isfinite, mul, neg, sub
from .elementary import abs, cos, exp, expm1, log, log1p, sin
from .indexing import _setitem
from .joining import cat, stack
from .placement import to
from .product import combined, matmul, outer
from .reduction import norm, std, sum, var_mean
from .shape import clone, diagonal, flip, reshape, transpose, unsqueeze
from .softmax import logsumexp

__all__ = [
    "absolute", "addcdiv", "addcmul", "baddbmm", "bincount", "broadcast_tensors", "cdist", "ceil",
    "clamp_max", "clamp_min", "clip", "cosh", "diag", "dist", "exp2", "fliplr", "flipud", "frac",
    "ger", "histc", "hstack", "is_floating_point", "is_tensor", "isclose", "isinf", "lerp", "log10",
    "log2", "logaddexp", "logical_xor", "logit", "meshgrid", "multiply", "mv", "nan_to_num",
    "negative", "numel", "rot90", "sinh", "std_mean", "subtract", "tan", "trace", "trunc", "unique",
    "vstack",
]  # fmt: skip

absolute = abs
clip = clamp
multiply = mul
negative = neg
subtract = sub
ger = outer

# --- elementwise ---


def log2(input: Tensor) -> Tensor:
    """The logarithm to base 2."""
    return log(input) * (1 / math.log(2))


def log10(input: Tensor) -> Tensor:
    """The logarithm to base 10."""
    return log(input) * (1 / math.log(10))


def exp2(input: Tensor) -> Tensor:
    """2^x"""
    return exp(input * math.log(2))


def floats(x):
    """x, as float32 if it holds integers or booleans: their difference and negative wrap around."""
    return x if raw(x).dtype.kind == "f" else to(x, np.float32)


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """log(x / (1 - x)), the inverse of sigmoid; eps: x is first limited to [eps, 1 - eps]."""
    input = floats(input)
    input = input if eps is None else clamp(input, eps, 1 - eps)
    return log(input) - log1p(-input)


def logaddexp(input: Tensor, other: Operand) -> Tensor:
    """log(e^x + e^y), stable."""
    return logsumexp(stack(broadcast_tensors(input, other)), 0)


def tan(input: Tensor) -> Tensor:
    """sin x / cos x"""
    return sin(input) / cos(input)


def sinh(input: Tensor) -> Tensor:
    """(e^x - e^-x) / 2, accurate near 0"""
    input = floats(input)
    return (expm1(input) - expm1(-input)) * 0.5


def cosh(input: Tensor) -> Tensor:
    """(e^x + e^-x) / 2"""
    input = floats(input)
    return (exp(input) + exp(-input)) * 0.5


def ceil(input: Tensor) -> Tensor:
    """The smallest integer not below.
    Its derivative is 0, as those of trunc, round and floor."""
    return -floor(-input)


@op
def trunc(input: Tensor) -> Tensor:
    """The integer part, towards 0.    dL/dx = 0"""
    return np.trunc(input)


@trunc.backward
def _(g, need):
    return zero(g)


def frac(input: Tensor) -> Tensor:
    """What trunc leaves over."""
    return input - trunc(input)


def clamp_min(input: Tensor, min: Operand) -> Tensor:
    """Limited to at least `min`."""
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Operand) -> Tensor:
    """Limited to at most `max`."""
    return clamp(input, max=max)


def lerp(input: Tensor, end: Operand, weight: Operand) -> Tensor:
    """x + weight (end - x); weight a number or a Tensor."""
    return input + (end - input) * weight


def addcmul(input: Tensor, tensor1: Operand, tensor2: Operand, value: float = 1) -> Tensor:
    """x + value tensor1 tensor2. Also as addcmul(x, value, tensor1, tensor2), torch's old order."""
    tensor1, tensor2, value = _old_order(tensor1, tensor2, value)
    return input + tensor1 * tensor2 * value


def addcdiv(input: Tensor, tensor1: Operand, tensor2: Operand, value: float = 1) -> Tensor:
    """x + value tensor1 / tensor2. Also as addcdiv(x, value, tensor1, tensor2), torch's old
    order."""
    tensor1, tensor2, value = _old_order(tensor1, tensor2, value)
    return input + tensor1 / tensor2 * value


def _old_order(a, b, c):
    return (b, c, a) if isinstance(a, (int, float)) else (a, b, c)


@op(saves=("input",))
def nan_to_num(
    input: Tensor,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """With numbers for NaN and infinities (None: the largest and smallest of the dtype).
    dL/dx = g, 0 for those"""
    return np.nan_to_num(input, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)


@nan_to_num.backward
def _(g, need, x):
    return where(isfinite(x), g, 0.0)


# --- booleans and bits ---


def logical_xor(input: Tensor, other: Operand) -> Tensor:
    """Is exactly one of the two not zero?"""
    return (input != 0) != (other != 0)


def isinf(input: Tensor) -> Tensor:
    """Is the element infinite?"""
    return eq(abs(input), math.inf)


@op
def isclose(
    input: Tensor,
    other: Operand,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """Is |x - y| <= atol + rtol |y|, element by element?"""
    return np.isclose(input, other, rtol, atol, equal_nan)


def is_tensor(obj: Any) -> bool:
    """Is it a Tensor?"""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Are the elements floating-point numbers?"""
    return input.is_floating_point()


def numel(input: Tensor) -> int:
    """The number of elements."""
    return math.prod(input.shape)


# --- shapes ---


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The matrix with a vector on its diagonal; of a matrix its diagonal."""
    if input.ndim == 2:
        return clone(_diagonal(input, diagonal))
    n = input.shape[0] + math.fabs(diagonal).__int__()
    rows = array_module(raw(input)).arange(input.shape[0]) + max(0, -diagonal)
    return _setitem(input, (rows, rows + diagonal), (n, n))


_diagonal = diagonal


def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal."""
    return sum(_diagonal(input))


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along dimension 1 (vectors: 0)."""
    tensors = [reshape(x, (1,)) if x.ndim == 0 else x for x in tensors]
    return cat(tensors, 0 if tensors[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along dimension 0, vectors as rows."""
    return cat([reshape(x, (1, -1)) if x.ndim < 2 else x for x in tensors], 0)


def fliplr(input: Tensor) -> Tensor:
    """Reversed along dimension 1."""
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """Reversed along dimension 0."""
    return flip(input, 0)


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turned by k quarters in the plane of two dimensions, from the first to the second."""
    a, b = dims
    if k % 4 == 2:
        return flip(input, a, b)
    if k % 4 == 1:
        return flip(transpose(input, a, b), a)
    return clone(input) if k % 4 == 0 else flip(transpose(input, a, b), b)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All in their common shape: views."""
    common = np.broadcast_shapes(*[x.shape for x in tensors])
    return tuple(expand(x, common) for x in tensors)


def meshgrid(*tensors: Tensor | Sequence[Tensor], indexing: str = "ij") -> tuple[Tensor, ...]:
    """Of vectors (or one list of them) the grids of their coordinates; "xy" exchanges the first two
    dimensions."""
    tensors = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    if indexing not in ("ij", "xy"):
        raise ValueError(f"meshgrid: indexing={indexing!r}; expected 'ij' or 'xy'")
    n = len(tensors)
    order = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    grid = [
        reshape(x, tuple(-1 if d == order[i] else 1 for d in range(n)))
        for i, x in enumerate(tensors)
    ]
    return broadcast_tensors(*grid)


# --- sums and products ---


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """A matrix times a vector."""
    return matmul(input, vec)


def baddbmm(
    input: Tensor,
    batch1: Tensor,
    batch2: Tensor,
    *,
    beta: float = 1,
    alpha: float = 1,
) -> Tensor:
    """beta input + alpha batch1 @ batch2. beta 0: input does not count."""
    return combined(input, matmul(batch1, batch2), beta, alpha)


def dist(input: Tensor, other: Operand, p: float = 2) -> Tensor:
    """The p-norm of the difference."""
    return norm(input - other, p)


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = None) -> Tensor:
    """The p-norms of all differences between rows of x1 (..., P, M) and x2 (..., R, M): (..., P,
    R); compute_mode is without effect."""
    return norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), p, -1)


def std_mean(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims = None,
    keepdims: bool = False,
) -> tuple[Tensor, Tensor]:
    """(standard deviation, mean) over `dim`."""
    named = dict(correction=correction, axis=axis, keepdims=keepdims)
    return std(input, dim, unbiased, keepdim, **named), var_mean(
        input, dim, unbiased, keepdim, **named
    )[1]


# --- counting, without gradients ---


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, ... occurs in a vector of integers; with weights, the sum of
    theirs."""
    array, weights = raw(input), raw(weights)
    counts = array_module(array).bincount(array, weights, minlength)
    return tensor_of(
        counts.astype(weights.dtype)
        if weights is not None and weights.dtype.kind == "f"
        else counts
    )


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements fall into each of `bins` equal parts of [min, max] (both 0: of the range of
    the elements)."""
    array = raw(input)
    if not array.size:
        return tensor_of(array_module(array).zeros(bins, array.dtype))
    limits = (float(array.min()), float(array.max())) if min == max == 0 else (min, max)
    return tensor_of(array_module(array).histogram(array, bins, limits)[0].astype(array.dtype))


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements in ascending order; also, where each element is among them, and how
    often each occurs.

    dim : the different slices along this dimension instead
    """
    array = raw(input)
    found = array_module(array).unique(
        array, return_inverse=return_inverse, return_counts=return_counts, axis=dim
    )
    if not (return_inverse or return_counts):
        return tensor_of(found)
    parts = [tensor_of(p) for p in found]
    if return_inverse:
        parts[1] = parts[1].reshape(input.shape if dim is None else (-1,))
    return tuple(parts)
