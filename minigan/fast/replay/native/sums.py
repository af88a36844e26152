"""Ops in machine code that add up or find the largest: sums, means, norms, softmax."""

import functools

import numpy as np

from ....arrays import sums
from ....engine.backward import _summed_to
from ....ops.axes import count
from ...cpu import softmax
from ...cpu.layout import COMPILED
from .code import Unknown
from .elements import row_major
from .forms import call, form


@form("_sum")
def total(native, x, axes, keepdims=False):
    """See `arrays.total`."""
    if x.dtype not in COMPILED:
        raise Unknown(f"a sum of {x.dtype}")
    if x.size <= 2 * sums.BLOCK or sums._few(x, axes):
        return native.code.reduce(np.add, x, axes, keepdims)
    order = sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))
    y = x.transpose(order)
    joined = []  # [size, is it summed?]: neighbours that share a fate are one dimension
    for i in order:
        if y.flags.c_contiguous and joined and joined[-1][1] == (i in axes):
            joined[-1][0] *= x.shape[i]
        else:
            joined.append([x.shape[i], i in axes])
    y = y.reshape([size for size, _ in joined])
    for k in reversed(range(y.ndim)):
        if joined[k][1]:
            last = k == y.ndim - 1
            y = native.code.reduce(np.add, y, (k,), True) if last else _along(native, y, k)
    y = y.reshape([1 if i in axes else x.shape[i] for i in order]).transpose(np.argsort(order))
    return y if keepdims else y.reshape([n for i, n in enumerate(x.shape) if i not in axes])


def _along(native, x, k):
    """See `arrays.sums`; here the dimension stays, with size 1."""
    code, before = native.code, (slice(None),) * k
    while (size := x.shape[k]) > 2 * sums.BLOCK:
        n = size // sums.BLOCK
        shape = *x.shape[:k], n, sums.BLOCK, *x.shape[k + 1 :]
        whole = x[(*before, slice(n * sums.BLOCK))].reshape(shape)
        y = code.reduce(np.add, whole, (k + 1,))
        if size % sums.BLOCK:
            last, rest = y[(*before, -1)], x[(*before, slice(n * sums.BLOCK, None))]
            code.ufunc(np.add, last, code.reduce(np.add, rest, (k,)), out=last)
        x = y
    return code.reduce(np.add, x, (k,), True)


@form("_mean")
def _(native, x, axes, keepdims):
    y = total(native, x, axes, keepdims)
    return native.code.ufunc(np.true_divide, y, count(x.shape, axes))


@form("_norm2")
def _(native, x, axes, keepdims):
    y = total(native, native.code.ufunc(np.square, x), axes, keepdims)
    return native.code.ufunc(np.sqrt, y)


def _in_rows(*arrays):
    return [a.reshape(-1, a.shape[-1]) for a in arrays]


def _softmax(native, x, axis, log):
    def rows(x):
        y = np.empty_like(x)
        flat, out = _in_rows(x, y)
        call(native, softmax.softmax_rows, 0, 1, flat, flat.view(np.int32), log, out)
        return y

    def columns(x):
        y = np.empty_like(x)
        call(native, softmax.softmax_columns, 0, 1, x, log, softmax.work(1, x), y)
        return y

    y = softmax.by_axis(functools.partial(row_major, native), rows, columns, axis, x)
    if y is not None:
        return y
    u, axes = native.code.ufunc, (axis,)
    x = u(np.subtract, x, native.code.reduce(np.maximum, x, axes, True))
    e = u(np.exp, x)
    if log:
        return u(np.subtract, x, u(np.log, total(native, e, axes, True)))
    return u(np.true_divide, e, total(native, e, axes, True))


def _softmax_grad(native, g, y, axis, log):
    def rows(g, y):
        x = np.empty_like(y)
        grad, flat, out = _in_rows(g, y, x)
        call(native, softmax.softmax_grad_rows, 0, 1, grad, flat, log, out)
        return x

    def columns(g, y):
        x = np.empty_like(y)
        call(native, softmax.softmax_grad_columns, 0, 1, g, y, log, softmax.work(1, y), x)
        return x

    x = softmax.by_axis(functools.partial(row_major, native), rows, columns, axis, g, y)
    if x is not None:
        return x
    u, axes = native.code.ufunc, (axis,)
    if log:
        return u(np.subtract, g, u(np.multiply, u(np.exp, y), total(native, g, axes, True)))
    gy = u(np.multiply, g, y)
    return u(np.subtract, gy, u(np.multiply, y, total(native, gy, axes, True)))


form("_softmax")(functools.partial(_softmax, log=0))
form("_log_softmax")(functools.partial(_softmax, log=1))
form("softmax_grad")(functools.partial(_softmax_grad, log=0))
form("log_softmax_grad")(functools.partial(_softmax_grad, log=1))


@form("sum_to", _summed_to)
def _(native, g, shape):
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    repeated = [i for i, (n, m) in enumerate(zip(g.shape[extra:], shape), extra) if n != m]
    if extra < 0 or any(shape[i - extra] != 1 for i in repeated):
        raise Unknown("a gradient in another shape")
    return total(native, g, (*range(extra), *repeated)).reshape(shape)
