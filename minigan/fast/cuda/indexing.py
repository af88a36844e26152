"""Kernels of ops/indexing.py for CUDA."""

from ...ops.indexing import _grid, _scatter, _setitem, is_basic
from .scatter import LONGEST, add_at, add_lines


@_setitem.kernel("cuda")
def _(x, index, shape):
    return _setitem.card.forward(x, index, shape) if is_basic(index) else add_at(x, index, shape)


@_scatter.kernel("cuda")
def _(x, axis, index, shape):
    whole = all(i == axis or n == m for i, (n, m) in enumerate(zip(x.shape, shape)))
    lines = whole and x.shape[axis] <= LONGEST
    return add_lines(x, axis, index, shape) if lines else _setitem(x, _grid(index, axis), shape)
