"""Networks of plain layers or small convolutions for images, of which games of several players are
made."""

from __future__ import annotations

import math
from collections.abc import Callable

from .. import nn
from ..gan import GAMES, AutoEncoder, mlp_generator
from ..gan.networks import (
    ImageAndNumbers,
    conv_decoder,
    conv_discriminator,
    conv_generator,
    leaky_relu,
)
from ..optim import Adam
from ..training.options import recipe
from .evidence import image_rows
from .system import System, b2_option


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
        self.convolutions = getattr(c, "model", "mlp") == "conv"
        self.activation = activation

    def generator(self, more=0):
        make = conv_generator if self.convolutions else mlp_generator
        shape = self.shape if self.convolutions else (self.shape,)
        return make(self.latent_dim + more, *shape)

    def critic(self, n_out=1, more=0):
        """mlp: pixels-512-256-n_out; conv: `conv_discriminator`."""
        if self.convolutions:
            network = conv_discriminator(*self.shape, outputs=n_out)
            return ImageAndNumbers(network, self.shape, more) if more else network
        first = [] if more else [nn.Flatten()]
        return nn.Sequential(*first, *layers(math.prod(self.shape) + more, 512, 256, n_out))

    def coder(self, codes=None):
        """mlp: pixels-512-256-codes and back, tanh; conv: `conv_discriminator` and its mirror
        image."""
        n, codes = math.prod(self.shape), codes or 64
        own = {"activation": self.activation}
        if self.convolutions:
            encoder = conv_discriminator(*self.shape, outputs=codes, **own)
            return AutoEncoder(encoder, conv_decoder(codes, *self.shape, **own))
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
        return {} if found == recipe([], "mlp") else found | {"lr": 1e-3}

    def options(self, parser):
        super().options(parser)
        b2_option(parser)
        p = parser
        p.add_argument(
            "--model",
            choices=("mlp", "conv"),
            default="mlp",
            help="networks of linear layers, or small convolutions, which choose other defaults "
            "(default %(default)s)",
        )

    def arguments(self, c):
        """The game's own arguments."""
        return {}

    def game(self, c):
        return GAMES[self.kind].of(Images(c, self.activation), **self.arguments(c))

    def optimizers(self, game, c):
        return {name: Images(c).optimizer(player) for name, player in game.players.items()}

    def measure(self, game, c, samples, device):
        return image_rows(game, c, samples, device)
