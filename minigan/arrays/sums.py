"""Sums whose rounding errors do not grow with the number of their terms."""

import math

import numpy as np

__all__ = ["total"]

BLOCK = 16  # terms that are added one after the other


def total(x, axes, keepdims=False):
    """The sum over `axes` (a tuple): of integers int64, of floats in their dtype (of float16 taken
    in float32).

    NumPy adds pairwise along the dimension that is innermost in memory, but one after the other
    along all others. There 16 are added, then 16 of these sums, and so on.
    """
    if x.dtype.char == "e":
        return total(x.astype(np.float32), axes, keepdims).astype(x.dtype)
    if x.dtype.kind != "f":
        return np.add.reduce(x, axis=axes, keepdims=keepdims, dtype=np.int64)
    if x.size <= 2 * BLOCK or x.__class__ is not np.ndarray or _few(x, axes):
        return np.add.reduce(x, axis=axes, keepdims=keepdims)
    order = sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))
    y = x.transpose(order)
    sizes = []
    gone = []
    joins = y.flags.c_contiguous
    for i in order:  # neighbours that share a fate are one dimension
        if joins and gone and gone[-1] == (i in axes):
            sizes[-1] *= x.shape[i]
        else:
            sizes.append(x.shape[i])
            gone.append(i in axes)
    y = y.reshape(sizes)
    for k in reversed(range(len(sizes))):
        if gone[k]:
            y = np.add.reduce(y, axis=k) if k == len(sizes) - 1 else _along(y, k)
    y = y.reshape([1 if i in axes else x.shape[i] for i in order]).transpose(np.argsort(order))
    return y if keepdims else y.reshape([n for i, n in enumerate(x.shape) if i not in axes])


def _few(x, axes):
    """Are there too few terms for errors to grow, or is it one sum of all that lies in memory?"""
    if len(axes) == x.ndim and (x.flags.c_contiguous or x.flags.f_contiguous):
        return True
    return math.prod([x.shape[i] for i in axes]) <= 2 * BLOCK


def _along(x, k):
    before = (slice(None),) * k
    while x.shape[k] > 2 * BLOCK:
        n = x.shape[k] // BLOCK
        blocks = x[(*before, slice(n * BLOCK))].reshape(*x.shape[:k], n, BLOCK, *x.shape[k + 1 :])
        y = np.add.reduce(blocks, axis=k + 1)
        if x.shape[k] % BLOCK:
            y[(*before, -1)] += np.add.reduce(x[(*before, slice(n * BLOCK, None))], axis=k)
        x = y
    return np.add.reduce(x, axis=k)
