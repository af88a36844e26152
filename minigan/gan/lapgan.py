"""A pyramid of GANs: the smallest pictures are drawn, then details are drawn into them, size by
size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .. import nn
from ..autograd import Tensor, no_grad
from ..nn import functional as F
from ..ops import cat, tanh
from .games import Ascend, Descend, Game, Move, scores
from .latents import calibration_inputs
from .networks import mlp_discriminator, mlp_generator
from .objectives import NonSaturating
from .penalties import total
from .recalibrate import BATCHES, evaluating, recalibrate_batch_norm


def down(x: Tensor) -> Tensor:
    """Half the sides: means of squares of 2x2 pixels."""
    return F.avg_pool2d(x, 2)


def up(x: Tensor) -> Tensor:
    """Twice the sides, by linear interpolation."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def taken_apart(x: Tensor, levels: int) -> list[Tensor]:
    """The Laplacian pyramid of pictures: the smallest ones, then of each size what
    up(down(picture)) lacks of it."""
    residuals = []
    for _ in range(levels - 1):
        small = down(x)
        residuals.append(x - up(small))
        x = small
    return [x, *reversed(residuals)]


def put_together(pyramid: Sequence[Tensor]) -> Tensor:
    """The pictures whose pyramid it is."""
    x, *residuals = pyramid
    for residual in residuals:
        x = up(x) + residual
    return x


class Details(nn.Module):
    """(z, l) -> the residual h of pictures whose coarse version is l: tanh(network([z, l]) + 2 l)
    - l, so that l + h is in [-1, 1].

    z : (N, latent_dim);  l : (N, C, H, W);  network : (N, latent_dim + C H W) -> (N, C H W)
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, z, coarse):
        made = self.network(cat([z, coarse.flatten(1)], 1)).reshape(coarse.shape)
        return tanh(made + coarse * 2) - coarse


class Judge(nn.Module):
    """(h, l) -> logits (N, 1) of "h is the residual of a picture with the coarse version l": of the
    picture l + h and of h, side by side.

    network : (N, 2 C, H, W) -> (N, 1)
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    per_example = True

    def forward(self, residual, coarse):
        return self.network(cat([coarse + residual, residual], 1))


class Pyramid(nn.Module):
    """z -> pictures: a generator of the smallest ones, and of each larger size one of the residual.

    z : (N, levels * latent_dim), `latent_dim` numbers for each level
    """

    def __init__(self, smallest: nn.Module, details: Sequence[nn.Module], latent_dim: int):
        super().__init__()
        self.smallest = smallest
        self.details = nn.ModuleList(details)
        self.latent_dim = latent_dim

    def parts(self, z: Tensor) -> list[Tensor]:
        """The latents of each level."""
        n = self.latent_dim
        return [z[:, i * n : (i + 1) * n] for i in range(1 + len(self.details))]

    def levels(self, z: Tensor) -> list[Tensor]:
        """The pictures of each size, from the smallest."""
        first, *more = self.parts(z)
        found = [self.smallest(first)]
        for net, own in zip(self.details, more):
            coarse = up(found[-1])
            found.append(coarse + net(own, coarse))
        return found

    def forward(self, z):
        return self.levels(z)[-1]


class LAPGAN(Game):
    """Denton et al. 2015, Algorithm 1: I_0 are the data, I_(k+1) = down(I_k), l_k = up(I_(k+1)),
    h_k = I_k - l_k. Of each size but the smallest

        D_k ascends   E log D_k(h_k, l_k) + E log(1 - D_k(G_k(z_k, l_k), l_k))
        G_k descends  - E log D_k(G_k(z_k, l_k), l_k)

    and of the smallest the same without l_k and with I_k for h_k. l_k is that of real pictures: so
    no level waits for another, and all move in one round. As no two have a parameter in common, D
    ascends the sum over the levels, and G descends it.

    generator : the G_k;  discriminators : the D_k, from the smallest size on
    """

    def __init__(self, generator: Pyramid, discriminators: Sequence[nn.Module]):
        self.G = generator
        self.D = nn.ModuleList(discriminators)
        self.latent_dim = generator.latent_dim * len(self.D)
        self.objective = NonSaturating()
        self.players = {"D": self.D, "G": generator}

    def moves(self, real: Tensor) -> Iterator[Move]:
        pictures = [real]
        for _ in self.D[1:]:
            pictures.append(down(pictures[-1]))
        pictures.reverse()
        coarse = [up(x) for x in pictures[:-1]]
        residuals = [x - low for x, low in zip(pictures[1:], coarse)]
        given = [(pictures[0],), *zip(residuals, coarse)]
        with no_grad():
            fake = self.made(real, coarse)
        said = [self.judged(n, *g, fake=f) for n, (g, f) in enumerate(zip(given, fake))]
        value = total([self.objective.d_value(r, f) for r, f in said])
        reals, fakes = (cat([s[i] for s in said]).sigmoid() for i in range(2))
        yield Ascend("D", value, d_real=reals, d_fake=fakes)
        fake = self.made(real, coarse)
        losses = [
            self.objective.g_loss(D(f, *low))
            for D, f, low in zip(self.D, fake, [(), *[(low,) for low in coarse]])
        ]
        yield Descend("G", total(losses))

    def made(self, real: Tensor, coarse: Sequence[Tensor]) -> list[Tensor]:
        """What each G_k draws, given these l_k."""
        first, *more = self.G.parts(self.latents(len(real), real))
        details = [net(z, low) for net, z, low in zip(self.G.details, more, coarse)]
        return [self.G.smallest(first), *details]

    def judged(self, level: int, x: Tensor, *coarse: Tensor, fake: Tensor) -> tuple[Tensor, ...]:
        """What D_k says of real and fake ones."""
        D = self.D[level]
        if not coarse:
            return scores(D, x, fake)
        both = D(cat([x, fake]), cat([coarse[0], coarse[0]]))
        return both[: len(x)], both[len(x) :]

    def recalibrate(self, batches: int = BATCHES) -> None:
        place = next(self.G.parameters()).device
        recalibrate_batch_norm(
            self.G,
            calibration_inputs(self.latent_dim, 0, place, self.latent, batches),
            self.batch_size,
        )

    def sample(self, latents: Tensor) -> Tensor:
        with evaluating(self.G), no_grad():
            return self.G(latents)

    def levels(self, latents: Tensor) -> list[Tensor]:
        """How samples come about: the pictures of each size."""
        with evaluating(self.G), no_grad():
            return self.G.levels(latents)


def mlp_pyramid(
    latent_dim: int, image_shape: tuple[int, ...], levels: int, width: int
) -> tuple[Pyramid, list[nn.Module]]:
    """(G, the D_k): of the smallest size those of the plain GAN (`mlp_generator`), of the others
    two hidden layers of `width` units."""
    c, h, w = image_shape
    shapes = [(c, h >> n, w >> n) for n in reversed(range(levels))]
    smallest, *larger = shapes
    details = [Details(_details(latent_dim, c * a * b, width)) for c, a, b in larger]
    judges: list[nn.Module] = [Judge(mlp_discriminator((2 * c, a, b))) for c, a, b in larger]
    G = Pyramid(mlp_generator(latent_dim, smallest), details, latent_dim)
    return G, [mlp_discriminator(smallest), *judges]


def _details(latent_dim: int, pixels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(latent_dim + pixels, width), nn.BatchNorm1d(width), nn.LeakyReLU(0.2),
        nn.Linear(width, width), nn.BatchNorm1d(width), nn.LeakyReLU(0.2),
        nn.Linear(width, pixels),
    )  # fmt: skip
