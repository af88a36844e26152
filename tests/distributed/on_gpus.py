"""Ranks, each with a GPU that is not there: `python on_gpus.py FOLDER [shared]`, where they have
one together. NCCL's part is done by MPI, on the arrays' own memory."""

import ctypes
import sys
import types

import fakecuda
import numpy as np
import play

import minigan
import minigan.distributed as dist
from minigan.distributed import group
from minigan.distributed.collectives import combined
from minigan.training.ranks import join

KINDS = {"NCCL_FLOAT32": np.float32, "NCCL_FLOAT64": np.float64, "NCCL_INT64": np.int64}
OPS = {"NCCL_SUM": "SUM", "NCCL_MAX": "MAX", "NCCL_MIN": "MIN", "NCCL_PROD": "PROD"}


class NcclCommunicator:
    """Its `allReduce`, with what CuPy's takes."""

    sums = 0

    def __init__(self, count, number, rank):
        assert (count, number, rank) == (2, (1, 2, 3), group.rank())

    def allReduce(self, given, to, count, kind, how, stream):
        from mpi4py import MPI

        assert stream == 0
        NcclCommunicator.sums += 1
        size = count * np.dtype(KINDS[kind]).itemsize
        sent, found = (
            np.frombuffer((ctypes.c_char * size).from_address(place), KINDS[kind])
            for place in (given, to)
        )
        MPI.COMM_WORLD.Allreduce(sent, found, getattr(MPI, OPS[how]))


def main(folder, shared):
    join()
    fakecuda.cuda.nccl = sys.modules["cupy.cuda.nccl"] = types.SimpleNamespace(
        available=True, get_unique_id=lambda: (1, 2, 3), NcclCommunicator=NcclCommunicator,
        **{name: name for name in (*KINDS, *OPS)},
    )  # fmt: skip
    sys.modules["cupy.cuda"] = fakecuda.cuda
    number = 0 if shared else group.rank()
    fakecuda._Device.pci_bus_id = property(lambda self: f"0000:{number}")
    if group.size() == 2:
        collectives(shared)
    for kind in play.GAMES:
        play.train(play.run(folder, kind, device="cuda"))


def collectives(shared):
    x = minigan.full((3,), 2.0 + group.rank(), device="cuda")
    for op, expected in (("SUM", 5), ("AVG", 2.5), ("MIN", 2), ("MAX", 3), ("PRODUCT", 6)):
        y = x.clone()
        dist.all_reduce(y, dist.ReduceOp[op])
        assert y.is_cuda and y.tolist() == [expected] * 3, (op, y)
    number = minigan.tensor(1.5, device="cuda")
    found = combined(number.array)
    assert found.shape == () and found.item() == 3
    bits = minigan.tensor([1 << group.rank()], device="cuda")
    dist.all_reduce(bits, dist.ReduceOp.BOR)  # which NCCL does not know
    assert bits.tolist() == [3]
    assert NcclCommunicator.sums == (0 if shared else 6)


if __name__ == "__main__":
    with fakecuda.with_kernels():
        main(sys.argv[1], "shared" in sys.argv)
