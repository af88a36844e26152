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
