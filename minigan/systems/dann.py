"""DANN: a classifier whose features do not tell where a picture is from.

    python -m minigan train dann
    python -m minigan train dann --target uci --scale .1
    python -m minigan measure runs/dann --control

Algorithm (Ganin et al. 2016, equation 9; `minigan.gan.DANN`). Labels y are known of the source x,
not of the target x_t:

    F, C descend  E CE(C(F(x)), y) - lambda (domain loss)
    D descends    - E log D(F(x)) - E log(1 - D(F(x_t)))    (domain loss)

in one move, by a layer between F and D that turns the gradient round. lambda grows from 0 to
--scale in --ramp steps. The target are digits on photographs, |photograph - digit| (MNIST-M's
recipe, with the photographs that scikit-image has); no digit is in both domains. Networks are those
of the paper for these data, with strides in place of maxima, and batch normalisation of each domain
by itself (--norm none: without).

What to look at: samples/*.png, the two domains in the plane of their pixels and of their features,
coloured by domain and by digit. What shows that it works: the accuracy on the target's test images;
the paper closes half of the gap between source alone and target with labels (.5225, .7666, .9596).
Control: lambda = 0: to the bit what the source alone teaches.

UCI's digits are so like MNIST's that the source alone names 0.87 and 0.85 of them rightly (seeds 0
and 1; with labels 0.96), and they are few, 1,197. There lambda must be small: 0.76 at 1, 0.90 and
0.90 at 0.1.
"""

from __future__ import annotations

from ..gan.domains import DANN as Game
from ..optim import Adam
from ..training.cli import number
from .domains import Adaptation, networks


class DANN(Adaptation):
    """A classifier for pictures without labels: its features do not tell them from those with."""

    paper = (
        "Ganin et al. 2016, Domain-Adversarial Training of Neural Networks, JMLR 17, "
        "arXiv:1505.07818"
    )
    control = "lambda = 0: the source alone"
    defaults = Adaptation.defaults | {"lr": 5e-4, "b1": 0.5, "epochs": 9}

    def options(self, parser):
        super().options(parser)
        p = parser
        p.add_argument(
            "--ramp", type=number(int, 0), default=4000,
            help="steps in which lambda grows from 0 (default %(default)s)",
        )  # fmt: skip
        p.add_argument(
            "--scale", type=number(float, 0), default=1.0,
            help="what lambda grows to (default %(default)s)",
        )  # fmt: skip

        p.add_argument(
            "--d-lr", type=number(float, above=0), default=2e-3,
            help="D's learning rate; a D that is slower than F is fooled by features that still "
            "tell the domains apart (default %(default)s)",
        )  # fmt: skip

    def optimizers(self, game, c):
        """One, as there is one move."""
        player = game.players["N"]
        rates = {"F": c.lr, "C": c.lr, "D": c.d_lr}
        groups = [{"params": list(player[k].parameters()), "lr": lr} for k, lr in rates.items()]
        return {"N": Adam(groups, c.lr, (c.b1, 0.999))}

    def game(self, c):
        return Game(*networks(c), 0.0 if c.control else c.scale, c.ramp)
