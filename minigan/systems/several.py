"""Systems against mode collapse (docs/modes.md): a D that is looked ahead of, several generators,
encoders."""

from __future__ import annotations

from ..training.cli import number
from .parts import OfParts


class Unrolled(OfParts):
    """G descends what D would say after some more steps of its own."""

    paper = "Metz et al. 2017, Unrolled Generative Adversarial Networks, arXiv:1611.02163"
    kind = "unrolled"
    defaults = {"epochs": 10, "ema": 0.99}
    control = "it looks no steps ahead"

    def options(self, parser):
        super().options(parser)
        parser.add_argument(
            "--unroll",
            type=number(int, 0),
            default=5,
            help="steps that it looks ahead (default %(default)s)",
        )

    def arguments(self, c):
        return {"unroll": 0 if c.control else c.unroll}

    def optimizers(self, game, c):
        return super().optimizers(game, c) | {"D": game.optimizer}


class MADGAN(OfParts):
    """Several generators, and a D that also says which one a fake is from."""

    paper = (
        "Ghosh et al. 2018, Multi-Agent Diverse Generative Adversarial Networks, arXiv:1704.02906"
    )
    kind = "madgan"
    averaged = None
    defaults = {"epochs": 10, "ema": 0.0}
    control = "there is one generator"

    def options(self, parser):
        super().options(parser)
        parser.add_argument(
            "--generators", type=number(int, 1), default=4, help="(default %(default)s)"
        )

    def arguments(self, c):
        return {"k": 1 if c.control else c.generators, "saturating": False}


class MRGAN(OfParts):
    """An encoder; what G makes of codes of data shall be the data, and look real."""

    paper = "Che et al. 2017, Mode Regularized Generative Adversarial Networks, arXiv:1612.02136"
    kind = "mrgan"
    defaults = {"epochs": 10, "ema": 0.99}
    control = "both regularisers weigh nothing"

    def arguments(self, c):
        on = 0.0 if c.control else 1.0
        return {"lambda1": 0.005 * on, "lambda2": 0.1 * on}


class MDGAN(OfParts):
    """MRGAN in two phases: first the reconstructions become real, then the samples like those."""

    paper = MRGAN.paper + ", section 3.3"
    kind = "mdgan"
    defaults = {"epochs": 10, "ema": 0.99}


class VEEGAN(OfParts):
    """A reconstructor carries data to codes, and D judges pairs of data and code."""

    paper = (
        "Srivastava et al. 2017, VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational "
        "Learning, arXiv:1705.07761"
    )
    kind = "veegan"
    defaults = {"epochs": 10, "ema": 0.99}
