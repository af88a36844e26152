"""The GPU memory of this program: CuPy's pool, and those of graphs, whose memory is nobody else's
while they live.

CuPy does not free a pool that is gone: its chunks refer to each other, and Python's collector does
not see them. So pools are kept here until they are empty.
"""

import contextlib
import sys
import weakref

# (pool, its device, a weak reference to the Private that it belongs to)
_private: list = []


class Private:
    """A pool for one owner, who keeps this object as long as the memory must stay."""

    def __init__(self, cupy):
        release()
        self.pool, device = cupy.cuda.MemoryPool(), cupy.cuda.Device()
        _private.append((self.pool, device, weakref.ref(self)))


def release():
    """Give the memory of owners that are gone back to the GPU, all but arrays that still live."""
    for entry in _private[:]:
        pool, device, owner = entry
        if owner() is None:
            with device:
                pool.free_all_blocks()
            if not _bytes(pool, device):
                # the collector may have come here meanwhile
                with contextlib.suppress(ValueError):
                    _private.remove(entry)


def _bytes(pool, device):
    with device:
        return pool.total_bytes()


def private_bytes():
    """What graphs hold."""
    return sum(_bytes(pool, device) for pool, device, _ in _private[:])


def total_bytes(cupy=None):
    """All that this program has taken."""
    cupy = cupy or sys.modules["cupy"]
    return cupy.get_default_memory_pool().total_bytes() + private_bytes()
