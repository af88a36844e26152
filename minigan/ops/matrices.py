"""Functions of matrices that are a line or two of `linear_algebra`: norms, powers, ranks,
conditions.
"""

import math
from typing import Any

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, raw
from ..autograd._types import DType
from .axes import axes_of
from .contraction import chain_matmul
from .decompositions import eigvalsh, svdvals
from .elementary import abs
from .extremes import amax, amin
from .linear_algebra import inv, pinv, tolerances
from .placement import to
from .product import matmul
from .reduction import norm, sum
from .shape import movedim, reshape

__all__ = ["matrix_power"]  # torch's; the others are in minigan.linalg


def vector_norm(
    x: Tensor | None,
    ord: Any = 2,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    dtype: DType = None,
) -> Tensor:
    """The `ord`-norm (sum |x|^ord)^(1/ord) of vectors: over all elements (dim=None), or over
    dimensions together.
    """
    x = x if dtype is None else to(x, dtype)
    return norm(x, float(ord), dim, keepdim)


def matrix_norm(
    A: Tensor,
    ord: Any = "fro",
    dim: tuple[int, int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DType = None,
) -> Tensor:
    """Norms of matrices in two dimensions: "fro" (root of the sum of squares), "nuc" (sum of
    singular values), 2 and -2 (largest and smallest singular value), inf and -inf, 1 and -1
    (largest and smallest sum of the absolute values of a row, of a column)."""
    A = A if dtype is None else to(A, dtype)
    if len(tuple(dim)) != 2 or A.ndim < 2:
        raise ValueError(
            f"matrix_norm: dim={dim} must name two dimensions of the input, whose shape is "
            f"{tuple(A.shape)}"
        )
    rows, columns = axes_of(tuple(dim), A.ndim)
    if ord == "fro":
        return norm(A, 2, (rows, columns), keepdim)
    if ord in ("nuc", 2, -2):
        values = svdvals(movedim(A, (rows, columns), (-2, -1)))
        y = sum(values, -1) if ord == "nuc" else (amax if ord == 2 else amin)(values, -1)
        return (
            reshape(y, tuple(1 if i in (rows, columns) else n for i, n in enumerate(A.shape)))
            if keepdim
            else y
        )
    if ord not in (1, -1, math.inf, -math.inf):
        raise ValueError(
            f"matrix_norm: ord={ord!r}; expected 'fro', 'nuc', 2, -2, 1, -1, inf or -inf"
        )
    added, other = (rows, columns) if ord in (1, -1) else (columns, rows)
    y = (amax if ord > 0 else amin)(sum(abs(A), added, True), other, True)
    return (
        y
        if keepdim
        else reshape(y, tuple(n for i, n in enumerate(A.shape) if i not in (rows, columns)))
    )


def matrix_power(A: Tensor, n: int) -> Tensor:
    """The n-th power of square matrices; negative: of the inverse."""
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise ValueError(
            f"matrix_power: expected square matrices (..., n, n), got shape {tuple(A.shape)}"
        )
    if n < 0:
        A, n = inv(A), -n
    if n == 0:
        return A * 0 + array_module(raw(A)).eye(A.shape[-1], dtype=raw(A).dtype)
    result = None
    while n:
        if n % 2:
            result = A if result is None else matmul(result, A)
        n //= 2
        A = matmul(A, A) if n else A
    return result


def matrix_rank(
    A: Tensor,
    tol: Tensor | float | None = None,
    hermitian: bool = False,
    *,
    atol: Tensor | float | None = None,
    rtol: Tensor | float | None = None,
) -> Tensor:
    """How many singular values are larger than max(atol, rtol times the largest); int64. Default
    rtol: max(m, n) eps, or 0 with atol.

    tol : atol, with rtol 0;  all are numbers, or Tensors of A's leading dimensions
    """
    values = abs(eigvalsh(A)) if hermitian else svdvals(A)
    atol, rtol = tolerances(A, *((atol, rtol) if tol is None else (tol, 0.0)))
    if not values.shape[-1]:
        return sum(values, -1).to(np.int64)
    return sum((values > amax(values, -1, True) * rtol) & (values > atol), -1)


def cond(A: Tensor, p: float | str | None = None) -> Tensor:
    """The condition numbers of matrices: |A| |A^-1| in the norm p; None: the largest by the
    smallest singular value.
    """
    if p in (None, 2, -2):
        values = svdvals(A)
        large, small = amax(values, -1), amin(values, -1)
        return small / large if p == -2 else large / small
    return matrix_norm(A, p) * matrix_norm(inv(A), p)


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None) -> Tensor:
    """X that minimises |A X - B|; of several the smallest: pinv(A) @ B."""
    return matmul(pinv(A, rcond), B)


def multi_dot(tensors: Any) -> Tensor:
    """The product of several matrices, in a list; the first and the last may be vectors."""
    return chain_matmul(*tensors)


def vecdot(x: Tensor | None, y: Tensor, *, dim: int = -1) -> Tensor:
    """The inner products of vectors along `dim`."""
    return sum(x * y, dim)
