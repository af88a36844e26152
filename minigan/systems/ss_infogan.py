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

import numpy as np

from ..gan import SSInfoGAN as Game
from .infogan import InfoGAN
from .labelled import add_labels, beside_unlabelled, class_count


class SSInfoGAN(InfoGAN):
    """Digits that are asked for by a label, which was told of 132 images only."""

    paper = (
        "Spurr, Aksan and Hilliges 2017, Guiding InfoGAN with Semi-Supervision, arXiv:1707.04487"
    )
    control = "lambda = 0: Q learns from the labelled images alone"
    most = 0.04
    note = "test images; each value of c_ss means its label"

    def options(self, parser):
        super().options(parser)
        add_labels(parser, 132)

    def facts(self, data, c):
        if (classes := class_count(data)) != c.categories:
            raise ValueError(
                f"--categories {c.categories}: the label code needs a value for each class, and "
                f"{data.name} has {classes}"
            )
        return super().facts(data, c)

    def kind(self, c):
        return Game

    def batches(self, game, data, c, device):
        return beside_unlabelled(data, c, device)

    def meaning(self, codes, labels, classes):
        return np.arange(classes)
