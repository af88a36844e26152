"""ss-InfoGAN: InfoGAN that is shown a few labels, so that its label code means the digit.

    python -m minigan train ss-infogan --labels 132
    python -m minigan draw runs/ss-infogan --label 7

Algorithm (Spurr, Aksan and Hilliges 2017, section 3). c = (c_ss, c_us): c_ss ~ Cat(10) is the
semi-supervised code, c_us (two numbers ~ U(-1, 1)) and z are not supervised. With V and L_I of
`infogan` (see there), and a stream of labelled images (x, y) beside that of images:

    D and Q ascend V + lambda L_I + E log Q_ss(y | x)
    G descends V - lambda L_I

L_I = E log Q(c | G(z, c)) has both codes: Q_ss learns from labelled images what c_ss means, and
hands it to G by its fakes. It is `minigan.gan.SSInfoGAN`.

What to look at: samples/*.png, as in `infogan`, whose row 7 shows sevens. What shows that it works:
c_ss = argmax Q_ss(c_ss | x) is the label of test images (no matching is needed; published errors
of few per cent). Control: lambda = 0, so that Q learns from the labelled images alone.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..arrays import Generator
from ..data import ImageSet
from ..data.batches import Batches, Together
from ..gan import SSInfoGAN as Game
from ..training.cli import number
from .infogan import InfoGAN


class SSInfoGAN(InfoGAN):
    """Digits that are asked for by a label, which was told of 132 images only."""

    paper = (
        "Spurr, Aksan and Hilliges 2017, Guiding InfoGAN with Semi-Supervision, arXiv:1707.04487"
    )
    control = "lambda = 0: Q learns from the labelled images alone"
    most = 0.04

    def options(self, parser):
        super().options(parser)
        add = parser.add_argument
        add("--labels", type=number(int, 1), default=132,
            help="labelled images, equally many of each class as far as it goes (default "
            "%(default)s)")  # fmt: skip
        add("--labelled-batch", type=number(int, 2), default=66,
            help="labelled images in a step (default %(default)s)")  # fmt: skip

    def facts(self, data, c):
        classes = len(np.unique(data.labels))
        if classes != c.categories:
            raise ValueError(
                f"--categories {c.categories}: the label code needs a value for each class, and "
                f"{data.name} has {classes}"
            )
        return super().facts(data, c)

    def kind(self, c):
        return Game

    def batches(self, data, c, device, columns):
        few = labelled(data, c.labels, c.seed)
        size = min(c.labelled_batch, len(few))
        known = Batches(few, size, c.seed + 1, device, ("images", "labels"))
        return Together(super().batches(data, c, device, ("images",)), known)


def labelled(data: ImageSet, n: int, seed: int) -> ImageSet:
    """n of the images with their labels, equally many of each class as far as it goes (the first
    classes have one more), chosen by the seed; ValueError where there are too few."""
    order = Generator(seed).permutation(len(data))
    classes = np.unique(data.labels)
    if n < len(classes):
        raise ValueError(f"--labels {n}: expected one for each of {len(classes)} classes at least")
    rows = []
    for i, label in enumerate(classes):
        size = n // len(classes) + (i < n % len(classes))
        own = order[data.labels[order] == label]
        if len(own) < size:
            raise ValueError(
                f"--labels {n}: {size} of class {label}, and {data.name} has {len(own)}"
            )
        rows.append(own[:size])
    chosen = np.concatenate(rows)
    return dataclasses.replace(data, images=data.images[chosen], labels=data.labels[chosen])
