"""Tensor: an array, whether it wants a gradient, and the tape node that made it.

Its mathematics (`+`, `.exp()`, `.sum(dim)` ...) are the ops of `minigan.ops`, which puts them on this class as methods.
"""

import copy
import math

import numpy as np

from ..arrays import address, device, device_of, is_array, seam, to_device, to_numpy
from ..arrays.defaults import FLOATS, default, strided
from ..arrays.order import row_major
from .mode import mode
from .names import public

ndarray = np.ndarray

# Once a write has been recorded there may be views whose tape entries say what they were before it: here is then a function
# that brings a sequence of Tensors up to date (minigan.ops.inplace). Until then this costs nothing.
stale: list = []
printed = {"precision": 4, "threshold": 1000, "edgeitems": 3}  # how; minigan.set_printoptions

# Once dimensions have been exchanged there are layouts that results take over from arguments, as in torch: here is
# then the function that does it (minigan.autograd.strides). Until then this costs nothing.
permuted: list = []


class TruthError(RuntimeError, ValueError):
    """A Tensor of none or several elements was asked whether it is true: RuntimeError in torch, ValueError in NumPy."""


class Tensor:
    """An n-dimensional array that ops record on the tape.

    data : as in torch: an array or nested lists of numbers, which become float32 (`set_default_dtype`); a Tensor, whose memory is
        shared; or sizes: Tensor(2, 3) is uninitialised memory. `tensor`, `as_tensor` and `from_numpy` keep an array's dtype
    requires_grad : is a gradient wanted with respect to it?

    array : the numpy.ndarray or cupy.ndarray that holds the values
    grad : the gradient that `backward` accumulated (a Tensor), or None; only leaves receive one
    """

    __slots__ = ("array", "_wanted", "grad", "_node", "_version", "_base", "__weakref__", "__dict__")
    __array_priority__ = 1000  # numpy_array * tensor calls the Tensor's operator

    def __init__(self, *data, requires_grad=False, device=None):
        like = data[0] if len(data) == 1 else None
        if isinstance(like, Tensor):
            tensor_of(lay_out(like).array, requires_grad, None, like._version, self)
            return
        sized = is_array(like) and not like.ndim and like.dtype.kind in "iu"  # to torch a 0-d array of an integer is a size
        if is_array(like) and not sized:
            array = like if like.dtype is default.dtype else like.astype(default.dtype, copy=False)
        else:
            array = from_python((int(like),) if sized else data)
        tensor_of(array if device is None else to_device(array, as_device(device)), requires_grad, None, None, self)

    # --- what it is ---

    shape = property(lambda self: Size(self.array.shape), doc="The size of each dimension.")
    dtype = property(lambda self: self.array.dtype, doc="The NumPy dtype of the elements.")
    ndim = property(lambda self: self.array.ndim, doc="The number of dimensions.")
    device = property(lambda self: device_of(self.array), doc="Where the array lives: cpu or cuda:N.")
    is_leaf = property(lambda self: self.grad_fn is None, doc="Was it made by a user, not by a recorded op?")
    is_cuda = property(lambda self: self.device.type == "cuda", doc="Does the array live on a CUDA device?")
    is_cpu = property(lambda self: self.device.type == "cpu", doc="Does the array live in ordinary memory?")
    is_xpu = is_mps = is_sparse = is_quantized = is_meta = is_mkldnn = is_nested = False  # torch's other kinds, which are not here
    layout = strided  # no Tensor is sparse
    retains_grad = property(lambda self: "_retained" in self.__dict__, doc="Was `retain_grad()` called?")
    nbytes = property(lambda self: self.array.nbytes, doc="Bytes of all elements.")
    itemsize = property(lambda self: self.array.itemsize, doc="Bytes per element.")

    @property
    def grad_fn(self):
        """The tape node that made it, or None."""
        node = _current(self)._node
        return None if node is None or node.op.__name__ == "cut" else node

    @property
    def requires_grad(self):
        """Is a gradient wanted with respect to it, or what it is a view of? Leaves of floats can be told so."""
        base = getattr(self, "_base", None)
        if not _current(self)._wanted and isinstance(base, Tensor) and base._wanted:
            from .op import cut_off

            cut_off(self)
        return self._wanted

    @requires_grad.setter
    def requires_grad(self, value):
        self.requires_grad_(value)

    @property
    def data(self):
        """The same memory, outside the tape, as `detach()`. Writing into it is not recorded, and noticed by backward only where
        the old values were saved. `x.data = y`: x takes over y's memory; what was saved of the old one stays what it was."""
        return tensor_of(lay_out(self).array, False, None, self._version)

    real = property(lambda self: self, doc="Itself: there are no complex numbers.")

    @data.setter
    def data(self, value):
        array = lay_out(value).array if isinstance(value, Tensor) else value
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

    def is_complex(self):
        """False: there are no complex numbers."""
        return False

    def is_signed(self):
        """Can the elements be negative?"""
        return self.array.dtype.kind in "fi"

    def is_pinned(self):
        """False: minigan copies from ordinary memory."""
        return False

    def is_shared(self):
        """Is the memory shared with other processes? False."""
        return False

    def share_memory_(self):
        """Itself: data loaders use threads, which share all memory."""
        return self

    def ndimension(self):
        """The number of dimensions."""
        return self.array.ndim

    def is_contiguous(self, memory_format=None):
        """Do the elements lie in C order without gaps?"""
        return self.array.flags.c_contiguous or not hasattr(self, "_base")

    def stride(self, dim=None):
        """The distance in memory between neighbours along each dimension (or `dim`), counted in elements."""
        strides = tuple(n // self.array.itemsize for n in lay_out(self).array.strides)
        return strides if dim is None else strides[dim]

    def element_size(self):
        """Bytes per element."""
        return self.array.itemsize

    def data_ptr(self):
        """The address of the first element."""
        return address(lay_out(self).array)

    def get_device(self):
        """The number of the CUDA device; -1 on the CPU."""
        return -1 if self.device.index is None else self.device.index

    # --- out of the tape ---

    def detach(self):
        """The same values and memory, as a constant: no gradient flows back through it."""
        return self.data

    def detach_(self):
        """Make this very Tensor a constant leaf."""
        self._node, self._wanted = None, False
        if isinstance(getattr(self, "_base", None), Tensor):
            self._base = False
        return self

    def requires_grad_(self, requires_grad=True):
        """Set `requires_grad` of a leaf, in place."""
        if requires_grad and self.array.dtype not in FLOATS:
            raise RuntimeError(_no_gradient(self.array))
        if not self.is_leaf and not requires_grad:
            raise RuntimeError("requires_grad_(False) on the result of an op: use .detach()")
        self._wanted = bool(requires_grad)
        return self

    def item(self):
        """The value of a one-element Tensor as a Python number."""
        if self.array.size != 1:
            raise ValueError(f"item() needs exactly one element, this Tensor has shape {tuple(self.shape)}")
        return seam.execute(_item, self.array)

    def tolist(self):
        """Nested Python lists of the values."""
        return seam.execute(_tolist, self.array)

    def numpy(self):
        """The values as a NumPy array (shared memory on the CPU, a copy from CUDA)."""
        if mode.recording and self.requires_grad:
            raise RuntimeError("numpy() of a Tensor that requires grad: use .detach().numpy()")
        return seam.execute(to_numpy, lay_out(self).array)

    def __array__(self, dtype=None, copy=None):
        if self.requires_grad or not isinstance(self.array, np.ndarray):
            raise TypeError(
                "a Tensor that requires grad or lives on CUDA does not turn into a NumPy array by itself: use .detach().cpu().numpy()"
            )
        return np.array(seam.execute(to_numpy, lay_out(self).array), dtype=dtype, copy=copy)

    def __deepcopy__(self, memo):
        if not self.is_leaf:
            raise RuntimeError(
                f"deepcopy of the result of {public(self._node.op.__name__)}, which is on the tape: copy leaves only, as torch does; "
                "use .detach().clone(), or copy a module before its forward pass"
            )
        if id(self) not in memo:
            memo[id(self)] = new = tensor_of(self.array.copy(order="K"), self.requires_grad, into=_new(type(self)))
            new.grad = None if self.grad is None else tensor_of(self.grad.array.copy(order="K"))
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

    def float(self, memory_format=None):
        """As float32."""
        return self.to(np.float32)

    def double(self, memory_format=None):
        """As float64."""
        return self.to(np.float64)

    def half(self, memory_format=None):
        """As float16."""
        return self.to(np.float16)

    def long(self, memory_format=None):
        """As int64."""
        return self.to(np.int64)

    def int(self, memory_format=None):
        """As int32."""
        return self.to(np.int32)

    def short(self, memory_format=None):
        """As int16."""
        return self.to(np.int16)

    def char(self, memory_format=None):
        """As int8."""
        return self.to(np.int8)

    def byte(self, memory_format=None):
        """As uint8."""
        return self.to(np.uint8)

    def bool(self, memory_format=None):
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
        body = np.array2string(to_numpy(self.array), separator=", ", prefix="tensor(", **printed)
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
        if self.array.size != 1:
            raise TruthError(
                f"the truth value of a Tensor is ambiguous unless it has exactly one element, this one has {self.array.size} (shape "
                f"{tuple(self.shape)}): ask for x.any() or x.all(), or compare with `is None`"
            )
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


as_device, _new = device, Tensor.__new__


def tensor_of(array, requires_grad=False, node=None, version=None, into=None):
    """A Tensor that holds this very array, with its dtype: what minigan itself makes Tensors with.

    node : the tape entry that computed it; None for a leaf
    version : that of the memory, where another Tensor shares it: one counter per memory, a one-element list, so that whoever writes
              can tell all who saved
    into : an object whose fields are set, instead of a new Tensor
    """
    if requires_grad and array.dtype not in FLOATS:
        raise RuntimeError(_no_gradient(array))
    self = _new(Tensor) if into is None else into
    self.array = array
    self._wanted = requires_grad
    self.grad = None
    self._node = node
    self._version = [0] if version is None else version
    # What it is a view of: a Tensor, or False for one that is on the tape where the view is not. None: it is no
    # view, but others may know its memory. Not set: no one else does, it may lie in any order (see `lay_out`).
    self._base = None
    return self


class Size(tuple):
    """A shape. A tuple with `numel()`, printed as torch prints it."""

    __slots__ = ()

    def numel(self):
        """The number of elements of an array of this shape."""
        return math.prod(self)

    def __repr__(self):
        return f"Size({list(self)})"


def from_python(arguments, dtype=None):
    """The array of torch's Tensor(2, 3): memory of these sizes; Tensor(): no elements; Tensor([[1, 2]]): these numbers."""
    data, dtype = arguments[0] if arguments else [], dtype or default.dtype
    if isinstance(data, Size) or type(data) is int or (isinstance(data, np.integer) and len(arguments) > 1):
        return np.empty(data if isinstance(data, Size) else arguments, dtype)
    if len(arguments) > 1:
        raise TypeError(f"Tensor(): expected sizes (integers) or one sequence of numbers, got {arguments!r}")
    if isinstance(data, (list, tuple)) and any(isinstance(x, Tensor) for x in data):
        data = [x.tolist() if isinstance(x, Tensor) else x for x in data]
    return np.array(data, dtype)


def fresh(array, wanted=False, node=None, version=None):
    """The Tensor of an array that nobody else has seen: it may lie in any order (see `lay_out`)."""
    x = tensor_of(array, wanted, node, version)
    del x._base
    return x


def lay_out(x):
    """x, before someone else gets to know its memory: a result in another order is laid out row by row.

    Results of `linear` and of what follows lie feature by feature: nobody can tell while there is no view of them.
    """
    if not x.array.flags.c_contiguous and not hasattr(x, "_base"):
        x.array = seam.execute(_row_major, x.array)
    return x


def _row_major(array):
    return row_major(array) if array.__class__ is ndarray else array.copy(order="C")


def writable(view, source):
    """A view that NumPy makes read-only (broadcast_to, diagonal), as writable as its source."""
    if not getattr(view.flags, "writeable", True) and source.flags.writeable:
        view.flags.writeable = True
    return view


def _current(x):
    """x, brought up to date if it is a view of something that was written into on the tape."""
    if stale:
        stale[0]((x,))
    return x


def _no_gradient(array):
    what = "only tensors of floating-point numbers can require gradients"
    return f"{what}, this one is {array.dtype}; convert it with .float()"


def _item(array):
    return array.item()


def _tolist(array):
    return array.tolist()


def raw(x):
    """The array of a Tensor; anything else as it is."""
    return x.array if isinstance(x, Tensor) else x


def move(array, place=None, dtype=None, copy=False):
    """`array` on `place` with `dtype`; the same array where nothing changes and `copy` is not asked for."""
    out = array if place is None else to_device(array, place)
    if dtype is not None and out.dtype != dtype:
        out = out.astype(dtype)
    return out.copy() if copy and out is array else out
