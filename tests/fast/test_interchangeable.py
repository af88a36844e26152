"""Reference and kernel of every card can stand in for each other at any call.

One training step is computed with all kernels, with all references, and with a coin tossed at every
single call: forward passes save what one of the two saves, and the rule of the other takes it. All
must end within rounding.
"""

import contextlib

import numpy as np
import pytest
from ops.table import CASES
from ops.test_ops import boxed, close, for_every, gradients, listed, second_gradients

import minigan
import minigan.fast.cpu.random
import minigan.fast.updates
from minigan import nn
from minigan.arrays import random, seam
from minigan.arrays.defaults import default
from minigan.engine import OPS
from minigan.engine.op import Card
from minigan.gan import (
    GAN,
    OBJECTIVES,
    GradientPenalty,
    Trainer,
    dcgan_discriminator,
    dcgan_generator,
)
from minigan.optim import EMA, Adam, ema, optimizer

IMAGES = np.random.default_rng(0).uniform(-1, 1, (8, 1, 16, 16))


class Coin:
    """Who computes: kernels, references, or at each call the one that the coin says. Counts what it
    said, by name."""

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


SELECT = Card.select
DISPATCHED = seam.dispatched.__call__
LOOP = nn.Sequential.forward
REGISTRIES = ((random, "DRAWS"), (optimizer, "STEPS"), (ema, "AVERAGES"))
KERNELS = {name: dict(getattr(module, name)) for module, name in REGISTRIES}


@contextlib.contextmanager
def tossed(coin):
    """Inside, there is a coin at every place where a kernel is chosen."""

    def select(card, first):
        kernel = SELECT(card, first)
        return kernel if kernel is card.forward or coin(card.name) else card.forward

    def dispatched(self, x, *rest):
        return DISPATCHED(self, x, *rest) if coin(self.__name__) else self.reference(x, *rest)

    def forward(self, x):
        if coin("Sequential"):
            return LOOP(self, x)  # which looks ahead for activations
        for layer in self:
            x = layer(x)
        return x

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Card, "select", select)
        patch.setattr(seam.dispatched, "__call__", dispatched)
        patch.setattr(nn.Sequential, "forward", forward)
        for module, name in REGISTRIES:
            patch.setattr(module, name, Sometimes(KERNELS[name], coin))
        yield


def mlp():
    G = nn.Sequential(
        nn.Linear(5, 24), nn.BatchNorm1d(24), nn.LeakyReLU(0.2), nn.Dropout(0.2),
        nn.Linear(24, 256),
        nn.Tanh(), nn.Unflatten(1, (1, 16, 16)),
    )  # fmt: skip
    D = nn.Sequential(
        nn.Flatten(), nn.Linear(256, 24), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(24, 12),
        nn.Tanh(),
        nn.Linear(12, 1),
    )  # fmt: skip
    return GAN(G, D, OBJECTIVES["nonsaturating"](), 5)


def dcgan():
    return GAN(
        dcgan_generator(5, 1, 16, 16, 4),
        dcgan_discriminator(1, 16, 16, 4),
        OBJECTIVES["nonsaturating"](),
        5,
    )


def wgan_gp():
    """A critic with all that a penalty's second derivatives go through."""
    G = dcgan_generator(5, 1, 16, 16, 4)
    D = nn.Sequential(
        nn.Conv2d(1, 6, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(6, 8, 3, 2, 1),
        nn.LayerNorm([8, 4, 4]), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(32, 16), nn.Softplus(), nn.Linear(16, 1),
    )  # fmt: skip
    return GAN(G, D, OBJECTIVES["wasserstein"](), 5, k=2, penalties=[GradientPenalty()])


GAMES = {"mlp": mlp, "dcgan": dcgan, "wgan-gp": wgan_gp}


def step(make):
    """All that one training step leaves: values of the moves, parameters, statistics, the
    optimisers' state, averages."""
    minigan.manual_seed(4)
    game = make()
    # (With Adam's own eps, of 1e-8, the rounding error of a gradient that should be 0 would be a
    # whole step.)
    trainer = Trainer(
        game,
        {
            name: Adam(player.parameters(), 1e-2, (0.5, 0.9), eps=1e-3)
            for name, player in game.players.items()
        },
    )
    average = EMA(game.players["G"], 0.5)
    moves = trainer.play(minigan.Tensor(IMAGES))
    average.update()
    found = {f"value {i}": move.value.item() for i, move in enumerate(moves)}
    for name, player in game.players.items():
        found |= {f"{name}.{key}": value.numpy() for key, value in player.state_dict().items()}
        state = trainer.optimizers[name].state_dict()["state"]
        found |= {
            f"{name} {i} {key}": minigan.raw(v)
            for i, values in state.items()
            for key, v in values.items()
        }
    return found | {f"average {key}": value.numpy() for key, value in average.averages.items()}


def compare(found, expected, dtype):
    rtol, atol = (1e-9, 1e-11) if dtype == "float64" else (2e-3, 2e-5)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert np.asarray(found[name]).dtype == np.asarray(value).dtype, name
        np.testing.assert_allclose(found[name], value, rtol, atol, err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", GAMES)
def test_kernels_and_references_swap_within_a_step(name, dtype, monkeypatch):
    coins = {
        "kernels": Coin("kernels"),
        "references": Coin("references"),
        **{seed: Coin(seed) for seed in range(6)},
    }
    monkeypatch.setattr(default, "dtype", np.dtype(dtype))
    found = {}
    for who, coin in coins.items():
        with tossed(coin):
            found[who] = step(GAMES[name])
    for who in found:
        compare(found[who], found["references"], dtype)
    # The coin was asked, for forwards and for rules, and said both.
    said = [coin.said for seed, coin in coins.items() if isinstance(seed, int)]
    both = {
        n
        for each in said
        for n in each
        if sum(s.get(n, (0, 0))[0] for s in said) and sum(s.get(n, (0, 0))[1] for s in said)
    }
    assert len(both) >= 18, both


# Families in which a card has a kernel for NumPy's arrays: there any case may come to one.
FAMILIES = {op.__module__ for op in OPS.values() if "cpu" in op.card.kernels}


@for_every([case for case in CASES if case.op and OPS[case.op].__module__ in FAMILIES], 4)
def test_kernels_and_references_swap_within_an_op(case, args, seed):
    """Values, gradients and their gradients are the references', whoever computes which part, in
    float64 and in float32."""
    for dtype in (np.float64, np.float32):
        given = [
            a.astype(dtype) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
            for a in args
        ]
        rtol = 1e-8 if dtype is np.float64 else 10 * case.tolerance
        expected = results(case, given, seed, Coin("references"))
        for coin in (Coin("kernels"), Coin(seed), Coin(seed + 1)):
            for mine, theirs in zip(results(case, given, seed, coin), expected, strict=True):
                assert mine.dtype == theirs.dtype
                close(mine, theirs, rtol, rtol)


def results(case, args, seed, coin):
    """Outputs, gradients of order 1 and of order 2, as arrays."""
    with tossed(coin):
        outputs, found = listed(case.call(*boxed(case, args))), []
        if case.orders:
            outputs, _, found, _ = gradients(case, boxed(case, args), seed)
        second = second_gradients(case, boxed(case, args), seed) if case.orders > 1 else []
    return [x.array for x in (*outputs, *found, *second) if x is not None]
