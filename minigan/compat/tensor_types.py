"""torch's classes of tensors by dtype: FloatTensor(2, 3), FloatTensor(numbers),
x.type(FloatTensor), isinstance(x, FloatTensor)."""

from typing import Any

import numpy as np

from ..arrays import device, is_array, to_device
from ..autograd import Tensor, tensor_of
from ..autograd.attributes import from_python

NAMES = {
    "FloatTensor": "float32", "DoubleTensor": "float64", "HalfTensor": "float16",
    "LongTensor": "int64", "IntTensor": "int32",
    "ShortTensor": "int16", "CharTensor": "int8", "ByteTensor": "uint8", "BoolTensor": "bool",
}  # fmt: skip
__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor",
    "IntTensor", "LongTensor", "ShortTensor",
]  # fmt: skip


class TensorType(type):
    """A class that has no instances of its own: a call makes a Tensor of its dtype, on its
    device."""

    dtype: np.dtype
    device: device

    def __call__(cls, *arguments, device=None):
        data = arguments[0] if arguments else []
        data = data.array if isinstance(data, Tensor) else data
        array = (
            data.astype(cls.dtype, copy=False)
            if is_array(data)
            else from_python(arguments, cls.dtype)
        )
        return tensor_of(to_device(array, cls.device if device is None else as_device(device)))

    def __instancecheck__(cls, x):
        return isinstance(x, Tensor) and x.dtype == cls.dtype and x.device.type == cls.device.type

    def __repr__(cls):
        return f"<class 'minigan.{cls.__name__}'>"


as_device = device


def tensor_types(place: Any, prefix: str = "") -> list[TensorType]:
    """The classes of all dtypes on one device, in the order of NAMES."""
    fields = {
        "__doc__": "Tensors of one dtype: a call with sizes gives uninitialised memory, with "
        "numbers or an array these values."
    }
    return [
        TensorType(prefix + name, (), {**fields, "dtype": np.dtype(kind), "device": device(place)})
        for name, kind in NAMES.items()
    ]


(
    FloatTensor,
    DoubleTensor,
    HalfTensor,
    LongTensor,
    IntTensor,
    ShortTensor,
    CharTensor,
    ByteTensor,
    BoolTensor,
) = tensor_types("cpu")


def type(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """With another dtype: a dtype, its name, a class such as `FloatTensor` or its name
    "torch.FloatTensor"; without: that name."""
    if dtype is None:
        name = next(n for n, kind in NAMES.items() if kind == self.dtype.name)
        return f"torch.{'cuda.' if self.is_cuda else ''}{name}"
    if isinstance(dtype, str) and (name := dtype.rpartition(".")[2]) in NAMES:
        return self.to(device="cuda" if ".cuda." in dtype else None, dtype=NAMES[name])
    if isinstance(dtype, TensorType):
        return self.to(device=dtype.device, dtype=dtype.dtype)
    return self.to(dtype=np.float32 if dtype is Tensor else dtype)
