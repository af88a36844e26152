"""StackGAN: a sentence becomes a small picture, and that a large one.

    python -m minigan train stackgan
    python -m minigan draw runs/stackgan --text "a red seven at the left"
    python -m minigan measure runs/stackgan --control

Algorithm (Zhang et al. 2017, equations 3 to 6; `minigan.gan.StackedGAN`), in two stages, each with
a D that also sees real pictures with texts of others, as in `text2image`. The condition of a text t
is drawn, c = mu(t) + sigma(t) eps. The first stage makes pictures of half the size, s = G1(z, c1):

    D1 ascends   E log D1(x, t) + [E log(1 - D1(x, t')) + E log(1 - D1(G1(z, c1), t))] / 2
    G1 descends  -E log D1(G1(z, c1), t) + kl E KL(N(mu(t), sigma(t)) || N(0, I))

Then G1 is frozen, with its averaged weights, and the same is played at full size by D and G(s, c),
which sees the small picture and the text once more: it can mend what the first stage got wrong, and
need not say where things are.

What to look at: samples/*.png, texts and what is drawn of them. What shows that it works: pictures
have the digit, colour, place and size that their texts name, more often than the first stage's, and
are nearer to the data (Frechet). Control: noise in the place of the first stage's pictures.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Generator
from ..autograd import no_grad
from ..data import DataError
from ..data.captions import encoded
from ..gan.text import (
    Conditioning,
    SmallGAN,
    StackedGAN,
    StageOne,
    StageTwo,
    TextDiscriminator,
    TextEncoder,
    drawing,
)
from ..nn import functional as F
from ..training.cli import number
from .captions import OfCaptions, attribute_rows
from .evidence import BATCH
from .system import counts


class StackGAN(OfCaptions):
    """Pictures of what a text says, first small, then large."""

    paper = (
        "Zhang, Xu, Li, Zhang, Wang, Huang, Metaxas 2017, StackGAN: Text to Photo-realistic Image "
        "Synthesis with Stacked Generative Adversarial Networks, arXiv:1612.03242"
    )
    control = "noise in the place of the first stage's pictures"
    hands_on = True

    def options(self, parser):
        super().options(parser)
        p = parser
        counts(
            p,
            ("first-steps", 8000, "steps of the first stage; with --steps it replaces --epochs"),
            ("steps", 15000, "steps of the second"),
            ("blocks", 1, "the second stage's residual blocks"),
        )
        p.add_argument(
            "--kl", type=number(float, 0), default=0.02,
            help="weight of the conditions' divergence from N(0, I), in nats (default "
            "%(default)s; the authors' program: 1/64; with 1 conditions say nothing)",
        )  # fmt: skip

    def facts(self, data, c):
        height, width = data.images.shape[2:]
        if height % 4 or width % 4 or min(height, width) < 12:
            raise DataError(
                f"{height}x{width}: expected sides that are multiples of 4, of at least 12, as the "
                "first stage's pictures have half of them: say --size for own pictures"
            )
        return super().facts(data, c)

    def stages(self, c):
        return ({} if c.control else {"I": c.first_steps}) | {"II": c.steps}

    def conditioning(self, c):
        return Conditioning(TextEncoder(len(c.vocabulary), c.codes, c.codes), c.codes)

    def critic(self, c, shape):
        encoder = TextEncoder(len(c.vocabulary), c.codes, c.codes)
        return TextDiscriminator(encoder, shape, c.d_features)

    def told(self, c):
        """What both stages' games are given."""
        return {
            "vocabulary": c.vocabulary, "texts": encoded(c.prompts, c.vocabulary),
            "mismatched": c.mismatched, "penalty": c.kl, "r1": c.r1,
        }  # fmt: skip

    def game(self, c):
        if c.control:
            return self.second(c, None)
        features, shape = 2 * c.features, small_shape(c)
        network = drawing(c.latent_dim + c.codes, shape, features)
        G, D = StageOne(self.conditioning(c), network), self.critic(c, shape)
        return SmallGAN(G, D, latent_dim=c.latent_dim + c.codes, **self.told(c))

    def game_after(self, players, c):
        return self.second(c, players["G"])

    def second(self, c, first):
        shape = tuple(c.image_shape)
        G = StageTwo(self.conditioning(c), shape[0], c.features, c.blocks)
        D = self.critic(c, shape)
        dim = c.latent_dim + c.codes
        return StackedGAN(G, D, first=first, small=small_shape(c), first_dim=dim, **self.told(c))

    def measure(self, game, c, samples, device):
        rows = super().measure(game, c, samples, device)
        if getattr(game, "first", None) is None:
            return rows

        def small(words: np.ndarray) -> np.ndarray:
            random, parts = Generator(0), []
            for i in range(0, len(words), BATCH):
                inputs = game.inputs_of_words(words[i : i + BATCH], random, device)
                with no_grad():
                    made = F.interpolate(game.before(*inputs), scale_factor=2, mode="bilinear")
                parts.append(made.cpu().numpy())
            return np.concatenate(parts)

        first = attribute_rows(small, c, samples, device, "stage I ")
        better = {row.name.removeprefix("stage I "): row.value for row in first}
        return [
            *[row._replace(target=better[row.name]) if row.name == "frechet" else row
              for row in rows],
            *[row._replace(target=np.nan, note="the small picture, enlarged") for row in first],
        ]  # fmt: skip


def small_shape(c) -> tuple[int, ...]:
    """Of the first stage's pictures."""
    channels, height, width = c.image_shape
    return channels, height // 2, width // 2
