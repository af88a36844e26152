"""A classifier of K classes that is a discriminator, too: few labels, and many images without."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from .. import nn
from ..autograd import Tensor, no_grad
from ..nn import functional as F
from ..nn.parametrizations import weight_norm
from ..ops import logsumexp, sigmoid, softplus
from .feature_matching import FeatureMatching
from .games import Descend, Game, Move, scores
from .objectives import NonSaturating
from .recalibrate import BATCHES


class KPlusOne(FeatureMatching):
    """Salimans et al. 2016, section 5: D has K logits l, one for each class; that of the class
    "fake" is 0, so that with Z(x) = sum of exp l_k(x), D(x) = Z(x) / (Z(x) + 1) is p(real).

        D descends  -E log p(y|x, y <= K)  -  1/2 E log D(x)  -  1/2 E log(1 - D(G(z)))
        G descends  |E f(x) - E f(G(z))|^2

    The first term is the cross entropy of the labelled images, the second of the unlabelled ones;
    log Z is taken by logsumexp. f : D's modules before `layer` (default: all but the last two).

    generator : latents (n, latent_dim) -> images;  classifier : images -> logits (n, K), Sequential
    supervised : the first term alone, and no G: what the labels teach by themselves
    """

    columns = ("images", "labels", "unlabelled")

    def __init__(
        self, generator: nn.Module, classifier: nn.Sequential, latent_dim: int = 100,
        layer: int = -2, supervised: bool = False,
    ):  # fmt: skip
        super().__init__(generator, classifier, NonSaturating(), latent_dim, layer=layer)
        self.supervised = supervised

    def moves(self, images: Tensor, labels: Tensor, unlabelled: Tensor) -> Iterator[Move]:  # type: ignore[override]
        if self.supervised:
            yield Descend("D", F.cross_entropy(self.D(images), labels))
            return
        with no_grad():
            fake = self.G(self.latents(len(unlabelled), unlabelled))
        named, real, made = scores(self.D, images, unlabelled, fake)
        real, made = logsumexp(real, 1), logsumexp(made, 1)  # log Z
        unsupervised = 0.5 * (softplus(-real).mean() + softplus(made).mean())
        yield Descend(
            "D", F.cross_entropy(named, labels) + unsupervised,
            d_real=sigmoid(real), d_fake=sigmoid(made),
        )  # fmt: skip
        yield self.descent(unlabelled, self.G(self.latents(len(unlabelled), unlabelled)))

    def measure(self, moves):
        return Game.measure(self, moves)

    def recalibrate(self, batches: int = BATCHES) -> None:
        """Nothing: the weights that are averaged are D's, which has no batch statistics."""

    def judge(self, images: Tensor, labels: Tensor, unlabelled: Tensor) -> None:  # type: ignore[override]
        self.D(unlabelled)


# --- the networks of the authors' program for MNIST ---


class Scaled(nn.Module):
    """y = scale x + shift"""

    per_example = True

    def __init__(self, scale: float, shift: float):
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(self, x):
        return x * self.scale + self.shift

    def extra_repr(self):
        return f"scale={self.scale}, shift={self.shift}"


def normed(n_in: int, n_out: int, learned: bool) -> nn.Linear:
    """A linear layer with weight normalisation, directions N(0, 0.1^2), lengths 1, biases 0.
    learned : are the lengths, too, or do they stay as they begin?"""
    layer: Any = nn.Linear(n_in, n_out)
    nn.init.normal_(layer.weight, 0.0, 0.1)
    nn.init.zeros_(layer.bias)
    weight_norm(layer)
    lengths = layer.parametrizations.weight.original0
    nn.init.ones_(lengths)
    lengths.requires_grad_(learned)
    return layer


def noisy_classifier(
    n_in: int, n_out: int, hidden=(1000, 500, 250, 250, 250), more: int = 0
) -> nn.Sequential:
    """(N, n_in) -> logits (N, n_out): normed linear layers and ReLU, Gaussian noise of 0.3 on the
    input and 0.5 behind each of them. See `begin_at` for how it begins. more : further inputs of
    each linear layer (`minigan.gan.triple.Told`)"""
    layers: list[nn.Module] = [nn.GaussianNoise(0.3)]
    for a, b in zip((n_in, *hidden), hidden):
        layers += [normed(a + more, b, False), nn.ReLU(), nn.GaussianNoise(0.5)]
    return nn.Sequential(*layers, normed(hidden[-1] + more, n_out, True))


def softplus_generator(
    latent_dim: int, image_shape: tuple[int, ...], more: int = 0
) -> nn.Sequential:
    """latent_dim-500-500-pixels: batch normalisation and softplus, then a normed layer and a
    sigmoid; images in [-1, 1]. more : as in `noisy_classifier`"""
    layers: list[nn.Module] = []
    for n in (latent_dim, 500):
        layers += [nn.Linear(n + more, 500, bias=False), nn.BatchNorm1d(500), nn.Softplus()]
    last = normed(500 + more, math.prod(image_shape), True)
    return nn.Sequential(*layers, last, nn.Sigmoid(), Scaled(2, -1), nn.Unflatten(1, image_shape))


def begin_at(network: nn.Module, *inputs: Tensor) -> None:
    """Salimans and Kingma 2016, section 3: the lengths and biases of the normed layers become such
    that each unit's values for these examples have mean 0 and variance 1 (before its ReLU)."""

    def fit(layer: Any, inputs: tuple[Tensor, ...]) -> None:
        y = F.linear(inputs[0], layer.weight)
        spread = ((y - y.mean(0)) ** 2).mean(0).sqrt()
        lengths = layer.parametrizations.weight.original0
        lengths.copy_(lengths / spread[:, None])
        layer.bias.copy_(-y.mean(0) / spread)

    normed_layers = [m for m in network.modules() if hasattr(m, "parametrizations")]
    hooks = [layer.register_forward_pre_hook(fit) for layer in normed_layers]
    try:
        with no_grad():
            network(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
