"""Completion: what is hidden of an example, given what is known of it."""

from __future__ import annotations

from collections.abc import Iterator

from .. import nn
from ..arrays import CPU, Generator
from ..autograd import Tensor, no_grad
from ..ops import abs, arange, cat, rand, where, zeros
from .cgan import Given
from .games import GAN, Ascend, Descend, Move, scores
from .latents import sample_inputs
from .objectives import NonSaturating
from .recalibrate import evaluating

EMPTY = 0.1  # share of masks that hide everything


class OfBoth(nn.Module):
    """(a, b) -> network of both beside each other, flattened unless they shall stay as they are."""

    def __init__(self, network: nn.Module, flat: bool = True):
        super().__init__()
        self.network = network
        self.flat = flat

    @property
    def per_example(self):
        return self.network.per_example

    def forward(self, a, b):
        both = [x.flatten(1) for x in (a, b)] if self.flat else [a, b]
        return self.network(cat(both, 1))


def random_masks(n: int, size: tuple[int, ...], device=CPU) -> Tensor:
    """(n, 1, height, width), (height, width) = size: 1 where an image is known, 0 where it is
    hidden. A tenth hides everything; of the others a third each a rectangle, half of the image, or
    each pixel by itself with a probability that is drawn first."""
    height, width = size
    y = (arange(height, device=device).reshape(1, 1, -1, 1) + 0.5) / height
    x = (arange(width, device=device).reshape(1, 1, 1, -1) + 0.5) / width
    kind, tall, wide, top, left, side, share = rand(7, n, 1, 1, 1, device=device)
    tall, wide = 0.25 + 0.75 * tall, 0.25 + 0.75 * wide
    top, left = (1 - tall) * top, (1 - wide) * left
    rectangle = (y < top) | (y >= top + tall) | (x < left) | (x >= left + wide)
    half = where(side < 0.5, where(side < 0.25, y < 0.5, y >= 0.5),
                 where(side < 0.75, x < 0.5, x >= 0.5))  # fmt: skip
    dots = rand(n, 1, height, width, device=device) < share
    third = (1 - EMPTY) / 3
    known = where(kind < third, rectangle, where(kind < 2 * third, half, dots))
    return (known & (kind < 1 - EMPTY)).to(y.dtype)


class Completion(GAN):
    """One G for p(x_hidden | x_known), whatever is known: m is a random mask, 1 where it is. With
    y = G(z, m x, m), and x^ = m x + (1 - m) y, x with its hidden part as G makes it:

        D ascends   E log D(x, m x, m) + E log(1 - D(x^, m x, m))
        G descends  -E log D(x^, m x, m) + weight E |m (x - y)|_1

    D is shown x^, not y: it would else only have to compare y with the m x that it is told.

    generator, discriminator : (latents, seen) -> examples; (examples, seen) -> logits, where seen,
        (N, C + 1, H, W), is m x and m (see `OfBoth`)
    image_shape : (C, H, W)
    weight : of the mean absolute error of known pixels
    sees : False: both players get m = 0, always (the control)
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, latent_dim: int,
        image_shape: tuple[int, ...], weight: float = 10.0, sees: bool = True
    ):  # fmt: skip
        super().__init__(generator, discriminator, NonSaturating(), latent_dim)
        self.image_shape = image_shape
        self.weight = weight
        self.sees = sees

    def seen(self, x: Tensor, mask: Tensor) -> Tensor:
        """What the players are told: m x and m; of nothing if they see nothing."""
        mask = (mask if self.sees else 0 * mask).expand(len(x), *mask.shape[1:])
        return cat([mask * x, mask], 1)

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        seen = self.seen(real, random_masks(len(real), real.shape[2:], real.device))
        D, mask = Given(self.D, seen), seen[:, -1:]
        with no_grad():
            fake = pasted(seen, self.G(self.latents(len(real), real), seen))
        on_real, on_fake = scores(D, real, fake)
        value = self.objective.d_value(on_real, on_fake)
        yield Ascend("D", value, d_real=on_real, d_fake=on_fake)
        made = self.G(self.latents(len(real), real), seen)
        off = abs(mask * (real - made)).mean()
        yield Descend("G", self.objective.g_loss(D(pasted(seen, made))) + self.weight * off)

    def inputs(self, n: int, generator: Generator, device=CPU) -> tuple[Tensor, ...]:
        """Latents, and that nothing is known: what is drawn then are whole examples."""
        channels, height, width = self.image_shape
        nothing = zeros(n, channels + 1, height, width, device=device)
        return (*sample_inputs(n, generator, self.latent_dim, device=device), nothing)

    def sample(self, latents: Tensor, seen: Tensor) -> Tensor:  # type: ignore[override]
        """What is seen, with the rest as G makes it."""
        with evaluating(self.G), no_grad():
            return pasted(seen, self.G(latents, seen))

    def complete(self, x: Tensor, mask: Tensor, latents: Tensor) -> Tensor:
        """x with what the mask hides as G completes it: a sample for each latent vector."""
        with evaluating(self.G), no_grad():
            return mask * x + (1 - mask) * self.G(latents, self.seen(x, mask))

    def judge(self, real: Tensor) -> None:
        self.D(real, self.seen(real, zeros(len(real), 1, *real.shape[2:], device=real.device)))


def pasted(seen: Tensor, made: Tensor) -> Tensor:
    """m x + (1 - m) y, of what is seen, m x and m, and what was made, y."""
    return seen[:, :-1] + (1 - seen[:, -1:]) * made
