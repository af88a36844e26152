"""Networks of plain layers for images, of which games of several players are made."""

from __future__ import annotations

import math
from collections.abc import Callable

from .. import nn
from ..gan import GAMES, AutoEncoder, mlp_generator
from ..optim import Adam
from .evidence import image_rows
from .system import System


def layers(*sizes, activation=lambda: nn.LeakyReLU(0.2)):
    """Linear layers with activations between them."""
    parts = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), activation())]
    return parts[:-1]


class Images:
    """`minigan.gan.Parts` for images of a shape.

    c : the run's facts: image_shape, latent_dim, lr, b1;  activation : of the coders
    """

    def __init__(self, c, activation=lambda: nn.LeakyReLU(0.2)):
        self.shape = tuple(c.image_shape)
        self.latent_dim = c.latent_dim
        self.rates = c.lr, (c.b1, 0.999)
        self.activation = activation

    def generator(self, more=0):
        return mlp_generator(self.latent_dim + more, self.shape)

    def critic(self, n_out=1, more=0):
        """pixels-512-256-n_out"""
        first = [] if more else [nn.Flatten()]
        return nn.Sequential(*first, *layers(math.prod(self.shape) + more, 512, 256, n_out))

    def coder(self, codes=None):
        """pixels-512-256-codes and back, tanh."""
        n, codes = math.prod(self.shape), codes or 64
        encoder = nn.Sequential(
            nn.Flatten(), *layers(n, 512, 256, codes, activation=self.activation)
        )
        decoder = nn.Sequential(
            *layers(codes, 256, 512, n, activation=self.activation),
            nn.Tanh(),
            nn.Unflatten(1, self.shape),
        )
        return AutoEncoder(encoder, decoder)

    def optimizer(self, player):
        return Adam(player.parameters(), *self.rates)


class OfParts(System):
    """A game of `minigan.gan.GAMES` with such networks.

    kind : its name there;  activation : of coders
    """

    kind = ""
    activation: Callable[[], nn.Module] = staticmethod(lambda: nn.LeakyReLU(0.2))

    def facts(self, data, c):
        # the generator is that of examples/mnist_gan.py: `load_generator` and what draws by it know
        return super().facts(data, c) | {"model": "mlp"}

    def arguments(self, c):
        """The game's own arguments."""
        return {}

    def game(self, c):
        return GAMES[self.kind].of(Images(c, self.activation), **self.arguments(c))

    def measure(self, game, c, samples, device):
        return image_rows(game, c, samples, device)
