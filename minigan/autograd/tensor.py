"""Tensor: an array, whether it wants a gradient, and the tape node that made it.

Its mathematics (`+`, `.exp()`, `.sum(dim)` ...) are the ops of `minigan.ops`, which puts them on this class as methods.
"""

import copy

import numpy as np

from ..backend import address, device_of, is_array, to_device, to_numpy
from ..backend.program import refuse

ndarray = np.ndarray
FLOATS = {np.dtype(n) for n in ("float16", "float32", "float64")}

# Once a write has been recorded there may be views whose tape entries say what they were before it: here is then a function
# that brings a sequence of Tensors up to date (minigan.ops.inplace). Until then this costs nothing.
stale: list = []


class Tensor:
    """An n-dimensional array that ops record on the tape.

    array : the numpy.ndarray or cupy.ndarray that holds the values (not copied, its dtype stays); as in torch also nested
        lists of numbers (float32), or sizes: Tensor(2, 3) is uninitialised memory
    requires_grad : is a gradient wanted with respect to it?
    grad : the gradient that `backward` accumulated (a Tensor), or None; only leaves receive one
    """

    __slots__ = ("array", "requires_grad", "grad", "_node", "_version", "_base", "__weakref__", "__dict__")
    __array_priority__ = 1000  # numpy_array * tensor calls the Tensor's operator

    def __init__(self, array=(), requires_grad=False, node=None, version=None, *more):
        if array.__class__ is not ndarray and not is_array(array):
            if isinstance(array, Tensor):
                array, version = array.array, array._version
            else:  # not a Tensor's array: the arguments are those of torch.Tensor
                more = [n for n in (array, requires_grad, node, version, *more) if n is not None and n is not True and n is not False]
                array, requires_grad, node, version = from_python(more), requires_grad is True, None, None
        self.array = array
        self.requires_grad = requires_grad
        self.grad = None
        self._node = node  # the tape entry that computed it; None for a leaf
        # One counter per memory, shared by views: a one-element list, so that whoever writes can tell all who saved.
        self._version = [0] if version is None else version
        # `_base`, which only ops that make views set: the Tensor that it is a view of.

    # --- what it is ---

    shape = property(lambda self: Size(self.array.shape), doc="The size of each dimension.")
    dtype = property(lambda self: self.array.dtype, doc="The NumPy dtype of the elements.")
    ndim = property(lambda self: self.array.ndim, doc="The number of dimensions.")
    device = property(lambda self: device_of(self.array), doc="Where the array lives: cpu or cuda:N.")
    is_leaf = property(lambda self: self._node is None, doc="Was it made by a user (or detached), not by a recorded op?")
    is_cuda = property(lambda self: self.device.type == "cuda", doc="Does the array live on a CUDA device?")
    itemsize = property(lambda self: self.array.itemsize, doc="Bytes per element.")
    grad_fn = property(lambda self: self._node, doc="The tape node that made it, or None.")

    @property
    def data(self):
        """The same memory, outside the tape, as `detach()`. Writing into it is not recorded, and noticed by backward only where
        the old values were saved. `x.data = y`: x takes over y's memory; what was saved of the old one stays what it was."""
        return Tensor(self.array, False, None, self._version)

    @data.setter
    def data(self, value):
        array = value.array if isinstance(value, Tensor) else value
        if array is not self.array:
            self.array, self._base = array, None
            self._version = value._version if isinstance(value, Tensor) else [0]

    def size(self, dim=None):
        """`shape`, or the length of dimension `dim`."""
        return self.shape if dim is None else self.array.shape[dim]

    def dim(self):
        """The number of dimensions."""
        return self.array.ndim

    def numel(self):
        """The number of elements."""
        return self.array.size

    nelement = numel

    def is_floating_point(self):
        """Are the elements floating-point numbers (the only ones that can have gradients)?"""
        return self.array.dtype in FLOATS

    def is_contiguous(self, memory_format=None):
        """Do the elements lie in C order without gaps?"""
        return self.array.flags.c_contiguous

    def stride(self, dim=None):
        """The distance in memory between neighbours along each dimension (or `dim`), counted in elements."""
        strides = tuple(n // self.array.itemsize for n in self.array.strides)
        return strides if dim is None else strides[dim]

    def element_size(self):
        """Bytes per element."""
        return self.array.itemsize

    def data_ptr(self):
        """The address of the first element."""
        return address(self.array)

    def get_device(self):
        """The number of the CUDA device; -1 on the CPU."""
        return -1 if self.device.index is None else self.device.index

    # --- out of the tape ---

    def detach(self):
        """The same values and memory, as a constant: no gradient flows back through it."""
        return self.data

    def detach_(self):
        """Make this very Tensor a constant leaf."""
        self._node, self.requires_grad = None, False
        return self

    def requires_grad_(self, requires_grad=True):
        """Set `requires_grad` of a leaf, in place."""
        if requires_grad and not self.is_floating_point():
            raise TypeError(f"requires_grad_: only floating-point tensors can have gradients, this one is {self.dtype}")
        if self._node is not None and not requires_grad:
            raise RuntimeError("requires_grad_(False) on the result of an op: use .detach()")
        self.requires_grad = bool(requires_grad)
        return self

    def item(self):
        """The value of a one-element Tensor as a Python number."""
        if self.array.size != 1:
            raise ValueError(f"item() needs exactly one element, this Tensor has shape {tuple(self.shape)}")
        refuse("it reads a Tensor's values (item, tolist, numpy)")
        return self.array.item()

    def tolist(self):
        """Nested Python lists of the values."""
        refuse("it reads a Tensor's values (item, tolist, numpy)")
        return self.array.tolist()

    def numpy(self):
        """The values as a NumPy array (shared memory on the CPU, a copy from CUDA)."""
        if self.requires_grad:
            raise RuntimeError("numpy() of a Tensor that requires grad: use .detach().numpy()")
        refuse("it reads a Tensor's values (item, tolist, numpy)")
        return to_numpy(self.array)

    def __array__(self, dtype=None, copy=None):
        if self.requires_grad or not isinstance(self.array, np.ndarray):
            raise TypeError(
                "a Tensor that requires grad or lives on CUDA does not turn into a NumPy array by itself: use .detach().cpu().numpy()"
            )
        refuse("it reads a Tensor's values (item, tolist, numpy)")
        return np.array(self.array, dtype=dtype, copy=copy)

    def __deepcopy__(self, memo):
        if self._node is not None:
            raise RuntimeError(
                f"deepcopy of the result of {self._node.op.__name__}, which is on the tape: copy leaves only, as torch does; "
                "use .detach().clone(), or copy a module before its forward pass"
            )
        if id(self) not in memo:
            memo[id(self)] = new = type(self)(self.array.copy(order="K"), self.requires_grad)
            new.grad = None if self.grad is None else Tensor(self.grad.array.copy(order="K"))
            new.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return memo[id(self)]

    # --- places and types ---

    def cpu(self):
        """On the CPU; itself when it is there already."""
        return self.to("cpu")

    def cuda(self, device=0, non_blocking=False):
        """On a CUDA device (a number, or a device); DeviceError where there is none."""
        return self.to(f"cuda:{device}" if isinstance(device, int) else "cuda" if device is None else device)

    def pin_memory(self, device=None):
        """Itself: minigan copies from ordinary memory."""
        return self

    def float(self):
        """As float32."""
        return self.to(np.float32)

    def double(self):
        """As float64."""
        return self.to(np.float64)

    def half(self):
        """As float16."""
        return self.to(np.float16)

    def long(self):
        """As int64."""
        return self.to(np.int64)

    def int(self):
        """As int32."""
        return self.to(np.int32)

    def short(self):
        """As int16."""
        return self.to(np.int16)

    def char(self):
        """As int8."""
        return self.to(np.int8)

    def byte(self):
        """As uint8."""
        return self.to(np.uint8)

    def bool(self):
        """As booleans: is the element non-zero?"""
        return self.to(np.bool_)

    def type_as(self, other):
        """In the dtype and on the device of `other`."""
        return self.to(other)

    # --- gradients ---

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        """Accumulate d(self)/d(leaf) into `.grad` of the leaves (all, or those in `inputs`) that require gradients.

        `gradient`: dL/d(self), of this shape; may be omitted only for one element (then 1).
        """
        from .engine import backward

        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    # --- looks ---

    def __repr__(self):
        body = np.array2string(to_numpy(self.array), separator=", ", precision=4, prefix="tensor(", threshold=1000, edgeitems=3)
        extra = "" if self.dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.dtype.name}"
        extra += "" if isinstance(self.array, np.ndarray) else f", device='{self.device}'"
        extra += f", grad_fn=<{self._node.op.__name__}>" if self._node else ", requires_grad=True" if self.requires_grad else ""
        return f"tensor({body}{extra})"

    def __format__(self, spec):
        return format(self.item(), spec) if spec and self.array.size == 1 else str(self)

    def __len__(self):
        if not self.array.ndim:
            raise TypeError("len() of a Tensor without dimensions")
        return len(self.array)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __bool__(self):
        return bool(self.item())

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __index__(self):
        if self.is_floating_point():
            raise TypeError("only integer Tensors can be used as an index")
        return int(self.item())

    __hash__ = object.__hash__  # by identity: == compares elements


class Size(tuple):
    """A shape. A tuple with `numel()`, printed as torch prints it."""

    __slots__ = ()

    def numel(self):
        """The number of elements of an array of this shape."""
        n = 1
        for length in self:
            n *= length
        return n

    def __repr__(self):
        return f"Size({list(self)})"


def from_python(arguments, dtype=np.float32):
    """The array of torch's Tensor(2, 3): memory of these sizes; Tensor(): no elements; Tensor([[1, 2]]): these numbers."""
    data = arguments[0] if arguments else []
    if isinstance(data, Size) or type(data) is int or (isinstance(data, np.integer) and len(arguments) > 1):
        return np.empty(data if isinstance(data, Size) else arguments, dtype)
    if len(arguments) > 1:
        raise TypeError(f"Tensor(): expected sizes (integers) or one sequence of numbers, got {arguments!r}")
    if isinstance(data, (list, tuple)) and any(isinstance(x, Tensor) for x in data):
        data = [x.tolist() if isinstance(x, Tensor) else x for x in data]
    return np.array(data, getattr(data, "dtype", dtype) if isinstance(data, np.generic) else dtype)


def raw(x):
    """The array of a Tensor; anything else as it is."""
    return x.array if isinstance(x, Tensor) else x


def move(array, place=None, dtype=None, copy=False):
    """`array` on `place` with `dtype`; the same array where nothing changes and `copy` is not asked for."""
    out = array if place is None else to_device(array, place)
    if dtype is not None and out.dtype != dtype:
        out = out.astype(dtype)
    return out.copy() if copy and out is array else out
