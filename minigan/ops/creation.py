"""Tensors from nothing, or from Python and NumPy data. float32 is the default dtype
(`set_default_dtype`)."""

import math
from typing import Any

import numpy as np

from ..arrays import array_module, is_array, module_for, to_device
from ..arrays import device as as_device
from ..arrays.defaults import default
from ..autograd import Tensor, raw, tensor_of
from ..autograd._types import DType, Ints, Operand, Place, Shape
from ..engine.tensor import fresh, keep_layout
from .shape import _numbers
from .strides import keep_strides

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_numpy", "full", "full_like",
    "linspace", "ones", "ones_like", "tensor",
    "zeros", "zeros_like",
]  # fmt: skip


def tensor(
    data: Any,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """A Tensor with a copy of `data` (a number, nested lists, an array, a Tensor).

    dtype : default: that of an array; the default dtype for Python floats, int64 for integers, bool
        for booleans
    """
    data = (
        [raw(x) for x in data]
        if isinstance(data, (list, tuple)) and any(isinstance(x, Tensor) for x in data)
        else raw(data)
    )
    array = data.copy() if is_array(data) else np.array(data)
    if dtype is None and not is_array(data) and array.dtype.kind == "f" and not _has_numpy(data):
        dtype = default.dtype
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"tensor: cannot make numbers of {type(data).__name__} (NumPy dtype {array.dtype})"
        )
    array = array.astype(dtype, copy=False) if dtype is not None else array
    if device is not None or not is_array(data):
        array = to_device(array, as_device(device or default.device))
    return tensor_of(array).requires_grad_(requires_grad) if requires_grad else tensor_of(array)


def _has_numpy(data):
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, (np.generic, np.ndarray))


def as_tensor(data: Any, dtype: DType = None, device: Place = None) -> Tensor:
    """As `tensor`, but sharing memory with an array or Tensor where nothing has to change."""
    if isinstance(data, Tensor):
        return data.to(dtype=dtype, device=device)
    if not is_array(data):
        return tensor(data, dtype, device)
    return _sharing(data).to(dtype=dtype, device=device)


def from_numpy(array: np.ndarray) -> Tensor:
    """A Tensor that shares the memory of a NumPy array."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a numpy.ndarray, got {type(array).__name__}")
    return _sharing(array)


def _sharing(array):
    if not keep_layout and not array.flags.c_contiguous:
        keep_layout.append(keep_strides)
    return tensor_of(array)


def _make(function, dtype, device, requires_grad):
    place = default.device if device is None else as_device(device)
    xp, dtype = module_for(place), default.dtype if dtype is None else dtype
    if place.type == "cpu":
        return tensor_of(function(xp, dtype), requires_grad)
    with xp.cuda.Device(place.index):
        return tensor_of(function(xp, dtype), requires_grad)


def zeros(
    *sizes: Ints,
    size: Shape = (),
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros of the given sizes: zeros(2, 3), zeros((2, 3)) or zeros(size=(2, 3))."""
    return _make(lambda xp, t: xp.zeros(_numbers(sizes or size), t), dtype, device, requires_grad)


def ones(
    *sizes: Ints,
    size: Shape = (),
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones of the given sizes."""
    return _make(lambda xp, t: xp.ones(_numbers(sizes or size), t), dtype, device, requires_grad)


def empty(
    *sizes: Ints,
    size: Shape = (),
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uninitialised memory of the given sizes."""
    return _make(lambda xp, t: xp.empty(_numbers(sizes or size), t), dtype, device, requires_grad)


def full(
    size: Shape,
    fill_value: Operand,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """`fill_value` everywhere; the dtype follows it (float32, int64, bool)."""
    if dtype is None:
        dtype = (
            bool
            if isinstance(fill_value, bool)
            else np.int64
            if isinstance(fill_value, int)
            else default.dtype
        )
    return _make(lambda xp, t: xp.full(size, raw(fill_value), t), dtype, device, requires_grad)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, ... below end (0 .. start-1 with one argument): int64 for integers, else
    float32."""
    start, end = (0, start) if end is None else (start, end)
    if dtype is None:
        dtype = (
            np.int64
            if all(isinstance(v, (int, np.integer)) for v in (start, end, step))
            else default.dtype
        )
    # as in torch the count is that of the floats, but for int64, and the step an integer
    if np.dtype(dtype).kind in "iu":
        if dtype == np.int64:
            start = int(start)
            end = int(end)
            step = int(step)
        n = max(math.ceil((end - start) / step), 0)
        return _make(
            lambda xp, t: (int(start) + int(step) * xp.arange(n)).astype(t),
            dtype,
            device,
            requires_grad,
        )
    return _make(lambda xp, t: xp.arange(start, end, step).astype(t), dtype, device, requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers from start to end, both included; of an integer dtype start and end are
    integers, and the numbers truncated."""
    if dtype is not None and np.dtype(dtype).kind in "iu":
        start, end = int(start), int(end)
    return _make(
        lambda xp, t: xp.linspace(start, end, steps).astype(t), dtype, device, requires_grad
    )


def eye(
    n: int,
    m: int | None = None,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """The n x m matrix with ones on its diagonal."""
    return _make(lambda xp, t: xp.eye(n, m, dtype=t), dtype, device, requires_grad)


def _like(input, name, dtype, device, requires_grad, *value):
    array = raw(input)
    out = getattr(array_module(array), name)(array, *value, dtype=dtype)
    out = out if device is None else to_device(out, as_device(device))
    return tensor_of(out, requires_grad) if hasattr(input, "_base") else fresh(out, requires_grad)


def zeros_like(
    input: Tensor,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Zeros in the shape and dtype, and on the device, of `input`."""
    return _like(input, "zeros_like", dtype, device, requires_grad)


def ones_like(
    input: Tensor,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Ones in the shape and dtype, and on the device, of `input`."""
    return _like(input, "ones_like", dtype, device, requires_grad)


def empty_like(
    input: Tensor,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Uninitialised memory in the shape and dtype, and on the device, of `input`."""
    return _like(input, "empty_like", dtype, device, requires_grad)


def full_like(
    input: Tensor,
    fill_value: Operand,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """`fill_value` in the shape and dtype, and on the device, of `input`."""
    return _like(input, "full_like", dtype, device, requires_grad, fill_value)
