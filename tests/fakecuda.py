"""A device that is not there: arrays that behave towards minigan as CuPy's do, with NumPy storage.

They refuse to meet NumPy arrays and to turn into them implicitly, and count how often a value is fetched to the host. Code
that runs on them takes the path of CUDA arrays (an op's `forward` instead of its `cpu` kernel), so this is also the way to
hold the kernels against the formulas. The module itself stands for `cupy`: it has NumPy's functions, for these arrays.
"""

import contextlib
import math
import sys
import types
from unittest import mock

import numpy as np

syncs = 0  # how many values were fetched to the host


class DeviceArray:
    """An array on the device `cuda:<place>`."""

    __array_priority__ = 100

    def __init__(self, storage, base=None, place=0):
        self.storage, self.base, self.place = storage, base, place

    device = property(lambda self: types.SimpleNamespace(id=self.place))
    data = property(lambda self: types.SimpleNamespace(ptr=self.storage.__array_interface__["data"][0]))
    __cuda_array_interface__ = property(lambda self: {"shape": self.shape, "version": 3})
    shape = property(lambda self: self.storage.shape)
    dtype = property(lambda self: self.storage.dtype)
    ndim = property(lambda self: self.storage.ndim)
    size = property(lambda self: self.storage.size)
    itemsize = property(lambda self: self.storage.itemsize)
    flags = property(lambda self: self.storage.flags)
    strides = property(lambda self: self.storage.strides)
    T = property(lambda self: wrap(self.storage.T, self))
    __hash__ = None

    def __len__(self):
        return len(self.storage)

    def __getattr__(self, name):
        if name.startswith("__") or name in ("ctypes", "tobytes"):
            raise AttributeError(name)
        method = getattr(self.storage, name)
        return lambda *args, **kwargs: wrap(method(*unwrap(args), **unwrap(kwargs)), self)

    def __getitem__(self, index):
        return wrap(self.storage[unwrap(index, indices=True)], self)

    def __setitem__(self, index, value):
        self.storage[unwrap(index, indices=True)] = unwrap(value)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        out = kwargs.get("out")
        result = getattr(ufunc, method)(*unwrap(inputs), **unwrap(kwargs))
        return (out[0] if isinstance(out, tuple) else out) if out is not None else wrap(result, self)

    def __array_function__(self, function, types, args, kwargs):
        return wrap(function(*unwrap(args), **unwrap(kwargs)), self)

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def get(self):
        global syncs
        syncs += 1
        return self.storage.copy()

    def item(self, *index):
        global syncs
        syncs += 1
        return self.storage.item(*index)

    def tolist(self):
        return self.get().tolist()

    def __bool__(self):
        return bool(self.item())

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __repr__(self):
        return f"DeviceArray({self.storage!r})"


def _operator(name):
    def operator(self, other):
        if getattr(other, "__array_priority__", 0) > self.__array_priority__:
            return NotImplemented
        result = getattr(self.storage, name)(unwrap(other))
        if name.startswith("__i") and name not in ("__invert__",):
            return self
        return wrap(result, self)

    return operator


_binary = "add sub mul truediv floordiv mod pow matmul and or xor".split()
for _name in [*_binary, *[f"r{n}" for n in _binary], *[f"i{n}" for n in _binary], "eq", "ne", "lt", "le", "gt", "ge"]:
    setattr(DeviceArray, f"__{_name}__", _operator(f"__{_name}__"))
for _name in ("neg", "invert", "abs", "pos"):
    setattr(DeviceArray, f"__{_name}__", lambda self, f=f"__{_name}__": wrap(getattr(self.storage, f)(), self))


def wrap(x, source=None):
    """NumPy's result as a device array; CuPy's results are arrays also without dimensions."""
    if isinstance(x, (tuple, list)):
        return type(x)(*[wrap(y, source) for y in x]) if hasattr(x, "_fields") else type(x)(wrap(y, source) for y in x)
    if isinstance(x, np.generic):
        x = np.asarray(x)
    if not isinstance(x, np.ndarray):
        return x
    place = 0 if source is None else source.place
    if source is not None and x is source.storage:
        return source
    if source is not None and x.base is not None and np.may_share_memory(x, source.storage):
        return DeviceArray(x, source if source.base is None else source.base, place)
    return DeviceArray(x, None, place)


def unwrap(x, indices=False):
    """The storage of what CuPy would take; TypeError for the rest."""
    if isinstance(x, DeviceArray):
        return x.storage
    if isinstance(x, (tuple, list)):
        return type(x)(unwrap(y, indices) for y in x)
    if isinstance(x, dict):
        return {k: unwrap(v) for k, v in x.items()}
    if isinstance(x, np.ndarray) and not indices:
        raise TypeError(f"Unsupported type {type(x)}")
    return x


def asarray(x, dtype=None, place=0):
    """The host array `x` on the device."""
    return x if isinstance(x, DeviceArray) else DeviceArray(np.array(x, dtype), None, place)


array = asarray


class _Function:
    """A ufunc of the library, with `at`."""

    def __init__(self, ufunc):
        self.ufunc = ufunc

    def __call__(self, *args, **kwargs):
        return wrap(self.ufunc(*unwrap(args), **unwrap(kwargs)))

    def at(self, x, index, value):
        self.ufunc.at(x.storage, unwrap(index, indices=True), unwrap(value))


@contextlib.contextmanager
def installed():
    """Inside, `cupyx` is there too, as far as minigan uses it."""
    special = types.ModuleType("cupyx.scipy.special")
    special.erf = lambda x: wrap(np.vectorize(math.erf, otypes=[x.dtype])(x.storage), x)
    with mock.patch.dict(sys.modules, {"cupyx": special, "cupyx.scipy": special, "cupyx.scipy.special": special}):
        yield


def __getattr__(name):
    found = getattr(np, name)
    if isinstance(found, type) or not callable(found):
        return found
    if isinstance(found, np.ufunc):
        return _Function(found)
    return lambda *args, **kwargs: wrap(found(*unwrap(args), **unwrap(kwargs)))
