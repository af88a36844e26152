"""Three players around pairs of an image and its label: a classifier and a conditional generator
each make one half of a pair, and a discriminator tells both from pairs of the data."""

from __future__ import annotations

from collections.abc import Iterator

from .. import nn
from ..autograd import Tensor, no_grad
from ..nn import functional as F
from ..ops import amax, arange, cat, randn, sigmoid, softmax, softplus
from .games import Ascend, Descend, Game, Move
from .recalibrate import evaluating


class Told(nn.Module):
    """(x, labels) -> layer after layer, each linear one of which is given the labels, too, as
    one-hot vectors behind its input.

    layers : linear ones have `classes` more inputs;  labels : int64 (N,), from 0 to classes - 1
    """

    def __init__(self, layers: nn.Sequential, classes: int):
        super().__init__()
        self.layers = layers
        self.classes = classes

    @property
    def per_example(self):
        return self.layers.per_example

    def forward(self, x, labels):
        y = F.one_hot(labels, self.classes).to(x.dtype)
        for layer in self.layers:
            x = layer(cat([x, y], 1) if isinstance(layer, nn.Linear) else x)
        return x


class TripleGAN(Game):
    """Li et al. 2017, Algorithm 1, with the authors' terms for few labels:

        D ascends   E log D(x, y) + a E log(1 - D(x', c')) + (1 - a) E log(1 - D(G(z, k), k))
        C descends  E CE(C(x), y) + a E p(c'|x') (-log D(x', c')) + a_p E CE(C(G(z, k)), k)
                    + h E H(p(.|x_u)) + b CE(uniform, E p(.|x_u))
        G descends  (1 - a) E -log D(G(z, k), k)

    (x, y) are labelled; x_u unlabelled, of which x' are one half, c' the likeliest class by C, and
    p C's probabilities. The gradient of C's second term goes through p alone. The other half of
    x_u, with C's classes, counts as data for D, beside one labelled pair in a hundred: D would know
    few labelled ones by heart. k : as many of each class. G and C descend -log D, where the paper
    has log(1 - D), as the authors' program does.

    generator : (latents, labels) -> images;  discriminator : (images, labels) -> logits (n, 1)
    classifier : images -> logits (n, classes)
    a, a_p : alpha, and the weight of pseudo labels;  h, b : of the entropy and of the balance
    steered : False leaves out what C learns from D and G: its second and third term
    alone : C's first and last two terms, and no other player: how the authors begin
    """

    columns = ("images", "labels", "unlabelled")

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, classifier: nn.Module,
        latent_dim: int, classes: int, alpha: float = 0.5, pseudo: float = 0.1,
        entropy: float = 0.3, balance: float = 0.3, steered: bool = True, alone: bool = False,
    ):  # fmt: skip
        self.G, self.D, self.C = generator, discriminator, classifier
        self.players = {"D": discriminator, "C": classifier, "G": generator}
        self.latent_dim = latent_dim
        self.classes = classes
        self.alpha = alpha
        self.pseudo = pseudo
        self.entropy = entropy
        self.balance = balance
        self.steered = steered
        self.alone = alone
        self.grid = (classes, 8)

    def latents(self, n: int, like: Tensor) -> Tensor:
        """n latent vectors z ~ N(0, 1), (n, latent_dim), on the device of `like`."""
        return randn(n, self.latent_dim, device=like.device)

    def moves(self, images: Tensor, labels: Tensor, unlabelled: Tensor) -> Iterator[Move]:  # type: ignore[override]
        m, n, half = len(images), len(unlabelled), len(unlabelled) // 2
        if self.alone:
            told = self.C(cat([images, unlabelled]))
            loss = F.cross_entropy(told[:m], labels)
            yield Descend("C", loss + self.regular(softmax(told[m:], 1)))
            return
        pseudo = self.pseudo if self.steered else 0
        asked = arange(n - half, device=labels.device) % self.classes
        with no_grad():
            fake = self.G(self.latents(n - half, images), asked)
        seen = [images, unlabelled, fake] if pseudo else [images, unlabelled]
        told = self.C(cat(seen))  # in one pass: batch statistics are of all
        p = softmax(told[m : m + n], 1)
        found = p.detach().argmax(1)

        few = max(1, m // 100)
        x = cat([images[:few], unlabelled, fake])
        on = self.D(x, cat([labels[:few], found, asked]))
        real, judged, made = on[: few + half], on[few + half : few + n], on[few + n :]
        rejected = self.alpha * softplus(judged).mean() + (1 - self.alpha) * softplus(made).mean()
        yield Ascend(
            "D", -softplus(-real).mean() - rejected, d_real=sigmoid(real), d_fake=sigmoid(made)
        )

        loss = F.cross_entropy(told[:m], labels) + self.regular(p)
        if self.steered:
            with no_grad():
                doubt = softplus(-self.D(unlabelled[half:], found[half:]))[:, 0]  # -log D(x', c')
            loss = loss + self.alpha * (amax(p[half:], 1) * doubt).mean()
        if pseudo:
            loss = loss + pseudo * F.cross_entropy(told[m + n :], asked)
        yield Descend("C", loss)

        fake = self.G(self.latents(n - half, images), asked)
        yield Descend("G", (1 - self.alpha) * softplus(-self.D(fake, asked)).mean())

    def regular(self, p: Tensor) -> Tensor:
        """h E H(p) + b CE(uniform, E p), of probabilities (n, classes): C is to be sure of each
        image, and to find as many of each class."""
        entropy = -(p * (p + 1e-8).log()).sum(1).mean()
        return self.entropy * entropy - self.balance * (p.mean(0) + 1e-8).log().mean()

    def sample(self, latents: Tensor, labels: Tensor) -> Tensor:  # type: ignore[override]
        """G(latents, labels) in evaluation mode, outside the tape."""
        with evaluating(self.G), no_grad():
            return self.G(latents, labels)

    def judge(self, images: Tensor, labels: Tensor, unlabelled: Tensor) -> None:  # type: ignore[override]
        self.D(images, labels)
