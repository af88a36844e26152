"""VEEGAN: a network from data back to latents, and a D that sees both."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from .. import nn
from ..autograd import Tensor, no_grad
from ..ops import cat, exp, randn_like
from .games import GAN, Ascend, Descend, Game, Move, Parts
from .mrgan import squared_distance
from .objectives import NonSaturating


class VEEGAN(GAN):
    """Srivastava et al. 2017, Algorithm 1: a reconstructor F from data to latents, and a D that
    compares pairs (z, x).

        D ascends   E log sigma(D(z, G(z))) + E log(1 - sigma(D(z_F, x)))          z_F ~ F(x)
        F descends  E d(z, F(G(z)))
        G descends  E D(z, G(z)) + E d(z, F(G(z)))

    all from the same point. D's best logit is log q(z, x) / p(z, x), generated over real pairs (the
    other way round than elsewhere), and E D(z, G(z)) so estimates KL(q(x|z) p0(z) || p(z|x) p(x));
    d asks that the latents can be read off the samples: where G maps many latents onto few modes
    they cannot.

    discriminator : (N, numbers in an example + latent_dim) -> logits (N, 1)
    reconstructor : x -> (N, latent_dim): z_F = F(x), d = |z - F(x)|^2; or -> (N, 2 latent_dim),
        mean and logarithm of the standard deviation of a Gaussian: z_F is drawn, d = -log p(z | x),
        as in the authors' program for 2-D data
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        reconstructor: nn.Module,
        latent_dim: int = 100,
    ):
        super().__init__(generator, discriminator, NonSaturating(), latent_dim)
        self.F = reconstructor
        self.players["F"] = reconstructor

    @classmethod
    def of(cls, parts: Parts, gaussian: bool = False, **options: Any) -> Game:
        """gaussian : F gives a mean and a standard deviation"""
        n = parts.latent_dim
        return cls(
            parts.generator(),
            parts.critic(more=n),
            parts.critic(2 * n if gaussian else n),
            n,
            **options,
        )

    def draw(self, told: Tensor) -> Tensor:
        """z_F, given what F tells."""
        mean, log_std = told[:, : self.latent_dim], told[:, self.latent_dim :]
        return mean + exp(log_std) * randn_like(mean) if log_std.shape[1] else mean

    def distance(self, z: Tensor, told: Tensor) -> Tensor:
        """d(z, F(x)), a mean over the batch."""
        mean, log_std = told[:, : self.latent_dim], told[:, self.latent_dim :]
        if not log_std.shape[1]:
            return squared_distance(z, mean).mean()
        u = (z - mean) * exp(-log_std)
        return (0.5 * u * u + log_std + 0.5 * math.log(2 * math.pi)).sum(1).mean()

    def moves(self, real: Tensor) -> Iterator[tuple[Move, ...]]:
        z = self.latents(len(real), real)
        fake = self.G(z)
        with no_grad():
            z_real = self.draw(self.F(real))
        on_fake = self.D(cat([fake.flatten(1), z], 1))
        on_real = self.D(cat([real.flatten(1), z_real], 1))
        value, apart = self.objective.d_value(on_fake, on_real), self.distance(z, self.F(fake))
        yield (
            Ascend("D", value, d_real=on_real.sigmoid(), d_fake=on_fake.sigmoid()),
            Descend("F", apart),
            Descend("G", on_fake.mean() + apart),
        )

    measure = Game.measure
