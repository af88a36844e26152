"""Kernels of ops/dropout.py for CUDA."""

from ...ops.dropout import _scales_of
from . import elementwise


@_scales_of.kernel("cuda")
@elementwise
def _(draws, p, scale):
    return scale if draws >= p else 0.0
