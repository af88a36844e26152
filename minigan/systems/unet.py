"""Networks from picture to picture, and critics of patches."""

from __future__ import annotations

import math

from .. import nn
from ..autograd import Tensor
from ..ops import cat

MOST = 8  # times the first layer's channels, at most
DROPPED = 3  # upward blocks with dropout, at most


def normal_weights(module: nn.Module) -> nn.Module:
    """Convolutions' weights from N(0, 0.02^2), as in Isola et al. 2017, appendix 6.2."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
    return module


def norm(channels: int) -> nn.Module:
    """Of each picture by itself: what the batch has beside it does not matter."""
    return nn.InstanceNorm2d(channels, affine=True)


class UNet(nn.Module):
    """(z, a) -> b, the same size, in [-1, 1]: halved until the maps are 2x2, then doubled again,
    each map beside that of its size on the way down (Isola et al. 2017, figure 3).

    z, (N, latent_dim) from U(-1, 1), is the dropout of the first upward blocks, at most three: a
    number of theirs is 0 where its z is negative, else doubled. So it is noise that the caller
    draws, in training and afterwards (section 2.1 there). None: no dropout.

    shape : of a, (C, size, size), size a power of 2, at least 8;  channels : of b
    features : channels of the first maps; then twice as many each time, up to 8 times
    """

    per_example = True

    def __init__(self, shape: tuple[int, ...], channels: int, features: int = 16):
        super().__init__()
        size = shape[1]
        if shape[2] != size or size < 8 or size & (size - 1):
            raise ValueError(
                f"UNet: pictures of {size}x{shape[2]}: expected squares of 8, 16, 32, ... pixels"
            )
        depth = int(math.log2(size)) - 1
        wide = [features * min(MOST, 2**i) for i in range(depth)]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, (n_in, n_out) in enumerate(zip([shape[0], *wide], wide)):
            block: list[nn.Module] = [] if i == 0 else [nn.LeakyReLU(0.2)]
            block.append(nn.Conv2d(n_in, n_out, 4, 2, 1))
            # the innermost is not normalised: how strong it is would be lost
            block += [norm(n_out)] if 0 < i < depth - 1 else []
            self.down.append(nn.Sequential(*block))
        self.noise: list[tuple[int, int, int]] = []
        for i in reversed(range(depth)):
            n_in = wide[i] * (1 if i == depth - 1 else 2)
            n_out = wide[i - 1] if i else channels
            larger = nn.ConvTranspose2d(n_in, n_out, 4, 2, 1)
            self.up.append(nn.Sequential(nn.ReLU(), larger, norm(n_out) if i else nn.Tanh()))
            if i and len(self.noise) < DROPPED:
                self.noise.append((n_out, size >> i, size >> i))
        self.latent_dim = sum(math.prod(shape) for shape in self.noise)
        normal_weights(self)

    def forward(self, z: Tensor | None, a: Tensor) -> Tensor:
        maps = [a]
        for block in self.down:
            maps.append(block(maps[-1]))
        x, start = maps.pop(), 0
        for i, block in enumerate(self.up):
            x = block(x)
            if z is not None and i < len(self.noise):
                stop = start + math.prod(self.noise[i])
                kept = z[:, start:stop].reshape(len(z), *self.noise[i]) > 0
                x, start = 2 * kept.to(x.dtype) * x, stop
            if i < len(self.up) - 1:
                x = cat([x, maps.pop()], 1)
        return x


class PatchGAN(nn.Module):
    """(x, [condition]) -> a map of logits, (N, 1, h, w), each of a square patch of
    `field_of_view(self)` pixels: 16, 34, 70 with 1, 2, 3 halvings (Isola et al. 2017, 3.2.2).

    channels : of x and the condition together;  features : of the first maps
    halvings : convolutions of stride 2, before two of stride 1
    size : of the pictures, pixels of a side: ValueError where nothing would be left of them
    """

    per_example = True

    def __init__(self, channels: int, features: int = 16, halvings: int = 1, size: int = 256):
        super().__init__()
        if size >> halvings < 3:
            raise ValueError(
                f"PatchGAN: pictures of {size} pixels, halved {halvings} times: expected at most "
                f"{max(0, (size // 3).bit_length() - 1)} times"
            )
        wide = [features * min(MOST, 2**i) for i in range(halvings + 1)]
        self.blocks = nn.ModuleList()
        for i, (n_in, n_out) in enumerate(zip([channels, *wide], wide)):
            block: list[nn.Module] = [nn.Conv2d(n_in, n_out, 4, 2 if i < halvings else 1, 1)]
            block += [norm(n_out)] if i else []
            self.blocks.append(nn.Sequential(*block, nn.LeakyReLU(0.2)))
        self.last = nn.Conv2d(wide[-1], 1, 4, 1, 1)
        normal_weights(self)

    def taps(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """(the maps of the hidden layers, logits)"""
        maps = [x]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return maps[1:], self.last(maps[-1])

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.taps(x if condition is None else cat([x, condition], 1))[1]


def field_of_view(network: nn.Module) -> int:
    """Pixels of a side of what one output of a stack of convolutions sees."""
    seen, step = 1, 1
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            seen += (layer.kernel_size[0] - 1) * step
            step *= layer.stride[0]
    return seen


class Residual(nn.Module):
    """x -> x + two convolutions of x"""

    per_example = True

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), norm(channels), nn.ReLU(),
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), norm(channels),
        )  # fmt: skip

    def forward(self, x):
        return x + self.body(x)


def residual_translator(
    channels_in: int, channels_out: int, features: int = 16, blocks: int = 3
) -> nn.Module:
    """a -> b, in [-1, 1], of any size that 4 divides: two halvings, residual blocks, two doublings
    (Zhu et al. 2017, appendix 7.2, after Johnson et al. 2016)."""
    f = features
    return normal_weights(nn.Sequential(
        nn.ReflectionPad2d(3), nn.Conv2d(channels_in, f, 7), norm(f), nn.ReLU(),
        nn.Conv2d(f, 2 * f, 3, 2, 1), norm(2 * f), nn.ReLU(),
        nn.Conv2d(2 * f, 4 * f, 3, 2, 1), norm(4 * f), nn.ReLU(),
        *[Residual(4 * f) for _ in range(blocks)],
        nn.ConvTranspose2d(4 * f, 2 * f, 3, 2, 1, 1), norm(2 * f), nn.ReLU(),
        nn.ConvTranspose2d(2 * f, f, 3, 2, 1, 1), norm(f), nn.ReLU(),
        nn.ReflectionPad2d(3), nn.Conv2d(f, channels_out, 7), nn.Tanh(),
    ))  # fmt: skip
