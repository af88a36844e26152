"""The three products of convolution in plain array operations, for NumPy and CuPy, any geometry:
one matrix product per tap.

With x padded by zeros, and x_t the part of x that tap t of the kernel meets (every stride-th
position, as many as y has):

    conv            y    = sum over t of  w_t @ x_t
    conv_transpose  x_t += w_t^T @ y      for each t
    conv_weight     w_t  = sum over the batch of  y @ x_t^T
"""

import itertools
import math

from ...arrays import array_module
from ..product import matmul


def taps(geometry):
    """(index of the tap, slices of padded x that it meets) for each tap of the kernel."""
    for tap in itertools.product(*[range(k) for k in geometry.kernel]):
        starts = [t * d for t, d in zip(tap, geometry.dilation)]
        yield (
            tap,
            tuple(
                slice(a, a + (o - 1) * s + 1, s)
                for a, o, s in zip(starts, geometry.out, geometry.stride)
            ),
        )


def _inside(geometry):
    """The slices of padded x that hold x."""
    return tuple(slice(p, p + n) for p, n in zip(geometry.padding, geometry.size))


def _pad(x, geometry):
    """x (N, C, *size) -> (N, groups, C / groups, *padded)"""
    n, c = x.shape[:2]
    padded = array_module(x).zeros((n, c, *geometry.padded()), x.dtype)
    padded[(..., *_inside(geometry))] = x
    return padded.reshape(n, geometry.groups, c // geometry.groups, *geometry.padded())


def _flat(x, groups):
    """(N, C, ...) -> (N, groups, C / groups, positions)"""
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, math.prod(x.shape[2:]))


def _grouped(w, groups):
    """(O, C / groups, ...) -> (groups, O / groups, C / groups, ...)"""
    return w.reshape(groups, len(w) // groups, *w.shape[1:])


def _rows(part, geometry):
    """(N, groups, C / groups, *out) -> (N, groups, C / groups, positions)"""
    return part.reshape(*part.shape[:3], math.prod(geometry.out))


def conv(x, w, geometry):
    """x (N, C, *size), w (O, C / groups, *kernel) -> y (N, O, *out)"""
    padded, grouped = _pad(x, geometry), _grouped(w, geometry.groups)
    y = None
    for tap, where in taps(geometry):
        product = matmul(grouped[(..., *tap)], _rows(padded[(..., *where)], geometry))
        y = product if y is None else y + product
    return y.reshape(len(x), len(w), *geometry.out)


def conv_transpose(y, w, geometry):
    """y (N, O, *out), w (O, C / groups, *kernel) -> x (N, C, *size)"""
    groups = geometry.groups
    flat, w = _flat(y, groups), _grouped(w, groups)
    channels = w.shape[2]
    padded = array_module(y).zeros((len(y), groups, channels, *geometry.padded()), y.dtype)
    for tap, where in taps(geometry):
        product = matmul(w[(..., *tap)].swapaxes(-1, -2), flat)
        padded[(..., *where)] += product.reshape(len(y), groups, channels, *geometry.out)
    return padded[(..., *_inside(geometry))].reshape(len(y), groups * channels, *geometry.size)


def conv_weight(x, y, geometry):
    """x (N, C, *size), y (N, O, *out) -> w (O, C / groups, *kernel)"""
    groups, padded = geometry.groups, _pad(x, geometry)
    flat = _flat(y, groups)
    w = array_module(x).empty((groups, flat.shape[2], padded.shape[2], *geometry.kernel), x.dtype)
    for tap, where in taps(geometry):
        product = matmul(flat, _rows(padded[(..., *where)], geometry).swapaxes(-1, -2))
        w[(..., *tap)] = product.sum(0)
    return w.reshape(y.shape[1], x.shape[1] // groups, *geometry.kernel)
