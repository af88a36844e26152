"""Gradients that are known to be zero are not computed, and are zeros for who looks at them."""

import sys

import numpy as np
import pytest

import minigan
from minigan import nn


@pytest.fixture
def rules(monkeypatch):
    """Names of the ops whose rules were applied."""
    engine = sys.modules["minigan.engine.backward"]
    called, apply = [], engine._apply_rule

    def noted(node, *arguments):
        called.append(node.op.__name__)
        return apply(node, *arguments)

    monkeypatch.setattr(engine, "_apply_rule", noted)
    return called


def slope_of(network, x):
    (slope,) = minigan.grad(network(x).sum(), x, create_graph=True)
    return slope


def test_a_penalty_goes_through_the_slope_alone(rules):
    """With leaky ReLUs the network's own entries get zeros: one rule for each of the slope's."""
    net = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 4), nn.ReLU())
    x = minigan.randn(5, 3, requires_grad=True)
    penalty = slope_of(net, x).square().sum()
    forward = sum("linear" in name for name in rules)
    rules.clear()
    penalty.backward()
    assert sum("linear" in name for name in rules) == forward == 2
    assert "leaky_relu" not in rules and "relu" not in rules
    for leaf in (x, *net.parameters()):
        assert leaf.grad.shape == leaf.shape and leaf.grad.dtype == leaf.dtype
    assert not x.grad.any() and not net[0].bias.grad.any() and not net[2].bias.grad.any()
    assert net[0].weight.grad.any() and net[2].weight.grad.any()
    net[0].bias.grad.add_(1)  # each has memory of its own
    assert not net[2].bias.grad.any()


def test_what_it_meets_stays():
    """Beside another gradient it changes nothing, whichever comes first."""
    for order in (lambda a, b: a + b, lambda a, b: b + a):
        x = minigan.tensor([-1.5, 2.5], requires_grad=True)
        y = x * 3
        order(y.round(), y.square()).sum().backward()
        assert x.grad.tolist() == [-27.0, 45.0]
    x = minigan.tensor([-1.5, 2.5], requires_grad=True)
    (x.round() + x.floor()).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0]


def test_who_looks_sees_zeros():
    x = minigan.tensor([[-1.5, 2.5]], requires_grad=True, dtype=minigan.float64)
    y, seen = x * 3, []
    y.register_hook(lambda g: seen.append(g))
    hook = x.register_hook(lambda g: g + 1)
    y.round().sum().backward()
    assert seen[0].tolist() == [[0, 0]] and seen[0].dtype == minigan.float64
    assert x.grad.tolist() == [[1, 1]]
    hook.remove()
    y = x * 3
    y.retain_grad()
    y.round().sum().backward()
    assert y.grad.tolist() == [[0, 0]]
    y = x * 3
    for create_graph in (False, True):
        found = minigan.grad(y.round().sum(), [y, x], create_graph=create_graph)
        assert [g.tolist() for g in found] == [[[0, 0]], [[0, 0]]]
        assert [g.dtype for g in found] == [minigan.float64] * 2


def test_an_infinite_weight_makes_no_nan():
    w = minigan.tensor([np.inf, 1.0])
    x = minigan.tensor([1.0, 2.0], requires_grad=True)
    (w * x).sign().sum().backward()
    assert x.grad.tolist() == [0, 0]


def test_in_a_repeated_step():
    """Each repetition has zeros of its own, and none is shared with a gradient."""
    net = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1))
    opt = minigan.optim.Adam(net.parameters(), 0.1)

    def step(x):
        x = x.clone().requires_grad_()
        opt.zero_grad()
        slope_of(net, x).square().sum().backward()
        opt.step()

    def biases(run):
        minigan.manual_seed(0)
        for p in net.parameters():
            nn.init.normal_(p)
        opt.state.clear()
        nn.init.ones_(net[0].bias)
        for _ in range(6):
            run(minigan.randn(5, 3))
        return [p.detach().numpy().copy() for p in net.parameters()]

    plain, repeated = biases(step), biases(minigan.cpu.graph(step))
    assert all((a == b).all() for a, b in zip(plain, repeated))
    assert (plain[1] == 1).all()
