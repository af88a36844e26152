"""Products of matrices and linear layers in machine code, with the choices by size of
`fast.cpu.matmul`."""

import numpy as np

from ....machine.threads import num_threads
from ...cpu import linear_activation, matmul, product, tiles
from ...cpu.layout import COMPILED
from ...linear_activation import linear_activation as fused
from .code import Unknown
from .elements import row_major, sigmoid, softplus
from .forms import call, form, shared
from .sums import total


def tiled_matmul(native, a, b, bias=None, slope=1.0):
    if not matmul._pays(a, b):
        c = _elsewhere(native, a, b)
        if bias is not None:
            call(native, tiles.add_bias, c, bias, slope)
        return c
    if any(x is not y for x, y in zip((a, b), tiles.tile_readable(a, b))):
        raise Unknown("a product of matrices with gaps")
    (m, k), n = a.shape, b.shape[1]
    bias = matmul.NOTHING[a.dtype.char] if bias is None else bias
    most = min(max(1, min(m // tiles.TILE_ROWS, m * n * k // matmul.WORK)), num_threads())
    scratch, c = matmul.NOTHING[a.dtype.char], np.empty((m, n), a.dtype)
    if tiles.needs_packing(b):
        scratch = np.empty(most * k * n, a.dtype)
    shared(native, tiles.multiply_in_threads, a.dtype, most, a, b, scratch, c, bias, float(slope))
    return c


def _elsewhere(native, a, b):
    work = len(a) * b.size
    few = len(a) < tiles.TILE_ROWS and 0 < work < matmul.LEAST and a.dtype in COMPILED
    if few and b.flags.forc:
        c = np.empty((len(a), b.shape[1]), a.dtype)
        if b.flags.c_contiguous:
            call(native, matmul._few_rows, row_major(native, a), b, c)
        else:
            call(native, matmul._few_dots, row_major(native, a), b.T, c)
        return c
    if matmul.pieces_of(work, matmul.WORK)[0] > 1:
        raise Unknown("a product by the BLAS that threads share")
    return native.code.matmul(a, b)


@form("linear")
def linear(native, x, weight, bias=None):
    rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
    if not np.shares_memory(rows, x):
        raise Unknown("a linear layer on an array with gaps")
    if rows.shape[1] == weight.shape[1] == 1 and bias is None:
        return native.code.ufunc(np.multiply, x, weight[:, 0])
    y = tiled_matmul(native, weight, rows.T, bias)
    return y.T if x.ndim == 2 else row_major(native, y.T).reshape(*x.shape[:-1], len(y))


@form("weight_grad")
def weight_grad(native, g, x):
    return tiled_matmul(native, g.T, x)


@form("matmul")
def _(native, a, b):
    if a.ndim != 2 or b.ndim != 2:
        raise Unknown("a product of vectors or of stacks of matrices")
    return native.code.matmul(a, b)


@form("sum_rows")
def _(native, rows):
    if not rows.T.flags.c_contiguous:
        return total(native, rows, (0,))
    y = np.empty(rows.shape[1], rows.dtype)
    call(native, product._row_sums, rows.T, y)
    return y


@form("linear_activation")
def _(native, x, weight, bias, activation, slope):
    quick = x.ndim == 2 and bias is not None
    if quick and activation == "leaky_relu":
        return tiled_matmul(native, weight, x.T, bias, slope).T
    if quick and activation == "tanh":
        y = tiled_matmul(native, weight, x.T, bias)
        return native.code.ufunc(np.tanh, y, out=y).T
    if activation not in SLOPES:
        raise Unknown(f"a linear layer with {activation} on more than rows, or without a bias")
    y = linear(native, x, weight, bias)
    return (sigmoid if activation == "sigmoid" else softplus)(native, y)


def _sigmoid_rule(native, g, y):
    u = native.code.ufunc
    return u(np.multiply, g, u(np.multiply, y, u(np.subtract, 1, y)))


def _softplus_rule(native, g, y):
    u = native.code.ufunc
    return u(np.multiply, g, u(np.negative, u(np.expm1, u(np.negative, y))))


SLOPES = {"sigmoid": _sigmoid_rule, "softplus": _softplus_rule}


@form("activation_grad")
def activation_grad(native, g, y, activation, slope):
    if g.ndim == 2 and activation in linear_activation.KERNELS:
        loop, columns = linear_activation.KERNELS[activation], row_major(native, y.T)
        h, sums = np.empty_like(columns), np.empty(len(columns), y.dtype)
        call(native, loop, row_major(native, g.T), columns, slope, h, sums)
        return h.T, sums
    if g.ndim != 2 or activation not in SLOPES:
        raise Unknown(f"the rule of {activation} on more than rows")
    h = SLOPES[activation](native, g, y)
    return h, native.code.reduce(np.add, h, (0,))


@form(fused.card.rule)
def _(native, g, need, x, weight, y, activation, slope):
    h, sums = activation_grad(native, g, y, activation, slope)
    gx = linear(native, h, weight.T) if need[0] else None
    return gx, weight_grad(native, h, x) if need[1] else None, sums if need[2] else None
