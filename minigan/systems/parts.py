"""Networks of plain layers or small convolutions for images, of which games of several players are
made."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import nn
from ..gan import GAMES, NETWORKS, AutoEncoder, conv_discriminator, conv_generator
from ..gan.networks import ImageAndNumbers, leaky_relu
from ..optim import Adam
from ..training.switches import add_networks, recipe
from .evidence import image_rows
from .system import System, b2_option

# what these games do with small convolutions, without R1: narrow maps in D, small batches
CONV_FEATURES = 8
OF_CONV = {"lr": 1e-3, "batch_size": 16, "epochs": 12}


def layers(*sizes, activation=leaky_relu):
    """Linear layers with activations between them."""
    parts = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), activation())]
    return parts[:-1]


class Images:
    """`minigan.gan.Parts` for images of a shape.

    c : the run's facts: image_shape, latent_dim, lr, b1, and where they are not the MLP GAN's
        networks and Adam's default b2, model ("mlp" or "conv") and b2
    activation : of the coders
    """

    def __init__(self, c, activation=leaky_relu):
        self.shape = tuple(c.image_shape)
        self.latent_dim = c.latent_dim
        self.rates = c.lr, (c.b1, getattr(c, "b2", 0.999))
        self.model = getattr(c, "model", "mlp")
        self.activation = activation

    def generator(self, more=0):
        return NETWORKS[self.model][0](self.latent_dim + more, self.shape)

    def critic(self, n_out=1, more=0):
        """mlp: pixels-512-256-n_out; conv: `conv_discriminator`."""
        if not more or self.model == "conv":
            own = {"features": CONV_FEATURES} if self.model == "conv" else {}
            network = NETWORKS[self.model][1](self.shape, outputs=n_out, **own)
            return ImageAndNumbers(network, self.shape, more) if more else network
        return nn.Sequential(*layers(math.prod(self.shape) + more, 512, 256, n_out))

    def coder(self, codes=None):
        """mlp: pixels-512-256-codes and back, tanh; conv: `conv_discriminator` and its mirror
        image."""
        n, codes = math.prod(self.shape), codes or 64
        own: dict[str, Any] = {"activation": self.activation}
        if self.model == "conv":
            own["features"] = CONV_FEATURES
            encoder = conv_discriminator(*self.shape, outputs=codes, **own)
            decoder = conv_generator(codes, *self.shape, norm=False, **own)
            return AutoEncoder(encoder, decoder)
        encoder = nn.Sequential(nn.Flatten(), *layers(n, 512, 256, codes, **own))
        decoder = nn.Sequential(
            *layers(codes, 256, 512, n, **own),
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
    activation: Callable[[], nn.Module] = staticmethod(leaky_relu)

    def recipe(self, words):
        # no penalties: not every D says a score of one example
        found = recipe([*words, "--penalty"], "mlp")
        return {} if found == recipe([], "mlp") else found | OF_CONV

    def options(self, parser):
        super().options(parser)
        b2_option(parser)
        add_networks(parser, models=("mlp", "conv"))

    def arguments(self, c):
        """The game's own arguments."""
        return {}

    def game(self, c):
        return GAMES[self.kind].of(Images(c, self.activation), **self.arguments(c))

    def optimizers(self, game, c):
        make = Images(c).optimizer
        return {name: make(player) for name, player in game.players.items()}

    def measure(self, game, c, samples, device):
        return image_rows(game, c, samples, device)
