"""Steps of every layer that multiplies are graphs; memory of graphs that are gone goes back; what
Python counts is refused. On a device that is not there (see test_graph.py)."""

import warnings

import fakecuda
import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays.seam import CaptureError
from minigan.autograd import grad, tensor_of
from minigan.fast.replay.graph import graph
from minigan.machine import pools
from minigan.nn.parametrizations import spectral_norm as parametrized
from minigan.nn.utils import spectral_norm
from minigan.optim import SGD, Adam
from minigan.optim.functional import follow
from minigan.optim.lr_scheduler import StepLR

pytestmark = pytest.mark.skipif(fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER))


@pytest.fixture
def kernels():
    with fakecuda.with_kernels():
        yield


def on_device(*shape):
    values = np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    return tensor_of(fakecuda.asarray(values))


class Last(nn.Module):
    """The first of what a recurrent layer gives."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]


class Stacks(nn.Module):
    """Products of stacks of matrices, of vectors, and of one matrix with many."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(on_device(3, 4))
        self.vector = nn.Parameter(on_device(4))

    def forward(self, x):
        stacks = minigan.bmm(x, x.transpose(1, 2) @ x)
        return (
            (stacks @ self.weight.t()).sum() + (x @ self.vector).sum() + self.vector @ self.vector
        )


class Einsums(nn.Module):
    """Products of stacks, of rows, and of all with all."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(on_device(2, 3, 4))

    def forward(self, x):
        stacks = minigan.einsum("bij,bkj->ibk", x, self.weight)
        return minigan.einsum("ibk,ibk->b", stacks, stacks) + minigan.einsum("bij,bkj->", x, x)


LAYERS = {
    "einsum": (Einsums, (2, 5, 4)),
    "stacks": (Stacks, (2, 5, 4)),
    "spectral norm": (lambda: spectral_norm(nn.Linear(4, 3)), (5, 4)),
    "spectral norm, parametrized": (
        lambda: parametrized(nn.Linear(4, 3)),
        (5, 4),
    ),
    "rnn": (lambda: Last(nn.RNN(4, 3)), (2, 5, 4)),
    "lstm": (lambda: Last(nn.LSTM(4, 3)), (2, 5, 4)),
    "gru": (lambda: Last(nn.GRU(4, 3)), (2, 5, 4)),
    "groups": (lambda: nn.Conv2d(4, 4, 3, padding=1, groups=2), (2, 4, 5, 5)),
    "groups, transposed": (lambda: nn.ConvTranspose2d(4, 4, 3, groups=2), (2, 4, 5, 5)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_that_multiply_are_captured(kernels, name):
    make, shape = LAYERS[name]
    ends = []
    for wrap in (lambda f: f, graph):
        minigan.manual_seed(1)
        net = make().cuda()
        optimizer = SGD(net.parameters(), 0.01)

        @wrap
        def step(x):
            loss = net(x).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        losses = [step(on_device(*shape)).array.storage.item() for _ in range(3)]
        ends.append((losses, [p.array.storage.copy() for p in net.parameters()]))
    assert ends[0][0] == ends[1][0] and len(set(ends[0][0])) == 3
    for a, b in zip(ends[0][1], ends[1][1]):
        np.testing.assert_array_equal(a, b)


class Pool:
    """A pool of which 100 bytes are taken, until somebody gives them back."""

    made: list = []

    def __init__(self):
        self.bytes = 100
        self.made.append(self)

    def malloc(self, size):
        raise NotImplementedError

    def total_bytes(self):
        return self.bytes

    def free_all_blocks(self):
        self.bytes = 0


def test_memory_of_graphs_that_are_gone_goes_back(kernels, monkeypatch):
    """Of those that live, nothing."""
    monkeypatch.setattr(Pool, "made", [])
    monkeypatch.setattr(fakecuda.cuda, "MemoryPool", Pool)
    monkeypatch.setattr(pools, "_private", [])
    net = nn.Linear(4, 3).cuda()
    first, second = (graph(lambda x: net(x)) for _ in range(2))
    first(on_device(2, 4)), second(on_device(2, 4))
    assert [p.bytes for p in Pool.made] == [100, 100]
    assert pools.total_bytes(fakecuda) == pools.private_bytes() == 200
    del first
    assert [p.bytes for p in Pool.made] == [0, 100] and pools.private_bytes() == 100
    net.weight.requires_grad_(False)  # so that it is captured anew
    second(on_device(2, 4))
    assert [p.bytes for p in Pool.made] == [0, 0, 100]
    del second
    assert pools.private_bytes() == 0 and not pools._private


def test_what_python_counts_is_not_captured(kernels):
    """Steps that an optimiser would make: their bias corrections change from one to the next."""
    net = nn.Linear(4, 1).cuda()
    optimizer = Adam(net.parameters(), 0.1)

    def ahead(x):
        step, state = follow(optimizer)
        weights = list(net.parameters())
        (weight, bias), _ = step(weights, grad(net(x).square().sum(), weights), state)
        return weight

    with pytest.raises(CaptureError, match="reads the optimizer's step number, which Python count"):
        graph(ahead)(on_device(2, 4))
    assert ahead(on_device(2, 4)).shape == (1, 4)


def test_schedules_know_that_steps_were_made(kernels):
    net = nn.Linear(4, 1).cuda()
    optimizer = SGD(net.parameters(), 0.1)
    schedule = StepLR(optimizer, 1, 0.5)

    @graph
    def step(x):
        optimizer.zero_grad()
        net(x).sum().backward()
        optimizer.step()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(3):
            step(on_device(2, 4))
            assert optimizer._step_count == n + 1
            schedule.step()
    assert optimizer.param_groups[0]["lr"] == 0.0125


def test_a_step_without_gradients_counts(kernels):
    optimizer = SGD(nn.Linear(4, 1).cuda().parameters(), 0.1)
    optimizer.step()
    assert optimizer._step_count == 1


def test_the_collector_may_come_while_memory_goes_back(kernels, monkeypatch):
    class Nested(Pool):
        def free_all_blocks(self):
            if self.bytes:
                super().free_all_blocks()
                pools.release()

    monkeypatch.setattr(fakecuda.cuda, "MemoryPool", Nested)
    monkeypatch.setattr(pools, "_private", [])
    private = pools.Private(fakecuda)
    assert pools.private_bytes() == 100
    del private
    pools.release()
    assert not pools._private
