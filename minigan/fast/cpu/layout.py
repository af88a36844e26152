"""Fast transposed copies: a copy from one layout into the other reads or writes across the lines of
the cache, and NumPy copies element by element."""

import functools

import numpy as np

from ...engine import tensor
from .kernels import Intrinsic, kernel

__all__ = ["channels_first", "channels_last", "row_major", "transpose_blocks"]

# what kernels are compiled for; the other order of bytes is another dtype
COMPILED = (np.dtype("float32"), np.dtype("float64"))
VECTOR = 64  # bytes of a line of the cache, and of a register of AVX-512


def _make_transpose_block(scattered=""):
    """scattered: "x" or "y" has its rows anywhere; for its stride stands the address of their
    places"""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    whole, word = ir.IntType(64), ir.IntType(32)

    @intrinsic
    def transpose_block(typing, zero, x, x_row, y, y_row, bias, slope):
        def codegen(context, builder, signature, given):
            real = context.get_value_type(zero)
            size = 8 if isinstance(real, ir.DoubleType) else 4
            n = VECTOR // size
            vector = ir.VectorType(real, n)

            def row(name, start, stride, i):
                if name == scattered:
                    place = builder.inttoptr(stride, whole.as_pointer())
                    place = builder.load(builder.gep(place, [whole(i)]))
                else:
                    place = builder.mul(stride, whole(i))
                start = builder.inttoptr(start, real.as_pointer())
                return builder.bitcast(builder.gep(start, [place]), vector.as_pointer())

            def merged(a, b, first):
                places = sum(([k, n + k] for k in range(first, first + n // 2)), [])
                return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(word, n), places))

            def leaky(v, steep):
                positive = builder.fcmp_ordered(">", v, ir.Constant(vector, [0.0] * n))
                return builder.select(positive, v, builder.fmul(steep, v))

            _, x, x_row, y, y_row, bias, slope = given
            rows = [builder.load(row("x", x, x_row, i), align=size) for i in range(n)]
            if scattered == "x":
                added = builder.load(row("bias", bias, whole(0), 0), align=size)
                steep = builder.insert_element(ir.Constant(vector, ir.Undefined), slope, word(0))
                steep = builder.shuffle_vector(steep, steep, ir.Constant(ir.VectorType(word, n), 0))
                rows = [leaky(builder.fadd(one, added), steep) for one in rows]
            for _ in range(n.bit_length() - 1):  # n numbers merged log2(n) times
                rows = [merged(rows[i // 2], rows[(i + n) // 2], i % 2 * n // 2) for i in range(n)]
            for i, one in enumerate(rows):
                builder.store(one, row("y", y, y_row, i), align=size)
            return context.get_dummy_value()

        return types.void(zero, *[types.intp] * 5, zero), codegen

    return transpose_block


# transpose_block(zero, x, x_row, y, y_row, bias, slope): y = x^T of 16 x 16 float32 or 8 x 8
# float64 (the dtype of zero), in registers: each stage merges rows i and i + n/2 number by number.
# Addresses; strides in elements. From rows anywhere, y = leaky ReLU of (x + bias)^T; else neither
# is looked at.
_transpose_block, _to_rows, _from_rows = (
    Intrinsic(functools.partial(_make_transpose_block, scattered)) for scattered in ("", "y", "x")
)


@kernel
def transpose_blocks(x, y):
    """y = x^T: x (n, k or more), y (k, n), the numbers of a row side by side."""
    n, k = x.shape[0], y.shape[0]
    zero, size = x.dtype.type(0), x.itemsize
    side, x_row = VECTOR // size, x.strides[0] // size
    y_row = y.strides[0] // size
    rows, columns = n - n % side, k - k % side
    x_start, y_start = np.intp(x.ctypes.data), np.intp(y.ctypes.data)
    for j in range(0, columns, side):
        for i in range(0, rows, side):
            _transpose_block(
                zero,
                x_start + size * (i * x_row + j),
                x_row,
                y_start + size * (j * y_row + i),
                y_row,
                0,
                zero,
            )
    for i in range(rows, n):
        for j in range(k):
            y[j, i] = x[i, j]
    for i in range(rows):
        for j in range(columns, k):
            y[j, i] = x[i, j]


@kernel
def _find_places(channels, width, line, places):
    """places = where each position's channels are in a plane, see `channels_last`."""
    for i in range(places.size):
        places[i] = i // width * line + i % width * channels


@kernel
def _aligned(address, size):
    """How many numbers after this address a line of the cache begins. (Where planes are as long as
    a page, their lines drive each other out of the cache: whole ones need to be there once.)"""
    return -address // size % (VECTOR // size)


@kernel
def channels_last(x, start, row, channels, height, width, plane, at, line):
    """plane = x, in blocks of as many channels and positions as a vector has; the last block of
    positions may overlap the one before.

    x : a flat array, in which the maps (height, width) of channels begin at start, start + row ...
    plane : another one, whose lines (width, channels) begin at `at`, at + line ...
    """
    zero, size, positions = x.dtype.type(0), x.itemsize, height * width
    places, side = np.empty(positions, np.intp), VECTOR // size
    _find_places(channels, width, line, places)
    whole = channels - channels % side if positions >= side else 0
    for c in range(0, whole, side):
        source = np.intp(x.ctypes.data) + size * (start + c * row)
        target = np.intp(plane.ctypes.data) + size * (at + c)
        for i in range(_aligned(source, size) - side, positions, side):
            first = min(max(i, 0), positions - side)
            to = np.intp(places.ctypes.data) + places.itemsize * first
            _to_rows(zero, source + size * first, row, target, to, 0, zero)
    for c in range(whole, channels):
        for i in range(positions):
            plane[at + places[i] + c] = x[start + c * row + i]


@kernel
def channels_first(plane, at, line, channels, height, width, x, start, row, bias, slope):
    """x = leaky ReLU of plane + bias (C,), for slope 1 the sum itself; as `channels_last`."""
    zero, size, positions = x.dtype.type(0), x.itemsize, height * width
    places, side = np.empty(positions, np.intp), VECTOR // size
    _find_places(channels, width, line, places)
    whole = channels - channels % side if positions >= side else 0
    for c in range(0, whole, side):
        source = np.intp(plane.ctypes.data) + size * (at + c)
        target = np.intp(x.ctypes.data) + size * (start + c * row)
        for i in range(_aligned(target, size) - side, positions, side):
            first = min(max(i, 0), positions - side)
            to = np.intp(places.ctypes.data) + places.itemsize * first
            added = np.intp(bias.ctypes.data) + size * c
            _from_rows(zero, source, to, target + size * first, row, added, slope)
    for c in range(whole, channels):
        for i in range(positions):
            v = plane[at + places[i] + c] + bias[c]
            x[start + c * row + i] = v if v > zero else slope * v


@tensor.row_major.kernel("cpu")
def row_major(x):
    """x laid out row by row: itself or a copy. Fast where x (N, ...) is a batch that is laid out
    feature by feature (see `linear`)."""
    if x.flags.c_contiguous or x.ndim < 2 or x.dtype not in COMPILED:
        return np.asarray(x, order="C")
    features = x.transpose(*range(1, x.ndim), 0)
    if not features.flags.c_contiguous:
        return np.asarray(x, order="C")
    y = np.empty(x.shape, x.dtype)
    transpose_blocks(features.reshape(-1, len(x)), y.reshape(len(x), -1))
    return y
