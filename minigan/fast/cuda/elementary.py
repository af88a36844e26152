"""Kernels of ops/elementary.py for CUDA."""

from ...backend.cuda import elementwise
from ...ops.elementary import erf
from ..cpu.elementary import _erf


erf.kernel("cuda")(elementwise(_erf))
