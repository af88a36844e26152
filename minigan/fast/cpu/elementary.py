"""Kernels of ops/elementary.py for NumPy: compiled loops."""

import math
from ...backend import kernel
from ...ops.each import each
from ...ops.elementary import erf


@kernel
def _erf(x, y):
    for i in range(x.size):
        y[i] = math.erf(x[i])


@erf.kernel("cpu")
def _(x):
    return each(_erf, x)
