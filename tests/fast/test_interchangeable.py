"""Reference and kernel of every card can stand in for each other at any call.

One training step is computed with all kernels, with all references, and with a coin tossed at every single call: forward passes save
what one of the two saves, and the rule of the other takes it. All must end within rounding.
"""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays import random, seam
from minigan.arrays.defaults import default
from minigan.engine.op import Card
from minigan.gan import GAN, OBJECTIVES, GradientPenalty, Trainer, dcgan_discriminator, dcgan_generator
from minigan.ops import update
from minigan.optim import EMA, Adam

IMAGES = np.random.default_rng(0).uniform(-1, 1, (8, 1, 16, 16))


class Coin:
    """Who computes: kernels, references, or at each call the one that the coin says. Counts what it said, by name."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed) if isinstance(seed, int) else None
        self.always = seed == "kernels"
        self.said = {}

    def __call__(self, name):
        kernel = bool(self.rng.random() < 0.5) if self.rng is not None else self.always
        self.said.setdefault(name, [0, 0])[kernel] += 1
        return kernel


class Sometimes(dict):
    """A registry in which a kernel is found where the coin says so."""

    def __init__(self, kernels, coin):
        super().__init__(kernels)
        self.coin = coin

    def get(self, key, default=None):
        found = super().get(key)
        return found if found is not None and self.coin(str(key)) else default


@pytest.fixture
def tossing(monkeypatch):
    """A function that puts a coin at every place where a kernel is chosen."""
    select, call, loop = Card.select, seam.dispatched.__call__, nn.Sequential.forward

    def toss(coin):
        def chosen(card, first):
            kernel = select(card, first)
            return kernel if kernel is card.forward or coin(card.name) else card.forward

        def dispatched(self, x, *rest):
            return call(self, x, *rest) if coin(self.__name__) else self.reference(x, *rest)

        def forward(self, x):
            if coin("Sequential"):
                return loop(self, x)  # which looks ahead for activations
            for layer in self:
                x = layer(x)
            return x

        monkeypatch.setattr(Card, "select", chosen)
        monkeypatch.setattr(seam.dispatched, "__call__", dispatched)
        monkeypatch.setattr(nn.Sequential, "forward", forward)
        monkeypatch.setattr(random, "DRAWS", Sometimes(DRAWS, coin))
        for module, name, kernels in ((optimizer, "STEPS", STEPS), (ema, "AVERAGES", AVERAGES)):
            monkeypatch.setattr(module, name, Sometimes(kernels, coin))

    from minigan.optim import ema, optimizer

    DRAWS, STEPS, AVERAGES = dict(random.DRAWS), dict(update.STEPS), dict(update.AVERAGES)
    return toss


def mlp():
    G = nn.Sequential(
        nn.Linear(5, 24), nn.BatchNorm1d(24), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(24, 256),
        nn.Tanh(), nn.Unflatten(1, (1, 16, 16)),
    )  # fmt: skip
    D = nn.Sequential(
        nn.Flatten(), nn.Linear(256, 24), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(24, 12), nn.Tanh(),
        nn.Linear(12, 1),
    )  # fmt: skip
    return GAN(G, D, OBJECTIVES["nonsaturating"](), 5)


def dcgan():
    return GAN(dcgan_generator(5, 1, 16, 16, 4), dcgan_discriminator(1, 16, 16, 4), OBJECTIVES["nonsaturating"](), 5)


def wgan_gp():
    """A critic with all that a penalty's second derivatives go through."""
    G = dcgan_generator(5, 1, 16, 16, 4)
    D = nn.Sequential(
        nn.Conv2d(1, 6, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(6, 8, 3, 2, 1), nn.LayerNorm([8, 4, 4]), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(32, 16), nn.Softplus(), nn.Linear(16, 1),
    )  # fmt: skip
    return GAN(G, D, OBJECTIVES["wasserstein"](), 5, k=2, penalties=[GradientPenalty()])


GAMES = {"mlp": mlp, "dcgan": dcgan, "wgan-gp": wgan_gp}


def step(make):
    """All that one training step leaves: values of the moves, parameters, statistics, the optimisers' state, averages."""
    minigan.manual_seed(4)
    game = make()
    # (With Adam's own eps, of 1e-8, the rounding error of a gradient that should be 0 would be a whole step.)
    trainer = Trainer(game, {name: Adam(player.parameters(), 1e-2, (0.5, 0.9), eps=1e-3) for name, player in game.players.items()})
    average = EMA(game.players["G"], 0.5)
    moves = trainer.play(minigan.Tensor(IMAGES))
    average.update()
    found = {f"value {i}": move.value.item() for i, move in enumerate(moves)}
    for name, player in game.players.items():
        found |= {f"{name}.{key}": value.numpy() for key, value in player.state_dict().items()}
        state = trainer.optimizers[name].state_dict()["state"]
        found |= {f"{name} {i} {key}": minigan.raw(v) for i, values in state.items() for key, v in values.items()}
    return found | {f"average {key}": value.numpy() for key, value in average.averages.items()}


def compare(found, expected, dtype):
    rtol, atol = (1e-9, 1e-11) if dtype == "float64" else (2e-3, 2e-5)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert np.asarray(found[name]).dtype == np.asarray(value).dtype, name
        np.testing.assert_allclose(found[name], value, rtol, atol, err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", GAMES)
def test_kernels_and_references_swap_within_a_step(name, dtype, tossing, monkeypatch):
    coins = {"kernels": Coin("kernels"), "references": Coin("references"), **{seed: Coin(seed) for seed in range(6)}}
    monkeypatch.setattr(default, "dtype", np.dtype(dtype))
    found = {}
    for who, coin in coins.items():
        tossing(coin)
        found[who] = step(GAMES[name])
    for who in found:
        compare(found[who], found["references"], dtype)
    # The coin was asked, for forwards and for rules, and said both.
    said = [coin.said for seed, coin in coins.items() if isinstance(seed, int)]
    both = {n for each in said for n in each if sum(s.get(n, (0, 0))[0] for s in said) and sum(s.get(n, (0, 0))[1] for s in said)}
    assert len(both) >= 18, both
