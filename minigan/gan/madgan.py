"""Games with several generators, which share the modes of the data among them: MAD-GAN in its two
forms. Ghosh et al. 2018"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import nn
from ..autograd import Tensor, no_grad
from ..ops import cat, log_softmax, logsumexp, randn, relu, stack
from ..ops.distance import cosine_similarity
from .games import Ascend, Descend, Game, Move, Parts
from .latents import calibration_inputs
from .recalibrate import BATCHES, evaluating, recalibrate_batch_norm


class _Generators(Game):
    """D against generators G0, G1, ...: what both forms share."""

    def __init__(
        self, generators: Sequence[nn.Module], discriminator: nn.Module, latent_dim: int = 100
    ):
        if not generators:
            raise ValueError(f"{type(self).__name__}: generators is empty")
        self.generators = list(generators)
        self.D = discriminator
        self.latent_dim = latent_dim
        self.players = {"D": discriminator} | {f"G{i}": g for i, g in enumerate(generators)}

    @classmethod
    def of(cls, parts: Parts, k: int = 4, **options: Any) -> Game:
        """k : generators"""
        return cls(
            [parts.generator() for _ in range(k)],
            parts.critic(cls.outputs(k)),
            latent_dim=parts.latent_dim,
            **options,
        )

    @staticmethod
    def outputs(k: int) -> int:
        """Numbers that D gives for an example."""
        return 1

    def latents(self, n: int, like: Tensor) -> Tensor:
        """n latent vectors z ~ N(0, 1), (n, latent_dim), on the device of `like`."""
        return randn(n, self.latent_dim, device=like.device)

    def fakes(self, real: Tensor) -> list[Tensor]:
        """A batch of each generator, as large as the real one."""
        return [g(self.latents(len(real), real)) for g in self.generators]

    def judged(self, *batches: Tensor) -> list[Tensor]:
        """D of each batch; in one pass where D treats every example by itself."""
        if not self.D.per_example:
            return [self.D(x) for x in batches]
        n, out = len(batches[0]), self.D(cat(list(batches)))
        return [out[i * n : (i + 1) * n] for i in range(len(batches))]

    def recalibrate(self, batches: int = BATCHES) -> None:
        """Batch statistics of the generators' present weights."""
        for g in self.generators:
            recalibrate_batch_norm(
                g,
                calibration_inputs(
                    self.latent_dim, device=next(g.parameters()).device, batches=batches
                ),
                self.batch_size,
            )

    def sample(self, latents: Tensor) -> Tensor:
        """The mixture of the generators: latents i, i + K, ... go to generator i."""
        k, n = len(self.generators), len(latents)
        with evaluating(*self.generators), no_grad():
            parts = [g(latents[i::k]) for i, g in enumerate(self.generators[:n])]
            # of the rows of the parts among the samples
            places = np.concatenate([np.arange(i, n, k) for i in range(k)])
            return cat(parts)[np.argsort(places)]

    def judge(self, real: Tensor) -> None:
        self.D(real)

    def measure(self, moves: list[Move]) -> dict[str, float]:
        """D's value, and the mean of the generators' losses as g_loss."""
        losses = [m.value.item() for m in moves if m.player != "D"]
        return super().measure([m for m in moves if m.player == "D"]) | {
            "g_loss": sum(losses) / len(losses)
        }


class MADGAN(_Generators):
    """D says which of the K generators an example is from, or that it is real: K + 1 classes, the
    last is "real". Ghosh et al. 2018

        D ascends     E log D_real(x) + sum over i of E log D_i(G_i(z))
        G_i descends  E log(1 - D_real(G_i(z)))

    To tell the generators apart D pushes them towards different modes. At the optimum the data are
    their mean, p = 1/K sum p_i, D_real = 1 / (K + 1), and the sum of the generators' game -(K + 1)
    log(K + 1) + K log K (Theorem 1).

    discriminator : logits (N, K + 1)
    saturating : False: G_i ascends E log D_real(G_i(z)) instead, as in `NonSaturating`
    """

    def __init__(
        self, generators: Sequence[nn.Module], discriminator: nn.Module, latent_dim: int = 100,
        saturating: bool = True
    ):  # fmt: skip
        super().__init__(generators, discriminator, latent_dim)
        self.saturating = saturating

    @staticmethod
    def outputs(k: int) -> int:
        return k + 1

    def d_value(self, on_real: Tensor, on_fakes: Sequence[Tensor]) -> Tensor:
        """What D ascends, from its logits."""
        k = len(on_fakes)
        if on_real.ndim != 2 or on_real.shape[1] != k + 1:
            raise ValueError(
                f"MADGAN: D gives {tuple(on_real.shape)}: expected (N, {k + 1}), a class for each "
                "generator and one for real"
            )
        return log_softmax(on_real, 1)[:, k].mean() + sum(
            log_softmax(y, 1)[:, i].mean() for i, y in enumerate(on_fakes)
        )

    def g_loss(self, on_fake: Tensor) -> Tensor:
        """What each generator descends: log(1 - D_real) = log sum over the fake classes of D_i."""
        if self.saturating:
            return (logsumexp(on_fake[:, :-1], 1) - logsumexp(on_fake, 1)).mean()
        return -log_softmax(on_fake, 1)[:, -1].mean()

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        with no_grad():
            fakes = self.fakes(real)
        on_real, *on_fakes = self.judged(real, *fakes)
        yield Ascend("D", self.d_value(on_real, on_fakes))
        on_fakes = self.judged(*self.fakes(real))
        yield tuple(Descend(f"G{i}", self.g_loss(y)) for i, y in enumerate(on_fakes))


class SimilarityMADGAN(_Generators):
    """MAD-GAN-Sim, Ghosh et al. 2018 (arXiv), appendix B: a plain D, and generators that must be
    the better the more they resemble another.

    Wanted is, for all i, j != i and each z,
    D(G_i(z)) >= D(G_j(z)) + S(psi(G_i(z)), psi(G_j(z))),
    S the cosine of the angle between features psi. What is missing is added to the loss of G_i,
    which descends

        E log(1 - D(G_i(z))) + weight E mean over j != i of [D(G_j(z)) + S(psi(G_i(z)), psi(G_j(z)))
        - D(G_i(z))]+

    The same z go to all generators, and D(x) is a probability here, of a size with S, in [-1, 1].

    features : psi, a Module or function of examples; the paper takes a layer of D or of another
        network
    weight : lambda
    """

    def __init__(
        self, generators: Sequence[nn.Module], discriminator: nn.Module, objective, features: Any,
        latent_dim: int = 100,
        weight: float = 1.0,
    ):  # fmt: skip
        super().__init__(generators, discriminator, latent_dim)
        self.objective = objective
        self.features = features
        self.weight = weight

    def shortfalls(self, fakes: Sequence[Tensor], chances: Sequence[Tensor]) -> list[Tensor]:
        """For each generator the mean of what the constraints lack. chances: D(G_i(z)), (N,)."""
        psi, k = [self.features(x).flatten(1) for x in fakes], len(fakes)
        return [
            stack(
                [
                    relu(chances[j] + cosine_similarity(psi[i], psi[j]) - chances[i])
                    for j in range(k)
                    if j != i
                ]
            ).mean()
            if k > 1
            else chances[i].sum() * 0
            for i in range(k)
        ]

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        with no_grad():
            fakes = self.fakes(real)
        on_real, *on_fakes = self.judged(real, *fakes)
        mean = sum(self.objective.d_value(on_real, y) for y in on_fakes) / len(fakes)
        yield Ascend("D", mean, d_real=on_real.sigmoid(), d_fake=cat(on_fakes).sigmoid())
        z = self.latents(len(real), real)
        fakes = [g(z) for g in self.generators]
        on_fakes = self.judged(*fakes)
        lacking = self.shortfalls(fakes, [y.sigmoid().flatten() for y in on_fakes])
        yield tuple(
            Descend(f"G{i}", self.objective.g_loss(y) + self.weight * u) for i,
            (y, u) in enumerate(zip(on_fakes, lacking))
        )  # fmt: skip
