"""What an array is here: which library holds it, which device, random numbers as a formula, and the
seam. No differentiation yet."""

from . import seam as seam
from .device import (
    CPU, DeviceError, address, array_module, cuda_problem, device, device_of, has_kernels, is_array,
    module_for, resolve_device, to_device, to_numpy,
)  # fmt: skip
from .random import Generator, default_generator, drawing_from, drawing_rows, manual_seed
from .sums import total

__all__ = [
    "CPU", "DeviceError", "Generator", "address", "array_module", "cuda_problem",
    "default_generator", "device", "device_of", "drawing_from", "drawing_rows", "has_kernels",
    "is_array", "manual_seed", "module_for", "resolve_device", "seam", "to_device", "to_numpy",
    "total",
]  # fmt: skip
