"""Kernels of ops/softmax.py for NumPy in float32. Along the last axis each row goes through the
cache once, along another one some columns at a time; threads share them."""

import math

import numpy as np

from ...ops.softmax import _log_softmax, _softmax, log_softmax_grad, softmax_grad
from .elementary import exp_of_single
from .kernels import kernel
from .layout import row_major
from .shared_kernel import InPieces, pieces_of

COLUMNS = 256  # that are done at once
FEW = 16  # arrays of fewer columns are transposed, for the exponentials of many at once
BLOCK = 4096  # numbers that are added up in float32; the sums of blocks in float64
ROUND = 64  # numbers of a column that are added up, one after another, before their sums are
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


@kernel
def _column_exponentials(row, top, log, out, total):
    """out = e^(row - top), or its logarithm; total += e^(row - top). Each has its own top."""
    for j in range(len(row)):
        d = row[j] - top[j]
        e = _share(d)
        out[j] = d if log else e
        total[j] += e


@kernel
def _add_up(near, total, width):
    """total += near, near = 0"""
    for j in range(width):
        total[j] += near[j]
        near[j] = 0


@kernel
def softmax_columns(piece, pieces, x, log, work, y):
    """y = softmax along the second axis of x (outer, n, inner), or its logarithm if log.

    work : (pieces, 3, columns done at once), a part for each thread: what it finds of columns
    """
    outer, n, inner = x.shape
    columns = work.shape[2]
    blocks = -(-inner // columns)
    top, total, near = work[piece, 0], work[piece, 1], work[piece, 2]
    for b in range(outer * blocks * piece // pieces, outer * blocks * (piece + 1) // pieces):
        o, first = b // blocks, b % blocks * columns
        last = min(first + columns, inner)
        width = last - first
        for j in range(width):
            top[j], total[j], near[j] = x[o, 0, first + j], 0, 0
        for i in range(1, n):
            row = x[o, i, first:last]
            for j in range(width):  # a NaN may be lost here: the sum is NaN all the same
                top[j] = row[j] if row[j] > top[j] else top[j]
        for i in range(n):
            _column_exponentials(x[o, i, first:last], top, log, y[o, i, first:last], near)
            if i % ROUND == ROUND - 1 or i == n - 1:
                _add_up(near, total, width)
        for j in range(width):
            total[j] = np.log(total[j]) if log else np.float32(1) / total[j]
        for i in range(n):
            out = y[o, i, first:last]
            for j in range(width):
                out[j] = out[j] - total[j] if log else out[j] * total[j]


@kernel
def softmax_grad_columns(piece, pieces, g, y, log, work, x):
    """x = the gradient of what y is the softmax of, as above."""
    outer, n, inner = x.shape
    columns = work.shape[2]
    blocks = -(-inner // columns)
    total, near = work[piece, 0], work[piece, 1]
    for b in range(outer * blocks * piece // pieces, outer * blocks * (piece + 1) // pieces):
        o, first = b // blocks, b % blocks * columns
        last = min(first + columns, inner)
        width = last - first
        for j in range(width):
            total[j] = near[j] = 0
        for i in range(n):
            grad, row = g[o, i, first:last], y[o, i, first:last]
            if log:
                for j in range(width):
                    near[j] += grad[j]
            else:
                for j in range(width):
                    near[j] += grad[j] * row[j]
            if i % ROUND == ROUND - 1 or i == n - 1:
                _add_up(near, total, width)
        for i in range(n):
            grad, row, out = g[o, i, first:last], y[o, i, first:last], x[o, i, first:last]
            if log:
                for j in range(width):
                    out[j] = grad[j] - _share(row[j]) * total[j]
            else:
                for j in range(width):
                    out[j] = row[j] * (grad[j] - total[j])


_in_pieces, _grad_in_pieces = InPieces(softmax_rows), InPieces(softmax_grad_rows)
_columns_in_pieces = InPieces(softmax_columns)
_grad_columns_in_pieces = InPieces(softmax_grad_columns)


def by_axis(contiguous, rows, columns, axis, *arrays):
    """What the kernels make of (x), or of (g, y): `rows(*arrays)` where the axis is the last, or
    `columns(*arrays)` of arrays (outer, n, inner), or rows of the transposed arrays; None where
    they are for none of these.

    contiguous : gives an array row by row, without gaps
    """
    if not _are_single(arrays):
        return None
    shape = arrays[0].shape
    arrays = [contiguous(a) for a in arrays]
    if axis == len(shape) - 1:
        return rows(*arrays)
    outer, n = math.prod(shape[:axis]), shape[axis]
    planes = [a.reshape(outer, n, -1) for a in arrays]
    few = FEW if len(arrays) == 1 else 1  # a gradient needs no exponential, or few
    if n <= BLOCK and planes[0].shape[2] >= few:
        return columns(*planes).reshape(shape)
    found = rows(*(contiguous(a.swapaxes(1, 2)) for a in planes))
    return contiguous(found.swapaxes(1, 2)).reshape(shape)


def _are_single(arrays):
    shape = arrays[0].shape
    return arrays[0].size > 0 and all(a.dtype == np.float32 and a.shape == shape for a in arrays)


def work(pieces, x):
    """Room for the loops over columns (outer, n, inner)."""
    return np.empty((pieces, 3, min(x.shape[2], COLUMNS)), np.float32)


def _row_pieces(x):
    return pieces_of(x.size // x.shape[-1], MIN_NUMBERS // x.shape[-1])


def _column_pieces(x):
    outer, n, inner = x.shape
    columns = min(inner, COLUMNS)
    return pieces_of(outer * -(-inner // columns), MIN_NUMBERS // (n * columns))


def _forward(op, log):
    def rows(x):
        y, flat = np.empty_like(x), (-1, x.shape[-1])
        x = x.reshape(flat)
        _in_pieces(*_row_pieces(x), x, x.view(np.int32), log, y.reshape(flat))
        return y

    def columns(x):
        y, (pieces, long) = np.empty_like(x), _column_pieces(x)
        _columns_in_pieces(pieces, long, x, log, work(pieces, x), y)
        return y

    @op.kernel("cpu")
    def _(x, axis):
        y = by_axis(row_major, rows, columns, axis, x)
        return op.card.forward(x, axis) if y is None else y


def _backward(op, log):
    def rows(g, y):
        x, flat = np.empty_like(y), (-1, y.shape[-1])
        _grad_in_pieces(*_row_pieces(y), g.reshape(flat), y.reshape(flat), log, x.reshape(flat))
        return x

    def columns(g, y):
        x, (pieces, long) = np.empty_like(y), _column_pieces(y)
        _grad_columns_in_pieces(pieces, long, g, y, log, work(pieces, y), x)
        return x

    @op.kernel("cpu")
    def _(g, y, axis):
        x = by_axis(row_major, rows, columns, axis, g, y)
        return op.card.forward(g, y, axis) if x is None else x


_forward(_softmax, False)
_forward(_log_softmax, True)
_backward(softmax_grad, False)
_backward(log_softmax_grad, True)
