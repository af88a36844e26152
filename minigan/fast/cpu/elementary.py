"""Kernels of ops/elementary.py for NumPy: compiled loops."""

import math

import numpy as np

from ...ops.elementary import erf
from .kernels import kernel
from .map_elements import map_elements

# erf(x) = x P(x^2) / Q(x^2) up to |x| = LAST, from where on it is 1 in float32; fitted by least
# squares with weights that even out the error, which is 2e-9 of erf. The lowest powers first.
P = (
    1.12837917, 0.185203244, 0.0543169156, 0.00384961263, 0.000379608866, 4.68477682e-06,
    -1.3202228e-08,
)  # fmt: skip
Q = 1.0, 0.497465516, 0.113958427, 0.0154620921, 0.00130757009, 6.31105734e-05
LAST = 4.0


@kernel
def _erf(x, y):
    for i in range(x.size):
        y[i] = math.erf(x[i])


@kernel
def erf_of_single(x):
    """erf of a float32 number, in float64: without calls, so that several are computed at once."""
    v = np.float64(x)
    v = LAST if v > LAST else v
    v = -LAST if v < -LAST else v
    t = v * v
    p = P[0] + t * (P[1] + t * (P[2] + t * (P[3] + t * (P[4] + t * (P[5] + t * P[6])))))
    q = Q[0] + t * (Q[1] + t * (Q[2] + t * (Q[3] + t * (Q[4] + t * Q[5]))))
    return v * p / q


@kernel
def _erf_single(x, y):
    for i in range(x.size):
        y[i] = erf_of_single(x[i])


@erf.kernel("cpu")
def _(x):
    return map_elements(_erf_single if x.dtype == np.float32 else _erf, x)
