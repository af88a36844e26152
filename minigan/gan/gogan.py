"""GANs that start one from the other, each of which a critic shall rank between the one before and
the data."""

from __future__ import annotations

from .. import nn
from ..autograd import Tensor, no_grad
from ..ops import relu
from .games import GAN, Ascend, Move, scores
from .objectives import Wasserstein
from .penalties import GradientPenalty


class GoGAN(GAN):
    """Juefei-Xu, Boddeti and Savvides 2017, at one stage: GAN i + 1 starts as GAN i ended, and D
    learns, with a margin e on each, the order D(G_i(z)) < D(G_(i+1)(z)) < D(x):

        D ascends   - E [D(G_(i+1)(z)) + e - D(x)]_+  - ranking E [D(G_i(z)) + 2 e - D(x)]_+
        G descends  - E D(G_(i+1)(z))

    In the first stage there is no G_i, and no second term. k ascents for a descent. Where G_(i+1)
    has come to its margin, it is half as far below the data as G_i. Where both terms are above 0
    for all pairs, D sees G_(i+1) and `ranking` times G_i as one, and G_(i+1) rests where the two
    together are as the data: as far on the other side of them as G_i, times `ranking`.
    The paper clips D's weights; here a penalty of slopes above 1 bounds them, so that D(x) - D(y)
    is at most the distance of x and y, and e is a distance.

    stages : how many there are, for who shows them
    before : the generators of all earlier stages, frozen; G_i is the last one
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, latent_dim: int = 100, k: int = 5,
        margin: float = 1.0, ranking: float = 0.5, penalty: float = 10.0,
        before: tuple[nn.Module, ...] = (), stages: int = 1,
    ):  # fmt: skip
        super().__init__(
            generator, discriminator, Wasserstein(), latent_dim, k,
            penalties=GradientPenalty(penalty, one_sided=True),
        )  # fmt: skip
        self.margin = margin
        self.ranking = ranking
        self.before = before
        self.stages = stages

    @property
    def kept(self):
        return {f"G{n}": net for n, net in enumerate(self.before)}

    def ascent(self, real: Tensor, fake: Tensor) -> Move:
        several = [real, fake]
        if self.before and self.ranking:
            with no_grad():
                several.append(self.before[-1](self.latents(len(real), real)))
        on_real, on_fake, *on_old = scores(self.D, *several)
        lost = relu(on_fake + self.margin - on_real).mean()
        report = {"d_real": on_real, "d_fake": on_fake}
        for old in on_old:
            lost = lost + relu(old + 2 * self.margin - on_real).mean() * self.ranking
        report["penalty"] = self.total_penalty(real, fake)
        return Ascend("D", -lost - report["penalty"], **report)
