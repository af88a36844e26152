"""What creation functions and layers use where nobody says a dtype or a device."""

import numpy as np

from .device import CPU, device

FLOATS = {np.dtype(n) for n in ("float16", "float32", "float64")}


class _Defaults:
    __slots__ = ("dtype", "device")
    dtype: np.dtype
    device: device


default = _Defaults()
default.dtype, default.device = np.dtype("float32"), CPU


def get_default_dtype():
    """The dtype of floating-point numbers that are made without one: float32, unless `set_default_dtype` said another."""
    return default.dtype


def set_default_dtype(d):
    """Make floating-point numbers of dtype `d` (float16, float32 or float64) where none is given: in zeros, randn, tensor(0.5),
    Tensor(...), new layers, and in results of integers (3 / 2)."""
    dtype = np.dtype(d)
    if dtype not in FLOATS:
        raise TypeError(f"set_default_dtype: only floating-point dtypes can be the default, got {dtype}")
    default.dtype = dtype


def get_default_device():
    """The device of tensors that are made without one: the CPU, unless `set_default_device` said another."""
    return default.device


def set_default_device(device):
    """Make tensors and layers on `device` where none is given; None: on the CPU."""
    from .device import device as as_device
    from .device import module_for

    place = CPU if device is None else as_device(device)
    module_for(place)  # DeviceError where it cannot be used
    default.device = place


class _Word:
    """What an argument takes and what has no effect, printed as torch prints it."""

    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"torch.{self._name}"


# `memory_format=` is accepted everywhere: minigan itself lays an array out as the kernels that follow want it.
channels_last, contiguous_format = _Word("channels_last"), _Word("contiguous_format")
channels_last_3d, preserve_format = _Word("channels_last_3d"), _Word("preserve_format")
strided = _Word("strided")
