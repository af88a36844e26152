"""Masks of what is seen in pictures, learnt against a critic: SegAN, and a plain GAN of masks."""

from __future__ import annotations

from collections.abc import Iterator

from .. import nn
from ..autograd import Tensor, no_grad
from ..ops import abs, cat, ones_like, sigmoid, tanh
from ..ops.loss import binary_cross_entropy_with_logits
from .games import Ascend, Descend, Move, scores
from .objectives import NonSaturating
from .recalibrate import evaluating
from .translate import Translating


class Segmenting(Translating):
    """What all know of: S makes logits (N, 1, H, W) of a mask of pictures; `sample` gives the mask
    itself, as a picture. Here by itself, without a critic:

        S descends  E CE(S(x), y)        a mean over pixels

    source_shape : (C, H, W) of the pictures
    """

    def __init__(self, segmentor: nn.Module, source_shape: tuple[int, ...]):
        self.S = segmentor
        self.source_shape = source_shape
        self.players = {"S": segmentor}

    def moves(self, images: Tensor, targets: Tensor) -> Iterator[Move]:  # type: ignore[override]
        yield Descend("S", self.cross_entropy(self.S(images), targets))

    def cross_entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        """targets: masks, -1 and 1."""
        return binary_cross_entropy_with_logits(logits, 0.5 * (targets + 1))

    def sample(self, pictures: Tensor) -> Tensor:
        with evaluating(self.S), no_grad():
            return tanh(0.5 * self.S(pictures))


class SegAN(Segmenting):
    """Xue et al. 2018, equations 1 to 3: a critic C looks at a picture of which all but the mask is
    hidden, by S's mask and by the true one, and they shall differ in all its layers f_i, for C, or
    in none, for S:

        L           mean over i of E |f_i(x S(x)) - f_i(x y)|_1        (means of numbers)
        C ascends   L
        S descends  L

    f_0 is the picture itself. What is hidden is 0; a picture has one more channel of ones, so that
    what is black or grey is not as if it were hidden. C's weights must be bounded: by `WeightClip`,
    as in the authors' code, or by `SpectralNorm`, under which no layer outweighs the others.

    critic : pictures of one channel more -> a list of maps
    frozen : True: C stays as it begins (a control)
    """

    def __init__(
        self, segmentor: nn.Module, critic: nn.Module, source_shape: tuple[int, ...],
        frozen: bool = False,
    ):  # fmt: skip
        super().__init__(segmentor, source_shape)
        self.C = critic
        self.frozen = frozen
        self.players["C"] = critic

    def moves(self, images: Tensor, targets: Tensor) -> Iterator[Move]:  # type: ignore[override]
        x = cat([images, ones_like(images[:, :1])], 1)
        truth, said = x * (0.5 * (targets + 1)), x * sigmoid(self.S(images))
        if not self.frozen:
            yield Ascend("C", self.far(said.detach(), truth))
        yield Descend("S", self.far(said, truth))

    def far(self, a: Tensor, b: Tensor) -> Tensor:
        """L"""
        n = len(a)
        maps = self.C(cat([a, b]))
        parts = [abs(f[:n] - f[n:]).mean() for f in maps]
        return sum(parts[1:], parts[0]) / len(parts)


class MaskGAN(Segmenting):
    """The plain adversarial loss, as in DI2IN (Yang et al. 2017) and SCAN (Dai et al. 2018): D
    tells pictures with true masks from pictures with those of S.

        D ascends   E log D(x, y) + E log(1 - D(x, S(x)))
        S descends  E CE(S(x), y) - weight E log D(x, S(x))

    discriminator : pictures and mask, (N, C + 1, H, W) -> logits
    """

    def __init__(
        self, segmentor: nn.Module, discriminator: nn.Module, source_shape: tuple[int, ...],
        weight: float = 0.01,
    ):  # fmt: skip
        super().__init__(segmentor, source_shape)
        self.D = discriminator
        self.weight = weight
        self.objective = NonSaturating()
        self.players["D"] = discriminator

    def moves(self, images: Tensor, targets: Tensor) -> Iterator[Move]:  # type: ignore[override]
        logits = self.S(images)
        made, true = cat([images, tanh(0.5 * logits)], 1), cat([images, targets], 1)
        on_real, on_fake = scores(self.D, true, made.detach())
        yield Ascend("D", self.objective.d_value(on_real, on_fake),
                     d_real=on_real.sigmoid(), d_fake=on_fake.sigmoid())  # fmt: skip
        loss = self.cross_entropy(logits, targets)
        yield Descend("S", loss + self.weight * self.objective.g_loss(self.D(made)))

    def judge(self, images: Tensor, targets: Tensor) -> None:  # type: ignore[override]
        self.D(cat([images, targets], 1))


class Segmentor(nn.Module):
    """(N, C, H, W) -> logits (N, 1, H, W), H and W multiples of 4: a small U-Net (Ronneberger et
    al. 2015), two halvings, with batch normalisation; `width` channels next to the pictures."""

    def __init__(self, channels: int, width: int = 8):
        super().__init__()
        w = width
        self.down = nn.ModuleList([_block(channels, w), _block(w, 2 * w), _block(2 * w, 4 * w)])
        self.up = nn.ModuleList([_block(6 * w, 2 * w), _block(3 * w, w)])
        self.pool, self.larger = nn.MaxPool2d(2), nn.UpsamplingNearest2d(scale_factor=2)
        self.last = nn.Conv2d(w, 1, 1)

    def forward(self, x):
        maps = []
        for block in self.down:
            x = block(self.pool(x) if maps else x)
            maps.append(x)
        for block, there in zip(self.up, maps[-2::-1]):
            x = block(cat([self.larger(x), there], 1))
        return self.last(x)


def _block(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()
    )


class Critic(nn.Module):
    """(N, C, H, W) -> [the picture, maps of a convolution of 3x3, which keeps the size, as strokes
    of digits are hardly wider, and of one of 4x4, which halves it]"""

    per_example = True

    def __init__(self, channels: int, width: int = 16):
        super().__init__()
        self.blocks = nn.ModuleList([
            nn.Sequential(nn.Conv2d(channels, width, 3, 1, 1), nn.LeakyReLU(0.2)),
            nn.Sequential(nn.Conv2d(width, 2 * width, 4, 2, 1), nn.LeakyReLU(0.2)),
        ])  # fmt: skip

    def forward(self, x):
        maps = [x]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return maps
