"""Matrices turned over, quickly: a copy from one layout into the other reads or writes across the lines of the cache, and NumPy
does it element by element."""

import numpy as np

from .kernels import kernel

__all__ = ["row_major", "turn"]

LINE = 16  # float32 in a line of the cache
COMPILED = (np.dtype("float32"), np.dtype("float64"))  # what kernels are compiled for; the other order of bytes is another dtype


@kernel
def turn(x, y):
    """y = x^T: x (n, k), y (k, n). Lines of the cache are read, or written, four at a time along the longer side."""
    n, k = x.shape
    if n > k:
        _into_rows(x, y)
        return
    whole = n - n % 4
    for first in range(0, k, LINE):
        last = min(first + LINE, k)
        for i in range(0, whole, 4):
            for j in range(first, last):
                y[j, i], y[j, i + 1], y[j, i + 2], y[j, i + 3] = x[i, j], x[i + 1, j], x[i + 2, j], x[i + 3, j]
        for i in range(whole, n):
            for j in range(first, last):
                y[j, i] = x[i, j]


@kernel
def _into_rows(x, y):
    n, k = x.shape
    whole = k - k % 4
    for first in range(0, n, LINE):
        last = min(first + LINE, n)
        for j in range(0, whole, 4):
            for i in range(first, last):
                y[j, i], y[j + 1, i], y[j + 2, i], y[j + 3, i] = x[i, j], x[i, j + 1], x[i, j + 2], x[i, j + 3]
        for j in range(whole, k):
            for i in range(first, last):
                y[j, i] = x[i, j]


def row_major(x):
    """x laid out row by row: itself or a copy. Fast where x (N, ...) is a batch that is laid out feature by feature
    (see `linear`)."""
    if x.flags.c_contiguous or x.ndim < 2 or x.dtype not in COMPILED:
        return np.asarray(x, order="C")
    features = x.transpose(*range(1, x.ndim), 0)
    if not features.flags.c_contiguous:
        return np.asarray(x, order="C")
    y = np.empty(x.shape, x.dtype)
    turn(features.reshape(-1, len(x)), y.reshape(len(x), -1))
    return y
