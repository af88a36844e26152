"""PAN: a picture is made of a picture; D learns what differs, and its layers measure it.

    python -m minigan train pan
    python -m minigan draw runs/pan --from photo.png --out made

Algorithm (Wang et al. 2017, equations 5 and 6; `minigan.gan.PAN`). D_j are D's hidden maps:

    P           sum_j lambda_j E |D_j(b) - D_j(G(a))|_1
    D ascends   E log D(b) + E log(1 - D(G(a))) - [m - P]+
    G descends  -E log D(G(a)) + P

No distance of pixels is part of it: D finds, as long as P is below the margin m, what G's pictures
lack. Data and networks are those of `pix2pix`, but D sees b alone, and there is no dropout.

What to look at and what shows that it works: as for `pix2pix`.
Control: without P, in both: G must only make what looks like some character of B.
"""

from __future__ import annotations

from ..gan import PAN as Game
from ..training.cli import number
from .translating import Translating
from .unet import PatchGAN, UNet


class PAN(Translating):
    """A picture is made of a picture; how far it is from the right one, D's layers say, which learn
    to see it."""

    paper = (
        "Wang, Xu, Wang, Tao 2017, Perceptual Adversarial Networks for Image-to-Image "
        "Transformation, arXiv:1706.09138"
    )
    control = "no distance in D's layers, neither for G nor for D"
    defaults = {"epochs": 40, "batch_size": 16, "lr": 1e-3, "ema": 0.99}
    target = 0.8

    def options(self, parser):
        super().options(parser)
        p = parser
        p.add_argument("--d-lr", type=number(float, above=0), default=2e-4,
                       help="D's learning rate (default %(default)s)")  # fmt: skip
        p.add_argument("--weights", type=number(float, 0), nargs="+", default=[5.0, 5.0, 5.0, 5.0],
                       help="lambda_j of D's hidden maps, whose number is D's depth, at least 2 "
                       "(default 5 5 5 5)")  # fmt: skip
        p.add_argument("--margin", type=number(float, 0), default=1.0,
                       help="m, up to which D is paid for P (default %(default)s)")  # fmt: skip
        p.add_argument("--l1", type=number(float, 0), default=0.0,
                       help="weight of the pixels' mean absolute difference, beside P "
                       "(default %(default)s)")  # fmt: skip

    def game(self, c):
        if len(c.weights) < 2:
            raise ValueError(f"--weights: {len(c.weights)} of them: expected at least 2")
        a, b = tuple(c.image_shape), tuple(c.target_shape)
        G, D = UNet(a, b[0], c.features), PatchGAN(b[0], c.features, len(c.weights) - 1, b[1])
        perceptual = 0.0 if c.control else 1.0
        return Game(
            G, D, tuple(c.weights), c.margin, 1.0, perceptual, c.l1, source_shape=a,
            jitter=c.jitter,
        )  # fmt: skip
