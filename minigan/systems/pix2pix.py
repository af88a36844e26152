"""pix2pix: a picture is made of a picture, learnt from pairs.

    python -m minigan train pix2pix
    python -m minigan draw runs/pix2pix --from photo.png folder/ --out made
    python -m minigan train pix2pix --dataset edges2shoes --direction BtoA --size 64

Algorithm (Isola et al. 2017, equation 4; `minigan.gan.Pix2Pix`). a is a picture of A, b its
counterpart in B, z the dropout of G (--dropout; none without), which is drawn afterwards, too:

    D ascends   1/2 (E log D(a, b) + E log(1 - D(a, G(a, z))))
    G descends  -E log D(a, G(a, z)) + weight E |b - G(a, z)|_1

G is a U-Net, D a critic of patches (`unet.UNet`, `unet.PatchGAN`). Without own pictures it learns
the same characters in two fonts (`minigan.data.glyphs`).

What to look at: samples/*.png, triples (a, G(a, z), b) of letters that it never saw. What shows
that it works: of all 1,424 characters in B, the right one is the nearest to what was made; what is
made is as sharp as the data. Doing nothing is measured beside it.
Control: L1 alone, without D: nearer by pixels, but blurred. `--shuffle-pairs`: another control, in
which a says nothing of b.
"""

from __future__ import annotations

import argparse

from ..gan import Pix2Pix as Game
from ..training.cli import number
from .translating import Translating
from .unet import PatchGAN, UNet


class Pix2Pix(Translating):
    """A picture of one kind is made of a picture of another, learnt from pairs."""

    paper = (
        "Isola, Zhu, Zhou, Efros 2017, Image-to-Image Translation with Conditional Adversarial "
        "Networks, arXiv:1611.07004"
    )
    control = "G descends the distance L1 alone; D is not asked"
    defaults = {"epochs": 40, "batch_size": 16, "lr": 1e-3, "ema": 0.99}
    target = 0.8

    def options(self, parser):
        super().options(parser)
        p = parser
        p.add_argument("--weight", type=number(float, 0), default=100.0,
                       help="of the mean absolute difference (default %(default)s)")  # fmt: skip
        p.add_argument("--d-lr", type=number(float, above=0), default=2e-4,
                       help="D's learning rate (default %(default)s)")  # fmt: skip
        p.add_argument("--halvings", type=number(int, 1), default=1,
                       help="of D: 1, 2, 3: it looks at patches of 16, 34, 70 pixels of a side "
                       "(default %(default)s)")  # fmt: skip
        p.add_argument("--dropout", action=argparse.BooleanOptionalAction, default=False,
                       help="z: other pictures of the same picture, which are less near to b "
                       "(default: none)")  # fmt: skip
        p.add_argument("--shuffle-pairs", action="store_true",
                       help="a control: every a with the counterpart of another")  # fmt: skip

    def data(self, c, split="train"):
        data = super().data(c, split)
        return data.shuffled(c.seed) if c.shuffle_pairs and split == "train" else data

    def game(self, c):
        a, b = c.image_shape, c.target_shape
        G = UNet(tuple(a), b[0], c.features)
        D = PatchGAN(a[0] + b[0], c.features, c.halvings, a[1])
        z = G.latent_dim if c.dropout else 0
        return Game(
            G, D, z, c.weight, 0.0 if c.control else 1.0, source_shape=tuple(a), jitter=c.jitter
        )
