"""Pictures of texts: a discriminator that also asks whether a picture is what its text says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import nn
from ..arrays import CPU, Generator, to_device
from ..autograd import Tensor, no_grad, tensor_of
from ..ops import arange, cat, exp, eye, roll
from ..ops.loss import mean_logsigmoid
from ..viz import Picture
from ..viz.pictures import TextGrid
from .cgan import Given
from .games import GAN, Ascend, Descend, Move
from .latents import LATENTS
from .objectives import NonSaturating
from .penalties import R1
from .recalibrate import BATCH_SIZE, BATCHES, evaluating, recalibrate_batch_norm
from .vae import gaussian_kl

ROWS, COLUMNS = 8, 8  # of what is shown: texts, and pictures of each


class TextEncoder(nn.Module):
    """Numbers of words (N, most words of a text), 0 behind the last -> (N, codes): the sum of the
    words' vectors, a linear layer, LeakyReLU. It knows nothing of the words' order.

    words : how many there are, beside the 0
    """

    per_example = True

    def __init__(self, words: int, width: int = 64, codes: int = 64):
        super().__init__()
        self.words = nn.Embedding(words + 1, width, padding_idx=0)
        self.out = nn.Sequential(nn.Linear(width, codes), nn.LeakyReLU(0.2))
        self.codes = codes

    def forward(self, words):
        return self.out(self.words(words).sum(1))


class TextGenerator(nn.Module):
    """(latents (N, z), words) -> examples: network([z, code of the text])."""

    def __init__(self, encoder: TextEncoder, network: nn.Module):
        super().__init__()
        self.encoder, self.network = encoder, network

    def divergence(self, words: Tensor) -> None:
        """What G descends beside its loss: nothing."""

    def forward(self, latents, words):
        return self.network(cat([latents, self.encoder(words)], 1))


class Conditioning(nn.Module):
    """Zhang et al. 2017, section 3.2: the condition is drawn from a distribution that the text
    gives, c = mu(t) + sigma(t) eps, so that there is a neighbourhood of conditions for every text.

    (eps (N, size), words) -> c (N, size)
    """

    def __init__(self, encoder: TextEncoder, size: int):
        super().__init__()
        self.encoder, self.size = encoder, size
        self.statistics = nn.Linear(encoder.codes, 2 * size)  # mu and log sigma^2

    def told(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """mu and log sigma^2, (N, size) each."""
        both = self.statistics(self.encoder(words))
        return both[:, : self.size], both[:, self.size :]

    def divergence(self, words: Tensor) -> Tensor:
        """E KL(N(mu(t), diag sigma^2(t)) || N(0, I)), in nats."""
        return gaussian_kl(*self.told(words)).mean()

    def forward(self, eps, words):
        mean, log_var = self.told(words)
        return mean + exp(0.5 * log_var) * eps


class StageOne(nn.Module):
    """(latents (N, z + size of c), words) -> examples: network([z, c]), c by `Conditioning` of the
    last of the latents."""

    def __init__(self, conditioning: Conditioning, network: nn.Module):
        super().__init__()
        self.conditioning, self.network = conditioning, network

    def divergence(self, words: Tensor) -> Tensor:
        return self.conditioning.divergence(words)

    def forward(self, latents, words):
        n = latents.shape[1] - self.conditioning.size
        c = self.conditioning(latents[:, n:], words)
        return self.network(cat([latents[:, :n], c], 1))


class StageTwo(nn.Module):
    """(eps (N, size of c), small pictures, words) -> pictures of twice their size: convolutions
    down to half the small size, the condition put beside every place, residual blocks, and up
    again (Zhang et al. 2017, figure 2, with smaller layers)."""

    def __init__(self, conditioning: Conditioning, channels: int, width: int, blocks: int):
        super().__init__()
        w, size = width, conditioning.size
        self.conditioning = conditioning
        self.down = nn.Sequential(
            nn.Conv2d(channels, w, 3, padding=1), nn.ReLU(),
            nn.Conv2d(w, 2 * w, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * w), nn.ReLU(),
        )  # fmt: skip
        self.joint = nn.Sequential(
            nn.Conv2d(2 * w + size, 2 * w, 3, padding=1, bias=False), nn.BatchNorm2d(2 * w),
            nn.ReLU(),
        )  # fmt: skip
        self.blocks = nn.ModuleList([
            nn.Sequential(
                nn.Conv2d(2 * w, 2 * w, 3, padding=1, bias=False), nn.BatchNorm2d(2 * w), nn.ReLU(),
                nn.Conv2d(2 * w, 2 * w, 3, padding=1, bias=False), nn.BatchNorm2d(2 * w),
            )
            for _ in range(blocks)
        ])  # fmt: skip
        self.up = nn.Sequential(
            nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU(),
            nn.ConvTranspose2d(w, channels, 4, 2, 1), nn.Tanh(),
        )  # fmt: skip

    def divergence(self, words: Tensor) -> Tensor:
        return self.conditioning.divergence(words)

    def forward(self, eps, small, words):
        maps = self.down(small)
        x = self.joint(beside_every_place(maps, self.conditioning(eps, words)))
        for block in self.blocks:
            x = (x + block(x)).relu()
        return self.up(x)


def beside_every_place(maps: Tensor, codes: Tensor) -> Tensor:
    """Maps (N, C, H, W) and codes (N, K) -> (N, C + K, H, W)."""
    n, k = codes.shape
    return cat([maps, codes.reshape(n, k, 1, 1).expand(n, k, *maps.shape[2:])], 1)


class TextDiscriminator(nn.Module):
    """(pictures, words) -> logits (N, 1): convolutions that halve the pictures, the code of the
    text beside every place of the last maps, a convolution of both, linear units h (Reed et al.
    2016, figure 2); then w h + h V code, whose second term, the projection of Miyato and Koyama
    2018, lets a word count from the beginning. It has no batch statistics, so that real and fake
    pictures go through together.

    shape : (C, H, W) of the pictures;  features : channels next to them;  hidden : linear units
    """

    per_example = True

    def __init__(
        self, encoder: TextEncoder, shape: tuple[int, ...], features: int, hidden: int = 128
    ):
        super().__init__()
        channels = shape[0]
        height, width, sizes = _halved(shape, features)
        layers: list[nn.Module] = []
        for n_in, n_out in zip([channels, *sizes], sizes):
            layers += [nn.Conv2d(n_in, n_out, 4, 2, 1), nn.LeakyReLU(0.2)]
        top = sizes[-1]
        self.encoder, self.trunk = encoder, nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Conv2d(top + encoder.codes, top, 1), nn.LeakyReLU(0.2), nn.Flatten(),
            nn.Linear(top * height * width, hidden), nn.LeakyReLU(0.2),
        )  # fmt: skip
        self.out = nn.Linear(hidden, 1)
        self.project = nn.Linear(encoder.codes, hidden)

    def forward(self, images, words):
        return self.told(self.trunk(images), self.encoder(words))

    def told(self, maps: Tensor, codes: Tensor) -> Tensor:
        """The logits of pictures, given as their last maps, with texts, given as codes."""
        h = self.head(beside_every_place(maps, codes))
        return self.out(h) + (h * self.project(codes)).sum(1, keepdim=True)

    def of_pairs(
        self, real: Tensor, fake: Tensor, words: Tensor, wrong: Tensor | None
    ) -> list[Tensor]:
        """Logits of (real, its text), (fake, its text) and, where `wrong` (N, N) has a 1 in each
        row, (real, the text there): each picture and each text is looked at once."""
        n, codes = len(real), self.encoder(words)
        maps = self.trunk(cat([real, fake]))
        pictures, texts = [maps], [codes, codes]
        if wrong is not None:
            pictures, texts = [maps, maps[:n]], [*texts, wrong @ codes]
        told = self.told(cat(pictures), cat(texts))
        return [told[i * n : (i + 1) * n] for i in range(len(texts))]


class GANCLS(GAN):
    """Reed et al. 2016, Algorithm 1: beside real and fake pictures with their texts, D sees real
    pictures with the text of another one, so that it must tell whether text and picture fit. With
    t the text of x, t' that of another picture:

        D ascends   E log D(x, t) + [E log(1 - D(x, t')) + E log(1 - D(G(z, t), t))] / 2
        G descends  -E log D(G(z, t), t)

    generator, discriminator : (latents, words) -> pictures, with a `divergence`; a
        `TextDiscriminator`
    vocabulary : the words, whose numbers begin at 1
    texts : int64 (M, most words of a text): those that samples are made of, where none is given
    mismatched : "any": t' is the text before in the batch; "near": the one in the batch that has
        the most words in common with t and is another, which asks D for more; "none": without the
        second term (and without the division by 2)
    penalty : weight of the generator's divergence
    r1 : gamma of R1 (Mescheder et al. 2018) on real pictures with their texts: without it D runs
        away from G. 0: without
    """

    columns = ("images", "words")
    G: Any
    D: Any

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, vocabulary: Sequence[str],
        texts: np.ndarray, latent_dim: int, mismatched: str = "any", penalty: float = 1.0,
        r1: float = 0.0,
    ):  # fmt: skip
        super().__init__(generator, discriminator, NonSaturating(), latent_dim)
        self.vocabulary = list(vocabulary)
        self.texts = texts
        self.mismatched = mismatched
        self.penalty = penalty
        self.r1 = R1(r1) if r1 else None

    def target(self, images: Tensor) -> Tensor:
        """What D sees of real pictures."""
        return images

    def made(self, latents: Tensor, words: Tensor) -> Tensor:
        """G's pictures."""
        return self.G(latents, words)

    def moves(self, real: Tensor, words: Tensor) -> Iterator[Move]:  # type: ignore[override]
        real = self.target(real)
        with no_grad():
            fake = self.made(self.latents(len(real), real), words)
        yield self.ascent_of(real, fake, words)
        fake = self.made(self.latents(len(real), real), words)
        loss = self.objective.g_loss(self.D(fake, words))
        off = self.G.divergence(words)
        report = {} if off is None else {"kl": off}
        yield Descend("G", loss if off is None else loss + self.penalty * off, **report)

    def ascent_of(self, real: Tensor, fake: Tensor, words: Tensor) -> Move:
        """D's move."""
        if self.mismatched == "none":
            right, made = self.D.of_pairs(real, fake, words, None)
            value = self.objective.d_value(right, made)
        else:
            wrong, other = self.other_texts(words)
            right, made, false = self.D.of_pairs(real, fake, words, wrong)
            said = (nn.functional.logsigmoid(-false)[:, 0] * other).sum()
            off = said / other.sum().clamp(min=1)
            value = mean_logsigmoid(right) + (off + mean_logsigmoid(made, -1)) / 2
        if self.r1 is not None:
            value = value - self.r1(Given(self.D, words), real, fake)
        return Ascend("D", value, d_real=right, d_fake=made)

    def other_texts(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """For each text another one of the batch: (N, N) with a 1 in each row, at its place; and
        (N,) with a 0 where that one has the same words."""
        n, place = len(words), words.device
        kind = next(self.D.parameters()).dtype
        known = arange(1, len(self.vocabulary) + 1, device=place)
        has = (words[:, :, None] == known).any(1).to(kind)  # (N, words of the vocabulary)
        common, size = has @ has.T, has.sum(1)
        same = ((common == size[:, None]) & (common == size)).to(kind)
        if self.mismatched == "any":
            wrong = roll(eye(n, dtype=kind, device=place), 1, 0)
        else:  # of several the last
            rank = common - same * (len(self.vocabulary) + 1)
            rank = rank + arange(n, device=place).to(kind) * (0.5 / n)
            wrong = (rank == rank.amax(1, keepdim=True)).to(kind)
        return wrong, 1 - (wrong * same).sum(1)

    def measure(self, moves):
        off = moves[-1].report
        return super().measure(moves) | ({"kl": off["kl"].item()} if off else {})

    def judge(self, real: Tensor, words: Tensor) -> None:  # type: ignore[override]
        self.D(self.target(real), words)

    # --- what samples are made of ---

    def inputs(self, n, generator, device=CPU):
        rows = self.texts[np.arange(n) % len(self.texts)]
        return self.inputs_of_words(rows, generator, device)

    def inputs_of_words(self, words: np.ndarray, generator: Generator, device: Any = CPU):
        """`inputs` of one sample of each of these texts, int64 (n, most words of a text)."""
        z = LATENTS[self.latent]((len(words), self.latent_dim), generator, device)
        return tensor_of(z), tensor_of(to_device(np.ascontiguousarray(words), device))

    def sample(self, latents: Tensor, words: Tensor) -> Tensor:  # type: ignore[override]
        with evaluating(self.G), no_grad():
            return self.made(latents, words)

    def recalibrate(self, batches=BATCHES):
        place, random = next(self.G.parameters()).device, Generator(0)
        numbers = np.arange(batches * BATCH_SIZE).reshape(batches, BATCH_SIZE) % len(self.texts)
        inputs = (self.g_inputs(*self.inputs_of_words(self.texts[some], random, place))
                  for some in numbers)  # fmt: skip
        recalibrate_batch_norm(self.G, inputs, self.batch_size)

    def g_inputs(self, latents: Tensor, words: Tensor) -> tuple[Tensor, ...]:
        """What G itself is given."""
        return latents, words

    def exhibit(self, generator, device=CPU) -> Callable[[], Picture]:
        """A row of pictures for each of some texts."""
        rows = self.texts[:ROWS]
        said = [" ".join(self.vocabulary[k - 1] for k in row if k) for row in rows]
        inputs = self.inputs_of_words(np.repeat(rows, COLUMNS, 0), generator, device)
        return lambda: TextGrid(self.shown(self.sample(*inputs).cpu().numpy()), said)

    def shown(self, images: np.ndarray) -> np.ndarray:
        """Samples as people see them."""
        return images


class StackedGAN(GANCLS):
    """The second stage of Zhang et al. 2017, section 3.4: G makes a picture of twice the size of
    what the first stage makes of the same text, s = G1(z, t), and of the text once more:

        D ascends   as in `GANCLS`, with G(s, c) in the place of the fakes
        G descends  -E log D(G(s, c), t) + penalty E KL(N(mu(t), sigma(t)) || N(0, I))

    with c ~ N(mu(t), sigma(t)). G1 does not learn.

    first : G1, frozen here, (latents, words) -> small pictures; None: G gets noise in its place,
        the control
    small : (C, H, W) of its pictures;  first_dim : its latents
    Other arguments as for `GANCLS`; latents are G1's (or the noise), then eps of c.
    """

    def __init__(
        self, generator: StageTwo, discriminator: nn.Module, vocabulary: Sequence[str],
        texts: np.ndarray, first: nn.Module | None, small: tuple[int, ...], first_dim: int,
        **named: Any,
    ):  # fmt: skip
        self.first_dim = first_dim if first is not None else int(np.prod(small))
        size = generator.conditioning.size
        super().__init__(
            generator, discriminator, vocabulary, texts, self.first_dim + size, **named
        )
        self.first = None if first is None else first.eval().requires_grad_(False)
        self.small = small

    def before(self, latents: Tensor, words: Tensor) -> Tensor:
        """The first stage's pictures."""
        own = latents[:, : self.first_dim]
        if self.first is None:
            return own.reshape(len(own), *self.small)
        with no_grad():
            return self.first(own, words)

    def g_inputs(self, latents, words):
        return latents[:, self.first_dim :], self.before(latents, words), words

    def made(self, latents, words):
        return self.G(*self.g_inputs(latents, words))


class SmallGAN(GANCLS):
    """`GANCLS` of pictures of half the size, means of squares of 2x2 pixels: the first stage."""

    def target(self, images):
        return nn.functional.avg_pool2d(images, 2)

    def shown(self, images):
        """As large as those of the second stage."""
        return images.repeat(2, 2).repeat(2, 3)


def drawing(n: int, shape: tuple[int, ...], features: int, hidden: int = 256) -> nn.Sequential:
    """(N, n) -> pictures (N, *shape) in [-1, 1], of sides that are even and at least 6: hidden
    linear units, small maps, which transposed convolutions double; batch normalisation and ReLU
    behind all but the last."""
    channels = shape[0]
    height, width, sizes = _halved(shape, features)
    top, *rest = reversed(sizes)
    layers: list[nn.Module] = [
        nn.Linear(n, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(),
        nn.Linear(hidden, top * height * width, bias=False), nn.Unflatten(1, (top, height, width)),
    ]  # fmt: skip
    for n_in, n_out in zip([top, *rest], rest):
        layers += [nn.BatchNorm2d(n_in), nn.ReLU(),
                   nn.ConvTranspose2d(n_in, n_out, 4, 2, 1, bias=False)]  # fmt: skip
    last = nn.ConvTranspose2d(sizes[0], channels, 4, 2, 1)
    return nn.Sequential(*layers, nn.BatchNorm2d(sizes[0]), nn.ReLU(), last, nn.Tanh())


def _halved(shape: tuple[int, ...], features: int) -> tuple[int, int, list[int]]:
    """Height and width of the smallest maps, and the channels from the pictures on: [f, 2f, ...].
    Sides are halved while they are even and at least 6."""
    _, height, width = shape
    sizes: list[int] = []
    while height % 2 == width % 2 == 0 and min(height, width) >= 6:
        height, width = height // 2, width // 2
        sizes.append(features * 2 ** len(sizes))
    if not sizes:
        raise ValueError(f"pictures of {height}x{width}: expected even sides of at least 6")
    return height, width, sizes
