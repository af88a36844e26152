"""Signatures of the functions in inplace.py; its methods are in autograd/tensor.pyi."""

from collections.abc import Callable
from typing import Any

from ..autograd import Tensor

__all__ = ["activated", "assign", "methods"]

def activated(function: Callable[..., Tensor], input: Tensor, *options: Any) -> Tensor: ...
def assign(self: Tensor, name: str, index: Any, value: Any) -> Tensor: ...
def methods() -> dict[str, Callable[..., Any]]: ...
