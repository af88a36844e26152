"""A run in three stages with a pool, a frozen network and averages, as a program that can be
killed: `python tests/training/staged.py FOLDER [--resume] [--device cuda]`.

First G against D, which is shown earlier fakes; then G goes on beside a new D; then an encoder
learns to invert G, which is a frozen part of that game.
"""

import sys

import numpy as np

import minigan
from minigan import nn
from minigan.arrays import resolve_device
from minigan.data.batches import Batches
from minigan.gan import GAN, Descend, Game, NonSaturating, Pool, Trainer
from minigan.gan.games import frozen
from minigan.optim import Adam
from minigan.training import Run, Stage, usual

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 1, 4, 4)).astype(np.uint8)
STEPS = (7, 6, 9)


class Pooled(GAN):
    __module__ = "minigan.gan.games"  # so that its rounds are replayed on the CPU, too

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.pool = Pool((1, 4, 4), 12)

    def ascent(self, real, fake):
        return super().ascent(real, self.pool(fake))


class Inverse(Game):
    """E(G(z)) shall be z; G, and a network of random features, are frozen."""

    __module__ = "minigan.gan.games"
    latent_dim = 3

    def __init__(self, encoder, generator):
        self.players = {"E": encoder}
        self.E, self.G = encoder, generator.requires_grad_(False).eval()
        self.features = nn.Linear(3, 5).requires_grad_(False)

    def moves(self, real):
        z = minigan.randn(len(real), 3, device=real.device)
        off = self.features(self.E(self.G(z))) - self.features(z)
        yield Descend("E", (off * off).mean())

    def sample(self, latents):
        with minigan.no_grad():
            return self.G(latents)


def discriminator():
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))


def trained(game, place):
    game.to(place)
    return Trainer(game, {n: Adam(m.parameters(), 1e-2) for n, m in game.players.items()})


def stages(place):
    def first(players):
        assert players == {}
        G = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Unflatten(1, (1, 4, 4)))
        game = Pooled(G, discriminator(), NonSaturating(), 3)
        return trained(game, place), Batches(IMAGES, 8, 1, place)

    def second(players):
        game = GAN(players["G"], discriminator(), NonSaturating(), 3)
        return trained(game, place), Batches(IMAGES, 10, 1, place)

    def third(players):
        E = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
        game = Inverse(E, players["G"])
        assert frozen(game.G) and frozen(game.features) and game.state_dict() == {}
        return trained(game, place), Batches(IMAGES, 8, 2, place)

    return [Stage(n, b, s) for n, b, s in zip("abc", (first, second, third), STEPS, strict=True)]


def make(folder, resume=False, max_steps=None, place="cpu", graph=True, seconds=0.0, more=()):
    place = resolve_device(place)
    minigan.manual_seed(5)
    callbacks = usual("G", ema=0.9, sample_interval=5, checkpoint_seconds=seconds, quiet=True,
                      doctor=False)  # fmt: skip
    return Run(
        None, None, folder, {"what": "staged"}, stages=stages(place), resume=resume,
        max_steps=max_steps, callbacks=[*more, *callbacks], graph=graph,
    )  # fmt: skip


if __name__ == "__main__":
    make(sys.argv[1], "--resume" in sys.argv).train()
