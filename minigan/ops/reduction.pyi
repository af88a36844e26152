"""Signatures of the ops in reduction.py."""

from ..autograd import Tensor
from ..autograd._types import Dims, DType

__all__ = [
    "all", "allclose", "any", "count_nonzero", "cumsum", "equal", "log_softmax", "logsumexp", "mean", "norm", "prod", "softmax", "std",
    "sum", "var", "var_mean",
]  # fmt: skip

def sum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, dtype: DType = None, *, axis: Dims = None, keepdims: bool = False
) -> Tensor: ...
def mean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, dtype: DType = None, *, axis: Dims = None, keepdims: bool = False
) -> Tensor: ...
def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor: ...
def var_mean(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims = None,
    keepdims: bool = False,
) -> tuple[Tensor, Tensor]: ...
def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor: ...
def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, dtype: DType = None, *, axis: int | None = None, keepdims: bool = False
) -> Tensor: ...
def cumsum(input: Tensor, dim: int | None = None, dtype: DType = None, *, axis: int | None = None) -> Tensor: ...
def norm(
    input: Tensor,
    p: float | str | None = 2,
    dim: Dims = None,
    keepdim: bool = False,
    dtype: DType = None,
    *,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor: ...
def logsumexp(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor: ...
def softmax(input: Tensor, dim: int | None = None, dtype: DType = None, *, axis: int | None = None) -> Tensor: ...
def log_softmax(input: Tensor, dim: int | None = None, dtype: DType = None, *, axis: int | None = None) -> Tensor: ...
def all(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor: ...
def any(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor: ...
def count_nonzero(input: Tensor, dim: Dims = None, *, axis: Dims = None) -> Tensor: ...
def equal(input: Tensor, other: Tensor) -> bool: ...
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool: ...
