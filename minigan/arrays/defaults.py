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


class _Word:
    """What an argument takes and what has no effect, printed as torch prints it."""

    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"torch.{self._name}"


# `memory_format=` is accepted everywhere: minigan itself lays an array out as the kernels that
# follow want it.
channels_last, contiguous_format = _Word("channels_last"), _Word("contiguous_format")
channels_last_3d, preserve_format = _Word("channels_last_3d"), _Word("preserve_format")
strided = _Word("strided")
