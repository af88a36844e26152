"""ARDA (WDGRL): the domains' features are brought together by their Wasserstein distance.

    python -m minigan train arda
    python -m minigan measure runs/arda --control

Algorithm (Shen et al. 2017, Algorithm 1; `minigan.gan.WDGRL`). F and C are DANN's, without batch
normalisation, D a critic of features whose gradient is kept near length 1; x is of the source, with
labels y, x_t of the target:

    D ascends --k times  W - 10 E (|grad D(h^)| - 1)^2,  W = E D(F(x)) - E D(F(x_t))
    F, C descend         E CE(C(F(x)), y) + --weight W

What to look at: samples/*.png, the two domains in the plane of their pixels and of their features,
coloured by domain and by digit. What shows that it works: the accuracy on the target's test images,
which is not below DANN's. Control: weight 0: to the bit what the source alone teaches.
"""

from __future__ import annotations

from ..gan.domains import WDGRL as Game
from ..training.cli import number
from .domains import Adaptation, networks


class ARDA(Adaptation):
    """A classifier for pictures without labels, whose features lie where those with labels do."""

    paper = (
        "Shen, Qu, Zhang, Yu 2018, Wasserstein Distance Guided Representation Learning for Domain "
        "Adaptation (ARDA in its first version), arXiv:1707.01217"
    )
    control = "the distance weighs nothing: the source alone"
    defaults = Adaptation.defaults | {"b1": 0.5, "epochs": 12, "norm": "none"}

    def options(self, parser):
        super().options(parser)
        p = parser
        p.add_argument(
            "--weight", type=number(float, 0), default=1.0,
            help="of the distance, in what F and C descend (default %(default)s)",
        )  # fmt: skip
        p.add_argument(
            "--k", type=number(int, 1), default=5,
            help="ascents of the critic in a round (default %(default)s)",
        )  # fmt: skip
        p.add_argument(
            "--d-lr", type=number(float, above=0), default=None,
            help="the critic's learning rate (default: --lr)",
        )  # fmt: skip

    def game(self, c):
        if c.control:  # a critic that nobody listens to needs no care
            return Game(*networks(c), 0.0, k=1)
        return Game(*networks(c), c.weight, k=c.k)
