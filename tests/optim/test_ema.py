"""Averaged weights against the weighted mean that they are."""

import numpy as np
import pytest

from minigan import nn
from minigan.autograd import tensor_of
from minigan.optim import EMA


def normal(seed, *shape, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


class Net:
    """What EMA uses of a Module."""

    def __init__(self, seed=0):
        self.weight = tensor_of(np.asfortranarray(normal(seed, 4, 3)), requires_grad=True)
        self.bias = tensor_of(normal(seed + 1, 4), requires_grad=True)
        self.mean, self.count = tensor_of(normal(seed + 2, 4)), tensor_of(np.array(0))

    def named_parameters(self):
        return iter([("weight", self.weight), ("bias", self.bias)])

    def named_buffers(self):
        return iter([("mean", self.mean), ("count", self.count)])

    def everything(self):
        return [t.array.copy() for t in (self.weight, self.bias, self.mean, self.count)]

    def change(self, seed):
        for i, t in enumerate((self.weight, self.bias, self.mean)):
            t.array[...] = normal((seed, i), *t.shape)
        self.count.array[...] = seed


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["C", "F", "gaps"])
def test_is_the_weighted_mean(decay, dtype, layout):
    """After t updates: sum_i decay^(t-i) p_i / sum_i decay^(t-i)."""
    p = tensor_of(
        np.zeros((3, 8), dtype)[:, ::2]
        if layout == "gaps"
        else np.zeros((3, 4), dtype, order=layout),
        requires_grad=True,
    )
    ema, history = EMA([p], decay), []
    for t in range(1, 9):
        p.array[...] = normal(t, 3, 4)
        history.append(p.array.astype(np.float64))
        ema.update()
        weights = np.array([decay ** (t - i) for i in range(1, t + 1)])
        expected = np.tensordot(weights / weights.sum(), np.array(history), 1)
        np.testing.assert_allclose(
            ema.averages["0"].array, expected, rtol=1e-5, atol=1e-6 if dtype == "float32" else 1e-12
        )


def test_large_in_threads():
    p = tensor_of(normal(0, 600, 700), requires_grad=True)
    ema = EMA([p], 0.9)
    first = p.array.copy()
    ema.update()
    p.array[...] = normal(1, 600, 700)
    ema.update()
    np.testing.assert_allclose(
        ema.averages["0"].array, (0.9 * first + p.array) / 1.9, rtol=1e-4, atol=1e-5
    )


def test_applied_swaps_and_restores_every_bit():
    net = Net()
    net.bias.array[0], net.bias.array[1] = np.nan, -0.0
    ema = EMA(net, 0.5)
    ema.update()
    first = net.everything()
    net.change(7)
    net.bias.array[2] = -0.0
    before = net.everything()
    memory = net.weight.array
    version = net.weight._version[0]
    with ema.applied() as inside:
        assert inside is ema
        for now, old in zip(net.everything(), first):
            np.testing.assert_array_equal(now, old)
        assert net.weight._version[0] > version
        with pytest.raises(RuntimeError, match="applied"):
            ema.update()
    assert net.weight.array is memory
    for now, old in zip(net.everything(), before):
        assert now.tobytes() == old.tobytes()
    with pytest.raises(KeyError), ema.applied():
        raise KeyError
    for now, old in zip(net.everything(), before):
        assert now.tobytes() == old.tobytes()
    ema.update()  # allowed again
    np.testing.assert_array_equal(ema.kept["count"].array, 7)


def test_copy_to():
    net, other = Net(), Net(5)
    ema = EMA(net)
    net.change(3)
    ema.update()
    ema.copy_to(other)
    for a, b in zip(net.everything(), other.everything()):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="parameters differ"):
        ema.copy_to([net.bias])


def test_state_dict_continues_bit_identically():
    net = Net()
    ema = EMA(net, 0.9)
    for t in range(3):
        net.change(t)
        ema.update()
    other = EMA(net, 0.1)
    other.load_state_dict(ema.state_dict())
    for t in range(3, 6):
        net.change(t)
        ema.update()
        other.update()
        ema.update()
        other.update()
    assert (other.decay, other.updates) == (ema.decay, ema.updates) == (0.9, 9)
    for name in ema.averages:
        np.testing.assert_array_equal(ema.averages[name].array, other.averages[name].array)
        assert ema.averages[name].array is not other.averages[name].array


def test_rebound_parameter():
    p = tensor_of(normal(0, 3, 2), requires_grad=True)
    ema = EMA([("w", p)], 0.5)
    ema.update()
    first = p.array.copy()
    p.data = tensor_of(np.asfortranarray(normal(1, 3, 2)))
    ema.update()
    np.testing.assert_allclose(
        ema.averages["w"].array, (0.5 * first + p.array) / 1.5, rtol=1e-5, atol=1e-6
    )


def test_errors():
    with pytest.raises(ValueError, match="decay"):
        EMA(Net(), 1.0)
    with pytest.raises(ValueError, match="no parameters"):
        EMA([])
    with pytest.raises(TypeError, match="item 0 is ndarray"):
        EMA([np.zeros(3)])
    with pytest.raises(ValueError, match="different names"):
        EMA(Net()).load_state_dict(EMA([Net().bias]).state_dict())


def test_buffers_that_are_not_saved_are_no_part_of_it():
    """So that its state is one that the module can load."""
    net = nn.Linear(2, 2)
    net.register_buffer("mask", tensor_of(np.ones(2)), persistent=False)
    net.register_buffer("mean", tensor_of(np.zeros(2)))
    net.register_buffer("also", net.mask)
    state = EMA(net).state_dict()
    assert set(state["buffers"]) == {"mean", "also"}
    net.load_state_dict(state["averages"] | state["buffers"])
