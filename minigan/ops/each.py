"""Run a compiled loop over the elements of arrays of one shape."""

import numpy as np

from ..backend import parallel_chunks
from ..backend.threads import MIN_CHUNK


def each(loop, x, *more, scalars=()):
    """y = loop over the elements: `loop(x, *more, *scalars, y)` with flat contiguous arrays; y is like x.

    more : arrays of the shape of x
    scalars : numbers, converted to x's dtype so that float32 stays float32
    """
    y = np.empty(x.shape, x.dtype)
    arrays = [a.reshape(-1) for a in (x, *more)]
    numbers = [x.dtype.type(s) for s in scalars]
    if x.size < 2 * MIN_CHUNK:
        loop(*arrays, *numbers, y.reshape(-1))
    else:
        parallel_chunks(lambda *pieces: loop(*pieces[:-1], *numbers, pieces[-1]), x.size, *arrays, y.reshape(-1))
    return y
