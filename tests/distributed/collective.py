"""What every rank checks of `minigan.distributed`, under mpirun."""

import copy
import os

import numpy as np

import minigan
import minigan.distributed as dist
from minigan import nn
from minigan.arrays import Generator, default_generator, drawing_rows
from minigan.data.distributed import DistributedSampler
from minigan.distributed.group import alone, reduced
from minigan.nn.distributed import DistributedDataParallel

dist.init_process_group("gloo")
rank, n = dist.get_rank(), dist.get_world_size()
assert n == 3 and dist.is_initialized() and dist.get_backend() == "mpi"

told = [int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")]
assert told == [rank, n, n] and 0 <= int(os.environ["LOCAL_RANK"]) < n  # as torchrun tells it


def rows(count):
    return slice(count * rank // n, count * (rank + 1) // n)


# the ranks' numbers, combined
Op = dist.ReduceOp
for op, expected in (
    (Op.SUM, [6, 12]), (Op.AVG, [2, 4]), (Op.PRODUCT, [6, 48]), (Op.MIN, [1, 2]), (Op.MAX, [3, 6]),
):  # fmt: skip
    x = minigan.tensor([1.0, 2.0]) * (rank + 1)
    assert dist.all_reduce(x, op) is None
    assert x.tolist() == expected, (op, x)
x = minigan.tensor([rank + 1])
assert dist.all_reduce(x, async_op=True).wait() and x.tolist() == [6]
flag = minigan.tensor([rank == 1, False])
dist.all_reduce(flag, Op.MAX)
assert flag.tolist() == [True, False]
part = minigan.full((2,), float(rank))
dist.reduce(part, dst=1)
assert part.tolist() == ([3, 3] if rank == 1 else [rank] * 2)
dist.broadcast(part, src=1)
assert part.tolist() == [3, 3]
found = [minigan.zeros(2) for _ in range(n)]
dist.all_gather(found, minigan.full((2,), float(rank)))
assert [f.tolist() for f in found] == [[0, 0], [1, 1], [2, 2]]
things = [rank if rank == 2 else None]
dist.broadcast_object_list(things, src=2)
assert things == [2]
things = [None] * n
dist.all_gather_object(things, {"rank": rank})
assert things == [{"rank": 0}, {"rank": 1}, {"rank": 2}]
for count in (0, 1, 5, 30_001):  # none, sent at once, in parts with a rest
    each = [np.random.default_rng(r).normal(size=count).astype(np.float32) for r in range(n)]
    assert (reduced(each[rank]) == (each[0] + each[1]) + each[2]).all()  # in this order, to the bit
dist.barrier()
for call, text in (
    (lambda: dist.broadcast(part, src=3), "src=3: the ranks are 0 to 2"),
    (lambda: dist.init_process_group(), "twice"),
    (lambda: dist.all_gather([part], part), "1 Tensors for 3 ranks"),
):
    try:
        call()
        raise AssertionError(text)
    except ValueError as error:
        assert text in str(error), error

# draws: the rows of what one process draws, for one batch and for two behind each other
whole = Generator(7)
default_generator.manual_seed(7)
with drawing_rows((7, rows(7).start, rows(7).stop)):
    here = rows(7).stop - rows(7).start
    assert (minigan.randn(here, 3).numpy() == whole.normal((7, 3))[rows(7)]).all()
    both = whole.uniform((14, 2)).reshape(2, 7, 2)[:, rows(7)].reshape(-1, 2)
    assert (minigan.rand(2 * here, 2).numpy() == both).all()
assert default_generator.counter == whole.counter

# gradients are means, and batch statistics those of all rows
minigan.manual_seed(0)
data = minigan.randn(7, 3, 2)


def network():
    minigan.manual_seed(3)
    layers = [nn.Linear(2, 4), nn.BatchNorm1d(3), nn.Tanh(), nn.Flatten(), nn.Linear(12, 1)]
    net = nn.Sequential(*layers)
    with minigan.no_grad():
        net[1].weight.copy_(minigan.tensor([0.5, 0.0, 2.0]))
    return net


def loss(net, x, order):
    """A sum over the rows; of order 2, of squared slopes."""
    x = x.clone().requires_grad_()
    y = net(x).square().sum()
    if order == 1:
        return y
    return minigan.grad(y, x, create_graph=True)[0].square().sum()


def close(a, b):
    assert np.abs(a.numpy() - b.numpy()).max() <= 2e-5 * max(1, np.abs(b.numpy()).max()), (a, b)


for order in (1, 2):
    with alone():
        one = network()
        loss(one, data, order).backward()
    several = network()
    before = {**dict(several.named_parameters()), **dict(several.named_buffers())}
    nn.SyncBatchNorm.convert_sync_batchnorm(several)
    assert type(several[1]) is nn.SyncBatchNorm
    after = {**dict(several.named_parameters()), **dict(several.named_buffers())}
    assert list(after) == list(before) and all(after[k] is before[k] for k in before)
    ddp = DistributedDataParallel(several)
    loss(ddp, data[rows(7)], order).backward()
    for p, q in zip(several.parameters(), one.parameters(), strict=True):
        close(p.grad * n, q.grad)
    for p, q in zip(several.buffers(), one.buffers(), strict=True):
        close(p, q)
close(ddp.eval()(data[rows(7)]).detach(), one.eval()(data)[rows(7)].detach())

# DistributedDataParallel: rank 0's parameters; no_sync sums up first
minigan.manual_seed(rank)
net = nn.Linear(1, 1, bias=False)
mine = copy.deepcopy(net)
ddp = DistributedDataParallel(net)
dist.all_gather(found := [minigan.zeros(1, 1) for _ in range(n)], mine.weight.detach())
assert net.weight.tolist() == found[0].tolist() and found[0].tolist() != found[1].tolist()
with ddp.no_sync():
    ddp(minigan.full((1, 1), float(rank))).sum().backward()
assert net.weight.grad.item() == rank
ddp(minigan.full((1, 1), 10.0)).sum().backward()
assert net.weight.grad.item() == 11.0
assert list(ddp.state_dict()) == ["module.weight"]

# every rank its indices
own = list(DistributedSampler(range(10)))
dist.all_gather_object(things, own)
assert sorted(sum(things, []))[:2] == [0, 0] or len(set(sum(things, []))) == 10
assert len(own) == 4 and len(set(sum(things, []))) == 10
dist.destroy_process_group()
assert not dist.is_initialized()
print(f"rank {rank} is through")
