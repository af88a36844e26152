"""Pictures made larger: a network that is right on the average, then one whose details are
plausible."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from .. import nn
from ..autograd import Tensor, no_grad
from ..nn import functional as F
from .games import Ascend, Descend, Move, scores
from .objectives import NonSaturating
from .recalibrate import evaluating
from .translate import Translating


class Enlarging(Translating):
    """What both stages know of: how pictures are made small, and larger again.

    factor : how many times larger, along each side
    G : the player that does it, small pictures -> large ones
    """

    columns: tuple[str, ...] = ("images", "labels")
    factor: int
    G: nn.Module

    def __init__(self, image_shape: tuple[int, ...], factor: int):
        c, h, w = image_shape
        self.source_shape = c, h // factor, w // factor
        self.factor = factor

    def small(self, images: Tensor) -> Tensor:
        """The means of squares of factor x factor pixels."""
        return F.avg_pool2d(images, self.factor)

    def bicubic(self, small: Tensor) -> Tensor:
        """Larger by interpolation, which has learnt nothing."""
        return F.interpolate(small, scale_factor=self.factor, mode="bicubic").clamp(-1, 1)

    def sample(self, small: Tensor) -> Tensor:
        """G's large pictures."""
        with evaluating(self.G), no_grad():
            return self.G(small)


class SRResNet(Enlarging):
    """The first stage: G is right on the average of all pictures that look the same when small; at
    the same time a classifier learns the features in which the second stage compares.

        G descends  E |x - G(small x)|^2 (a mean over pixels)
        F descends  E CE(F(x), y)

    classifier : F; None where nobody knows classes: the second stage compares pixels then
    """

    def __init__(
        self, generator: nn.Module, classifier: nn.Module | None, image_shape: tuple[int, ...],
        factor: int = 4
    ):  # fmt: skip
        super().__init__(image_shape, factor)
        self.G = generator
        self.F = classifier
        self.players = {"G": generator} if classifier is None else {"G": generator, "F": classifier}
        if classifier is None:
            self.columns = ("images",)

    def moves(self, images: Tensor, labels: Tensor | None = None) -> Iterator[tuple[Move, ...]]:
        found = [Descend("G", F.mse_loss(self.G(self.small(images)), images))]
        if self.F is not None and labels is not None:
            found.append(Descend("F", F.cross_entropy(self.F(images), labels)))
        yield tuple(found)


class SRGAN(Enlarging):
    """Ledig et al. 2017, section 2.2: near is what a frozen network's features phi find near, and a
    discriminator finds plausible. With y = G(small x):

        D ascends   E log D(x) + E log(1 - D(y))
        G descends  E |phi(x) - phi(y)|^2 (a mean over phi's numbers)  -  w_D E log D(y)
                    [ + w_F E CE(F(y), label of x) ]

    classifier : F, a Sequential, which is frozen here; phi is what its modules before `layer` give.
        None: phi(x) = x, the paper's SRGAN-MSE
    adversarial, task : w_D, w_F; the last is for small pictures that a classifier shall know
    before : G as the first stage has left it, for comparison: a frozen copy is made now
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module,
        classifier: nn.Sequential | None, layer: int, image_shape: tuple[int, ...],
        factor: int = 4, adversarial: float = 1e-3, task: float = 0.0,
    ):  # fmt: skip
        super().__init__(image_shape, factor)
        self.G = generator
        self.D = discriminator
        self.F = None if classifier is None else classifier.eval().requires_grad_(False)
        self.phi = nn.Identity() if self.F is None else self.F[:layer]
        if self.F is None:
            self.columns = ("images",)
        self.before = copy.deepcopy(generator).eval().requires_grad_(False)
        self.adversarial = adversarial
        self.task = task
        self.objective = NonSaturating()
        self.players = {"D": discriminator, "G": generator}

    def moves(self, images: Tensor, labels: Tensor | None = None) -> Iterator[Move]:
        made = self.G(self.small(images))
        on_real, on_fake = scores(self.D, images, made.detach())
        yield Ascend("D", self.objective.d_value(on_real, on_fake),
                     d_real=on_real.sigmoid(), d_fake=on_fake.sigmoid())  # fmt: skip
        with no_grad():
            truth = self.phi(images)
        content = F.mse_loss(self.phi(made), truth)
        loss = content
        if self.adversarial:
            loss = loss + self.adversarial * self.objective.g_loss(self.D(made))
        if self.task and self.F is not None and labels is not None:
            loss = loss + self.task * F.cross_entropy(self.F(made), labels)
        yield Descend("G", loss, content=content)

    def enlarge_before(self, small: Tensor) -> Tensor:
        """The large pictures of the first stage's G."""
        with no_grad():
            return self.before(small)

    def judge(self, images: Tensor, labels: Tensor | None = None) -> None:
        self.D(images)


class Residual(nn.Module):
    """x + f(x)"""

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    @property
    def per_example(self):
        return self.layers.per_example

    def forward(self, x):
        return x + self.layers(x)


def enlarger(channels: int, factor: int, width: int, blocks: int) -> nn.Sequential:
    """Small pictures -> ones `factor` (a power of 2) times as large, in [-1, 1]: residual blocks of
    two convolutions with batch normalisation, inside of one more residual, then for each doubling a
    convolution to 4 times as many channels, which become pixels (figure 4 of Ledig et al., with
    fewer and smaller convolutions, half as many channels after each doubling, and tanh)."""
    w = width

    def conv(n_in, n_out, size=3):
        return nn.Conv2d(n_in, n_out, size, padding=size // 2)

    def block():
        return Residual(conv(w, w), nn.BatchNorm2d(w), nn.PReLU(), conv(w, w), nn.BatchNorm2d(w))

    inner = Residual(*[block() for _ in range(blocks)], conv(w, w), nn.BatchNorm2d(w))
    layers: list[nn.Module] = [conv(channels, w, 5), nn.PReLU(), inner]
    while factor > 1:
        layers += [conv(w, 4 * max(8, w // 2)), nn.PixelShuffle(2), nn.PReLU()]
        w, factor = max(8, w // 2), factor // 2
    return nn.Sequential(*layers, conv(w, channels, 5), nn.Tanh())
