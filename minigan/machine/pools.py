"""The GPU memory of this program: CuPy's pool, and those of graphs, whose memory is nobody else's
while they live.

CuPy does not free a pool that is gone: its chunks refer to each other, and Python's collector does
not see them. So pools are kept here until they are empty.
"""

import sys
import weakref

_private: list = []  # (pool, a weak reference to the Private that it belongs to)


class Private:
    """A pool for one owner, who keeps this object as long as the memory must stay."""

    def __init__(self, cupy):
        release()
        self.pool = cupy.cuda.MemoryPool()
        _private.append((self.pool, weakref.ref(self)))


def release():
    """Give the memory of owners that are gone back to the GPU, all but arrays that still live."""
    for entry in _private[:]:
        pool, owner = entry
        if owner() is None:
            pool.free_all_blocks()
            if not pool.total_bytes():
                _private.remove(entry)


def private_bytes():
    """What graphs hold."""
    return sum(pool.total_bytes() for pool, _ in _private)


def total_bytes(cupy=None):
    """All that this program has taken."""
    cupy = cupy or sys.modules["cupy"]
    return cupy.get_default_memory_pool().total_bytes() + private_bytes()
