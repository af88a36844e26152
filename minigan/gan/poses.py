"""Clips of figures: first how they move on is imagined, then it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import nn
from ..arrays import CPU, Generator
from ..autograd import Tensor, no_grad, tensor_of
from ..ops import abs, arange, cat, cumsum, exp, roll
from ..viz import Clips, Picture
from .clips import beside_each_other
from .games import Ascend, Descend, Game, Move
from .objectives import NonSaturating
from .recalibrate import evaluating
from .vae import gaussian_kl, reparametrize

SHOWN = (4, 6)  # rows: the truth, then what is imagined; columns: figures
SPOT = 0.09  # deviation of the spot that marks a joint; the picture is from -1 to 1


def spots(poses: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Maps of joints: (N, J, T, H, W) in [0, 1], round spots at places (N, T, J, 2), (x, y) from -1
    to 1."""
    high, wide = sides
    x = (arange(wide, device=poses.device, dtype=poses.dtype) + 0.5) * (2 / wide) - 1
    y = (arange(high, device=poses.device, dtype=poses.dtype) + 0.5) * (2 / high) - 1
    at = poses.transpose(1, 2)
    right, down = at[..., 0:1] - x, at[..., 1:2] - y  # (N, J, T, W), (N, J, T, H)
    scale = -0.5 / SPOT**2
    return exp(right * right * scale)[..., None, :] * exp(down * down * scale)[..., None]


class Recognition(nn.Module):
    """q(z | poses): an LSTM reads whole sequences (N, T, J, 2) -> (N, 2 latent_dim), m and log
    v."""

    def __init__(self, joints: int, latent_dim: int, hidden: int):
        super().__init__()
        self.read = nn.LSTM(2 * joints, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 2 * latent_dim)

    def forward(self, poses):
        return self.out(self.read(poses.flatten(2))[1][0][0])


class Prediction(nn.Module):
    """(past (N, P, J, 2), z (N, latent_dim)) -> the poses that follow (N, F, J, 2): an LSTM reads
    the past, another one goes on from its state, is given z in each step, and tells how the joints
    move from one frame to the next."""

    def __init__(self, joints: int, latent_dim: int, hidden: int, future: int):
        super().__init__()
        self.future = future
        self.read = nn.LSTM(2 * joints, hidden, batch_first=True)
        self.imagine = nn.LSTM(latent_dim, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 2 * joints)

    def forward(self, past, z):
        state = self.read(past.flatten(2))[1]
        told = z[:, None].expand(len(z), self.future, z.shape[1])
        moved = self.out(self.imagine(told, state)[0])
        return past[:, -1:] + cumsum(moved, 1).reshape(len(z), self.future, *past.shape[2:])


class Figures(Game):
    """What both stages share. Samples are made of (the last frame that is known (N, C, H, W), the
    poses until then (N, P, J, 2), z).

    P : the network that imagines poses;  past : how many frames are known
    shuffled : each figure gets the poses of another one (the control)
    clips, poses : some to make samples of, of whole length; they are no state
    """

    P: Prediction
    clips: np.ndarray
    poses: np.ndarray

    def __init__(self, past: int, latent_dim: int, shuffled: bool = False):
        self.past = past
        self.latent_dim = latent_dim
        self.shuffled = shuffled

    def given(self, poses: Tensor) -> Tensor:
        """The poses that a network is told: those of each figure, or of another one."""
        return roll(poses, 1, 0) if self.shuffled else poses

    def imagined(self, past: Tensor, z: Tensor) -> Tensor:
        """The poses that follow these."""
        with evaluating(self.P), no_grad():
            return self.P(self.given(past), z)

    def inputs(self, n: int, generator: Generator, device=CPU) -> tuple[Tensor, ...]:
        return self.inputs_at(np.arange(n) % len(self.poses), generator, device)

    def inputs_at(self, rows: Any, generator: Any, device: Any = CPU) -> tuple[Tensor, ...]:
        """`inputs` of these of the clips."""
        frame = self.clips[rows, :, self.past - 1].astype(np.float32) / np.float32(127.5) - 1
        z = generator.normal((len(rows), self.latent_dim), device=device)
        given = [tensor_of(x).to(device) for x in (frame, self.poses[rows, : self.past].copy())]
        return *given, tensor_of(z)

    def exhibit(self, generator: Generator, device=CPU) -> Callable[[], Picture]:
        rows, columns = SHOWN
        which = np.arange(columns) % len(self.poses)
        inputs = self.inputs_at(np.tile(which, rows - 1), generator, device)
        truth = self.clips[which, :, self.past :].astype(np.float32) / np.float32(127.5) - 1

        def picture():
            return Clips(np.concatenate([truth, self.sample(*inputs).cpu().numpy()]), *SHOWN)

        return picture

    def pictured(self, samples: np.ndarray) -> Picture:
        return beside_each_other(samples)


class PoseVAE(Figures):
    """Walker et al. 2017, section 3.1: how a figure moves on, given how it has moved. With y the
    poses of the frames that follow x, E and P descend, from the same point,

        |y - P(x, z)|^2 / (2 sigma^2) + KL(q(z | x, y) || N(0, I)),    z ~ q(z | x, y)

    (the squared error is a sum over frames and joints): a conditional variational auto-encoder.

    sigma : deviation that is allowed to a joint, the picture is from -1 to 1
    """

    columns: tuple[str, ...] = ("poses",)

    def __init__(
        self, recognition: Recognition, prediction: Prediction, past: int, latent_dim: int,
        sides: tuple[int, ...], sigma: float = 0.05, shuffled: bool = False,
    ):  # fmt: skip
        super().__init__(past, latent_dim, shuffled)
        self.E = recognition
        self.P = prediction
        self.sides = sides
        self.sigma = sigma
        self.players = {"E": recognition, "P": prediction}

    def moves(self, poses: Tensor) -> Iterator[tuple[Move, ...]]:
        told = self.E(poses)
        mean, log_var = told[:, : self.latent_dim], told[:, self.latent_dim :]
        made = self.P(self.given(poses[:, : self.past]), reparametrize(mean, log_var))
        off = poses[:, self.past :] - made
        error = (off * off).flatten(1).sum(1) * (0.5 / self.sigma**2)
        kl = gaussian_kl(mean, log_var)
        loss = (error + kl).mean()
        yield Descend("E", loss, kl=kl, error=error), Descend("P", loss)

    def sample(self, frame: Tensor, past: Tensor, z: Tensor) -> Tensor:  # type: ignore[override]
        """Spots where joints are imagined: (N, C, F, H, W)."""
        seen = spots(self.imagined(past, z), self.sides).amax(1, keepdim=True) * 2 - 1
        return seen.expand(len(seen), frame.shape[1], *seen.shape[2:])


class PoseGAN(Figures):
    """Walker et al. 2017, section 3.2: the frames, given the last one that is known and the poses
    of those that follow. With v the frames, s the spots of their joints, and v~ = G(frame, s),

        D ascends   E log D(v, s) + E log(1 - D(v~, s))
        G descends  -E log D(v~, s) + weight E |v - v~|_1   (a mean over pixels)

    Trained with the poses of the data; samples have those that P imagines, which is frozen here.
    """

    columns: tuple[str, ...] = ("clips", "poses")

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, prediction: Prediction, past: int,
        latent_dim: int, weight: float = 10.0, shuffled: bool = False,
    ):  # fmt: skip
        super().__init__(past, latent_dim, shuffled)
        self.G = generator
        self.D = discriminator
        self.P = prediction.eval().requires_grad_(False)
        self.weight = weight
        self.objective = NonSaturating()
        self.players = {"D": discriminator, "G": generator}

    @property
    def kept(self):
        return {"P": self.P}

    def moves(self, clips: Tensor, poses: Tensor) -> Iterator[Move]:  # type: ignore[override]
        frame, real = clips[:, :, self.past - 1], clips[:, :, self.past :]
        seen = spots(self.given(poses[:, self.past :]), real.shape[3:])
        fake = self.G(frame, seen)
        both = self.D(cat([real, fake.detach()]), cat([seen, seen]))
        on_real, on_fake = both[: len(real)], both[len(real) :]
        yield Ascend("D", self.objective.d_value(on_real, on_fake),
                     d_real=on_real.sigmoid(), d_fake=on_fake.sigmoid())  # fmt: skip
        off = abs(real - fake).mean()
        yield Descend("G", self.objective.g_loss(self.D(fake, seen)) + self.weight * off, l1=off)

    def drawn(self, frame: Tensor, poses: Tensor) -> Tensor:
        """The frames with these poses, as they are given."""
        with evaluating(self.G), no_grad():
            return self.G(frame, spots(poses, frame.shape[2:]))

    def sample(self, frame: Tensor, past: Tensor, z: Tensor) -> Tensor:  # type: ignore[override]
        return self.drawn(frame, self.imagined(past, z))

    def judge(self, clips: Tensor, poses: Tensor) -> None:  # type: ignore[override]
        real = clips[:, :, self.past :]
        self.D(real, spots(poses[:, self.past :], real.shape[3:]))


class Renderer(nn.Module):
    """(frame (N, C, H, W), spots (N, J, F, H, W)) -> clips (N, C, F, H, W) in [-1, 1]: 3-d
    convolutions that halve the sides twice, and transposed ones back, with bridges at each size
    (Walker et al., figure 4, smaller). Sides: multiples of 4."""

    def __init__(self, channels: int, joints: int, features: int):
        super().__init__()
        f, given = features, channels + joints
        half = ((3, 4, 4), (1, 2, 2), 1)
        self.first = nn.Sequential(nn.Conv3d(given, f, *half), nn.LeakyReLU(0.2))
        self.middle = nn.Sequential(
            nn.Conv3d(f, 2 * f, *half), nn.LeakyReLU(0.2),
            nn.Conv3d(2 * f, 2 * f, 3, padding=1), nn.LeakyReLU(0.2),
            nn.ConvTranspose3d(2 * f, f, *half), nn.LeakyReLU(0.2),
        )  # fmt: skip
        self.back = nn.Sequential(nn.ConvTranspose3d(2 * f, f, *half), nn.LeakyReLU(0.2))
        self.last = nn.Sequential(nn.Conv3d(f + given, channels, (1, 3, 3), padding=(0, 1, 1)),
                                  nn.Tanh())  # fmt: skip

    def forward(self, frame, seen):
        given = cat([over_time(frame, seen), seen], 1)
        near = self.first(given)
        whole = self.back(cat([self.middle(near), near], 1))
        return self.last(cat([whole, given], 1))


def over_time(frame: Tensor, like: Tensor) -> Tensor:
    """A frame (N, C, H, W), the same at all times of `like`: (N, C, T, H, W)."""
    n, channels, *sides = frame.shape
    return frame[:, :, None].expand(n, channels, like.shape[2], *sides)
