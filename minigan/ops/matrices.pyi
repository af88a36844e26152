"""Signatures of the ops in matrices.py."""

from typing import Any

from ..autograd import Tensor
from ..autograd._types import DType

__all__ = ["matrix_power"]

def vector_norm(
    x: Tensor | None,
    ord: Any = 2,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    dtype: DType = None,
) -> Tensor: ...
def matrix_norm(
    A: Tensor,
    ord: Any = "fro",
    dim: tuple[int, int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DType = None,
) -> Tensor: ...
def matrix_power(A: Tensor, n: int) -> Tensor: ...
def matrix_rank(A: Tensor, *, atol: float | None = None, rtol: float | None = None, hermitian: bool = False) -> Tensor: ...
def cond(A: Tensor, p: float | str | None = None) -> Tensor: ...
def lstsq(A: Tensor, B: Tensor, rcond: float | None = None) -> Tensor: ...
def multi_dot(tensors: Any) -> Tensor: ...
def vecdot(x: Tensor | None, y: Tensor, *, dim: int = -1) -> Tensor: ...
