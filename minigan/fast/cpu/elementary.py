"""Kernels of ops/elementary.py for NumPy: compiled loops."""

import math

from ...ops.elementary import erf
from .kernels import kernel
from .map_elements import map_elements


@kernel
def _erf(x, y):
    for i in range(x.size):
        y[i] = math.erf(x[i])


@erf.kernel("cpu")
def _(x):
    return map_elements(_erf, x)
