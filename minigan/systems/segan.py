"""SegAN: where in a picture something is, to the pixel, learnt against a critic.

    python -m minigan train segan
    python -m minigan draw runs/segan --from photo.png --out masks
    python -m minigan measure runs/segan --control

Algorithm (Xue et al. 2018, equations 1 to 3; `minigan.gan.SegAN` has it). S, a U-Net, makes a mask
of a picture; a critic compares, in all of its layers, what is left of the picture under S's mask
and under the true one. C ascends the distance, S descends it; C's weights are clipped after each
step. --loss gan: S descends the cross entropy, and what a plain D says of pictures with masks, as
in DI2IN and SCAN (`minigan.gan.MaskGAN`). Pictures are digits on patches of photographs (MNIST-M's
recipe, |photograph - digit|), whose masks are known exactly; --ground textures needs no
scikit-image.

What to look at: samples/*.png, triples of a picture, S's mask and the true one. What shows that it
works: intersection over union with the masks of test pictures, on parts of the photographs that it
never saw. Control: the same U-Net on the cross entropy alone; --freeze-critic is another one.
"""

from __future__ import annotations

import numpy as np

from ..data import DataError, Pairs, load_dataset
from ..data.photos import on_pictures, textures
from ..gan.constraints import WeightClip
from ..gan.networks import dcgan_discriminator
from ..gan.segan import Critic, MaskGAN, Segmenting, Segmentor
from ..gan.segan import SegAN as Game
from ..metrics import iou
from ..training.cli import number
from .evidence import floats
from .system import Row, System, adam_options
from .translating import Translating, translated

LOSSES = ("segan", "gan", "ce")


class SegAN(Translating):
    """Masks of what is in pictures, by a network that a critic of several scales has taught."""

    paper = (
        "Xue, Xu, Zhang, Long, Huang 2018, SegAN: Adversarial Network with Multi-scale L1 Loss for "
        "Medical Image Segmentation, arXiv:1706.01805"
    )
    control = "the cross entropy alone, no critic"
    averaged = None
    defaults = {"lr": 2e-3, "b1": 0.5, "batch_size": 32, "epochs": 1}

    def options(self, parser):
        p = parser
        adam_options(p)
        p.add_argument(
            "--loss",
            choices=LOSSES,
            default="segan",
            help="segan: the critic's layers; gan: cross entropy and a plain D; ce: cross entropy "
            "(default %(default)s)",
        )
        p.add_argument(
            "--ground",
            choices=("photos", "textures"),
            default="photos",
            help="what is behind the digits (default %(default)s)",
        )
        p.add_argument(
            "--width",
            type=number(int, 1),
            default=8,
            help="channels next to the pictures (default %(default)s)",
        )
        p.add_argument(
            "--clip",
            type=number(float, above=0),
            default=0.05,
            help="of the critic's weights (default %(default)s)",
        )
        p.add_argument(
            "--weight",
            type=number(float, 0),
            default=0.01,
            help="of what D says, with --loss gan (default %(default)s)",
        )
        p.add_argument(
            "--freeze-critic",
            action="store_true",
            help="another control: the critic stays as it begins",
        )

    data_options = System.data_options
    held_out = System.held_out

    def data(self, c, split="train"):
        digits = load_dataset(
            getattr(c, "pictures", c.dataset), split, getattr(c, "data_dir", None), size=c.size
        )
        if digits.images.shape[1] != 1:
            raise DataError(f"{digits.name}: expected grey pictures, white on black, as masks")
        made = textures() if c.ground == "textures" else None
        seen = on_pictures(digits, split, c.seed, made)
        masks = np.where(digits.images > 127, np.uint8(255), np.uint8(0))
        return Pairs(seen.images, digits.labels, seen.name, seen.source, targets=masks)

    def ready(self, game, c, device):
        self.begin(game, self.test_of(c), c, device)

    def game(self, c):
        channels, width = c.image_shape[0], c.width
        S, shape, loss = Segmentor(channels, width), tuple(c.image_shape), c.loss
        if c.control or loss == "ce":
            return Segmenting(S, shape)
        if loss == "gan":
            D = dcgan_discriminator(channels + 1, *shape[1:], features=2 * width)
            return MaskGAN(S, D, shape, c.weight)
        return Game(S, Critic(channels + 1, 2 * width), shape, c.freeze_critic)

    def constraints(self, game, c):
        return {"C": [WeightClip(c.clip)]} if "C" in game.players else {}

    def measure(self, game, c, samples, device):
        data = self.test_of(c)
        data = data.some(np.arange(min(samples, len(data))))
        made, truth = translated(game, floats(data.images), device), data.targets / 255.0
        made = 0.5 * (made + 1)
        wrong = float(((made > 0.5) != (truth > 0.5)).mean())
        return [
            Row("iou", float(iou(made, truth).mean()), 1.0, note="of test pictures, a mean"),
            Row("wrong pixels", wrong, 0.0, "down",
                note=f"share; no mask at all: {truth.mean():.4f}"),
        ]  # fmt: skip
