"""Fast transposed copies: a copy from one layout into the other reads or writes across the lines of
the cache, and NumPy copies element by element."""

import numpy as np

from ...engine import tensor
from .kernels import Intrinsic, kernel

__all__ = ["row_major", "transpose_blocks"]

# what kernels are compiled for; the other order of bytes is another dtype
COMPILED = (np.dtype("float32"), np.dtype("float64"))
VECTOR = 64  # bytes of a line of the cache, and of a register of AVX-512


def _make_transpose_block():
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    whole, word = ir.IntType(64), ir.IntType(32)

    @intrinsic
    def transpose_block(typing, zero, x, x_row, y, y_row):
        def codegen(context, builder, signature, given):
            real = context.get_value_type(zero)
            size = 8 if isinstance(real, ir.DoubleType) else 4
            n = VECTOR // size
            vector = ir.VectorType(real, n)

            def row(start, stride, i):
                start = builder.inttoptr(start, real.as_pointer())
                return builder.bitcast(
                    builder.gep(start, [builder.mul(stride, whole(i))]), vector.as_pointer()
                )

            def merged(a, b, first):
                places = sum(([k, n + k] for k in range(first, first + n // 2)), [])
                return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(word, n), places))

            _, x, x_row, y, y_row = given
            rows = [builder.load(row(x, x_row, i), align=size) for i in range(n)]
            for _ in range(n.bit_length() - 1):  # n numbers merged log2(n) times
                rows = [merged(rows[i // 2], rows[(i + n) // 2], i % 2 * n // 2) for i in range(n)]
            for i, one in enumerate(rows):
                builder.store(one, row(y, y_row, i), align=size)
            return context.get_dummy_value()

        return types.void(zero, *[types.intp] * 4), codegen

    return transpose_block


# transpose_block(zero, x, x_row, y, y_row): y = x^T of 16 x 16 float32 or 8 x 8 float64 (the dtype
# of zero), in registers: each stage merges rows i and i + n/2 number by number. Addresses; strides
# in elements.
_transpose_block = Intrinsic(_make_transpose_block)


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
            )
    for i in range(rows, n):
        for j in range(k):
            y[j, i] = x[i, j]
    for i in range(rows):
        for j in range(columns, k):
            y[j, i] = x[i, j]


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
