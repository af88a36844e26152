"""Kernels of ops/product.py for NumPy: compiled loops."""

import numpy as np

from ...ops.product import check_bias, linear, sum_rows, weight_grad
from ...ops.reduction import sum
from .kernels import kernel
from .matmul import tiled_matmul


@linear.kernel("cpu")
def _(input, weight, bias=None):
    """y^T = weight @ input^T: the result is laid out feature by feature, and so is what follows it.
    The tall matrix is then the one whose numbers are used once for each row of the batch, and it is
    read where it lies."""
    check_bias(weight, bias)
    rows = input if input.ndim == 2 else input.reshape(-1, input.shape[-1])
    # the gradient of a single unit, perhaps for images: row by row
    if rows.shape[1] == weight.shape[1] == 1 and bias is None:
        return input * weight[:, 0]
    y = tiled_matmul(weight, rows.T, bias)
    return y.T if input.ndim == 2 else y.T.reshape(*input.shape[:-1], len(y))


@weight_grad.kernel("cpu")
def _(g, x):
    return tiled_matmul(g.T, x)


@kernel
def _row_sums(x, total):
    for i in range(x.shape[0]):
        row, t = x[i], total.dtype.type(0)
        for j in range(row.size):
            t += row[j]
        total[i] = t


@sum_rows.kernel("cpu")
def _(rows):
    if not rows.T.flags.c_contiguous:
        return sum(rows, 0)
    total = np.empty(rows.shape[1], rows.dtype)  # laid out column by column
    _row_sums(rows.T, total)
    return total
