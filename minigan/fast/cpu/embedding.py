"""Kernels of ops/embedding.py for NumPy: compiled loops."""

import numpy as np

from ...ops.embedding import add_rows
from .kernels import kernel


@kernel
def _add_rows(g, index, y):
    for i in range(len(index)):
        row = y[index[i]]
        for j in range(len(row)):
            row[j] += g[i, j]


@add_rows.kernel("cpu")
def _(g, index, shape, padding_idx=None):
    y = np.zeros(shape, g.dtype)
    _add_rows(
        np.ascontiguousarray(g).reshape(-1, shape[1]), np.ascontiguousarray(index).reshape(-1), y
    )
    if padding_idx is not None:
        y[padding_idx] = 0
    return y
