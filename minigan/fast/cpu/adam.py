"""Adam's step on the CPU for all large parameters of a network, shared by the threads in one
dispatch.

A gradient may be a product that is not computed yet (`replay.lazy_product`): then six rows of it at
a time are summed up and used.
"""

import numpy as np

from .. import update_loops
from ..replay.lazy_product import LazyProduct
from . import tiles
from .kernels import kernel
from .shared_kernel import SharedKernel, carray, dispatch, pointer, record_at
from .threads import num_threads

ALIGN = 16  # pieces start at a multiple of this many elements
SHARED = 1 << 15  # elements whose step is worth to be shared with threads that wait for work

__all__: list[str] = []  # no ops

# What the step of one parameter needs: its size, addresses, and the product that its gradient may
# be.
STEP = np.dtype(
    [
        ("size", np.int64),
        ("gradient", np.int64),  # 0: it is the product
        ("param", np.int64),
        ("first", np.int64),  # m, the average of the gradients
        ("second", np.int64),  # v, that of their squares
        ("constants", np.int64),
        ("product", tiles.PRODUCT),
    ],
    align=True,
)
# What a thread's part of all steps finds at its address. Each thread has `scratch_bytes` of scratch
# memory.
STEPS = np.dtype(
    [("steps", np.int64), ("count", np.int64), ("scratch", np.int64), ("scratch_bytes", np.int64)],
    align=True,
)
STEP_BYTES = STEP.itemsize
NO_PRODUCT = np.zeros((), tiles.PRODUCT).item()[:-1] + ((0, 0, 0),)
CONSTANTS = 9  # numbers that the loop takes

_step = kernel(update_loops.adam_step)
_steps_at, _step_at = record_at(STEPS), record_at(STEP)


@kernel
def _by_rows(zero, size, product, c, p, m, v, scratch, part, parts):
    """A thread's rows of a parameter whose gradient is a product. scratch: for six rows of it, and
    the packed b."""
    n, (low, high) = product.n, tiles.rows_of_part(product.m, part, parts)
    if low == high:
        return
    g = carray(pointer(scratch, zero), tiles.TILE_ROWS * n)
    b, b_row = tiles.packed(zero, product, scratch + size * g.size)
    for first in range(low, high, tiles.TILE_ROWS):
        start, last = min(first, high - tiles.TILE_ROWS), min(first + tiles.TILE_ROWS, high)
        at = scratch - size * start * n  # row `start` of the product comes to the beginning of g
        tiles.multiply(zero, size, product, b, b_row, at, start, start + tiles.TILE_ROWS)
        _step(
            c,
            g[(first - start) * n :],
            p[first * n : last * n],
            m[first * n : last * n],
            v[first * n : last * n],
        )


@kernel
def _work(zero, size, args, part, parts):
    """A thread's part of each parameter."""
    steps = _steps_at(args)
    for i in range(steps.count):
        step = _step_at(steps.steps + i * STEP_BYTES)
        length = step.size
        p = carray(pointer(step.param, zero), length)
        c = carray(pointer(step.constants, zero), CONSTANTS)
        m, v = carray(pointer(step.first, zero), length), carray(pointer(step.second, zero), length)
        if step.gradient == 0:
            _by_rows(
                zero,
                size,
                step.product,
                c,
                p,
                m,
                v,
                steps.scratch + part * steps.scratch_bytes,
                part,
                parts,
            )
        else:
            low = length * part // parts // ALIGN * ALIGN
            high = length if part == parts - 1 else length * (part + 1) // parts // ALIGN * ALIGN
            g = carray(pointer(step.gradient, zero), length)
            _step(c, g[low:high], p[low:high], m[low:high], v[low:high])


def _work32(args, part, parts):
    _work(np.float32(0), 4, args, part, parts)


def _work64(args, part, parts):
    _work(0.0, 8, args, part, parts)


def _begin(records, workers, work, sched_yield, steps):
    return dispatch(records, workers, work, np.intp(steps.ctypes.data), sched_yield)


def _arguments(array, real, number):
    return {"steps": array(STEPS, 1, written=True)}


_step_in_threads = SharedKernel(_work32, _work64, _begin, _arguments)


def adam_steps(jobs):
    """Adam's steps, given as (numbers in the dtype of the arrays, (g, p, m, v)): flat arrays, or g
    a LazyProduct of rows of p."""
    for dtype in {c.dtype for c, _ in jobs}:
        own = [job for job in jobs if job[0].dtype == dtype]
        rows, alive = [], []
        most = 0
        for c, (g, *state) in own:
            addresses = tuple(a.ctypes.data for a in state)
            if isinstance(g, LazyProduct):
                a, b = tiles.tile_readable(g.a, g.b)
                alive.append((a, b))
                most = max(most, b.shape[1] * (tiles.TILE_ROWS + len(b) * tiles.needs_packing(b)))
                gradient, product = 0, tiles.described(a, b, addresses)
            else:
                gradient, product = g.ctypes.data, NO_PRODUCT
            rows.append((state[0].size, gradient, *addresses, c.ctypes.data, product))
        table = np.array(rows, STEP)
        threads = num_threads() if table["size"].sum() >= SHARED else 1
        scratch = np.empty((threads, most), dtype)
        head = table.ctypes.data, len(own), scratch.ctypes.data, scratch.strides[0]
        steps = np.array([head], STEPS)
        _step_in_threads(dtype.char, threads, steps)
