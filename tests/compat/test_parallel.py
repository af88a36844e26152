"""DataParallel, Module.type, names of members: what programs for PyTorch do around modules."""

import copy

import pytest

import minigan
import minigan.nn.functional as F
from minigan import nn


def test_data_parallel_is_the_module():
    net = nn.Linear(2, 3)
    wrapped = nn.DataParallel(net)
    x = minigan.randn(4, 2)
    assert minigan.equal(wrapped(x), net(x)) and wrapped.module is net
    assert list(wrapped.state_dict()) == ["module.weight", "module.bias"]
    assert nn.DataParallel(net, device_ids=[0]).per_example
    with pytest.raises(NotImplementedError, match="one device"):
        nn.DataParallel(net, device_ids=[0, 1])


def test_type():
    net = nn.BatchNorm1d(2).type(minigan.DoubleTensor)
    assert {b.dtype.name for b in (*net.parameters(), *net.buffers())} == {"float64", "int64"}
    assert net.type(minigan.float32).weight.dtype == minigan.float32


def test_members_by_name():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    weight = net[0].weight
    del net[0]._parameters["weight"]
    assert [n for n, _ in net[0].named_parameters()] == ["bias"] and "weight" not in net[
        0
    ]._parameters
    net[0]._parameters["weight"] = weight
    assert [n for n, _ in net[0].named_parameters()] == ["bias", "weight"] and net[
        0
    ].weight is weight
    net._modules["0"] = nn.Identity()
    assert isinstance(net[0], nn.Identity)
    assert net[1]._buffers.pop("running_mean").tolist() == [0, 0] and "running_mean" not in dict(
        net.named_buffers()
    )
    with pytest.raises(KeyError):
        net._modules["2"]


def test_copies_take_no_tape_along():
    net = nn.Linear(2, 2)
    net.last = net(minigan.ones(1, 2))
    with pytest.raises(RuntimeError, match="deepcopy of the result of linear"):
        copy.deepcopy(net.last)
    a, b = copy.deepcopy([net.weight, net.weight])
    assert (
        a is b
        and isinstance(a, nn.Parameter)
        and a.requires_grad
        and a.data_ptr() != net.weight.data_ptr()
    )


def test_old_names():
    x = minigan.rand(1, 1, 2, 2)
    assert minigan.equal(F.upsample(x, scale_factor=2), F.interpolate(x, scale_factor=2))
    assert nn.init.xavier_uniform is nn.init.xavier_uniform_ and nn.init.normal(
        minigan.empty(3), 2.0, 0.0
    ).tolist() == [2, 2, 2]
