"""ACGAN: D says what class it sees, too, and G is told to be seen as the class that was asked for.

    python -m minigan train acgan
    python -m minigan draw runs/acgan --label 7 --n 20 --out sevens

Algorithm (Odena, Olah and Shlens 2017, section 3). D has two heads on one trunk, the source S and
the class C:

    L_S = E log P(S = real | x) + E log P(S = fake | G(z, y))
    L_C = E log P(C = y | x) + E log P(C = y | G(z, y))

D ascends L_S + L_C, then G ascends L_C - L_S (non-saturating: E log P(S = real | G) in place of
-L_S), y the labels of the real batch. Only G is given y. It is `minigan.gan.ACGAN`, with every
switch of docs/games.md for L_S; the heads are outputs of one linear layer.

What to look at: samples/*.png, a row for each label. What shows that it works: the numbers of CGAN
(see there). Control: L_C weighs nothing, so that nobody tells G what its labels mean.
"""

from __future__ import annotations

import functools

from ..gan import ACGAN as Game
from ..gan import Joined
from ..training.cli import number
from ..training.options import build_game
from .cgan import CGAN


class ACGAN(CGAN):
    """Digits, or other classes of pictures, that are asked for by a label, which D does not see but
    says."""

    paper = (
        "Odena, Olah and Shlens 2017, Conditional Image Synthesis with Auxiliary Classifier GANs, "
        "arXiv:1610.09585"
    )
    control = "the class head weighs nothing"
    # with the classic MLP, whose classes are soon told, samples of a class are much alike
    defaults = {"model": "dcgan", "features": 32, "lr": 1e-3, "epochs": 10, "ema": 0.99}
    shuffles = False

    def options(self, parser):
        super().options(parser)
        parser.add_argument(
            "--class-weight",
            type=number(float, 0),
            default=1.0,
            help="of L_C, beside L_S (default %(default)s)",
        )

    def game(self, c):
        told = {"latent_dim": c.latent_dim + c.classes, "outputs": 1 + c.classes, "classes": 0}
        G, D = self.players(vars(c) | told)
        weight = 0.0 if c.control else c.class_weight
        kind = functools.partial(Game, classes=c.classes, weight=weight)
        return build_game(Joined(G, c.classes), D, vars(c), kind)
