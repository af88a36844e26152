"""Games with an encoder that regularises G: MRGAN, and its two-step form MDGAN."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import nn
from ..autograd import Tensor, no_grad
from .games import GAN, Ascend, Descend, Game, Move, Parts, scores
from .objectives import NonSaturating


def squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """|a_i - b_i|^2 of each example: (N,)."""
    d = (a - b).flatten(1)
    return (d * d).sum(1)


class MRGAN(GAN):
    """Mode-regularised GAN, Che et al. 2017, section 3.2: an encoder E shows G where data are that
    it never makes.

        R = E_x [lambda1 |x - G(E(x))|^2 - lambda2 log D(G(E(x)))]
        D as ever,     G descends  -E log D(G(z)) + R,     E descends  R

    The second term of R is there to make D(G(E(x))) large: it is subtracted. Programs that add it
    to what G descends do the opposite.

    encoder : x -> latents (N, latent_dim), the player "E"
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, encoder: nn.Module,
        latent_dim: int = 100, lambda1: float = 0.2,
        lambda2: float = 0.4, k: int = 1,
    ):  # fmt: skip
        super().__init__(generator, discriminator, NonSaturating(), latent_dim, k)
        self.E = encoder
        self.lambda1 = lambda1
        self.lambda2 = lambda2
        self.players["E"] = encoder

    @classmethod
    def of(cls, parts: Parts, **options: Any) -> Game:
        return cls(
            parts.generator(),
            parts.critic(),
            parts.critic(parts.latent_dim),
            parts.latent_dim,
            **options,
        )

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        for _ in range(self.k):
            with no_grad():
                fake = self.G(self.latents(len(real), real))
            on_real, on_fake = scores(self.D, real, fake)
            yield Ascend(
                "D",
                self.objective.d_value(on_real, on_fake),
                d_real=on_real.sigmoid(),
                d_fake=on_fake.sigmoid(),
            )
        again = self.G(self.E(real))
        loss = self.objective.g_loss(self.D(self.G(self.latents(len(real), real))))
        near = squared_distance(real, again).mean()
        r = self.lambda1 * near + self.lambda2 * self.objective.g_loss(self.D(again))
        yield Descend("G", loss + r, reconstruction=near), Descend("E", r)

    measure = Game.measure


class MDGAN(GAN):
    """Manifold-diffusion GAN, Che et al. 2017, section 3.3 and its algorithm: first G E onto the
    data, then G(z) onto G E.

    manifold step    D1 ascends  E log D1(x) + E log(1 - D1(G(E(x))))
                     G and E descend  E |x - G(E(x))|^2 - weight E log D1(G(E(x)))
    diffusion step   D2 ascends  E log D2(G(E(x))) + E log(1 - D2(G(z)))
                     G descends  -E log D2(G(z))

    discriminator, diffusion : D1 (the player "D") and D2
    weight : lambda
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, diffusion: nn.Module,
        encoder: nn.Module, latent_dim: int = 100,
        weight: float = 0.01,
    ):  # fmt: skip
        super().__init__(generator, discriminator, NonSaturating(), latent_dim)
        self.D2 = diffusion
        self.E = encoder
        self.weight = weight
        self.players |= {"D2": diffusion, "E": encoder}

    @classmethod
    def of(cls, parts: Parts, **options: Any) -> Game:
        return cls(
            parts.generator(),
            parts.critic(),
            parts.critic(),
            parts.critic(parts.latent_dim),
            parts.latent_dim,
            **options,
        )

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        with no_grad():
            again = self.G(self.E(real))
        on_real, on_again = scores(self.D, real, again)
        yield Ascend(
            "D",
            self.objective.d_value(on_real, on_again),
            d_real=on_real.sigmoid(),
            d_fake=on_again.sigmoid(),
        )
        again = self.G(self.E(real))
        near = squared_distance(real, again).mean()
        loss = near + self.weight * self.objective.g_loss(self.D(again))
        yield Descend("G", loss, reconstruction=near), Descend("E", loss)
        with no_grad():
            again, fake = self.G(self.E(real)), self.G(self.latents(len(real), real))
        yield Ascend("D2", self.objective.d_value(*scores(self.D2, again, fake)))
        yield Descend("G", self.objective.g_loss(self.D2(self.G(self.latents(len(real), real)))))

    measure = Game.measure
