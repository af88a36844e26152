"""Kernels of ops/embedding.py for CUDA."""

from ...ops.embedding import add_rows
from .scatter import add_rows as rows_added


@add_rows.kernel("cuda")
def _(g, index, shape, padding_idx=None):
    y = rows_added(g, index, shape)
    if padding_idx is not None:
        y[padding_idx] = 0
    return y
