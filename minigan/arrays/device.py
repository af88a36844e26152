"""Which array library holds the numbers: NumPy (CPU) or CuPy (CUDA).

An array says by its type where it lives; nothing here keeps a current device. NumPy's ufuncs and
functions called on a CuPy array run CuPy's (through `__array_ufunc__` / `__array_function__`), so
most code needs `xp` only to create arrays.
"""

import sys

import numpy as np

from ..machine.cuda import cuda_problem


class DeviceError(RuntimeError):
    """The asked-for device cannot be used; the message says why and what to install or choose."""


class device:
    """`device("cpu")`, `device("cuda")`, `device("cuda:1")`, `device("cuda", 1)`: a name for a
    place, as in torch."""

    __slots__ = ("type", "index")

    def __init__(self, type="cpu", index=None):
        if isinstance(type, device):
            type, index = type.type, type.index
        kind, _, number = str(type).partition(":")
        if kind not in ("cpu", "cuda") or (number and not number.isdecimal()):
            raise ValueError(f"device {type!r}: expected 'cpu', 'cuda' or 'cuda:N'")
        if number:
            index = int(number)
        self.type = kind
        self.index = None if kind == "cpu" else (index or 0)

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self):
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __eq__(self, other):
        return isinstance(other, (device, str)) and str(self) == str(device(other))

    def __hash__(self):
        return hash(str(self))


CPU = device("cpu")


def resolve_device(name="auto"):
    """The `device` for "auto" (CUDA where usable, else the CPU), "cpu", "cuda" or "cuda:N";
    DeviceError if unusable."""
    if name == "auto":
        return device("cuda") if cuda_problem() is None else CPU
    place = device(name)
    if place.type == "cuda":
        if problem := cuda_problem():
            raise DeviceError(f"--device {name}: {problem}, or use --device cpu")
        import cupy

        count = cupy.cuda.runtime.getDeviceCount()
        if place.index >= count:
            raise DeviceError(
                f"--device {name}: this machine has {count} CUDA device(s), numbered from 0"
            )
        if place.index:
            cupy.cuda.Device(place.index).use()  # what CuPy allocates by itself, too
    return place


def on_gpu(x):
    """Is `x` an array of CuPy's (or one that behaves like it)?"""
    # of the class: of an array it would be computed
    return hasattr(x.__class__, "__cuda_array_interface__")


def array_place(x):
    """ "cpu" or "cuda": where kernels for an array are looked up; None for one that only behaves
    like CuPy's."""
    if isinstance(x, np.ndarray):
        return "cpu"
    return "cuda" if on_gpu(x) and getattr(array_module(x), "kernels", True) else None


def has_kernels(x):
    """Can CUDA kernels run on this array: is it CuPy's (or a stand-in that says so), of float32 or
    float64?"""
    return array_place(x) == "cuda" and x.dtype.char in "fd"


def is_array(x):
    """Is `x` an array of either library (or one that behaves like CuPy's)?"""
    return isinstance(x, np.ndarray) or on_gpu(x)


def array_module(x):
    """The module whose functions create arrays beside `x`: numpy, or cupy for a CuPy array."""
    if isinstance(x, (np.ndarray, np.generic)):
        return np
    return sys.modules[type(x).__module__.partition(".")[0]]


def device_of(x):
    """The `device` that an array lives on."""
    return CPU if isinstance(x, (np.ndarray, np.generic)) else device("cuda", int(x.device.id))


def module_for(place):
    """numpy or cupy for a `device`; DeviceError where CUDA cannot be used."""
    if place.type == "cpu":
        return np
    if problem := cuda_problem():
        raise DeviceError(problem)
    import cupy

    return cupy


def to_device(array, place):
    """`array` on `place`; itself when it is there already."""
    if device_of(array) == place:
        return array
    if place.type == "cpu":
        return array.get()
    cupy = module_for(place)
    with cupy.cuda.Device(place.index):
        return cupy.asarray(array)


def to_numpy(array):
    """A NumPy array with the values of an array of either library."""
    if isinstance(array, np.ndarray):
        return array
    return np.asarray(array.get() if hasattr(array, "get") else array)


def address(array):
    """Where the first element of an array lies in its device's memory."""
    return array.__array_interface__["data"][0] if isinstance(array, np.ndarray) else array.data.ptr
