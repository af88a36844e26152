"""Networks that grow while they are trained: small pictures first, then layers for larger ones,
which are faded in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import nn
from ..autograd import Tensor, no_grad
from ..nn import functional as F
from ..nn.adversarial import EqualizedConv2d, EqualizedLinear, MinibatchStdDev, PixelNorm
from ..ops import ones
from .games import GAN, Move
from .objectives import Wasserstein
from .penalties import GradientPenalty
from .ramp import Ramp
from .recalibrate import evaluating

SMALLEST = 4  # side of the first pictures
DRIFT = 1e-3  # weight of E D(x)^2
BLACK = -1.0


def mixed(old: Tensor, new: Tensor, alpha: Tensor) -> Tensor:
    """old at alpha = 0, new at alpha = 1: both exactly."""
    return old * (1 - alpha) + new * alpha


def doubled(x: Tensor) -> Tensor:
    """Each pixel four times."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


def _convolution(n_in: int, n_out: int) -> list[nn.Module]:
    return [EqualizedConv2d(n_in, n_out, 3, padding=1), nn.LeakyReLU(0.2)]


class _Growing(nn.Module):
    """alpha : how much the newest layers count, beside the old way past them"""

    alpha: Tensor

    def __init__(self, widths: tuple[int, ...], channels: int):
        super().__init__()
        self.widths = widths
        self.channels = channels
        self.blocks = nn.ModuleList()
        self.register_buffer("alpha", ones(()))

    @property
    def side(self) -> int:
        """Of its pictures."""
        return SMALLEST * 2 ** (len(self.blocks) - 1)

    def grow(self) -> None:
        """Add the layers for pictures of twice the side, with new weights, at alpha = 0."""
        raise NotImplementedError

    def at(self, side: int):
        """Itself, grown until its pictures have this side, at alpha = 1."""
        while self.side < side:
            self.grow()
        with no_grad():
            self.alpha.copy_(self.alpha * 0 + 1)
        return self


class GrowingGenerator(_Growing):
    """z (N, latent_dim) -> pictures (N, channels, side, side), of about [-1, 1]; side = 4 at first.
    Karras et al. 2018, table 2 (left): pairs of 3x3 convolutions, each with LeakyReLU(0.2) and
    pixelwise normalisation; equalised rates; the last layer is 1x1 and linear.

    widths : channels of the maps of each size, from 4x4 on: as many as it can grow to
    """

    def __init__(self, latent_dim: int, widths: tuple[int, ...], channels: int):
        super().__init__(widths, channels)
        w = widths[0]
        self.blocks.append(
            nn.Sequential(
                PixelNorm(),
                # "gain = sqrt(2) / 4" of the authors' program: the layer stands for a 4x4 kernel
                EqualizedLinear(latent_dim, w * SMALLEST**2, gain=2**0.5 / 4),
                nn.Unflatten(1, (w, SMALLEST, SMALLEST)), nn.LeakyReLU(0.2), PixelNorm(),
                *_convolution(w, w), PixelNorm(),
            )
        )  # fmt: skip
        self.old_image = None
        self.to_image = EqualizedConv2d(w, channels, 1, gain=1)

    def grow(self):
        w, v = self.widths[len(self.blocks) - 1], self.widths[len(self.blocks)]
        place = self.alpha.device
        block = [*_convolution(w, v), PixelNorm(), *_convolution(v, v), PixelNorm()]
        self.blocks.append(nn.Sequential(*block).to(place))
        self.old_image, self.to_image = (
            self.to_image, EqualizedConv2d(v, self.channels, 1, gain=1).to(place)
        )  # fmt: skip
        with no_grad():
            self.alpha.copy_(self.alpha * 0)

    def forward(self, z):
        first, *more = self.blocks
        h = first(z)
        if not more:
            return self.to_image(h)
        for block in more[:-1]:
            h = block(doubled(h))
        new = self.to_image(more[-1](doubled(h)))
        return mixed(doubled(self.old_image(h)), new, self.alpha)


class GrowingDiscriminator(_Growing):
    """Pictures (N, channels, side, side) -> a critic's values (N, 1): the generator's mirror image,
    without normalisation; before the last layers one more channel, the deviation over the batch.
    Karras et al. 2018, table 2 (right). Other arguments as for `GrowingGenerator`."""

    def __init__(self, widths: tuple[int, ...], channels: int):
        super().__init__(widths, channels)
        w = widths[0]
        self.blocks.append(
            nn.Sequential(
                MinibatchStdDev(None), *_convolution(w + 1, w), nn.Flatten(),
                EqualizedLinear(w * SMALLEST**2, w), nn.LeakyReLU(0.2),
                EqualizedLinear(w, 1, gain=1),
            )
        )  # fmt: skip
        self.old_image = None
        self.of_image = self._reader(w)

    def _reader(self, width):
        return nn.Sequential(EqualizedConv2d(self.channels, width, 1), nn.LeakyReLU(0.2))

    def grow(self):
        w, v = self.widths[len(self.blocks) - 1], self.widths[len(self.blocks)]
        place = self.alpha.device
        block = [*_convolution(v, v), *_convolution(v, w), nn.AvgPool2d(2)]
        self.blocks.append(nn.Sequential(*block).to(place))
        self.old_image, self.of_image = self.of_image, self._reader(v).to(place)
        with no_grad():
            self.alpha.copy_(self.alpha * 0)

    def forward(self, x):
        last, *more = self.blocks
        h = self.of_image(x)
        if more:
            h = mixed(self.old_image(F.avg_pool2d(x, 2)), more[-1](h), self.alpha)
            for block in more[-2::-1]:
                h = block(h)
        return last(h)


class ProGAN(GAN):
    """Karras et al. 2018, section 2 and appendix A.1: WGAN-GP at one size of pictures, k = 1, while
    alpha goes from 0 to 1 in `fade` rounds, then stays:

        D ascends   E D(x) - E D(G(z)) - 10 E (|grad D(x^)| - 1)^2 - 0.001 E D(x)^2
        G descends  - E D(G(z))

    The data fade, too: x is (1 - alpha) (x at half the size, doubled) + alpha x. At alpha = 0 both
    players do what they did before they grew.

    generator, discriminator : at the size that is played
    image_shape : (C, H, W) of the data: they are framed in black to a square whose side is a power
        of 2, and made small by means of squares; samples are doubled, and lose their frame
    before : generators of smaller sizes, as they were when they grew: frozen
    """

    G: Any
    D: Any

    def __init__(
        self, generator: GrowingGenerator, discriminator: GrowingDiscriminator, latent_dim: int,
        image_shape: tuple[int, ...], fade: int = 0, before: tuple[nn.Module, ...] = (),
    ):  # fmt: skip
        super().__init__(
            generator, discriminator, Wasserstein(), latent_dim, penalties=GradientPenalty()
        )
        self.image_shape = image_shape
        self.full = full_side(image_shape)
        self.fade = Ramp(fade)
        self.before = before

    @property
    def kept(self):
        return {f"G{n}": net for n, net in enumerate(self.before)}

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        alpha = self.fade()
        with no_grad():
            for player in (self.G, self.D):
                player.alpha.copy_(alpha)
        yield from super().moves(self.shown(real))

    def shown(self, real: Tensor) -> Tensor:
        """The data as D sees them at this size and alpha."""
        side = self.G.side
        x = framed(real, self.full)
        x = F.avg_pool2d(x, self.full // side) if side < self.full else x
        if side == SMALLEST:
            return x
        return mixed(doubled(F.avg_pool2d(x, 2)), x, self.G.alpha)

    def ascent(self, real: Tensor, fake: Tensor) -> Move:
        move = super().ascent(real, fake)
        on_real = move.report["d_real"]
        move.value = move.value - (on_real * on_real).mean() * DRIFT
        move.report["alpha"] = self.G.alpha
        return move

    def measure(self, moves):
        alpha = next(move.report["alpha"] for move in moves if "alpha" in move.report)
        return super().measure(moves) | {"alpha": alpha.item()}

    def sample(self, latents: Tensor) -> Tensor:
        return self.sized(self.G, latents)

    def sized(self, G: nn.Module, latents: Tensor) -> Tensor:
        """A G's pictures in the data's size, whatever its own is."""
        with evaluating(G), no_grad():
            x = G(latents).clamp(-1, 1)
            while x.shape[-1] < self.full:
                x = doubled(x)
            _, height, width = self.image_shape
            top, left = (self.full - height) // 2, (self.full - width) // 2
            return x[:, :, top : top + height, left : left + width]

    def judge(self, real: Tensor) -> None:
        self.D(self.shown(real))


def full_side(image_shape: tuple[int, ...]) -> int:
    """The least power of 2, of at least 4, that has room for pictures (C, H, W)."""
    side = SMALLEST
    while side < max(image_shape[1:]):
        side *= 2
    return side


def framed(x: Tensor, side: int) -> Tensor:
    """(N, C, H, W) -> (N, C, side, side), black around it."""
    height, width = x.shape[2:]
    top, left = (side - height) // 2, (side - width) // 2
    frame = (left, side - width - left, top, side - height - top)
    return F.pad(x, frame, value=BLACK) if any(frame) else x
