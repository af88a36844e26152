"""Systems whose D is an auto-encoder: what it reconstructs badly is taken for fake."""

from __future__ import annotations

from .. import nn
from ..training.cli import number
from .parts import OfParts


class EBGAN(OfParts):
    """D is an energy: its reconstruction error, low for data, at least a margin for fakes."""

    paper = (
        "Zhao, Mathieu, LeCun 2017, Energy-based Generative Adversarial Network, arXiv:1609.03126"
    )
    kind = "ebgan"
    defaults = {"epochs": 10, "ema": 0.99}

    def options(self, parser):
        super().options(parser)
        p = parser
        p.add_argument(
            "--margin", type=number(float, 0), default=10.0, help="(default %(default)s)"
        )
        p.add_argument(
            "--pull-away",
            type=number(float, 0),
            default=0.0,
            help="weight of the pulling-away term; 0.1 in the paper (default %(default)s)",
        )

    def arguments(self, c):
        return {"margin": c.margin, "pull_away": c.pull_away}


class BEGAN(OfParts):
    """The energies of data and fakes are held in a ratio gamma by a weight that is adapted.

    Digits are not equally hard to reconstruct: a 1 has .58 of the mean error. With a gamma of
    .5, as for the paper's faces, G makes 1s alone, which is what it is asked for. So gamma is 1
    here; and k follows faster, as there are fewer steps.
    """

    paper = (
        "Berthelot, Schumm, Metz 2017, BEGAN: Boundary Equilibrium Generative Adversarial "
        "Networks, arXiv:1703.10717"
    )
    kind = "began"
    activation = staticmethod(nn.ELU)
    defaults = {"epochs": 10, "ema": 0.99}

    def options(self, parser):
        super().options(parser)
        parser.add_argument(
            "--gamma", type=number(float, 0, 1), default=1.0,
            help="how much of data's error samples shall have; less: fewer, easier kinds of "
            "samples (default %(default)s)",
        )  # fmt: skip
        parser.add_argument(
            "--lambda-k", type=number(float, 0), default=0.1,
            help="how fast k follows the balance (default %(default)s)",
        )  # fmt: skip

    def arguments(self, c):
        return {"gamma": c.gamma, "lambda_k": c.lambda_k}


class MAGAN(OfParts):
    """EBGAN whose margin follows the energy of the data."""

    paper = "Wang et al. 2017, MAGAN: Margin Adaptation for Generative Adversarial Networks"
    kind = "magan"
    defaults = {"epochs": 10, "ema": 0.99}

    def options(self, parser):
        super().options(parser)
        parser.add_argument(
            "--period",
            type=number(int, 1),
            default=900,
            help="steps between margins; twice as many are pretraining (default %(default)s)",
        )

    def arguments(self, c):
        return {"period": c.period, "pretraining": 2 * c.period}
