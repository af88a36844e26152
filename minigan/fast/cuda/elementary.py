"""Kernels of ops/elementary.py for CUDA."""

from ...ops.elementary import erf
from ..cpu.elementary import _erf
from . import elementwise

erf.kernel("cuda")(elementwise(_erf))
