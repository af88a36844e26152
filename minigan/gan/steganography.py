"""Pictures that are made to hide messages in: hiding, reading, the steganalyser, and the game."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .. import nn
from ..arrays import Generator
from ..autograd import Tensor, no_grad
from ..nn import functional as F
from ..ops import rand_like, round, tensor, where
from ..ops.loss import mean_logsigmoid
from .games import GAN, Ascend, Descend, Game, Move, scores
from .objectives import NonSaturating
from .recalibrate import evaluating

# --- messages ---


def hide(images: np.ndarray, bits: np.ndarray, key: int) -> np.ndarray:
    """Copies of pictures in which bits are hidden by +-1 embedding (LSB matching): the lowest bit
    of a pixel is a bit of the message, and where it is not yet, 1 is added or taken away, by a coin
    (what is 0 can only grow, what is 255 only shrink).

    images : uint8 (N, ...);  bits : 0 or 1, (N, n), of which each picture hides n
    key : says which pixels they lie in, in which order; only who knows it can `reveal` them

    ValueError where there are more bits than pixels.
    """
    found = np.array(images).reshape(len(images), -1)
    cells = _cells(found.shape[1], bits.shape[1], key)
    pixels = found[:, cells].astype(np.int64)
    coins = np.where(Generator(key).uniform(pixels.shape) < 0.5, -1, 1)
    steps = np.where(pixels == 0, 1, np.where(pixels == 255, -1, coins))
    found[:, cells] = pixels + steps * ((pixels & 1) != bits)
    return found.reshape(images.shape)


def reveal(images: np.ndarray, n: int, key: int) -> np.ndarray:
    """The n bits that each picture hides: uint8 (N, n). images, key : as for `hide`."""
    flat = np.asarray(images).reshape(len(images), -1)
    return flat[:, _cells(flat.shape[1], n, key)] & 1


def _cells(pixels: int, n: int, key: int) -> np.ndarray:
    """The numbers of the pixels that n bits lie in."""
    if n > pixels:
        raise ValueError(f"a picture of {pixels} pixels cannot hide {n} bits")
    return Generator(key).permutation(pixels)[:n]


# --- networks ---

# the high-pass filter of Qian et al. 2015, which the paper's networks begin with
KERNEL = [
    [-1, 2, -2, 2, -1],
    [2, -6, 8, -6, 2],
    [-2, 8, -12, 8, -2],
    [2, -6, 8, -6, 2],
    [-1, 2, -2, 2, -1],
]  # / 12


class Residual(nn.Module):
    """Pictures (N, 1, H, W) in [-1, 1] -> what a pixel has more than its neighbours tell, in units
    of `most` steps of 1/255, cut there, so that edges weigh no more than a message does."""

    per_example = True
    kernel: Tensor

    def __init__(self, most: float = 2.0):
        super().__init__()
        self.register_buffer("kernel", tensor(KERNEL)[None, None] * (127.5 / 12 / most))

    def forward(self, x):
        n, c, h, w = x.shape
        return F.conv2d(x.reshape(n * c, 1, h, w), self.kernel).clamp(-1, 1).reshape(
            n, c, h - 4, w - 4
        )  # fmt: skip


def steganalyser(channels: int = 1, width: int = 8) -> nn.Sequential:
    """Pictures -> logits (N, 1) of their hiding something: the residual, three convolutions, and
    means of their maps."""
    w = width
    return nn.Sequential(
        Residual(), nn.Conv2d(channels, w, 3), nn.LeakyReLU(0.2),
        nn.Conv2d(w, 2 * w, 4, 2), nn.LeakyReLU(0.2), nn.Conv2d(2 * w, 4 * w, 4, 2),
        nn.LeakyReLU(0.2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * w, 1),
    )  # fmt: skip


# --- the game ---


class Steganography(GAN):
    """Volkhonskiy et al. 2017, equation 3: a steganalyser S, which sees G's pictures with and
    without a message, is a second judge of G.

        D ascends   E log D(x) + E log(1 - D(G(z)))
        S ascends   E log S(stego(G(z))) + E log(1 - S(G(z)))
        G descends  -alpha E log D(G(z)) - (1 - alpha) E [log(1 - S(stego(G(z)))) + log S(G(z))]

    The paper's G descends what D and S ascend, which vanishes where they are sure. Pictures are
    rounded to 256 values, as files are; gradients pass the rounding, and the message, as they are.

    steganalyser : pictures -> logits
    alpha : how much D counts for G;  rate : bits of a random message for each number of a picture,
        half of which change their number by 1
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, steganalyser: nn.Module,
        latent_dim: int = 100, alpha: float = 0.7, rate: float = 0.4,
    ):  # fmt: skip
        super().__init__(generator, discriminator, NonSaturating(), latent_dim)
        self.S = steganalyser
        self.alpha = alpha
        self.rate = rate
        self.players["S"] = steganalyser

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        with no_grad():
            fake = self.G(self.latents(len(real), real))
            cover = rounded(fake)
            stego = self.stego(cover)
        yield self.ascent(real, fake)
        on_stego, on_cover = scores(self.S, stego, cover)
        yield Ascend("S", self.objective.d_value(on_stego, on_cover),
                     s_stego=on_stego.sigmoid(), s_cover=on_cover.sigmoid())  # fmt: skip
        fake = self.G(self.latents(len(real), real))
        cover = rounded(fake)
        on_stego, on_cover = scores(self.S, self.stego(cover), cover)
        hidden = -mean_logsigmoid(on_stego, -1) - mean_logsigmoid(on_cover)
        loss = self.descent(real, fake).value
        yield Descend("G", self.alpha * loss + (1 - self.alpha) * hidden)

    def stego(self, cover: Tensor) -> Tensor:
        """The cover with a random message: of the numbers that hide a bit, those change by 1 step
        whose lowest bit is another, which is half of them, whatever they are."""
        coin = rand_like(cover)
        change = (coin < 0.5 * self.rate).to(cover.dtype) * (2 / 255)
        up = (coin < 0.25 * self.rate).to(cover.dtype)
        edge = (cover.detach() < -0.999).to(cover.dtype) - (cover.detach() > 0.999).to(cover.dtype)
        sign = where(edge == 0, 2 * up - 1, edge)
        return cover + change * sign

    def measure(self, moves):
        return Game.measure(self, moves) | {
            name: moves[0].report[name].detach().sigmoid().mean().item()
            for name in ("d_real", "d_fake")
        }

    def sample(self, latents: Tensor) -> Tensor:
        with evaluating(self.G), no_grad():
            return rounded(self.G(latents))


def rounded(x: Tensor) -> Tensor:
    """Numbers in [-1, 1] as the nearest of 256 values; gradients pass as if they were the same."""
    nearest = round((x.detach() + 1) * 127.5) / 127.5 - 1
    return x + (nearest - x.detach())
