"""Signatures of the ops in pooling.py."""

from collections.abc import Sequence
from typing import Any, Literal, overload

from ..autograd import Tensor
from ..autograd._types import Ints

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d", "adaptive_max_pool2d", "avg_pool1d", "avg_pool2d",
    "max_pool1d", "max_pool2d",
]  # fmt: skip

_Sizes = int | Sequence[int | None] | None

def numbers(name: str, what: str, value: Any, dims: int, least: int) -> tuple[int, ...]: ...
def check_dims(name: str, input: Tensor, dims: int) -> None: ...
def adaptive_means(input: Tensor, sizes: tuple[int, ...]) -> Tensor: ...
def plane_gather(x: Tensor, index: Any) -> Tensor: ...
def plane_scatter(g: Tensor, index: Any, shape: tuple[int, ...]) -> Tensor: ...
def avg_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
    count_include_pad: bool = True
) -> Tensor: ...
def avg_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: float | None = None
) -> Tensor: ...
def adaptive_avg_pool1d(input: Tensor, output_size: _Sizes) -> Tensor: ...
def adaptive_avg_pool2d(input: Tensor, output_size: _Sizes) -> Tensor: ...
@overload
def max_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False,
    return_indices: Literal[False] = False
) -> Tensor: ...
@overload
def max_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False,
    *, return_indices: Literal[True]
) -> tuple[Tensor, Tensor]: ...
@overload
def max_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False,
    *, return_indices: bool
) -> Tensor | tuple[Tensor, Tensor]: ...
@overload
def max_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False,
    return_indices: Literal[False] = False
) -> Tensor: ...
@overload
def max_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False,
    *, return_indices: Literal[True]
) -> tuple[Tensor, Tensor]: ...
@overload
def max_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False,
    *, return_indices: bool
) -> Tensor | tuple[Tensor, Tensor]: ...
@overload
def adaptive_max_pool1d(input: Tensor, output_size: _Sizes, return_indices: Literal[False] = False) -> Tensor: ...
@overload
def adaptive_max_pool1d(input: Tensor, output_size: _Sizes, return_indices: Literal[True]) -> tuple[Tensor, Tensor]: ...
@overload
def adaptive_max_pool1d(input: Tensor, output_size: _Sizes, return_indices: bool) -> Tensor | tuple[Tensor, Tensor]: ...
@overload
def adaptive_max_pool2d(input: Tensor, output_size: _Sizes, return_indices: Literal[False] = False) -> Tensor: ...
@overload
def adaptive_max_pool2d(input: Tensor, output_size: _Sizes, return_indices: Literal[True]) -> tuple[Tensor, Tensor]: ...
@overload
def adaptive_max_pool2d(input: Tensor, output_size: _Sizes, return_indices: bool) -> Tensor | tuple[Tensor, Tensor]: ...
