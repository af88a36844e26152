"""Kernels of ops/taps.py for NumPy: compiled loops."""

import numpy as np

from ...ops.taps import _taps
from .kernels import kernel
from .map_elements import on_planes


@kernel
def _columns_first(x, row_index, row_weight, column_index, column_weight, y):
    planes, height, width = x.shape
    outputs = y.shape[2]
    # source[width] = 0: no tap
    source, t = (np.zeros(width + 1, x.dtype), np.empty((height, outputs), x.dtype))
    for p in range(planes):
        for i in range(height):
            for j in range(width):
                source[j] = x[p, i, j]
            for j in range(outputs):
                t[i, j] = column_weight[0, j] * source[column_index[0, j]]
            for k in range(1, len(column_index)):
                for j in range(outputs):
                    t[i, j] += column_weight[k, j] * source[column_index[k, j]]
        for o in range(y.shape[1]):
            for j in range(outputs):
                y[p, o, j] = 0
            for k in range(len(row_index)):
                i = row_index[k, o]
                if i < height:
                    w = row_weight[k, o]
                    for j in range(outputs):
                        y[p, o, j] += w * t[i, j]


@kernel
def _rows_first(x, row_index, row_weight, column_index, column_weight, y):
    planes, height, width = x.shape
    outputs = y.shape[2]
    source = np.zeros(width + 1, x.dtype)
    for p in range(planes):
        for o in range(y.shape[1]):
            for j in range(width):
                source[j] = 0
            for k in range(len(row_index)):
                i = row_index[k, o]
                if i < height:
                    w = row_weight[k, o]
                    for j in range(width):
                        source[j] += w * x[p, i, j]
            for j in range(outputs):
                y[p, o, j] = column_weight[0, j] * source[column_index[0, j]]
            for k in range(1, len(column_index)):
                for j in range(outputs):
                    y[p, o, j] += column_weight[k, j] * source[column_index[k, j]]


@_taps.kernel("cpu")
def _(x, rows, columns):
    # columns are the slower: on the fewer rows
    loop = _columns_first if rows.outputs > rows.inputs else _rows_first
    tables = *rows.like(x), *columns.like(x)
    return on_planes(lambda x, y: loop(x, *tables, y), (rows.outputs, columns.outputs), x)
