"""CUDA kernels and what launches them. Importing this loads neither CuPy nor a compiler: both come with the first launch."""

from .cublas import matmul, precision
from .elementwise import elementwise, summed
from .recorder import constant, recording
from .source import SOURCES, Source, has_kernels

__all__ = ["SOURCES", "Source", "constant", "elementwise", "has_kernels", "matmul", "precision", "recording", "summed"]
