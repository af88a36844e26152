"""Signatures of the classes in legacy.py."""

from typing import Any

import numpy as np

from ..autograd import Tensor
from ..backend import device as _device

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor", "ShortTensor",
]  # fmt: skip

class TensorType(type):
    dtype: np.dtype[Any]
    device: _device
    def __call__(cls, *arguments: Any, device: Any = None) -> Tensor: ...

BoolTensor: TensorType
ByteTensor: TensorType
CharTensor: TensorType
DoubleTensor: TensorType
FloatTensor: TensorType
HalfTensor: TensorType
IntTensor: TensorType
LongTensor: TensorType
ShortTensor: TensorType

def tensor_types(place: Any, prefix: str = "") -> list[TensorType]: ...
def type(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any: ...
