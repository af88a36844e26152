"""Signatures of the ops in placement.py."""

from typing import Any

from ..autograd import Tensor
from ..autograd._types import DType, Place

__all__ = ["to"]

def to(
    input: Tensor,
    *args: Any,
    dtype: DType = None,
    device: Place = None,
    copy: bool = False,
    non_blocking: bool = False,
    memory_format: Any = None,
    other: Tensor | None = None,
) -> Tensor: ...
