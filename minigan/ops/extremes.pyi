"""Signatures of the ops in extremes.py."""

from typing import NamedTuple, overload

from ..autograd import Tensor
from ..autograd._types import Dims

__all__ = ["amax", "amin", "argmax", "argmin", "max", "min"]

class values_indices(NamedTuple):
    values: Tensor
    indices: Tensor

def amax(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor: ...
def amin(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor: ...
@overload
def max(
    input: Tensor, dim: None = None, keepdim: bool = False, *, other: Tensor | None = None, axis: None = None, keepdims: bool = False
) -> Tensor: ...
@overload
def max(
    input: Tensor, dim: int, keepdim: bool = False, *, other: None = None, axis: None = None, keepdims: bool = False
) -> values_indices: ...
@overload
def max(
    input: Tensor, dim: None = None, keepdim: bool = False, *, other: None = None, axis: int, keepdims: bool = False
) -> values_indices: ...
@overload
def max(
    input: Tensor, dim: Tensor, keepdim: bool = False, *, other: None = None, axis: None = None, keepdims: bool = False
) -> Tensor: ...
@overload
def min(
    input: Tensor, dim: None = None, keepdim: bool = False, *, other: Tensor | None = None, axis: None = None, keepdims: bool = False
) -> Tensor: ...
@overload
def min(
    input: Tensor, dim: int, keepdim: bool = False, *, other: None = None, axis: None = None, keepdims: bool = False
) -> values_indices: ...
@overload
def min(
    input: Tensor, dim: None = None, keepdim: bool = False, *, other: None = None, axis: int, keepdims: bool = False
) -> values_indices: ...
@overload
def min(
    input: Tensor, dim: Tensor, keepdim: bool = False, *, other: None = None, axis: None = None, keepdims: bool = False
) -> Tensor: ...
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None, keepdims: bool = False) -> Tensor: ...
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None, keepdims: bool = False) -> Tensor: ...
