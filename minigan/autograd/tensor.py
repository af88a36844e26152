"""Tensor: an array, whether it wants a gradient, and the tape node that made it.

Its mathematics (`+`, `.exp()`, `.sum(dim)` ...) are the ops of `minigan.ops`, which puts them on this class as methods.
"""

import numpy as np

from ..backend import array_module, device_of, to_device, to_numpy
from .mode import mode

FLOATS = {np.dtype(n) for n in ("float16", "float32", "float64")}


class Tensor:
    """An n-dimensional array that ops record on the tape.

    array : the numpy.ndarray or cupy.ndarray that holds the values (not copied)
    requires_grad : is a gradient wanted with respect to it?
    grad : the gradient that `backward` accumulated (a Tensor), or None; only leaves receive one
    """

    __slots__ = ("array", "requires_grad", "grad", "_node", "_version", "__weakref__", "__dict__")
    __array_priority__ = 1000  # numpy_array * tensor calls the Tensor's operator

    def __init__(self, array, requires_grad=False, node=None, version=None):
        self.array = array
        self.requires_grad = requires_grad
        self.grad = None
        self._node = node  # the tape entry that computed it; None for a leaf
        # One counter per memory, shared by views: a one-element list, so that whoever writes can tell all who saved.
        self._version = [0] if version is None else version

    # --- what it is ---

    shape = property(lambda self: Size(self.array.shape), doc="The size of each dimension.")
    dtype = property(lambda self: self.array.dtype, doc="The NumPy dtype of the elements.")
    ndim = property(lambda self: self.array.ndim, doc="The number of dimensions.")
    device = property(lambda self: device_of(self.array), doc="Where the array lives: cpu or cuda:N.")
    is_leaf = property(lambda self: self._node is None, doc="Was it made by a user (or detached), not by a recorded op?")
    is_cuda = property(lambda self: self.device.type == "cuda")
    grad_fn = property(lambda self: self._node, doc="The tape node that made it, or None.")

    @property
    def data(self):
        """The same memory as a Tensor outside the tape; writing through it is not noticed by backward, as in torch."""
        return Tensor(self.array)

    @data.setter
    def data(self, value):
        self.array = value.array if isinstance(value, Tensor) else value
        self._version[0] += 1  # whoever saved the old values must not take the new ones for them

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

    def is_contiguous(self):
        """Do the elements lie in C order without gaps?"""
        return self.array.flags.c_contiguous

    # --- out of the tape ---

    def detach(self):
        """The same values and memory, as a constant: no gradient flows back through it."""
        return Tensor(self.array, False, None, self._version)

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
        return self.array.item()

    def tolist(self):
        """Nested Python lists of the values."""
        return self.array.tolist()

    def numpy(self):
        """The values as a NumPy array (shared memory on the CPU, a copy from CUDA)."""
        if self.requires_grad:
            raise RuntimeError("numpy() of a Tensor that requires grad: use .detach().numpy()")
        return to_numpy(self.array)

    def __array__(self, dtype=None, copy=None):
        if self.requires_grad or not isinstance(self.array, np.ndarray):
            raise TypeError(
                "a Tensor that requires grad or lives on CUDA does not turn into a NumPy array by itself: use .detach().cpu().numpy()"
            )
        return np.array(self.array, dtype=dtype, copy=copy)

    # --- in place, outside the tape ---

    def _write(self, name, source=None):
        """Announce a write: backward must not use values saved before it."""
        if mode.recording and isinstance(source, Tensor) and source.requires_grad:
            raise RuntimeError(f"{name} would lose the gradient of its source, writes are not recorded: use .detach(), cat, stack or where")
        if mode.recording and self.requires_grad:
            what = "a leaf that requires grad" if self._node is None else "a recorded result"
            raise RuntimeError(
                f"{name} would change {what} in place while recording: wrap it in `with no_grad():`, or use the form without _"
            )
        self._version[0] += 1
        return self.array

    def copy_(self, source):
        """Overwrite with the values of `source` (broadcast; an array, a Tensor or a number)."""
        self._write("copy_", source)[...] = raw(source)
        return self

    def fill_(self, value):
        """Overwrite every element with `value`."""
        self._write("fill_", value)[...] = raw(value)
        return self

    def zero_(self):
        """Overwrite every element with 0."""
        return self.fill_(0)

    def add_(self, other, alpha=1):
        """self += alpha * other, in place."""
        array = self._write("add_", other)
        array += raw(other) if alpha == 1 else alpha * raw(other)
        return self

    def sub_(self, other, alpha=1):
        """self -= alpha * other, in place."""
        array = self._write("sub_", other)
        array -= raw(other) if alpha == 1 else alpha * raw(other)
        return self

    def mul_(self, other):
        """self *= other, in place."""
        array = self._write("mul_", other)
        array *= raw(other)
        return self

    def div_(self, other):
        """self /= other, in place."""
        array = self._write("div_", other)
        array /= raw(other)
        return self

    def clamp_(self, min=None, max=None):
        """Limit every element to [min, max], in place."""
        array = self._write("clamp_")
        array_module(array).clip(array, min, max, out=array)
        return self

    def __setitem__(self, index, value):
        index = tuple(raw(i) for i in index) if isinstance(index, tuple) else raw(index)
        self._write("item assignment", value)[index] = raw(value)

    # --- places and types ---

    def cpu(self):
        """On the CPU; itself when it is there already."""
        return self.to("cpu")

    def cuda(self, index=0):
        """On a CUDA device; DeviceError where there is none."""
        return self.to(f"cuda:{index}")

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

        backward(self, gradient, retain_graph, create_graph, inputs)

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


def raw(x):
    """The array of a Tensor; anything else as it is."""
    return x.array if isinstance(x, Tensor) else x


def move(array, place=None, dtype=None, copy=False):
    """`array` on `place` with `dtype`; the same array where nothing changes and `copy` is not asked for."""
    out = array if place is None else to_device(array, place)
    if dtype is not None and out.dtype != dtype:
        out = out.astype(dtype)
    return out.copy() if copy and out is array else out
