"""Kernels of ops/elementary.py for NumPy: compiled loops."""

import math

import numpy as np

from ...ops.elementary import erf
from .kernels import kernel
from .map_elements import map_elements

# x P(x^2) / Q(x^2) up to |x| = END, from where on both functions are 1 in float32: fitted by least
# squares with weights that even out the error, which is 2e-9 of erf and 1e-9 of tanh. The lowest
# powers first.
ERF_P = (
    1.12837917, 0.185203244, 0.0543169156, 0.00384961263, 0.000379608866, 4.68477682e-06,
    -1.3202228e-08,
)  # fmt: skip
ERF_Q = 1.0, 0.497465516, 0.113958427, 0.0154620921, 0.00130757009, 6.31105734e-05
ERF_END = 4.0
TANH_P = 0.999999999, 0.137815172, 0.00400360498, 3.14823384e-05, 5.03869349e-08
TANH_Q = 1.0, 0.471148495, 0.0277197864, 0.000419853744, 1.60920793e-06, 7.29887466e-10
TANH_END = 9.1


@kernel
def _erf(x, y):
    for i in range(x.size):
        y[i] = math.erf(x[i])


@kernel
def _limited(x, end):
    """In float64; NaN stays NaN."""
    v = np.float64(x)
    v = end if v > end else v
    return -end if v < -end else v


@kernel
def erf_of_single(x):
    """erf of a float32 number, without calls, so that several are computed at once."""
    v, p, q = _limited(x, ERF_END), ERF_P, ERF_Q
    t = v * v
    above = p[0] + t * (p[1] + t * (p[2] + t * (p[3] + t * (p[4] + t * (p[5] + t * p[6])))))
    below = q[0] + t * (q[1] + t * (q[2] + t * (q[3] + t * (q[4] + t * q[5]))))
    return np.float32(v * above / below)


@kernel
def tanh_of_single(x):
    """tanh of a float32 number, likewise."""
    v, p, q = _limited(x, TANH_END), TANH_P, TANH_Q
    t = v * v
    above = p[0] + t * (p[1] + t * (p[2] + t * (p[3] + t * p[4])))
    below = q[0] + t * (q[1] + t * (q[2] + t * (q[3] + t * (q[4] + t * q[5]))))
    return np.float32(v * above / below)


@kernel
def exp_of_single(x):
    """e^x of a float32 number up to 88 (below -87 it is that of -87): 2^n e^r, |r| <= log(2) / 2,
    by a polynomial (Moshier 1992, Cephes: expf), without calls."""
    f = np.float32
    x = max(x, f(-87))
    t = x * f(1.44269504088896341)
    n = np.int32(t + f(0.5) if t >= f(0) else t - f(0.5))
    m = f(n)
    r = (x - m * f(0.693359375)) + m * f(2.12194440e-4)
    p = f(1.9875691500e-4) * r + f(1.3981999507e-3)
    p = p * r + f(8.3334519073e-3)
    p = p * r + f(4.1665795894e-2)
    p = p * r + f(1.6666665459e-1)
    p = p * r + f(5.0000001201e-1)
    p = p * (r * r) + r + f(1)
    return p * np.int32((n + np.int32(127)) << np.int32(23)).view(f)


@kernel
def _erf_single(x, y):
    for i in range(x.size):
        y[i] = erf_of_single(x[i])


@erf.kernel("cpu")
def _(x):
    return map_elements(_erf_single if x.dtype == np.float32 else _erf, x)
