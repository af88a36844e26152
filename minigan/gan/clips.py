"""Games of clips: pictures that move."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from .. import nn
from ..arrays import CPU, Generator
from ..autograd import Tensor, no_grad, tensor_of
from ..nn import init
from ..nn.functional import affine_grid, grid_sample, one_hot
from ..ops import cat, eye, gather, randint, randn
from ..viz import Clips, Picture
from .games import GAN, Ascend, Descend, Game, Move, scores
from .networks import conv_generator, he_weights
from .objectives import NonSaturating
from .penalties import Penalty, total
from .recalibrate import BATCH_SIZE, BATCHES, evaluating, recalibrate_batch_norm
from .text import _halved

SHOWN = 24  # clips
APART = 3.0  # deviations: how far the parts of a mixture are from 0
AFFINE = 64  # units of the layer between a frame's motion and its affine map


def beside_each_other(clips: np.ndarray) -> Clips:
    """Clips (N, C, T, H, W) in a rectangle that is not high."""
    rows = max(1, round(math.sqrt(len(clips) * 2 / 3)))
    return Clips(clips, rows, -(-len(clips) // rows))


class OfClips(Game):
    """What games of clips share; their samples are (N, C, T, H, W)."""

    columns: tuple[str, ...] = ("clips",)
    exhibited = SHOWN
    G: nn.Module

    def sample(self, *inputs: Tensor) -> Tensor:
        with evaluating(self.G), no_grad():
            return self.G(*inputs)

    def recalibrate(self, batches: int = BATCHES) -> None:
        random, device = Generator(0), next(self.G.parameters()).device
        inputs = (self.inputs(BATCH_SIZE, random, device) for _ in range(batches))
        recalibrate_batch_norm(self.G, inputs, self.batch_size)

    def pictured(self, samples: np.ndarray) -> Picture:
        return beside_each_other(samples)


class MoCoGAN(OfClips):
    """Tulyakov et al. 2018, equation 4: what is seen does not change in a clip, what happens does.
    Frame t of a clip is G(z_C, z_M(t)), z_C ~ N(0, I) the same in all frames, z_M(t) the states of
    a recurrent network R that is given eps_t ~ N(0, I). With `kinds` the first numbers of z_C say
    which of so many kinds a clip is of, so that G need not go through what lies between them
    (`mixture`). With v a clip of the data, v~ one of G's,
    and S a frame at random:

        D_I ascends  E log D_I(S(v)) + E log(1 - D_I(S(v~)))
        D_V ascends  E log D_V(v) + E log(1 - D_V(v~))
        G descends   -E log D_I(S(v~)) - E log D_V(v~),   R with it

    generator : (z_C (N, content), eps (N, T + 1, motion)) -> clips, see `MovingContent`
    image_critic, clip_critic : frames (N, C, H, W) -> logits; clips (N, C, T, H, W) -> logits
    frames : T;  content, motion : numbers of z_C and of z_M(t);  kinds : 0: z_C is normal
    penalties : subtracted from what both D ascend (`PENALTIES`);
    penalty_examples : how many of a batch they look at, None: all
    """

    def __init__(
        self, generator: nn.Module, image_critic: nn.Module, clip_critic: nn.Module,
        frames: int, content: int, motion: int, penalties: Sequence[Penalty] = (),
        penalty_examples: int | None = None, kinds: int = 0,
    ):  # fmt: skip
        self.kinds = kinds
        self.G = generator
        self.D_I = image_critic
        self.D_V = clip_critic
        self.length = frames
        self.content = content
        self.motion = motion
        self.penalties = tuple(penalties)
        self.penalty_examples = penalty_examples
        self.objective = NonSaturating()
        self.players = {"D_I": image_critic, "D_V": clip_critic, "G": generator}

    def noise(self, n: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """z_C and eps of n clips."""
        place = like.device
        content = mixture(randn(n, self.content, device=place), self.kinds)
        return content, randn(n, self.length + 1, self.motion, device=place)

    def moves(self, clips: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        n = len(clips)
        with no_grad():
            fake = self.G(*self.noise(n, clips))
        yield (
            self.ascent("D_I", self.D_I, frame_of(clips), frame_of(fake)),
            self.ascent("D_V", self.D_V, clips, fake),
        )
        fake = self.G(*self.noise(n, clips))
        loss = self.objective.g_loss(self.D_V(fake))
        yield Descend("G", loss + self.objective.g_loss(self.D_I(frame_of(fake))))

    def ascent(self, name: str, critic: nn.Module, real: Tensor, fake: Tensor) -> Move:
        """A critic's move."""
        on_real, on_fake = scores(critic, real, fake)
        value = self.objective.d_value(on_real, on_fake)
        if self.penalties:
            few = slice(self.penalty_examples)
            value = value - total([p(critic, real[few], fake[few]) for p in self.penalties])
        return Ascend(name, value, d_real=on_real.sigmoid(), d_fake=on_fake.sigmoid())

    def inputs(self, n: int, generator: Generator, device=CPU) -> tuple[Tensor, ...]:
        """z_C and eps."""
        content = generator.normal((n, self.content), device=device)
        noise = generator.normal((n, self.length + 1, self.motion), device=device)
        return mixture(tensor_of(content), self.kinds), tensor_of(noise)

    def judge(self, real: Tensor) -> None:
        self.D_V(real)


def mixture(z: Tensor, kinds: int) -> Tensor:
    """Of z ~ N(0, I) (N, numbers) a mixture whose parts lie apart (as in DeLiGAN, Gurumurthy et al.
    2017): in the place of the first `kinds` numbers 3 at the largest of them, and 0 at the others.
    """
    if not kinds:
        return z
    which = one_hot(z[:, :kinds].argmax(1), kinds).to(z.dtype)
    return cat([which * APART, z[:, kinds:]], 1)


class VideoGAN(OfClips, GAN):
    """Vondrick et al. 2016, section 3: a foreground f moves before a background b that stands
    still, and a mask m says what is which. With (f, m, b) of G(z) and x~ = m f + (1 - m) b,

        D ascends   E log D(x) + E log(1 - D(x~))
        G descends  -E log D(x~) + sparsity E |m|   (a mean over m's numbers)

    generator : `TwoStreams`, or with one stream, x~ = G(z) (the control)
    discriminator : clips -> logits
    penalties, penalty_examples : as of `GAN`
    """

    G: TwoStreams

    def __init__(
        self, generator: TwoStreams, discriminator: nn.Module, latent_dim: int,
        sparsity: float = 0.1, penalties: Sequence[Penalty] = (),
        penalty_examples: int | None = None,
    ):  # fmt: skip
        super().__init__(
            generator, discriminator, NonSaturating(), latent_dim,
            penalties=penalties, penalty_examples=penalty_examples,
        )  # fmt: skip
        self.sparsity = sparsity

    def moves(self, clips: Tensor) -> Iterator[Move]:
        with no_grad():
            fake = self.G(self.latents(len(clips), clips))
        yield self.ascent(clips, fake)
        fake, mask = self.G.masked(self.latents(len(clips), clips))
        loss = self.descent(clips, fake).value
        if mask is None:
            yield Descend("G", loss)
        else:
            # m is above 0, so that |m| is m
            yield Descend("G", loss + self.sparsity * mask.mean(), mask=mask)

    def measure(self, moves: list[Move]) -> dict[str, float]:
        masks = moves[-1].report
        found = {"mask": masks["mask"].detach().mean().item()} if masks else {}
        return super().measure(moves) | found

    def masks(self, latents: Tensor) -> Tensor | None:
        """m of samples, (N, 1, T, H, W); None where there is one stream."""
        with evaluating(self.G), no_grad():
            return self.G.masked(latents)[1]


class TwoStreams(nn.Module):
    """z (N, latent_dim) -> clips (N, *shape) in [-1, 1], shape = (C, T, H, W).

    f and m by two linear layers and transposed 3-d convolutions that double the sides (and the
    first of them the frames, where their number is even), b by `conv_generator`, the same in all
    frames.

    hidden : units of the linear layers
    two : False: f alone
    """

    def __init__(
        self, latent_dim: int, shape: tuple[int, ...], features: int, two: bool = True,
        hidden: int = 256,
    ):  # fmt: skip
        super().__init__()
        self.channels, frames, *sides = shape
        height, width, sizes = _halved((self.channels, *sides), features)
        top, *rest = reversed(sizes)
        doubles = frames % 2 == 0
        start = frames // 2 if doubles else frames
        layers: list[nn.Module] = [
            nn.Linear(latent_dim, hidden, bias=False), nn.BatchNorm1d(hidden), nn.LeakyReLU(0.2),
            nn.Linear(hidden, top * start * height * width, bias=False),
            nn.Unflatten(1, (top, start, height, width)),
        ]  # fmt: skip
        for n_in, n_out in zip([top, *rest], [*rest, self.channels + two]):
            deep, step = (4, 2) if doubles else (3, 1)
            doubles = False
            layers += [nn.BatchNorm3d(n_in), nn.LeakyReLU(0.2)]
            layers.append(nn.ConvTranspose3d(n_in, n_out, (deep, 4, 4), (step, 2, 2), 1))
        self.foreground = nn.Sequential(*layers).apply(he_weights)
        picture = (self.channels, sides[0], sides[1])
        still = lambda: conv_generator(latent_dim, *picture, features, hidden)
        self.background = still() if two else None

    def masked(self, latents: Tensor) -> tuple[Tensor, Tensor | None]:
        """(clips, m (N, 1, T, H, W))"""
        drawn = self.foreground(latents)
        f = drawn[:, : self.channels].tanh()
        if self.background is None:
            return f, None
        m = drawn[:, self.channels :].sigmoid()
        b = self.background(latents)[:, :, None]
        return m * f + (1 - m) * b, m

    def forward(self, latents):
        return self.masked(latents)[0]


def frame_of(clips: Tensor) -> Tensor:
    """A frame of each clip (N, C, T, H, W), drawn at random: (N, C, H, W)."""
    n, channels, frames, *sides = clips.shape
    which = randint(0, frames, (n, 1, 1, 1, 1), device=clips.device)
    return gather(clips, 2, which.expand(n, channels, 1, *sides))[:, :, 0]


class MovingContent(nn.Module):
    """(z_C (N, content), eps (N, T + 1, motion)) -> clips (N, C, T, H, W) in [-1, 1].

    draw : (z_C (N, content), z_M (N, T, motion)) -> frames (N T, C, H, W), clip by clip
    recurrent : z_M(t) is the state of a GRU that begins with eps_0 and is given eps_1 .. eps_T;
        False: z_M(t) = eps_t, fresh noise (the control)
    """

    def __init__(self, draw: nn.Module, motion: int, recurrent: bool = True):
        super().__init__()
        self.draw = draw
        self.path = nn.GRU(motion, motion, batch_first=True) if recurrent else None

    def forward(self, content, noise):
        first, motion = noise[:, 0], noise[:, 1:]
        if self.path is not None:
            motion = self.path(motion, first[None].contiguous())[0]
        drawn = self.draw(content, motion)
        return drawn.reshape(*motion.shape[:2], *drawn.shape[1:]).transpose(1, 2)


class WarpedContent(nn.Module):
    """(z_C (N, content), z_M (N, T, motion)) -> frames (N T, C, H, W), shape = (C, H, W): a
    `conv_generator` draws one picture for a clip, of z_C. Of z_M come six numbers for each frame,
    an affine map of the plane by which the picture is moved (a spatial transformer, Jaderberg et
    al. 2015); where that is from outside of the picture, its edge goes on."""

    def __init__(
        self, content: int, motion: int, shape: tuple[int, ...], features: int, hidden: int
    ):  # fmt: skip
        super().__init__()
        channels, height, width = shape
        self.still = conv_generator(content, channels, height, width, features, hidden)
        self.affine = nn.Sequential(
            nn.Linear(motion, AFFINE), nn.LeakyReLU(0.2), nn.Linear(AFFINE, 6)
        ).apply(he_weights)

    def forward(self, content, motion):
        pictures = self.still(content)
        (n, frames), (channels, height, width) = motion.shape[:2], pictures.shape[1:]
        # it begins near the identity
        change = self.affine(motion.reshape(n * frames, -1)).reshape(-1, 2, 3) * 0.1
        theta = change + eye(2, 3, device=change.device)
        grid = affine_grid(theta, (n * frames, channels, height, width))
        # the grids of a clip's frames, below each other, are one grid for its picture
        grid = grid.reshape(n, frames * height, width, 2)
        moved = grid_sample(pictures, grid, padding_mode="border")
        moved = moved.reshape(n, channels, frames, height, width).transpose(1, 2)
        return moved.reshape(n * frames, channels, height, width)


class ContentTimesMotion(nn.Module):
    """(z_C (N, content), z_M (N, T, motion)) -> frames (N T, C, H, W), shape = (C, H, W): a
    `conv_generator` makes each of c(z_C) m(z_M), so many numbers (hidden). By these products motion
    can let pass, hide or turn round each number that stands for content (the factors of Memisevic
    and Hinton 2010). c: a linear layer, batch normalisation, LeakyReLU(0.2); m: the same, and
    another linear layer."""

    def __init__(
        self, content: int, motion: int, shape: tuple[int, ...], features: int, hidden: int
    ):  # fmt: skip
        super().__init__()
        channels, height, width = shape
        normalised = lambda n: (
            nn.Linear(n, hidden, bias=False), nn.BatchNorm1d(hidden), nn.LeakyReLU(0.2)
        )  # fmt: skip
        self.content = nn.Sequential(*normalised(content))
        self.motion = nn.Sequential(*normalised(motion), nn.Linear(hidden, hidden))
        self.apply(he_weights)
        self.frame = conv_generator(hidden, channels, height, width, features, hidden)

    def forward(self, content, motion):
        n, frames = motion.shape[:2]
        seen = self.content(content)[:, None].expand(n, frames, -1)
        moved = self.motion(motion.reshape(n * frames, -1)).reshape(n, frames, -1)
        return self.frame((seen * moved).reshape(n * frames, -1))


def clip_critic(shape: tuple[int, ...], features: int, hidden: int | None = None) -> nn.Sequential:
    """Clips (N, *shape), shape = (C, T, H, W) -> logits (N, 1): Conv3d with LeakyReLU(0.2), which
    halve the sides and, all but the first, the frames.

    hidden : units of a linear layer before the logit, with He et al.'s weights everywhere, as in
        `networks.conv_discriminator`; None: there is none, and weights are DCGAN's
    """
    channels, frames, *sides = shape
    height, width, sizes = _halved((channels, *sides), features)
    layers: list[nn.Module] = []
    for i, (n_in, n_out) in enumerate(zip([channels, *sizes], sizes)):
        stride = 2 if i else 1
        layers += [nn.Conv3d(n_in, n_out, (3, 4, 4), (stride, 2, 2), 1), nn.LeakyReLU(0.2)]
        frames = (frames - 1) // stride + 1
    flat = sizes[-1] * frames * height * width
    if hidden is None:
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(flat, 1)).apply(video_weights)
    trunk = [nn.Linear(flat, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1)]
    return nn.Sequential(*layers, nn.Flatten(), *trunk).apply(he_weights)


def video_weights(module: nn.Module) -> None:
    """Weights of convolutions N(0, 0.02^2), biases 0, as DCGAN's."""
    if isinstance(module, (nn.Conv3d, nn.ConvTranspose3d, nn.Conv2d, nn.ConvTranspose2d)):
        init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            init.zeros_(module.bias)
