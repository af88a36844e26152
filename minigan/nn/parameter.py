"""Parameter: a Tensor that a Module owns and an optimiser changes."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import device, is_array, module_for
from ..arrays.defaults import default
from ..autograd import FLOATS, Tensor, tensor_of
from ..engine.tensor import lay_out

__all__ = ["Parameter"]


class Parameter(Tensor):
    """A leaf Tensor that a Module registers when it is assigned as an attribute.

    data : Tensor or array; its memory is shared
    requires_grad : default True
    name : "Linear.weight" and the like, set by the first Module that registers it; error messages
        of the engine say it
    """

    __slots__ = ()
    name: str | None = None

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        if isinstance(data, Tensor):
            tensor_of(lay_out(data).array, requires_grad, None, data._version, self)
        elif is_array(data):
            tensor_of(data, requires_grad, into=self)
        else:
            super().__init__(data, requires_grad=requires_grad)

    def __deepcopy__(self, memo):
        new = super().__deepcopy__(memo)
        new.grad = None  # as in torch: a copied module has no gradients yet
        return new

    def __repr__(self):
        return f"Parameter containing:\n{super().__repr__()}"


# told the bytes of each new parameter, before memory is asked for
watchers: list[Callable[[int], None]] = []


def new_parameter(shape, device=None, dtype=None) -> Parameter:
    """A Parameter of uninitialised numbers, of the default dtype on the default device, or as asked
    for."""
    dtype = np.dtype(default.dtype if dtype is None else dtype)
    if dtype not in FLOATS:
        raise TypeError(f"a parameter needs a floating-point dtype, got {dtype}")
    for watch in watchers:
        watch(math.prod(shape) * dtype.itemsize)
    return Parameter(module_for(as_device(device)).empty(shape, dtype))


def as_device(x):
    """A `device` from a device, a CUDA index, or a name; the default one for None."""
    return default.device if x is None else device("cuda", x) if isinstance(x, int) else device(x)
