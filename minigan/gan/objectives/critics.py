"""Objectives of a critic, whose output is any number: least squares, hinge, and integral
probability metrics."""

from __future__ import annotations

from typing import Any

from ...arrays import to_device
from ...autograd import Tensor, raw, tensor_of
from ...ops import relu
from .base import Objective


class LeastSquares(Objective):
    """LSGAN, Mao et al. 2017, eq. 2: D descends 1/2 E (D(x) - b)^2 + 1/2 E (D(G(z)) - a)^2, G
    descends 1/2 E (D(G(z)) - c)^2.

    a, b, c : what D shall say of fake, of real examples; what G wants it to say. Default: eq. 9,
        0-1 coding. With b - c = 1 and b - a = 2, such as (-1, 1, 0), G descends the Pearson chi^2
        divergence of p + q from 2 q (section 3.2).
    """

    name = "lsgan"

    def __init__(self, a: float = 0.0, b: float = 1.0, c: float = 1.0):
        self.a = a
        self.b = b
        self.c = c

    def d_value(self, real: Tensor, fake: Tensor) -> Tensor:
        return (((real - self.b) ** 2).mean() + ((fake - self.a) ** 2).mean()) * -0.5

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return ((fake - self.c) ** 2).mean() * 0.5


class Wasserstein(Objective):
    """WGAN, Arjovsky et al. 2017, eq. 2 and Algorithm 1: the critic ascends E f(x) - E f(G(z)), G
    ascends E f(G(z)).

    The supremum over all f with slope at most 1 is the distance W1. Something must bound the slope:
    weight clipping (there), a gradient penalty, spectral normalisation; without it the value has no
    upper bound.
    """

    name = "wasserstein"

    def d_value(self, real: Tensor, fake: Tensor) -> Tensor:
        return real.mean() - fake.mean()

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -fake.mean()


class Hinge(Wasserstein):
    """Lim and Ye 2017; Miyato et al. 2018, eqs. 16, 17: D descends E max(0, 1 - D(x)) + E max(0, 1
    + D(G(z))), G ascends E D(G(z)).

    Examples that D tells with a margin of 1 have no more influence on it.
    """

    name = "hinge"

    def d_value(self, real: Tensor, fake: Tensor) -> Tensor:
        return -relu(1 - real).mean() - relu(fake + 1).mean()


class Fisher(Wasserstein):
    """Fisher GAN, Mroueh and Sercu 2017, eq. 5 and Algorithm 1: the difference of means with a
    bound on the second moment.

    With W = 1/2 E f(x)^2 + 1/2 E f(G(z))^2 the critic ascends
    E f(x) - E f(G(z)) + l (1 - W) - rho/2 (W - 1)^2,
    an augmented Lagrangian of the constraint W = 1; after each of its steps l <- l - rho (1 - W).
    G ascends E f(G(z)).

    rho : weight of the quadratic term and learning rate of the multiplier l (the paper: 1e-6 for
        images and Adam)
    multiplier, second_moment : l (it starts at 0) and the last W, scalar Tensors on the critic's
        device once it was used
    """

    name = "fisher"

    def __init__(self, rho: float = 1e-6):
        self.rho = rho
        self.multiplier: Tensor | None = None
        self.second_moment: Tensor | None = None

    def d_value(self, real: Tensor, fake: Tensor) -> Tensor:
        excess = ((real * real).mean() + (fake * fake).mean()) * 0.5 - 1
        self.second_moment = excess.detach() + 1
        if self.multiplier is None:
            self.multiplier = excess.detach() * 0
        elif self.multiplier.device != excess.device:  # it came from a file
            self.multiplier = tensor_of(to_device(self.multiplier.array, excess.device))
        return (
            super().d_value(real, fake)
            - self.multiplier * excess
            - excess * excess * (self.rho / 2)
        )

    def after_step(self) -> None:
        if self.multiplier is not None and self.second_moment is not None:
            self.multiplier = self.multiplier + (self.second_moment - 1) * self.rho

    def state_dict(self) -> dict[str, Any]:
        return {"multiplier": self.multiplier}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        saved = state["multiplier"]
        self.multiplier = None if saved is None else tensor_of(raw(saved).copy())
