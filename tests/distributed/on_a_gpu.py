"""One rank with a GPU, or several that share it: `python on_a_gpu.py FOLDER`. One by itself sums
over NCCL, as ranks do that each have their own; ranks that share a GPU go through MPI."""

import sys

import cupy
import numpy as np
import play

import minigan
import minigan.distributed as dist
from minigan.distributed import group
from minigan.distributed.collectives import combined
from minigan.distributed.nccl import Links, connected, links
from minigan.machine.precision import precision
from minigan.training.ranks import join


def main(folder):
    join()
    precision.conv_tf32 = False
    if group.size() == 1:
        group.World.links = connected()
        assert isinstance(links(), Links)
    else:
        assert links() is None
    collectives()
    for kind in play.GAMES:
        made = play.run(folder, kind, device="cuda", graph=False)
        if group.size() == 1:  # it exchanges all the same
            made.trainer.share = 1.0
        play.train(made)


def collectives():
    n = group.size()
    ranks = 2 + np.arange(n)  # what each one has
    results = {
        "SUM": ranks.sum(), "AVG": ranks.mean(), "MIN": 2, "MAX": ranks.max(),
        "PRODUCT": ranks.prod(),
    }  # fmt: skip
    for dtype in ("float32", "float64"):
        for size in (3, 100_001):
            x = minigan.full((size,), 2.0 + group.rank(), device="cuda", dtype=dtype)
            for op, expected in results.items():
                y = x.clone()
                dist.all_reduce(y, dist.ReduceOp[op])
                assert y.is_cuda and (y.cpu().numpy() == expected).all(), (op, dtype, size)
    number = minigan.tensor(1.5, device="cuda")
    found = combined(number.array)
    assert found.shape == () and found.item() == 1.5 * n
    bits = minigan.tensor([1 << group.rank()], device="cuda")
    dist.all_reduce(bits, dist.ReduceOp.BOR)  # which NCCL does not know
    assert bits.tolist() == [(1 << n) - 1]
    # of a stream of one's own, whose work before and behind it is in order
    with cupy.cuda.Stream(non_blocking=True):
        x = cupy.arange(1 << 22, dtype=np.float32)
        for _ in range(20):
            x = combined(x + 1) / n
        assert (x.get() == np.arange(1 << 22, dtype=np.float32) + 20).all()


if __name__ == "__main__":
    main(sys.argv[1])
