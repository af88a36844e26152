"""Games whose D has more than one head: it also tells what an example was made of. ACGAN, InfoGAN,
ss-InfoGAN

D's first output is the source S (real or made), the next `classes` are logits of the label C, and
the others the means of continuous codes. The game is that of `GAN` with an objective that weighs in
what the other heads tell.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import nn
from ..arrays import CPU, Generator
from ..autograd import Tensor, tensor_of
from ..nn.functional import cross_entropy
from ..ops import cat, linspace, rand, randint
from ..viz import Grid, Picture
from .cgan import CGAN, Given, Joined
from .games import GAN, Ascend, Game, Move, Parts
from .latents import LATENTS
from .objectives import NonSaturating, Objective
from .recalibrate import BATCH_SIZE, BATCHES, recalibrate_batch_norm


class Outputs(nn.Module):
    """Some of a network's outputs: those from `start` to before `stop`, (N, stop - start)."""

    def __init__(self, network: nn.Module, start: int, stop: int):
        super().__init__()
        self.network = network
        self.start = start
        self.stop = stop

    @property
    def per_example(self):
        return self.network.per_example

    def forward(self, x):
        return self.network(x)[:, self.start : self.stop]


class Telling(Objective):
    """An objective for the source, and how likely the other outputs make what is known of the
    examples.

    of_fake : D's outputs on fakes -> a mean log-likelihood, which both players ascend
    of_real : the same on real examples, which D ascends; None: nothing is known of them
    """

    def __init__(
        self, objective: Objective, of_fake: Callable[[Tensor], Tensor],
        of_real: Callable[[Tensor], Tensor] | None = None,
    ):  # fmt: skip
        self.objective = objective
        self.of_fake = of_fake
        self.of_real = of_real
        self.compares = objective.compares

    def d_value(self, real, fake):
        value = self.objective.d_value(real[:, :1], fake[:, :1]) + self.of_fake(fake)
        return value if self.of_real is None else value + self.of_real(real)

    def g_loss(self, fake, real=None):
        source = fake[:, :1]
        loss = (
            self.objective.g_loss(source)
            if real is None
            else self.objective.g_loss(source, real[:, :1])
        )
        return loss - self.of_fake(fake)

    def after_step(self):
        self.objective.after_step()


class ACGAN(CGAN):
    """Odena, Olah, Shlens 2017: D tells the source S and the class C of an example.

        L_S = E log P(S = real | x) + E log P(S = fake | G(z, y))
        L_C = E log P(C = y | x) + E log P(C = y | G(z, y))

    D ascends L_S + L_C, G ascends L_C - L_S (of which the parts with fakes depend on G; that of L_S
    is non-saturating by default). y are the labels of the real batch. L_S may be any objective.

    discriminator : examples -> (N, 1 + classes), see above
    weight : of L_C
    Other arguments as for `CGAN`.
    """

    def __init__(self, *arguments, weight: float = 1.0, **named):
        super().__init__(*arguments, **named)
        self.weight = weight

    @classmethod
    def of(cls, parts: Parts, classes: int = 10, **options: Any) -> Game:
        named: dict[str, Any] = {"objective": NonSaturating(), "latent_dim": parts.latent_dim}
        G = Joined(parts.generator(classes), classes)
        return cls(G, parts.critic(1 + classes), classes=classes, **named | options)

    @property
    def critic(self):
        return Outputs(self.D, 0, 1)

    @property
    def classifier(self) -> nn.Module:
        """Examples -> logits of their labels, (N, classes)."""
        return Outputs(self.D, 1, 1 + self.classes)

    def likelihood(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """weight times the mean of log P(C = label), from D's outputs."""
        return cross_entropy(outputs[:, 1 : 1 + self.classes], labels) * -self.weight

    def given(self, labels: Tensor) -> GAN:
        bound = copy.copy(self)
        bound.G = Given(self.G, labels)
        told = lambda outputs: self.likelihood(outputs, labels)
        bound.objective = Telling(self.objective, told, told)
        return bound

    def judge(self, *batch: Tensor) -> None:
        self.D(batch[self.columns.index("images")])

    def measure(self, moves: list[Move]) -> dict[str, float]:
        """That of `GAN`, of the source."""
        d = next(move for move in reversed(moves) if move.player == "D")
        source = {name: d.report[name][:, :1] for name in ("d_real", "d_fake")}
        return super().measure([Ascend("D", d.value, **d.report | source), moves[-1]])


class Beside(nn.Module):
    """x -> what each of these modules makes of it, (N, n_i), side by side: heads of one trunk."""

    def __init__(self, *heads: nn.Module):
        super().__init__()
        self.heads = nn.ModuleList(heads)

    @property
    def per_example(self):
        return all(head.per_example for head in self.heads)

    def forward(self, x):
        return cat([head(x) for head in self.heads], 1)


class InfoGAN(ACGAN):
    """Chen et al. 2016: G is given codes c beside its noise, and Q, a head of D, reads them from
    what it made.

        V = E log D(x) + E log(1 - D(G(z, c)))
        L_I = E log Q(c | G(z, c))

    D and Q ascend V + weight L_I, G descends V - weight L_I (non-saturating by default). c is a
    label, uniform on 0 .. classes - 1, and `codes` numbers, uniform on [-1, 1]. Q is a categorical
    distribution, and a Gaussian of fixed standard deviation `sd` (1 in the authors' program for
    digits) about D's last outputs. L_I + H(c) is a lower bound of the mutual information.

    generator : (latents (N, latent_dim + codes), labels) -> examples, see `Joined`
    discriminator : examples -> (N, 1 + classes + codes)
    weight : lambda, 1 as in the paper
    code_weight : of the continuous codes' part of L_I, beside the label's
    """

    columns: tuple[str, ...] = ("images",)
    bound: Tensor  # the continuous codes of a round, (N, codes)

    def __init__(
        self, *arguments, codes: int = 2, sd: float = 1.0, code_weight: float = 1.0, **named
    ):
        super().__init__(*arguments, **named)
        self.codes = codes
        self.sd = sd
        self.code_weight = code_weight

    @classmethod
    def of(cls, parts: Parts, classes: int = 10, codes: int = 2, **options: Any) -> Game:
        named: dict[str, Any] = {"objective": NonSaturating(), "latent_dim": parts.latent_dim}
        G = Joined(parts.generator(codes + classes), classes)
        D = parts.critic(1 + classes + codes)
        return cls(G, D, classes=classes, codes=codes, **named | options)

    def information(self, outputs: Tensor, labels: Tensor, codes: Tensor) -> Tensor:
        """weight times the mean of log Q(c | x), from D's outputs; the continuous codes' part times
        code_weight."""
        far = (codes - outputs[:, 1 + self.classes :]) * (1 / self.sd)
        log_sd = self.codes * math.log(self.sd * math.sqrt(2 * math.pi))
        gaussian = (far * far).sum(1).mean() * -0.5 - log_sd
        return self.likelihood(outputs, labels) + gaussian * (self.weight * self.code_weight)

    def coded(self, like: Tensor) -> Any:
        """The game whose fakes have these codes, drawn now: as many as in the batch `like`."""
        n, device = len(like), like.device
        labels = randint(0, self.classes, (n,), device=device)
        game = copy.copy(self)
        game.bound = rand(n, self.codes, device=device) * 2 - 1
        game.G = Given(self.G, labels)
        told = lambda outputs: self.information(outputs, labels, game.bound)
        game.objective = Telling(self.objective, told)
        return game

    def latents(self, n: int, like: Tensor) -> Tensor:
        """z ~ N(0, 1) and the round's continuous codes, (n, latent_dim + codes)."""
        return cat([super().latents(n, like), self.bound], 1)

    def moves(self, *batch: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        (real,) = batch
        return GAN.moves(self.coded(real), real)

    # --- for those who look on ---

    def inputs(self, n: int, generator: Generator, device=CPU) -> tuple[Tensor, ...]:
        """(z and continuous codes, labels: equally many of each, in order)"""
        z, labels = super().inputs(n, generator, device)
        codes = tensor_of(LATENTS["uniform"]((n, self.codes), generator, device))
        return cat([z, codes], 1), labels

    def recalibrate(self, batches: int = BATCHES) -> None:
        random, device = Generator(0), next(self.G.parameters()).device
        recalibrate_batch_norm(
            self.G,
            (self.inputs(BATCH_SIZE, random, device) for _ in range(batches)),
            self.batch_size,
        )

    def exhibit(self, generator: Generator, device=CPU) -> Callable[[], Picture]:
        """A row for each label. Blocks of `grid[1]` columns: samples; then, for each continuous
        code, one z with this code from -2 to 2 and the others 0."""
        (rows, wide), d = self.grid, self.latent_dim
        latents, labels = self.inputs(rows * wide, generator, device)
        blocks = [latents]
        for code in range(self.codes):
            swept = latents.reshape(rows, wide, -1)[:1, :1].expand(rows, wide, -1).clone()
            swept[:, :, d:] = 0.0
            swept[:, :, d + code] = linspace(-2, 2, wide, device=device)
            blocks.append(swept.reshape(rows * wide, -1))

        def picture():
            images = [self.sample(x, labels).cpu().numpy() for x in blocks]
            parts = [x.reshape(rows, wide, *x.shape[1:]) for x in images]
            between = np.ones_like(parts[0][:, :1])
            whole = [x for part in parts for x in (between, part)][1:]
            shown = np.concatenate(whole, 1)
            return Grid(shown.reshape(-1, *shown.shape[2:]), rows, shown.shape[1])

        return picture


class SSInfoGAN(InfoGAN):
    """Spurr et al. 2017: a few labelled images say which value of the label code means what.

    D and Q ascend V + weight L_I + labelled_weight E log Q(y | x), (x, y) labelled images: the
    label is the semi-supervised code c_ss, the continuous codes and noise the unsupervised c_us.
    """

    columns: tuple[str, ...] = ("labelled images", "labels", "images")
    known: tuple[Tensor, ...]  # the labelled images of a round, and their labels

    def __init__(self, *arguments, labelled_weight: float = 1.0, **named):
        super().__init__(*arguments, **named)
        self.labelled_weight = labelled_weight

    def moves(self, *batch: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        images, labels, real = batch
        game = self.coded(real)
        game.known = images, labels
        return GAN.moves(game, real)

    def ascent(self, real: Tensor, fake: Tensor) -> Move:
        move = super().ascent(real, fake)
        images, labels = self.known
        logits = self.D(self.show(images))[:, 1 : 1 + self.classes]
        told = cross_entropy(logits, labels) * -self.labelled_weight
        return Ascend("D", move.value + told, **move.report, labelled=told)
