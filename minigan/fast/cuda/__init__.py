"""CUDA kernels and what launches them. Importing this loads neither CuPy nor a compiler: both come
with the first launch."""

from ...machine.precision import precision
from .cublas import matmul
from .elementwise import elementwise, summed
from .recorder import constant, current_capture
from ...arrays.device import has_kernels
from .source import SOURCES, Source

__all__ = [
    "SOURCES",
    "Source",
    "constant",
    "elementwise",
    "has_kernels",
    "matmul",
    "precision",
    "current_capture",
    "summed",
]
