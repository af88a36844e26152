"""Two GANs that share layers: pairs of pictures of two domains, learnt without pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import nn
from ..arrays import CPU
from ..autograd import Tensor, no_grad, tensor_of
from ..nn import functional as F
from ..ops import cat, softplus, where
from .games import Descend, Game, Move
from .latents import LATENTS, calibration_inputs, equal_labels
from .penalties import total
from .recalibrate import BATCHES, evaluating, recalibrate_batch_norm


class Coupled(nn.Module):
    """Two networks of one form whose layers are the same where they are given once.

    first, second : modules in their order; where both have the same one, it is shared, and counts
        once among the parameters
    """

    def __init__(self, first: nn.Sequential, second: nn.Sequential):
        super().__init__()
        if not type(first) is type(second) is nn.Sequential:
            raise TypeError("Coupled: expected two nn.Sequential, no subclasses of it")
        self.first = first
        self.second = second
        same = [a is b for a, b in zip(first, second)]
        self.shared = (*same, False).index(False)  # so many in front

    @property
    def per_example(self):
        return self.first.per_example and self.second.per_example

    def forward(self, x, y):
        """(first(x), second(y)). Where x and y are one Tensor, the layers in front that are shared
        are computed once, for both: statistics of batches are taken, and dropout is drawn, once."""
        shared = self.shared if x is y else 0
        if not shared:
            return self.first(x), self.second(y)
        x = self.first[:shared](x)
        return self.first[shared:](x), self.second[shared:](x)


class CoGAN(Game):
    """Liu and Tuzel 2016, equation 3, non-saturating, and its section 5 with `weight` > 0:

        D_1, D_2, C descend  sum over i of  - E log D_i(x_i) - E log(1 - D_i(G_i(z)))
                             + weight E CE(C(f_1(x_1)), y)
        G_1, G_2 descend     sum over i of  - E log D_i(G_i(z)),  of one z for both

    The first layers of G_1 and G_2 are the same, and the last ones of D_1 and D_2: so what z says
    at large is said of both pictures. f_i : D_i without its last layer.

    generators, discriminators : of z (N, latent_dim), and of pictures -> logits (N, 1)
    classifier : C, of f -> logits (N, classes); part of the player "D"
    """

    columns = ("images", "labels", "target")
    classes = 2  # a sample's label is its domain

    def __init__(
        self, generators: Coupled, discriminators: Coupled, classifier: nn.Module,
        latent_dim: int = 100, weight: float = 0.0,
    ):  # fmt: skip
        self.G = generators
        self.D = discriminators
        self.head = classifier
        self.players = {
            "D": nn.ModuleDict({"D": discriminators, "C": classifier}), "G": generators,
        }  # fmt: skip
        self.latent_dim = latent_dim
        self.weight = weight

    def features(self, domain: int) -> nn.Sequential:
        """f_1 or f_2."""
        return (self.D.first, self.D.second)[domain][:-1]

    def classifier(self, domain: int) -> nn.Sequential:
        """Pictures of a domain (0 or 1) -> logits, by the first layers of its D."""
        return nn.Sequential(self.features(domain), self.head)

    def moves(self, images: Tensor, labels: Tensor, target: Tensor) -> Iterator[Move]:  # type: ignore[override]
        z = self.latents(len(images), images)
        with no_grad():
            one, two = self.G(z, z if len(target) == len(z) else z[: len(target)])
        seen = self.features(0)(images)
        last: Any = self.D.first[-1]
        real = last(seen), self.D.second(target)
        fake = self.D(one, two)
        loss = total([softplus(-r).mean() + softplus(f).mean() for r, f in zip(real, fake)])
        named = F.cross_entropy(self.head(seen), labels)
        yield Descend(
            "D", loss + named * self.weight if self.weight else loss,
            d_real=cat(list(real)).sigmoid(), d_fake=cat(list(fake)).sigmoid(), class_loss=named,
        )  # fmt: skip
        z = self.latents(len(images), images)
        yield Descend("G", total([softplus(-f).mean() for f in self.D(*self.G(z, z))]))

    def judge(self, images: Tensor, labels: Tensor, target: Tensor) -> None:  # type: ignore[override]
        self.D(images, target)

    def inputs(self, n, generator, device=CPU):
        """z, and which domain: the first half of the samples are of the source."""
        z = tensor_of(LATENTS[self.latent]((n, self.latent_dim), generator, device))
        return z, equal_labels(n, 2, device)

    def pairs(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """(G_1(z), G_2(z)) in evaluation mode."""
        with evaluating(self.G), no_grad():
            return self.G(latents, latents)

    def sample(self, latents: Tensor, domains: Tensor) -> Tensor:  # type: ignore[override]
        one, two = self.pairs(latents)
        return where(domains.reshape(-1, 1, 1, 1) == 0, one, two)

    def recalibrate(self, batches: int = BATCHES) -> None:
        place = next(self.G.parameters()).device
        inputs = calibration_inputs(self.latent_dim, 0, place, self.latent, batches)
        recalibrate_batch_norm(self.G, [(z, z) for (z,) in inputs], self.batch_size)
