"""What frozen features tell of the classes of images: logistic regression of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import nn
from ..autograd import Tensor, no_grad
from ..nn import functional as F
from ..nn.activation import _Activation
from ..ops import cat, ones, ones_like, where, zeros
from .games import Descend, Game, Move
from .recalibrate import evaluating


class Layers(nn.Module):
    """(N, C, H, W) -> (N, features): what each activation of a network gives, side by side; of maps
    larger than 4x4 the maxima of a grid of 4x4 windows (Radford et al. 2016, section 5.1)."""

    def __init__(self, network: nn.Sequential):
        super().__init__()
        if not any(isinstance(layer, _Activation) for layer in network):
            raise ValueError(f"Layers: a network without activations: {network}")
        self.network = network

    @property
    def per_example(self):
        return self.network.per_example

    def forward(self, x):
        found = []
        for layer in self.network:
            x = layer(x)
            if isinstance(layer, _Activation):
                found.append(self.grid(x).flatten(1))
        return cat(found, 1)

    @staticmethod
    def grid(x: Tensor) -> Tensor:
        """Maxima of 4x4 windows of equal size, which overlap where 4 does not divide the map."""
        if x.ndim != 4 or min(x.shape[2:]) <= 4:
            return x
        strides = [n // 4 for n in x.shape[2:]]
        return F.max_pool2d(x, [n - 3 * s for n, s in zip(x.shape[2:], strides)], strides)


class Regression(nn.Module):
    """Logistic regression of standardised numbers: (N, ...) -> logits (N, classes), all 0 at first.

    mean, length : buffers; `standardise` finds them
    """

    per_example = True
    mean: Tensor
    length: Tensor

    def __init__(self, features: int, classes: int):
        super().__init__()
        self.register_buffer("mean", zeros(features))
        self.register_buffer("length", ones(features))
        self.linear = nn.Linear(features, classes)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def standardise(self, x: Tensor) -> None:
        """From now on, features have a mean of 0 and a variance of 1 over these examples; those
        that are the same for all stay 0."""
        x = x.flatten(1)
        spread = x.std(0)
        self.mean.copy_(x.mean(0))
        self.length.copy_(where(spread > 0, spread, ones_like(spread)))

    def forward(self, x):
        return self.linear((x.flatten(1) - self.mean) / self.length)


class Readout(Game):
    """Logistic regressions of frozen features, and of pixels, on the same labelled images:

        C descends  E CE(C(f(x)), y) + decay |W_C|^2
        P descends  E CE(P(x), y) + decay |W_P|^2

    features : frozen, images -> (N, numbers), f;  generator : frozen, of the same run, for people
        to see what C says of samples
    by_features, by_pixels : C and P
    """

    columns = ("images", "labels")

    def __init__(
        self, features: nn.Module, generator: nn.Module, by_features: Regression,
        by_pixels: Regression, latent_dim: int, decay: float = 0.0,
    ):  # fmt: skip
        self.features = features
        self.G = generator
        self.players = {"C": by_features, "P": by_pixels}
        self.latent_dim = latent_dim
        self.decay = decay

    def moves(self, images: Tensor, labels: Tensor) -> Iterator[tuple[Move, ...]]:  # type: ignore[override]
        yield (
            Descend("C", self.loss("C", self.describe(images), labels)),
            Descend("P", self.loss("P", images, labels)),
        )

    @property
    def classifier(self) -> nn.Sequential:
        """Images -> logits: C behind the features."""
        return nn.Sequential(self.features, self.players["C"])

    def loss(self, player: str, x: Tensor, labels: Tensor) -> Tensor:
        regression: Any = self.players[player]
        weight = regression.linear.weight
        return F.cross_entropy(regression(x), labels) + self.decay * (weight * weight).sum()

    def describe(self, images: Tensor) -> Tensor:
        """The features of images, (N, numbers)."""
        with no_grad():
            return self.features(images)

    def sample(self, latents: Tensor) -> Tensor:
        """G(latents)"""
        with evaluating(self.G), no_grad():
            return self.G(latents)
