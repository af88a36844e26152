"""What the two players want: objectives by family, and by name in `OBJECTIVES`.

logistic.py      D tells probabilities
critics.py       D is a critic: least squares, hinge, Wasserstein, Fisher
divergences.py   f-GAN: any f-divergence
"""

from __future__ import annotations

from collections.abc import Callable

from .base import Objective
from .critics import Fisher, Hinge, LeastSquares, Wasserstein
from .divergences import (
    KL,
    Alpha,
    FDivergence,
    GANDivergence,
    Jeffreys,
    JensenShannon,
    Neyman,
    Pearson,
    ReverseKL,
    SquaredHellinger,
    TotalVariation,
)
from .logistic import Minimax, NonSaturating, Relativistic, RelativisticAverage, SoftmaxGAN

__all__ = [
    "KL", "OBJECTIVES", "Alpha", "FDivergence", "Fisher", "GANDivergence", "Hinge", "Jeffreys",
    "JensenShannon", "LeastSquares",
    "Minimax", "Neyman", "NonSaturating", "Objective", "Pearson", "Relativistic",
    "RelativisticAverage", "ReverseKL", "SoftmaxGAN",
    "SquaredHellinger", "TotalVariation", "Wasserstein",
]  # fmt: skip

_FAMILIES = (
    NonSaturating, Minimax, LeastSquares, Wasserstein, Hinge, Relativistic, RelativisticAverage,
    Fisher, SoftmaxGAN,
    TotalVariation, KL, ReverseKL, Pearson, Neyman, SquaredHellinger, JensenShannon, GANDivergence,
    Jeffreys, Alpha,
)  # fmt: skip
OBJECTIVES: dict[str, Callable[..., Objective]] = {o.name: o for o in _FAMILIES}
OBJECTIVES["relativistic-average-lsgan"] = lambda: RelativisticAverage(LeastSquares(-1, 1))
OBJECTIVES["relativistic-average-hinge"] = lambda: RelativisticAverage(Hinge())
