"""Games with parts beside their players: frozen networks, which are no state, and pools, whose
state is made of Tensors. Their rounds are replayed, on the CPU and on a device that is not there,
to the bit."""

import fakecuda
import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays import device
from minigan.autograd import no_grad
from minigan.data.batches import Batches
from minigan.gan import GAN, Descend, NonSaturating, Pool, Trainer
from minigan.gan.games import frozen
from minigan.optim import Adam
from minigan.training.run import round_of

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 1, 4, 4)).astype(np.uint8)
CPU = device("cpu")
needs_compiler = pytest.mark.skipif(
    fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER)
)


class Perceptual(GAN):
    """G also makes what a frozen network describes as it describes data."""

    __module__ = "minigan.gan.games"  # so that it is replayed on the CPU, too

    def __init__(self, *arguments, features):
        super().__init__(*arguments)
        self.features = features

    def descent(self, real, fake, d_outputs=None):
        with no_grad():
            wanted = self.features(real).mean(0)
        far = self.features(fake).mean(0) - wanted
        return Descend("G", super().descent(real, fake, d_outputs).value + (far * far).sum())


def networks():
    G = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Unflatten(1, (1, 4, 4)))
    D = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    return G, D


def describer():
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.BatchNorm1d(6), nn.Tanh())
    return net.eval().requires_grad_(False)


def perceptual():
    G, D = networks()
    return Perceptual(G, D, NonSaturating(), 3, features=describer())


class Pooled(GAN):
    """D is shown earlier fakes, too."""

    __module__ = "minigan.gan.games"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.pools = (Pool((1, 4, 4), 20),)

    def ascent(self, real, fake):
        return super().ascent(real, self.pools[0](fake))


class Renewed(Pooled):
    """Its state has other memory after each round."""

    __module__ = "minigan.gan.games"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.memory = Remembered()

    def ascent(self, real, fake):
        return super().ascent(real, fake + self.memory(fake))


class Remembered:
    __module__ = "minigan.gan.games"

    def __init__(self):
        self.mean = minigan.zeros(1, 4, 4)

    def __call__(self, x):
        self.mean = self.mean * 0.9 + x.detach().mean(0) * 0.1
        return self.mean

    def to(self, place):
        self.mean = self.mean.to(place)

    def state_dict(self):
        return {"mean": self.mean}


def pooled(kind=Pooled):
    G, D = networks()
    return kind(G, D, NonSaturating(), 3)


def renewed():
    return pooled(Renewed)


def training(make, place=CPU):
    minigan.manual_seed(3)
    game = make().to(place)
    optimizers = {n: Adam(m.parameters(), 1e-2) for n, m in game.players.items()}
    return Trainer(game, optimizers)


def leaves(tree, path=""):
    """name -> array, of a state."""
    found = {}
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if isinstance(value, (dict, list, tuple)):
            found |= leaves(value, f"{path}.{key}")
        else:
            array = getattr(value, "array", value)
            array = array.get() if hasattr(array, "get") else array
            found[f"{path}.{key}"] = np.array(array)
    return found


def play(make, place, steps, graph):
    """(the trainer, its round, what it said, its state after so many steps)"""
    trainer, said = training(make, place), []
    batches = Batches(IMAGES, 8, 1, place)
    step = round_of(trainer, batches, said.append, graph)
    for epoch in range(1 + steps // len(batches)):
        for numbers in list(batches.numbers(epoch))[: steps - epoch * len(batches)]:
            step(numbers)
    return trainer, step, said, leaves(trainer.state_dict())


def equal(found, expected):
    assert found.keys() == expected.keys() and len(found) > 10
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize("make", [perceptual, pooled])
def test_it_is_replayed_on_the_cpu(make):
    *_, expected = play(make, CPU, 12, False)
    _, step, said, found = play(make, CPU, 12, True)
    assert step.graph.repeats and "repeated as one function" in said[0]
    equal(found, expected)


@needs_compiler
@pytest.mark.parametrize("make, launches", [(perceptual, 8), (pooled, 7)])
def test_it_is_replayed_on_cuda(make, launches):
    with fakecuda.with_kernels():
        *_, expected = play(make, device("cuda"), 8, False)
        _, step, said, found = play(make, device("cuda"), 8, True)
        assert step.graph.launches == launches and said == []
    equal(found, expected)


@needs_compiler
def test_state_that_gets_other_memory_is_played_without_a_graph():
    *_, expected = play(renewed, CPU, 6, False)
    _, step, _, found = play(renewed, CPU, 6, True)
    assert "which no op has computed" in step.graph.why
    equal(found, expected)
    with fakecuda.with_kernels():
        *_, expected = play(renewed, device("cuda"), 6, False)
        _, step, said, found = play(renewed, device("cuda"), 6, True)
    assert step.graph is None and "the game's state gets other memory (memory.mean)" in said[0]
    equal(found, expected)


@needs_compiler
@pytest.mark.parametrize("place", ["cpu", "cuda"])
def test_a_pool_resumes_to_the_bit(place):
    """Twice in the same trainer: back from the middle, by a saved state."""
    with fakecuda.with_kernels():
        place = device(place)
        trainer, batches = training(pooled, place), Batches(IMAGES, 8, 1, place)
        step = round_of(trainer, batches, lambda text: None)
        numbers = [n for epoch in range(2) for n in batches.numbers(epoch)]
        ends = []
        for n in numbers[:5]:
            step(n)
        middle = leaves(trainer.state_dict()), copied(trainer.state_dict())
        random = minigan.get_rng_state()
        for back in (False, True):
            if back:
                trainer.load_state_dict(middle[1])
                minigan.set_rng_state(random)
                equal(leaves(trainer.state_dict()), middle[0])
            for n in numbers[5:]:
                step(n)
            ends.append(leaves(trainer.state_dict()))
    equal(*ends)
    assert (ends[0][".game.pools.0.examples"] != middle[0][".game.pools.0.examples"]).any()


def copied(tree):
    """A state as a file has it."""
    if isinstance(tree, dict):
        return {k: copied(v) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [copied(v) for v in tree]
    array = getattr(tree, "array", None)
    if array is None:
        return tree
    return np.array(array.get() if hasattr(array, "get") else array)


def test_a_frozen_network_is_no_state():
    game = perceptual()
    assert frozen(game.features) and game.state_dict() == {}
    before = leaves(game.features.state_dict(), "f")
    trainer = training(lambda: game)
    trainer.play(Batches(IMAGES, 8)[np.arange(8)][0])
    for name, value in leaves(game.features.state_dict(), "f").items():
        np.testing.assert_array_equal(value, before[name])
    game.features.requires_grad_(True)
    assert list(game.state_dict()) == ["features"]


def test_running_statistics_that_are_renewed_are_state():
    game = perceptual()
    game.features.train()
    assert not frozen(game.features) and "2.running_mean" in game.state_dict()["features"]
    game.features[2].eval()
    assert frozen(game.features) and game.state_dict() == {}


def test_it_goes_to_the_device_with_the_game():
    with fakecuda.installed():
        game = perceptual().to(device("cuda"))
        places = {
            str(t.device)
            for net in (game.G, game.D, game.features)
            for t in net.state_dict().values()
        }
    assert places == {"cuda:0"}
