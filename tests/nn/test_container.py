"""Sequential, ModuleList, ModuleDict, ParameterList."""

from collections import OrderedDict

import numpy as np
import pytest

from minigan import nn
from minigan.autograd import tensor_of


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(np.float32([factor]))

    def forward(self, x):
        return x * self.factor


def values(modules):
    return [float(m.factor.array[0]) for m in modules]


ONE = tensor_of(np.ones(1, np.float32))


def test_sequential():
    seq = nn.Sequential(Times(2), Times(3), Times(5))
    assert seq(ONE).item() == 30 and len(seq) == 3 and values(seq) == [2, 3, 5]
    assert values([seq[0], seq[-1]]) == [2, 5]
    tail = seq[1:]
    assert (
        isinstance(tail, nn.Sequential)
        and tail(ONE).item() == 15
        and list(tail.state_dict()) == ["1.factor", "2.factor"]
    )
    assert tail[0] is seq[1]
    assert (
        seq.append(Times(7)) is seq
        and seq(ONE).item() == 210
        and list(seq.state_dict())[-1] == "3.factor"
    )
    seq[0] = Times(1)
    assert seq(ONE).item() == 105 and list(seq._modules) == ["0", "1", "2", "3"]
    del seq[1]
    assert values(seq) == [1, 5, 7] and list(seq._modules) == ["0", "1", "2"]
    seq.insert(1, Times(11))
    assert values(seq) == [1, 11, 5, 7] and seq.pop(1).factor.item() == 11
    with pytest.raises(IndexError, match="index 3 .* 3 modules"):
        seq[3]
    with pytest.raises(TypeError, match=r"Sequential\(\*layers\)"):
        nn.Sequential([Times(1)])


def test_sequential_with_names():
    for kind in (dict, OrderedDict):
        seq = nn.Sequential(kind([("twice", Times(2)), ("thrice", Times(3))]))
        assert seq(ONE).item() == 6 and seq.thrice is seq[1]
        assert list(seq.state_dict()) == ["twice.factor", "thrice.factor"]
        assert list(seq[:1].state_dict()) == ["twice.factor"]


def test_the_same_module_twice():
    layer = Times(3)
    seq = nn.Sequential(layer, layer)
    assert seq(ONE).item() == 9 and len(seq) == 2 and len(list(seq.parameters())) == 1
    assert list(seq.state_dict()) == ["0.factor", "1.factor"]


def test_module_list():
    layers = nn.ModuleList([Times(2), Times(3)])
    layers += [Times(5)]
    layers.insert(0, Times(1))
    assert values(layers) == [1, 2, 3, 5] and list(layers.state_dict()) == [
        f"{i}.factor" for i in range(4)
    ]
    assert values(layers[1:3]) == [2, 3] and list(layers[1:3]._modules) == ["0", "1"]
    del layers[1:3]
    assert values(layers) == [1, 5] and layers[1] in layers and Times(1) not in layers
    assert repr(nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()])) == (
        "ModuleList(\n  (0-1): 2 x Linear(in_features=2, out_features=2, bias=True)\n  (2): "
        "ReLU()\n)"
    )
    with pytest.raises(NotImplementedError):
        layers(ONE)


def test_module_dict():
    heads = nn.ModuleDict({"b": Times(2), "a": Times(3)})
    heads["c"] = Times(5)
    assert list(heads) == list(heads.keys()) == ["b", "a", "c"] and values(heads.values()) == [
        2,
        3,
        5,
    ]
    assert heads["a"](ONE).item() == 3 and "a" in heads and len(heads) == 3
    assert heads.pop("a").factor.item() == 3 and "a" not in heads
    with pytest.raises(KeyError):
        heads["missing"]
    with pytest.raises(KeyError, match="'keys' already exists"):
        heads["keys"] = Times(1)
    heads.clear()
    assert len(heads) == 0


def test_parameter_list():
    weights = nn.ParameterList(
        [nn.Parameter(np.zeros(2, np.float32)), tensor_of(np.ones(3, np.float32))]
    )
    assert [tuple(p.shape) for p in weights.parameters()] == [(2,), (3,)] and weights[
        1
    ].requires_grad
    assert list(weights.state_dict()) == ["0", "1"]


def test_parameter_dict():
    scales = nn.ParameterDict({"a": nn.Parameter(np.zeros(2, np.float32))})
    scales["b"] = tensor_of(np.ones(3, np.float32))
    scales.update([("c", tensor_of(np.ones(1, np.float32)))])
    assert list(scales) == list(scales.keys()) == list(scales.state_dict()) == ["a", "b", "c"]
    assert len(scales) == 3 and "b" in scales and scales["b"].requires_grad
    assert [tuple(p.shape) for p in scales.values()] == [(2,), (3,), (1,)]
    assert scales.get("x") is None and scales.get("b") is scales["b"]
    assert scales.pop("a").tolist() == [0, 0] and "a" not in scales
    del scales["b"]
    assert [n for n, _ in scales.items()] == [n for n, _ in scales.named_parameters()] == ["c"]
    assert repr(scales) == "ParameterDict(\n  (c): Parameter of shape (1,), float32\n)"
    with pytest.raises(KeyError):
        scales["a"]
    with pytest.raises(KeyError, match="'keys' already exists"):
        scales["keys"] = nn.Parameter(np.zeros(1, np.float32))
    scales.clear()
    assert not len(scales) and not list(scales.parameters())


def test_sums_of_containers():
    a, b = nn.Sequential(Times(2), Times(3)), nn.Sequential(Times(5))
    both = a + b
    assert type(both) is nn.Sequential and list(both) == [*a, *b] and both(ONE).item() == 30
    assert len(a) == 2 and list(nn.ModuleList([*a]) + [*b]) == [*a, *b]
    assert type(nn.ModuleList() + nn.ModuleList()) is nn.ModuleList


def test_per_example():
    d = nn.Sequential(
        nn.Flatten(), nn.Linear(4, 3), nn.LeakyReLU(0.2), nn.Dropout(), nn.Linear(3, 1)
    )
    assert d.per_example
    with_norm = nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.BatchNorm1d(3)))
    assert not with_norm.per_example and with_norm.eval().per_example
    assert not nn.BatchNorm1d(3, track_running_stats=False).eval().per_example
    assert (
        not nn.Flatten(0).per_example
        and nn.Softmax(1).per_example
        and not nn.Softmax(0).per_example
    )
    assert not nn.Module.per_example
