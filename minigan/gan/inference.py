"""Games with a network from data back to latents: MRGAN, its two-step form MDGAN, and VEEGAN."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .. import nn
from ..autograd import Tensor, no_grad
from ..ops import cat, exp, randn_like
from .games import GAN, Ascend, Descend, Move, scores
from .objectives import NonSaturating
from .readings import readings


def squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """|a_i - b_i|^2 of each example: (N,)."""
    d = (a - b).flatten(1)
    return (d * d).sum(1)


class MRGAN(GAN):
    """Mode-regularised GAN, Che et al. 2017, section 3.2: an encoder E shows G where data are that it never makes.

        R = E_x [lambda1 |x - G(E(x))|^2 - lambda2 log D(G(E(x)))]
        D as ever,     G descends  -E log D(G(z)) + R,     E descends  R

    The second term of R is there to make D(G(E(x))) large: it is subtracted. Programs that add it to what G descends do the opposite.

    encoder : x -> latents (N, latent_dim), the player "E"
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, encoder: nn.Module, latent_dim: int = 100, lambda1: float = 0.2,
        lambda2: float = 0.4, k: int = 1,
    ):  # fmt: skip
        super().__init__(generator, discriminator, NonSaturating(), latent_dim, k)
        self.E, self.lambda1, self.lambda2 = encoder, lambda1, lambda2
        self.players["E"] = encoder

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        for _ in range(self.k):
            with no_grad():
                fake = self.G(self.latents(len(real), real))
            on_real, on_fake = scores(self.D, real, fake)
            yield Ascend("D", self.objective.d_value(on_real, on_fake), d_real=on_real.sigmoid(), d_fake=on_fake.sigmoid())
        again = self.G(self.E(real))
        loss = self.objective.g_loss(self.D(self.G(self.latents(len(real), real))))
        near = squared_distance(real, again).mean()
        r = self.lambda1 * near + self.lambda2 * self.objective.g_loss(self.D(again))
        yield Descend("G", loss + r, reconstruction=near), Descend("E", r)

    def measure(self, moves: list[Move]) -> dict[str, float]:
        return readings(moves)


class MDGAN(GAN):
    """Manifold-diffusion GAN, Che et al. 2017, section 3.3 and its algorithm: first G E onto the data, then G(z) onto G E.

    manifold step    D1 ascends  E log D1(x) + E log(1 - D1(G(E(x))))
                     G and E descend  E |x - G(E(x))|^2 - weight E log D1(G(E(x)))
    diffusion step   D2 ascends  E log D2(G(E(x))) + E log(1 - D2(G(z)))
                     G descends  -E log D2(G(z))

    discriminator, diffusion : D1 (the player "D") and D2
    weight : lambda
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, diffusion: nn.Module, encoder: nn.Module, latent_dim: int = 100,
        weight: float = 0.01,
    ):  # fmt: skip
        super().__init__(generator, discriminator, NonSaturating(), latent_dim)
        self.D2, self.E, self.weight = diffusion, encoder, weight
        self.players |= {"D2": diffusion, "E": encoder}

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        with no_grad():
            again = self.G(self.E(real))
        on_real, on_again = scores(self.D, real, again)
        yield Ascend("D", self.objective.d_value(on_real, on_again), d_real=on_real.sigmoid(), d_fake=on_again.sigmoid())
        again = self.G(self.E(real))
        near = squared_distance(real, again).mean()
        loss = near + self.weight * self.objective.g_loss(self.D(again))
        yield Descend("G", loss, reconstruction=near), Descend("E", loss)
        with no_grad():
            again, fake = self.G(self.E(real)), self.G(self.latents(len(real), real))
        yield Ascend("D2", self.objective.d_value(*scores(self.D2, again, fake)))
        yield Descend("G", self.objective.g_loss(self.D2(self.G(self.latents(len(real), real)))))

    def measure(self, moves: list[Move]) -> dict[str, float]:
        return readings(moves)


class VEEGAN(GAN):
    """Srivastava et al. 2017, Algorithm 1: a reconstructor F from data to latents, and a D that compares pairs (z, x).

        D ascends   E log sigma(D(z, G(z))) + E log(1 - sigma(D(z_F, x)))          z_F ~ F(x)
        F descends  E d(z, F(G(z)))
        G descends  E D(z, G(z)) + E d(z, F(G(z)))

    all from the same point. D's best logit is log q(z, x) / p(z, x), generated over real pairs (the other way round than elsewhere), and
    E D(z, G(z)) so estimates KL(q(x|z) p0(z) || p(z|x) p(x)); d asks that the latents can be read off the samples: where G maps
    many latents onto few modes they cannot.

    discriminator : (N, latent_dim + numbers in an example) -> logits (N, 1)
    reconstructor : x -> (N, latent_dim): z_F = F(x), d = |z - F(x)|^2; or -> (N, 2 latent_dim), mean and logarithm of the standard
                    deviation of a Gaussian: z_F is drawn, d = -log p(z | x), as in the authors' program for 2-D data
    """

    def __init__(self, generator: nn.Module, discriminator: nn.Module, reconstructor: nn.Module, latent_dim: int = 100):
        super().__init__(generator, discriminator, NonSaturating(), latent_dim)
        self.F = reconstructor
        self.players["F"] = reconstructor

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
        on_fake, on_real = self.D(cat([z, fake.flatten(1)], 1)), self.D(cat([z_real, real.flatten(1)], 1))
        value, apart = self.objective.d_value(on_fake, on_real), self.distance(z, self.F(fake))
        yield (
            Ascend("D", value, d_real=on_real.sigmoid(), d_fake=on_fake.sigmoid()),
            Descend("F", apart),
            Descend("G", on_fake.mean() + apart),
        )

    def measure(self, moves: list[Move]) -> dict[str, float]:
        return readings(moves)
