"""Signatures of the ops in running.py."""

from ..autograd import Tensor
from ..autograd._types import DType
from .extremes import values_indices

__all__ = ["cummax", "cummin", "cumprod", "cumulative_trapezoid", "diff", "trapezoid", "trapz"]

def cumprod(
    input: Tensor, dim: int | None = None, dtype: DType = None, *, axis: int | None = None
) -> Tensor: ...
def cummax(input: Tensor, dim: int) -> values_indices: ...
def cummin(input: Tensor, dim: int) -> values_indices: ...
def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor: ...
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float = 1, dim: int = -1) -> Tensor: ...
def trapz(y: Tensor, x: Tensor | None = None, *, dx: float = 1, dim: int = -1) -> Tensor: ...
def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: float = 1, dim: int = -1
) -> Tensor: ...
