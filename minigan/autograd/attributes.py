"""What torch's Tensor tells of itself, makes of itself and is made from, besides the mathematics:
the engine needs none of it."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any, Self, TypeVar, overload

import numpy as np

from ..arrays import address, device, is_array, seam, to_device, to_numpy
from ..arrays.defaults import default
from ..engine.grad_mode import mode
from ..engine.tensor import FLOATS, Size, Tensor, lay_out, tensor_of
from ..messages.names import public
from . import hooks, printing
from .layouts import strided
from .storage import Storage

# In the class these names are methods.
_bool = bool
_float = float
_int = int

M = TypeVar("M")

as_device = device


class TruthError(RuntimeError, ValueError):
    """A Tensor of none or several elements was asked whether it is true: RuntimeError in torch,
    ValueError in NumPy."""


def _absent(self: Any) -> _bool:
    """False: minigan has no such Tensors."""
    return False


_OF_A_CLASS = {"__module__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__hash__"}


def attach(methods: type[M]) -> type[M]:
    """Class decorator: what stands in this class becomes methods of Tensor. (A checker sees them as
    Tensor's base class.)"""
    for name, value in vars(methods).items():
        if name not in _OF_A_CLASS:
            setattr(Tensor, name, value)
    return methods


@attach
class TensorAttributes:
    """Methods of Tensor. `self` is one."""

    def __init__(self: Any, *data: Any, requires_grad: _bool = False, device: Any = None) -> None:
        like: Any = data[0] if len(data) == 1 else None
        if isinstance(like, Tensor):
            tensor_of(lay_out(like).array, requires_grad, None, like._version, self)
            return
        # to torch a 0-d array of an integer is a size
        sized = is_array(like) and not like.ndim and like.dtype.kind in "iu"
        if is_array(like) and not sized:
            array = like if like.dtype is default.dtype else like.astype(default.dtype, copy=False)
        else:
            array = from_python((int(like),) if sized else data)
        tensor_of(
            array if device is None else to_device(array, as_device(device)),
            requires_grad,
            None,
            None,
            self,
        )

    # --- what it is ---

    is_xpu = is_mps = is_sparse = is_quantized = is_meta = is_mkldnn = is_nested = (
        False  # torch's other kinds, which are not here
    )
    layout = strided  # no Tensor is sparse
    is_complex = is_pinned = is_shared = _absent

    @property
    def is_cuda(self: Any) -> _bool:
        """Does the array live on a CUDA device?"""
        return self.device.type == "cuda"

    @property
    def is_cpu(self: Any) -> _bool:
        """Does the array live in ordinary memory?"""
        return self.device.type == "cpu"

    @property
    def real(self) -> Self:
        """Itself: there are no complex numbers."""
        return self

    @property
    def nbytes(self: Any) -> _int:
        """Bytes of all elements."""
        return self.array.nbytes

    @property
    def itemsize(self: Any) -> _int:
        """Bytes per element."""
        return self.array.itemsize

    def element_size(self: Any) -> _int:
        """Bytes per element."""
        return self.array.itemsize

    @overload
    def size(self, dim: None = None) -> Size: ...
    @overload
    def size(self, dim: _int) -> _int: ...
    def size(self: Any, dim: Any = None) -> Any:
        """`shape`, or the length of dimension `dim`."""
        return self.shape if dim is None else self.array.shape[dim]

    def dim(self: Any) -> _int:
        """The number of dimensions."""
        return self.array.ndim

    ndimension = dim

    def numel(self: Any) -> _int:
        """The number of elements."""
        return self.array.size

    nelement = numel

    def is_floating_point(self: Any) -> _bool:
        """Are the elements floating-point numbers (the only ones that can have gradients)?"""
        return self.array.dtype in FLOATS

    def is_signed(self: Any) -> _bool:
        """Can the elements be negative?"""
        return self.array.dtype.kind in "fi"

    def get_device(self: Any) -> _int:
        """The number of the CUDA device; -1 on the CPU."""
        return -1 if self.device.index is None else self.device.index

    # --- its memory ---

    def is_contiguous(self: Any, memory_format: Any = None) -> _bool:
        """Do the elements lie in C order without gaps?"""
        return self.array.flags.c_contiguous or not hasattr(self, "_base")

    @overload
    def stride(self, dim: None = None) -> tuple[_int, ...]: ...
    @overload
    def stride(self, dim: _int) -> _int: ...
    def stride(self: Any, dim: Any = None) -> Any:
        """The distance in memory between neighbours along each dimension (or `dim`), counted in
        elements."""
        strides = tuple(n // self.array.itemsize for n in lay_out(self).array.strides)
        return strides if dim is None else strides[dim]

    def data_ptr(self: Any) -> _int:
        """The address of the first element."""
        return address(lay_out(self).array)

    def storage(self: Any) -> Storage:
        """The memory that this Tensor shares with its views, as a row of elements."""
        return Storage(self.array)

    def storage_offset(self: Any) -> _int:
        """How many elements of the memory come before this Tensor's first."""
        return Storage(self.array).offset(self.array)

    def untyped_storage(self: Any) -> Storage:
        """The memory that this Tensor shares with its views, as a row of bytes."""
        return Storage(self.array).untyped()

    def share_memory_(self) -> Self:
        """Itself: data loaders use threads, which share all memory."""
        return self

    def pin_memory(self, device: Any = None) -> Self:
        """Itself: minigan copies from ordinary memory."""
        return self

    @property
    def data(self: Any) -> Tensor:
        """As `detach()`. `x.data = y`: x takes over y's memory; what was saved of the old one stays
        what it was."""
        return self.detach()

    @data.setter
    def data(self: Any, value: Any) -> None:
        array = lay_out(value).array if isinstance(value, Tensor) else value
        if array is not self.array:
            self.array, self._base = array, None
            self._version = value._version if isinstance(value, Tensor) else [0]

    def detach_(self) -> Self:
        """Make this very Tensor a constant leaf."""
        x: Any = self
        x._node, x._wanted = None, False
        if isinstance(getattr(x, "_base", None), Tensor):
            x._base = False
        return self

    # --- as Python's numbers ---

    def item(self: Any) -> Any:
        """The value of a one-element Tensor as a Python number."""
        if self.array.size != 1:
            raise ValueError(
                f"item() needs exactly one element, this Tensor has shape {tuple(self.shape)}"
            )
        return seam.execute(_item, self.array)

    def numpy(self: Any) -> np.ndarray:
        """The values as a NumPy array (shared memory on the CPU, a copy from CUDA)."""
        if mode.grad_enabled and self.requires_grad:
            raise RuntimeError("numpy() of a Tensor that requires grad: use .detach().numpy()")
        return seam.execute(to_numpy, lay_out(self).array)

    def __len__(self: Any) -> _int:
        if not self.array.ndim:
            raise TypeError("len() of a Tensor without dimensions")
        return len(self.array)

    def __iter__(self: Any) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __bool__(self: Any) -> _bool:
        if self.array.size != 1:
            raise TruthError(
                "the truth value of a Tensor is ambiguous unless it has exactly one element, "
                f"this one has {self.array.size} (shape "
                f"{tuple(self.shape)}): ask for x.any() or x.all(), or compare with `is None`"
            )
        return _bool(self.item())

    def __float__(self: Any) -> _float:
        return _float(self.item())

    def __int__(self: Any) -> _int:
        return _int(self.item())

    def __index__(self: Any) -> _int:
        if self.array.dtype in FLOATS:
            raise TypeError("only integer Tensors can be used as an index")
        return _int(self.item())

    def tolist(self: Any) -> Any:
        """Nested Python lists of the values."""
        return seam.execute(_tolist, self.array)

    # --- places and types ---

    def cpu(self: Any) -> Tensor:
        """On the CPU; itself when it is there already."""
        return self.to("cpu")

    def cuda(self: Any, device: Any = 0, non_blocking: _bool = False) -> Tensor:
        """On a CUDA device (a number, or a device); DeviceError where there is none."""
        return self.to(
            f"cuda:{device}" if isinstance(device, int) else "cuda" if device is None else device
        )

    def float(self: Any, memory_format: Any = None) -> Tensor:
        """As float32."""
        return self.to(np.float32)

    def double(self: Any, memory_format: Any = None) -> Tensor:
        """As float64."""
        return self.to(np.float64)

    def half(self: Any, memory_format: Any = None) -> Tensor:
        """As float16."""
        return self.to(np.float16)

    def long(self: Any, memory_format: Any = None) -> Tensor:
        """As int64."""
        return self.to(np.int64)

    def int(self: Any, memory_format: Any = None) -> Tensor:
        """As int32."""
        return self.to(np.int32)

    def short(self: Any, memory_format: Any = None) -> Tensor:
        """As int16."""
        return self.to(np.int16)

    def char(self: Any, memory_format: Any = None) -> Tensor:
        """As int8."""
        return self.to(np.int8)

    def byte(self: Any, memory_format: Any = None) -> Tensor:
        """As uint8."""
        return self.to(np.uint8)

    def bool(self: Any, memory_format: Any = None) -> Tensor:
        """As booleans: is the element non-zero?"""
        return self.to(np.bool_)

    def type_as(self: Any, other: Tensor) -> Tensor:
        """In the dtype and on the device of `other`."""
        return self.to(other)

    # --- gradients as they pass ---

    register_hook = hooks.register_hook
    register_post_accumulate_grad_hook = hooks.register_post_accumulate_grad_hook
    retain_grad = hooks.retain_grad

    @property
    def retains_grad(self: Any) -> _bool:
        """Was `retain_grad()` called?"""
        return "_retained" in self.__dict__

    # --- looks, and copies ---

    def __array__(self: Any, dtype: Any = None, copy: _bool | None = None) -> np.ndarray:
        if self.requires_grad or not isinstance(self.array, np.ndarray):
            raise TypeError(
                "a Tensor that requires grad or lives on CUDA does not turn into a NumPy array by "
                "itself: use .detach().cpu().numpy()"
            )
        return np.array(seam.execute(to_numpy, lay_out(self).array), dtype=dtype, copy=copy)

    def __repr__(self: Any) -> str:
        notes = [] if isinstance(self.array, np.ndarray) else [f"device='{self.device}'"]
        if self.dtype not in (default.dtype, np.int64, np.bool_):
            notes.append(f"dtype={self.dtype.name}")
        if self._node:
            notes.append(f"grad_fn=<{self._node.op.__name__}>")
        elif self.requires_grad:
            notes.append("requires_grad=True")
        return printing.text(to_numpy(self.array), "tensor(", notes)

    def __format__(self: Any, spec: str) -> str:
        number = not self.array.ndim or (spec and self.array.size == 1)
        return format(self.item(), spec) if number else str(self)

    def __deepcopy__(self: Any, memo: dict[_int, Any]) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                f"deepcopy of the result of {public(self._node.op.__name__)}, which is on the "
                "tape: copy leaves only, as torch does; "
                "use .detach().clone(), or copy a module before its forward pass"
            )
        if id(self) not in memo:
            memo[id(self)] = new = tensor_of(
                self.array.copy(order="K"), self.requires_grad, into=_new(type(self))
            )
            new.grad = None if self.grad is None else tensor_of(self.grad.array.copy(order="K"))
            new.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return memo[id(self)]


_new = Tensor.__new__


def from_python(arguments: Sequence[Any], dtype: Any = None) -> np.ndarray:
    """The array of torch's Tensor(2, 3): memory of these sizes; Tensor(): no elements; Tensor([[1,
    2]]): these numbers."""
    data, dtype = arguments[0] if arguments else [], dtype or default.dtype
    if (
        isinstance(data, Size)
        or type(data) is int
        or (isinstance(data, np.integer) and len(arguments) > 1)
    ):
        return np.empty(data if isinstance(data, Size) else arguments, dtype)
    if len(arguments) > 1:
        raise TypeError(
            f"Tensor(): expected sizes (integers) or one sequence of numbers, got {arguments!r}"
        )
    if isinstance(data, (list, tuple)) and any(isinstance(x, Tensor) for x in data):
        data = [x.tolist() if isinstance(x, Tensor) else x for x in data]
    return np.array(data, dtype)


def _tolist(array: Any) -> Any:
    return array.tolist()


def _item(array: Any) -> Any:
    return array.item()
