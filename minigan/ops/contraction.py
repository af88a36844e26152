"""Products and sums over dimensions beyond `matmul`: tensordot, Kronecker, cross products,
covariances.
"""

import math
from collections import namedtuple
from typing import Any

import numpy as np

from ..autograd import Tensor, raw
from ..autograd._types import Dims, DType, Operand
from .arithmetic import _where as where
from .arithmetic import isnan
from .axes import axis_of
from .compose import floats
from .elementary import sqrt
from .extremes import amax, amin
from .placement import to
from .product import combined, matmul, outer
from .reduction import mean, sum
from .shape import permute, reshape, roll, unsqueeze

__all__ = [
    "addbmm", "addmv", "addr", "aminmax", "chain_matmul", "corrcoef", "cov", "cross", "inner",
    "kron", "nanmean", "nansum", "tensordot", "vdot",
]  # fmt: skip


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sums of products over dimensions of a and b together.

    dims : how many, the last of a and the first of b; or two lists: which of a, which of b
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, (int, np.integer)):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise ValueError(
                f"tensordot: dims={dims} for shapes {tuple(a.shape)} and {tuple(b.shape)}"
            )
        of_a, of_b = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        first, second = [d if isinstance(d, (list, tuple)) else [d] for d in dims]
        of_a, of_b = [axis_of(d, a.ndim) for d in first], [axis_of(d, b.ndim) for d in second]
    a, b = _summed(a, of_a, b, of_b), _summed(b, of_b, a, of_a)
    sizes = [a.shape[i] for i in of_a], [b.shape[i] for i in of_b]
    if sizes[0] != sizes[1]:
        raise ValueError(f"tensordot: dims={dims} have sizes {sizes[0]} in a, {sizes[1]} in b")
    free_a = [i for i in range(a.ndim) if i not in of_a]
    free_b = [i for i in range(b.ndim) if i not in of_b]
    n = math.prod(sizes[0])
    left = reshape(permute(a, (*free_a, *of_a)), (math.prod(a.shape[i] for i in free_a), n))
    right = reshape(permute(b, (*of_b, *free_b)), (n, math.prod(b.shape[i] for i in free_b)))
    return reshape(
        matmul(left, right), (*[a.shape[i] for i in free_a], *[b.shape[i] for i in free_b])
    )


def _summed(x, dims, other, others):
    """x summed over those of its dimensions whose partner has size 1."""
    over = tuple(i for i, j in zip(dims, others) if other.shape[j] == 1 != x.shape[i])
    return sum(x, over, True, dtype=x.dtype) if over else x


def inner(input: Tensor, other: Operand) -> Tensor:
    """Sums of products over the last dimensions of both; a number multiplies."""
    return (
        input * other if not input.ndim or not other.ndim else tensordot(input, other, ([-1], [-1]))
    )


def vdot(input: Tensor, other: Operand) -> Tensor:
    """The inner product of two vectors."""
    return matmul(input, other)


def kron(input: Tensor, other: Operand) -> Tensor:
    """Kronecker's product: every element of input times the whole of other, side by side."""
    n = max(input.ndim, other.ndim)
    a, b = [(1,) * (n - x.ndim) + tuple(x.shape) for x in (input, other)]
    left = reshape(input, tuple(v for s in a for v in (s, 1)))
    right = reshape(other, tuple(v for s in b for v in (1, s)))
    return reshape(left * right, tuple(s * t for s, t in zip(a, b)))


def cross(input: Tensor, other: Operand, dim: int | None = None) -> Tensor:
    """The vector products along `dim` of size 3 (None: the first such); the others broadcast."""
    if dim is None:
        dim = next((i for i, n in enumerate(input.shape) if n == 3), None)
    if dim is None or input.shape[dim] != 3 or other.shape[dim] != 3:
        raise ValueError(
            f"cross: dim={dim} must have size 3 in both, the shapes are {tuple(input.shape)} and "
            f"{tuple(other.shape)}"
        )
    shifted = lambda x, k: roll(x, k, axis_of(dim, x.ndim))
    return shifted(input, -1) * shifted(other, -2) - shifted(input, -2) * shifted(other, -1)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta input + alpha mat @ vec. beta 0: input does not count."""
    return combined(input, matmul(mat, vec), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta input + alpha times all products of vec1 and vec2. beta 0: input does not count."""
    return combined(input, outer(vec1, vec2), beta, alpha)


def addbmm(
    input: Tensor,
    batch1: Tensor,
    batch2: Tensor,
    *,
    beta: float = 1,
    alpha: float = 1,
) -> Tensor:
    """beta input + alpha times the sum of the matrix products of a batch. beta 0: input does not
    count."""
    products = matmul(batch1, batch2)
    return combined(input, sum(products, 0, dtype=products.dtype), beta, alpha)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of several matrices."""
    product = matrices[0]
    for m in matrices[1:]:
        product = matmul(product, m)
    return product


def cov(
    input: Tensor,
    *,
    correction: int = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """The covariances of variables (rows) over observations (columns); correction 1: divided by N -
    1.

    fweights : how often each observation counts (integers);  aweights : its weight
    """
    if input.ndim > 2:
        raise ValueError(
            f"cov: expected a matrix, variables by observations, got shape {tuple(input.shape)}"
        )
    input = floats(input)
    if aweights is not None and raw(aweights).dtype.kind == "f":
        input = to(input, np.result_type(raw(input).dtype, raw(aweights).dtype))
    x = reshape(input, (1, -1)) if input.ndim < 2 else input
    weight = aweights if fweights is None else fweights if aweights is None else fweights * aweights
    if weight is None:
        x = x - mean(x, 1, True)
        product, free = matmul(x, x.T), x.shape[1] - correction
        result = product * (1 / free if free > 0 else math.inf)
    else:
        total = sum(weight)  # sums of weights are taken in their own dtype
        free = total - correction * (1 if aweights is None else sum(weight * aweights) / total)
        weight, total, free = [to(w, input.dtype) for w in (weight, total, free)]
        x = x - unsqueeze(sum(x * weight, 1) / total, 1)
        result = matmul(x, (x * weight).T) / free
    return reshape(result, ()) if x.shape[0] == 1 else result


def corrcoef(input: Tensor) -> Tensor:
    """Pearson's correlations of variables (rows) over observations (columns)."""
    c = cov(input)
    if not c.ndim:
        return c / c
    spread = sqrt(c.diagonal())
    return c / unsqueeze(spread, 1) / unsqueeze(spread, 0)


def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, dtype: DType = None) -> Tensor:
    """The sum of the elements that are numbers."""
    return sum(
        where(isnan(input), 0.0, input) if raw(input).dtype.kind == "f" else input,
        dim,
        keepdim,
        dtype,
    )


def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False, dtype: DType = None) -> Tensor:
    """The mean of the elements that are numbers; NaN where there are none."""
    return nansum(input, dim, keepdim, dtype) / sum(
        to(input == input, dtype or input.dtype), dim, keepdim
    )


min_max = namedtuple("min_max", ["min", "max"])


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> min_max:
    """(min, max) over `dim` (None: all)."""
    return min_max(amin(input, dim, keepdim), amax(input, dim, keepdim))
