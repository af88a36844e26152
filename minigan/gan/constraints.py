"""Constraints: what a player's network must obey. `prepare` is called once when a trainer is made,
the constraint after each step."""

from __future__ import annotations

from collections.abc import Callable

from .. import nn
from ..autograd import no_grad
from ..nn.conv import _Conv


class Constraint:
    """Base class."""

    name: str

    def prepare(self, player: nn.Module) -> None:
        """Make the network one that obeys."""

    def __call__(self, player: nn.Module) -> None:
        """Make it obey again after a step."""


class WeightClip(Constraint):
    """WGAN, Arjovsky et al. 2017, Algorithm 1: all parameters are clipped to [-limit, limit] after
    each step of the critic."""

    name = "clip"

    def __init__(self, limit: float = 0.01):
        if limit <= 0:
            raise ValueError(f"WeightClip: limit={limit} must be positive")
        self.limit = limit

    def prepare(self, player):
        self(player)

    def __call__(self, player):
        with no_grad():
            for p in player.parameters():
                p.clamp_(-self.limit, self.limit)


class SpectralNorm(Constraint):
    """Miyato et al. 2018: the weights of all linear and convolutional layers are divided by their
    largest singular values.

    `prepare` wraps the layers (`nn.utils.spectral_norm`): before the optimiser is made, or after,
    as it keeps the parameters.
    iterations : of the power method, at each forward pass
    """

    name = "spectral"

    def __init__(self, iterations: int = 1):
        self.iterations = iterations

    def prepare(self, player):
        for layer in list(player.modules()):
            if isinstance(layer, (nn.Linear, _Conv)) and not hasattr(layer, "weight_orig"):
                nn.utils.spectral_norm(layer, n_power_iterations=self.iterations)


CONSTRAINTS: dict[str, Callable[..., Constraint]] = {c.name: c for c in (WeightClip, SpectralNorm)}
