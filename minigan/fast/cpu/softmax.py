"""Kernels of ops/softmax.py for NumPy, along the last axis, in float32: each row goes through the
cache once. Threads share the rows."""

import numpy as np

from ...ops.softmax import _log_softmax, _softmax, log_softmax_grad, softmax_grad
from .elementary import exp_of_single
from .kernels import kernel
from .layout import row_major
from .shared_kernel import InPieces, pieces_of

BLOCK = 4096  # numbers that are added up in float32; the sums of blocks in float64
MIN_NUMBERS = 1 << 13  # that are worth a thread
UNDERFLOW = np.float32(-87)  # where `exp_of_single` ends: e^-87 is 1.6e-38


@kernel
def _share(x):
    """e^x of x <= 0; 0 where it is less than 1.6e-38."""
    return np.float32(0) if x < UNDERFLOW else exp_of_single(x)


@kernel
def _largest(bits):
    """The largest of float32 numbers, of which the bits are given as int32: in this order of
    integers (a NaN is beyond infinity) the compiler compares many at once."""
    most = np.int32(-(2**31))
    for i in range(len(bits)):
        b = bits[i]
        most = max(most, b ^ ((b >> np.int32(31)) & np.int32(0x7FFFFFFF)))
    return np.int32(most ^ ((most >> np.int32(31)) & np.int32(0x7FFFFFFF))).view(np.float32)


@kernel
def _exponentials(x, top, log, y):
    """y = e^(x - top), or its logarithm; the sum of e^(x - top)."""
    total = np.float32(0)
    for i in range(len(x)):
        d = x[i] - top
        e = _share(d)
        y[i] = d if log else e
        total += e
    return total


@kernel
def _sum(g, y, log):
    """sum g y, or sum g if log."""
    total = np.float32(0)
    if log:
        for i in range(len(g)):
            total += g[i]
    else:
        for i in range(len(g)):
            total += g[i] * y[i]
    return total


@kernel
def softmax_rows(piece, pieces, x, bits, log, y):
    """y = softmax of the rows of x, or its logarithm if log; bits : x as int32"""
    rows, n = x.shape
    for r in range(rows * piece // pieces, rows * (piece + 1) // pieces):
        row, out, top = x[r], y[r], _largest(bits[r])
        if n <= BLOCK:  # a slice takes longer than a short row
            total = np.float64(_exponentials(row, top, log, out))
        else:
            total = 0.0
            for i in range(0, n, BLOCK):
                total += _exponentials(row[i : i + BLOCK], top, log, out[i : i + BLOCK])
        if log:
            less = np.float32(np.log(total))
            for i in range(n):
                out[i] -= less  # in one loop with x - top it would be x - (top + less)
        else:
            scale = np.float32(1 / total)
            for i in range(n):
                out[i] *= scale


@kernel
def softmax_grad_rows(piece, pieces, g, y, log, x):
    """x = the gradient of the rows that y is the softmax of, or its logarithm if log."""
    rows, n = y.shape
    for r in range(rows * piece // pieces, rows * (piece + 1) // pieces):
        grad, row, out = g[r], y[r], x[r]
        if n <= BLOCK:
            total = _sum(grad, row, log)
        else:
            found = 0.0
            for i in range(0, n, BLOCK):
                found += _sum(grad[i : i + BLOCK], row[i : i + BLOCK], log)
            total = np.float32(found)
        if log:
            for i in range(n):
                out[i] = grad[i] - _share(row[i]) * total
        else:
            for i in range(n):
                out[i] = row[i] * (grad[i] - total)


_in_pieces, _grad_in_pieces = InPieces(softmax_rows), InPieces(softmax_grad_rows)


def fits(axis, *arrays):
    """Are these the arrays that the loops above are for?"""
    x = arrays[0]
    single = all(a.dtype == np.float32 and a.shape == x.shape for a in arrays)
    return single and x.size > 0 and axis == x.ndim - 1


def _forward(op, log):
    @op.kernel("cpu")
    def _(x, axis):
        if not fits(axis, x):
            return op.card.forward(x, axis)
        x = row_major(x)
        rows, y = x.reshape(-1, x.shape[-1]), np.empty_like(x)
        pieces, long = pieces_of(len(rows), MIN_NUMBERS // rows.shape[1])
        _in_pieces(pieces, long, rows, rows.view(np.int32), log, y.reshape(rows.shape))
        return y


def _backward(op, log):
    @op.kernel("cpu")
    def _(g, y, axis):
        if not fits(axis, g, y):
            return op.card.forward(g, y, axis)
        g, y = row_major(g), row_major(y)
        x, shape = np.empty_like(y), (-1, y.shape[-1])
        pieces, long = pieces_of(y.size // shape[1], MIN_NUMBERS // shape[1])
        _grad_in_pieces(pieces, long, g.reshape(shape), y.reshape(shape), log, x.reshape(shape))
        return x


_forward(_softmax, False)
_forward(_log_softmax, True)
_backward(softmax_grad, False)
_backward(log_softmax_grad, True)
