"""SegAN: where in a picture something is, to the pixel, learnt against a critic.

    python -m minigan train segan
    python -m minigan draw runs/segan --from photo.png --out masks
    python -m minigan measure runs/segan --control

Algorithm (Xue et al. 2018, equations 1 to 3; `minigan.gan.SegAN` has it). S, a U-Net, makes a mask
of a picture; a critic compares, in all of its layers, what is left of the picture under S's mask
and under the true one. C ascends the distance, S descends it. C learns more slowly, and its layers
are spectrally normalised: clipped at a limit (--clip), the last ones, which are sums of the most
numbers, outweigh all others, and what they see is coarse. --loss gan: S descends the cross entropy,
and what a plain D says of pictures with masks, as in DI2IN and SCAN (`minigan.gan.MaskGAN`).
Pictures are digits on patches of photographs (MNIST-M's recipe, |photograph - digit|), whose masks
are known exactly; --ground textures needs no scikit-image.

What to look at: samples/*.png, triples of a picture, S's mask and the true one. What shows that it
works: intersection over union with the masks of test pictures, on parts of the photographs that it
never saw, and that of the thinnest strokes. Control: the same U-Net on the cross entropy alone;
--freeze-critic is another one.
"""

from __future__ import annotations

import numpy as np

from ..data import DataError, Pairs, load_dataset
from ..data.photos import on_pictures, textures
from ..gan.constraints import SpectralNorm, WeightClip
from ..gan.networks import dcgan_discriminator
from ..gan.segan import Critic, MaskGAN, Segmenting, Segmentor
from ..gan.segan import SegAN as Game
from ..metrics import iou
from ..optim import Adam
from ..training.cli import number
from .evidence import floats
from .system import Row, System, adam_options, add_decay
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
        add_decay(p)
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
            type=number(float, 0),
            default=0.0,
            help="limit of the critic's weights; 0: its layers are spectrally normalised instead "
            "(default %(default)s)",
        )
        p.add_argument(
            "--c-lr",
            type=number(float, above=0),
            default=2e-4,
            help="the critic's learning rate (default %(default)s)",
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

    def optimizers(self, game, c):
        found = super().optimizers(game, c)
        if "C" in game.players:
            found["C"] = Adam(game.players["C"].parameters(), c.c_lr, (c.b1, 0.999))
        return found

    def constraints(self, game, c):
        if "C" not in game.players:
            return {}
        return {"C": [WeightClip(c.clip) if c.clip else SpectralNorm()]}

    def measure(self, game, c, samples, device):
        data = self.test_of(c)
        data = data.some(np.arange(min(samples, len(data))))
        made, truth = translated(game, floats(data.images), device), data.targets / 255.0
        made = 0.5 * (made + 1)
        found, thin = iou(made, truth), thinnest(truth > 0.5)
        wrong = float(((made > 0.5) != (truth > 0.5)).mean())
        return [
            Row("iou", float(found.mean()), 1.0, note="of test pictures, a mean"),
            Row("iou, thin strokes", float(found[thin].mean()), 1.0,
                note="of the quarter of them whose strokes have the least inside"),
            Row("wrong pixels", wrong, 0.0, "down",
                note=f"share; no mask at all: {truth.mean():.4f}"),
        ]  # fmt: skip


def thinnest(masks: np.ndarray) -> np.ndarray:
    """The numbers of the quarter of masks, bool (N, 1, H, W), of whose pixels the least have all
    four neighbours in the mask, too."""
    wide = np.pad(masks, ((0, 0), (0, 0), (1, 1), (1, 1)))
    inside = masks & wide[..., :-2, 1:-1] & wide[..., 2:, 1:-1]
    inside &= wide[..., 1:-1, :-2] & wide[..., 1:-1, 2:]
    share = inside.sum((1, 2, 3)) / np.maximum(masks.sum((1, 2, 3)), 1)
    return np.argsort(share, kind="stable")[: -(-len(masks) // 4)]
