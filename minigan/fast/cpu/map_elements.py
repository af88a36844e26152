"""Run a compiled loop over the elements of arrays of one shape."""

import numpy as np

from .layout import row_major
from .threads import MIN_CHUNK, parallel_chunks


def map_elements(loop, x, *rest):
    """y = loop over the elements: `loop(x, *rest, y)` with flat arrays; y is laid out in memory
    like x.

    rest : arrays of the shape of x, and numbers; a loop converts its numbers with
        `x.dtype.type(number)`, so that float32
    stays float32
    """
    y = np.empty_like(x)
    strides = y.strides
    arguments = [x.ravel("K") if x.strides == strides else _like(x, y)]
    for a in rest:
        if isinstance(a, np.ndarray):
            a = a.ravel("K") if a.strides == strides else _like(a, y)
        arguments.append(a)
    if x.size < 2 * MIN_CHUNK:
        loop(*arguments, y.ravel("K"))
    else:
        numbers = {i: a for i, a in enumerate(arguments) if not isinstance(a, np.ndarray)}

        def run(*pieces):
            pieces = list(pieces)
            for i, number in numbers.items():
                pieces.insert(i, number)
            loop(*pieces)

        parallel_chunks(
            run, x.size, *[a for i, a in enumerate(arguments) if i not in numbers], y.ravel("K")
        )
    return y


def _like(a, y):
    """The elements of `a`, flat, in the order in which those of `y` lie in memory (y has no
    gaps)."""
    if y.flags.c_contiguous:
        return row_major(a).reshape(-1)
    if y.ndim == 2 and y.flags.f_contiguous:
        return row_major(a.T).reshape(-1)
    copy = np.empty_like(y, a.dtype)
    copy[...] = a
    return copy.ravel("K")


def on_planes(loop, size, *arrays, dtype=None):
    """y (..., *size) = loop over the planes: `loop(x, ..., y)` with each of `arrays` (..., H, W) as
    C-contiguous (planes, H, W)."""
    y = np.empty((*arrays[0].shape[:-2], *size), dtype or arrays[0].dtype)
    planes = [np.ascontiguousarray(a).reshape(-1, *a.shape[-2:]) for a in (*arrays, y)]
    work = max(a[:1].size for a in planes)
    parallel_chunks(loop, len(planes[-1]), *planes, min_chunk=-(-MIN_CHUNK // max(work, 1)))
    return y


def over_groups(loop, *arrays):
    """loop(*arrays), arrays (outer, group, inner) of `Groups`, shared among threads."""
    parallel_chunks(
        loop, len(arrays[0]), *arrays, min_chunk=-(-MIN_CHUNK // max(arrays[0][:1].size, 1))
    )
