"""Adam's step on the CPU for all large parameters of a network, shared by the threads in one hand-over.

A gradient may be a product that is not computed yet (`backend.late`): then six rows of it at a time are summed up and used.
"""

import numpy as np

from ...ops.update import adam_step
from ..replay.lazy_product import Late
from . import tiles
from .kernels import kernel
from .shared import Shared, carray, lead, pointer
from .threads import num_threads

ALIGN = 16  # pieces start at a multiple of this many elements
THREADED = 1 << 18  # to wake a thread takes as long as the step of about this many elements

__all__: list[str] = []  # no ops

# First how many rows there are, the scratch memory of the threads, and how many bytes each has. Then a row for each parameter: the
# numbers of a product, or of an array at A that is M long (N = 1, K = 0), and behind them addresses.
CONSTANTS, P, FIRST, SECOND, WIDTH = range(tiles.NUMBERS, tiles.NUMBERS + 5)

_step = kernel(adam_step.loop)


@kernel
def _by_rows(zero, size, row, c, p, m, v, scratch, part, parts):
    """A thread's rows of a parameter whose gradient is a product. scratch: for six rows of it, and b turned over."""
    n, (low, high) = row[tiles.N], tiles.share(row[tiles.M], part, parts)
    if low == high:
        return
    own, g = row.copy(), carray(pointer(scratch, zero), tiles.ROWS * n)
    b, b_row = tiles.row_by_row(zero, row, scratch + size * g.size)
    own[tiles.AFTER1], own[tiles.AFTER2], own[tiles.AFTER3] = row[P], row[FIRST], row[SECOND]
    for first in range(low, high, tiles.ROWS):
        start, last = min(first, high - tiles.ROWS), min(first + tiles.ROWS, high)
        own[tiles.C] = scratch - size * start * n  # row `start` of the product comes to the beginning of g
        tiles.multiply(zero, size, own, b, b_row, start, start + tiles.ROWS)
        _step(c, g[(first - start) * n :], p[first * n : last * n], m[first * n : last * n], v[first * n : last * n])


@kernel
def _work(zero, size, args, part, parts):
    """A thread's part of each parameter."""
    table = carray(pointer(args, 0), (carray(pointer(args, 0), 1)[0], WIDTH))
    for i in range(1, len(table)):
        row = table[i]
        length = row[tiles.M] * row[tiles.N]
        p, m = carray(pointer(row[P], zero), length), carray(pointer(row[FIRST], zero), length)
        v, c = carray(pointer(row[SECOND], zero), length), carray(pointer(row[CONSTANTS], zero), 9)
        if row[tiles.K]:
            _by_rows(zero, size, row, c, p, m, v, table[0, 1] + part * table[0, 2], part, parts)
        else:
            low = length * part // parts // ALIGN * ALIGN
            high = length if part == parts - 1 else length * (part + 1) // parts // ALIGN * ALIGN
            g = carray(pointer(row[tiles.A], zero), length)
            _step(c, g[low:high], p[low:high], m[low:high], v[low:high])


def _work32(args, part, parts):
    _work(np.float32(0), 4, args, part, parts)


def _work64(args, part, parts):
    _work(0.0, 8, args, part, parts)


def _lead(rows, work, sched_yield, table):
    return lead(rows, work, table, sched_yield)


def _arguments(array, real, number):
    from numba import types

    return (array(types.int64, 2, written=True),)


_shared = Shared(_work32, _work64, _lead, _arguments)


def step_together(jobs):
    """Adam's steps, given as (numbers in the dtype of the arrays, (g, p, m, v)): flat arrays, or g a Late of rows of p."""
    for dtype in {c.dtype for c, _ in jobs}:
        own = [job for job in jobs if job[0].dtype == dtype]
        table, alive, most = [], [], 0
        for c, (g, *state) in own:
            if isinstance(g, Late):
                a, b = tiles.readable(g.a, g.b)
                alive.append((a, b))
                row, most = tiles.described(a, b), max(most, b.shape[1] * (tiles.ROWS + len(b) * tiles.must_turn(b)))
            else:
                row = [g.size, 1, 0, g.ctypes.data]
            table.append(row + [0] * (CONSTANTS - len(row)) + [a.ctypes.data for a in (c, *state)])
        threads = num_threads() if sum(state[0].size for _, (_, *state) in own) >= THREADED else 1
        scratch = np.empty((threads, most), dtype)
        head = [len(own) + 1, scratch.ctypes.data, scratch.strides[0]]
        _shared(dtype.char, threads, np.array([head + [0] * (WIDTH - len(head)), *table]))
