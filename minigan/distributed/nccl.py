"""Sums of arrays that lie on the ranks' GPUs, over NCCL: they do not go through the computers'
memory.

The order of a sum is NCCL's: the same bits on all ranks, and in each run on the same GPUs, but not
those of MPI's way, which adds in the order of the ranks.
"""

from __future__ import annotations

import socket
from typing import Any

import numpy as np

from ..arrays import array_module
from . import group

# what NCCL calls dtypes, and the functions that combine
DTYPES = {
    "e": "NCCL_FLOAT16", "f": "NCCL_FLOAT32", "d": "NCCL_FLOAT64", "b": "NCCL_INT8",
    "B": "NCCL_UINT8", "i": "NCCL_INT32", "I": "NCCL_UINT32", "l": "NCCL_INT64", "L": "NCCL_UINT64",
}  # fmt: skip
OPS: dict[Any, str] = {
    np.add: "NCCL_SUM",
    np.multiply: "NCCL_PROD",
    np.minimum: "NCCL_MIN",
    np.maximum: "NCCL_MAX",
}


class Links:
    """NCCL between the GPUs of all ranks."""

    def __init__(self, nccl: Any, number: tuple):
        self._nccl = nccl
        self._comm = nccl.NcclCommunicator(group.size(), number, group.rank())

    def can(self, array: Any, combine: np.ufunc) -> bool:
        """Does NCCL know this dtype and how to combine? The answer is the same on all ranks."""
        return array.dtype.char in DTYPES and combine in OPS and array.size > 0

    def reduced(self, array: Any, combine: np.ufunc) -> Any:
        """All ranks' arrays combined: a new one. It is done when the current stream is there."""
        xp = array_module(array)
        given = xp.ascontiguousarray(array)  # of a number, an array of one
        found = xp.empty_like(given)
        kind, how = (getattr(self._nccl, name) for name in (DTYPES[given.dtype.char], OPS[combine]))
        stream = xp.cuda.get_current_stream().ptr
        self._comm.allReduce(given.data.ptr, found.data.ptr, given.size, kind, how, stream)
        return found.reshape(array.shape)


def links() -> Links | None:
    """NCCL, where CuPy has it on all ranks and each of them has a GPU of its own; else None. The
    first call, which all ranks must make together, connects them. (A single rank, which has nobody
    to add to, is connected by tests alone.)"""
    if group.World.by_itself:
        return None
    if group.World.links is None and group.size() > 1:
        group.World.links = connected()
    return group.World.links or None


def connected() -> Links | bool:
    """New links between the GPUs of all ranks, which must call it together; False where NCCL is
    missing or a GPU is shared."""
    try:
        import cupy
        from cupy.cuda import nccl

        here = cupy.cuda.Device().pci_bus_id if nccl.available else None
    except ImportError:
        here = None
    places = group.told((socket.gethostname(), here))
    if any(place is None for _, place in places) or len(set(places)) < len(places):
        return False
    return Links(nccl, group.first_makes(lambda: nccl.get_unique_id()))
