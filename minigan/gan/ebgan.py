"""Games in which D is an auto-encoder: it gives low energy, a small error of reconstruction, to
real examples and a high one to others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from .. import nn
from ..autograd import Tensor, no_grad
from ..ops import abs, norm, relu, zeros
from ..ops.distance import normalize
from .games import GAN, Descend, Game, Move, Parts, scores
from .objectives import Objective


class AutoEncoder(nn.Module):
    """x -> decoder(encoder(x)), of x's shape."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    @property
    def per_example(self):
        return self.encoder.per_example and self.decoder.per_example

    def forward(self, input):
        return self.decoder(self.encoder(input))


def pulling_away(codes: Tensor) -> Tensor:
    """The mean over all pairs i != j of cos^2(S_i, S_j): codes (N, ...), N > 1. Zhao et al. 2017,
    section 2.4"""
    n = len(codes)
    if n < 2:
        raise ValueError(
            f"pulling_away: codes of shape {tuple(codes.shape)}: expected at least 2 examples"
        )
    s = normalize(codes.flatten(1))
    cosines, own = s @ s.T, (s * s).sum(1)
    return ((cosines * cosines).sum() - (own * own).sum()) / (n * (n - 1))


class EBGAN(GAN):
    """Energy-based GAN, Zhao et al. 2017, sections 2.1, 2.3 and 2.4. With the energy E(x) =
    |Dec(Enc(x)) - x| of each example,

        D descends  E(x) + [m - E(G(z))]+
        G descends  E(G(z)) + pull_away PT(Enc(G(z)))

    where [u]+ = max(u, 0) of each example, not of the mean over the batch.

    discriminator : an AutoEncoder (or a module with .encoder and .decoder)
    margin : m; of the size of the energy of bad samples, which depends on the data (the paper has
        10 for MNIST)
    pull_away : weight of the pulling-away term (the paper: 0.1; 0: none). It keeps samples from
        having all the same direction.
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, latent_dim: int = 100,
        margin: float = 10.0, pull_away: float = 0.0
    ):  # fmt: skip
        # D says no scores that one could compare
        super().__init__(generator, discriminator, Objective(), latent_dim)
        self.margin: Any = margin
        self.pull_away = pull_away

    @classmethod
    def of(cls, parts: Parts, codes: int | None = None, **options: Any) -> Game:
        """codes : numbers that D's encoder gives"""
        return cls(parts.generator(), parts.coder(codes), parts.latent_dim, **options)

    def energy(self, x: Tensor, reconstruction: Tensor) -> Tensor:
        """|reconstruction - x| of each example: (N,)."""
        return norm((reconstruction - x).flatten(1), 2, 1)

    def energies(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Those of a real and a fake batch."""
        on_real, on_fake = scores(self.D, real, fake)
        return self.energy(real, on_real), self.energy(fake, on_fake)

    def moves(self, real: Tensor) -> Iterator[Move]:
        with no_grad():
            fake = self.G(self.latents(len(real), real))
        of_real, of_fake = self.energies(real, fake)
        yield Descend(
            "D", of_real.mean() + relu(self.margin - of_fake).mean(), e_real=of_real, e_fake=of_fake
        )
        fake = self.G(self.latents(len(real), real))
        coder: Any = self.D
        codes = coder.encoder(fake)
        loss = self.energy(fake, coder.decoder(codes)).mean()
        yield Descend("G", loss + self.pull_away * pulling_away(codes) if self.pull_away else loss)

    measure = Game.measure


class MAGAN(EBGAN):
    """Margin adaptation GAN, Wang et al. 2017, Algorithm 1: an EBGAN whose margin falls to the mean
    energy of real examples.

    `pretraining` rounds D only learns to reconstruct; the margin is then the mean energy of real
    examples, here that of the last `period` of these rounds. After each `period` rounds (an epoch,
    there) the means over them are compared:

        if E_real < m and E_real < E_fake and E_fake >= the E_fake of the period before:
            m = E_real

    which says that D has room to spare and G has stopped to gain. State: margin, sums, phase.
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, latent_dim: int = 100,
        period: int = 500, pretraining: int = 1000
    ):  # fmt: skip
        super().__init__(generator, discriminator, latent_dim)
        if not 1 <= period <= pretraining:
            raise ValueError(
                f"MAGAN: period={period}, pretraining={pretraining}: expected 1 <= period <= "
                "pretraining"
            )
        self.period, self.pretraining = period, pretraining
        self.round = 0
        self.real_sum = 0.0
        self.fake_sum = 0.0
        self.margin = None  # until it is known
        self.fake_before: float | None = None

    def moves(self, real: Tensor) -> Iterator[Move]:
        self.round += 1
        if self.round <= self.pretraining:
            energy = self.energy(real, self.D(real)).mean()
            yield Descend("D", energy)
            self.real_sum += energy.item() if self.round > self.pretraining - self.period else 0.0
            if self.round == self.pretraining:
                self.margin, self.real_sum = self.real_sum / self.period, 0.0
            return
        for move in super().moves(real):
            yield move
            if move.player == "D":
                self.real_sum += move.report["e_real"].mean().item()
            else:
                self.fake_sum += move.value.item()
        if (self.round - self.pretraining) % self.period == 0:
            self.adapt(self.real_sum / self.period, self.fake_sum / self.period)
            self.real_sum = self.fake_sum = 0.0

    def adapt(self, real: float, fake: float) -> None:
        """The end of a period with these mean energies."""
        if (
            self.fake_before is not None
            and real < self.margin
            and real < fake
            and self.fake_before <= fake
        ):
            self.margin = real
        self.fake_before = fake

    def measure(self, moves: list[Move]) -> dict[str, float]:
        return super().measure(moves) | ({} if self.margin is None else {"margin": self.margin})

    _STATE = ("margin", "round", "real_sum", "fake_sum", "fake_before")

    def state_dict(self) -> dict[str, Any]:
        """What a run must save of it in order to go on."""
        return super().state_dict() | {name: getattr(self, name) for name in self._STATE}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to what `state_dict` gave."""
        super().load_state_dict({k: v for k, v in state.items() if k not in self._STATE})
        for name in self._STATE:
            setattr(self, name, state[name])


class Balance(nn.Module):
    """BEGAN's k: `follow(real, fake)` moves it by rate (gamma real - fake), kept in [0, 1]. It is a
    Tensor, so that rounds with it are replayed; float64, as its steps are small."""

    k: Tensor

    def __init__(self, gamma: float, rate: float):
        super().__init__()
        self.gamma, self.rate = gamma, rate
        self.register_buffer("k", zeros((), dtype="float64"))

    def follow(self, real: Tensor, fake: Tensor) -> None:
        """The mean energies of a real and a fake batch are these."""
        with no_grad():
            step = self.rate * (self.gamma * real.detach() - fake.detach())
            self.k.copy_((self.k + step.to(self.k.dtype)).clamp(0.0, 1.0))


class BEGAN(EBGAN):
    """Boundary equilibrium GAN, Berthelot et al. 2017, section 3.4. With L(x) = mean |x - D(x)|^eta
    over all numbers,

        D descends  L(x) - k L(G(z_D)),
        G descends  L(G(z_G)),
        k += lambda_k (gamma L(x) - L(G(z_G))),  kept in [0, 1]

    gamma : the ratio E L(G(z)) / E L(x) that k holds: less of it means fewer, but better kinds of
        samples
    lambda_k : the "learning rate" of k, which starts at 0
    eta : 1 (the default there) or 2

    `measure` gives the paper's measure of convergence, M = L(x) + |gamma L(x) - L(G(z_G))|. State:
    the `Balance`.
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, latent_dim: int = 100,
        gamma: float = 0.5, lambda_k: float = 1e-3,
        eta: int = 1,
    ):  # fmt: skip
        super().__init__(generator, discriminator, latent_dim)
        if not 0 <= gamma <= 1 or eta not in (1, 2):
            raise ValueError(
                f"BEGAN: gamma={gamma}, eta={eta}: expected gamma in [0, 1], eta 1 or 2"
            )
        self.gamma = gamma
        self.eta = eta
        self.balance = Balance(gamma, lambda_k)

    def energy(self, x: Tensor, reconstruction: Tensor) -> Tensor:
        """The mean of |reconstruction - x|^eta of each example: (N,)."""
        error = (reconstruction - x).flatten(1)
        return (abs(error) if self.eta == 1 else error * error).mean(1)

    def moves(self, real: Tensor) -> Iterator[Move]:
        with no_grad():
            fake = self.G(self.latents(len(real), real))
        of_real, of_fake = self.energies(real, fake)
        k = self.balance.k.to(of_fake.dtype)
        yield Descend("D", of_real.mean() - k * of_fake.mean(), e_real=of_real, e_fake=of_fake)
        fake = self.G(self.latents(len(real), real))
        loss = self.energy(fake, self.D(fake)).mean()
        yield Descend("G", loss)
        self.balance.follow(of_real.mean(), loss)

    def measure(self, moves: list[Move]) -> dict[str, float]:
        found = super().measure(moves)
        return found | {
            "convergence": convergence(found["e_real"], found["g_loss"], self.gamma),
            "k": self.balance.k.item(),
        }


def convergence(real: float, fake: float, gamma: float) -> float:
    """M = L(x) + |gamma L(x) - L(G(z))|: small where D reconstructs well and the two are in
    balance. Berthelot et al. 2017, 3.4.1"""
    return real + math.fabs(gamma * real - fake)
