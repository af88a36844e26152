"""PoseGAN: how a figure moves on is imagined as poses first, then these are drawn as a clip.

    python -m minigan train posegan
    python -m minigan train posegan --dataset own.npz       # clips and poses, see below
    python -m minigan draw runs/posegan --n 16 --out clips.gif
    python -m minigan measure runs/posegan --control

Algorithm (Walker, Marino, Gupta, Hebert 2017; `minigan.gan.poses`), in two stages. First a
variational auto-encoder of poses: LSTMs read the poses x of the frames that are known, and z, and
tell y, those that follow:

    E and P descend  |y - P(x, z)|^2 / (2 sigma^2) + KL(q(z | x, y) || N(0, I)),   z ~ q(z | x, y)

Then G, of 3-d convolutions, draws the clip v~ of the last known frame and spots s at the joints:

    D ascends   E log D(v, s) + E log(1 - D(v~, s))
    G descends  -E log D(v~, s) + weight E |v - v~|_1

A sample has poses that P imagines, of the past and a z ~ N(0, I). The data are made: a stick figure
that walks, at a pace that half of them change (no people are in them). Own clips: a .npz file of
`clips`, uint8 (N, T, H, W[, C]), `poses`, (N, T, J, 2), (x, y) from -1 to 1, and perhaps `bones`.

What to look at: samples/*.gif, the true clips in the first row, below them three that are imagined
of the same past. What shows that it works, of figures that were not learnt from: how far joints are
from where they will be (in pixels), by the mean of ten imaginations and by the best of them, beside
doing nothing (persistence) and going straight on; and how far frames are from the true ones, from 0
to 1, beside the last frame that stands still.
Control: each figure is given the poses of another one, in both stages.
"""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np

from ..arrays import Generator, to_device
from ..autograd import tensor_of
from ..data import DataError
from ..data.batches import Batches
from ..data.clips import posed_clips, walkers
from ..gan.clips import clip_critic
from ..gan.completion import OfBoth
from ..gan.poses import PoseGAN as Game
from ..gan.poses import PoseVAE, Prediction, Recognition, Renderer
from ..optim import Adam
from ..training.cli import number
from .clips import float_clips
from .system import Row, System, adam_options, counts, weights

MOST, IMAGINED = 400, 10  # clips that are measured; how many imaginations of each
HELD_OUT = 10  # every tenth of own clips is for the test


class PoseGAN(System):
    """Clips of figures: a network imagines how they move on, another one draws it."""

    paper = (
        "Walker, Marino, Gupta, Hebert 2017, The Pose Knows: Video Forecasting by Generating Pose "
        "Futures, arXiv:1705.00053"
    )
    control = "each figure is given the poses of another one"
    writes = "clips"
    defaults = {"lr": 2e-3, "batch_size": 16, "ema": 0.99, "sample_interval": 500}

    def data_options(self, parser):
        parser.add_argument(
            "--dataset", default="walkers",
            help="walkers: made stick figures; or a .npz file of clips and poses "
            "(default %(default)s)",
        )  # fmt: skip

    def options(self, parser):
        adam_options(parser)
        counts(
            parser,
            ("clips", 2000, "of walkers, how many are made"),
            ("pose-steps", 2000, "steps of the first stage"),
            ("steps", 500, "steps of the second"),
            ("latent-dim", 8, "numbers of z"),
            ("hidden", 64, "units of each LSTM"),
            ("features", 8, "G's and D's channels next to the clips"),
        )
        add = parser.add_argument
        add("--frames", type=number(int, 4, 64), default=16,
            help="of a walker's clip (default %(default)s)")  # fmt: skip
        add("--past", type=number(int, 2), default=6,
            help="how many of them are known (default %(default)s)")  # fmt: skip
        add("--side", type=number(int, 16, 128), default=32,
            help="of a walker's frame, pixels, a multiple of 8 (default %(default)s)")  # fmt: skip
        add("--sigma", type=number(float, above=0), default=0.05,
            help="deviation allowed to a joint, of a picture from -1 to 1 "
            "(default %(default)s)")  # fmt: skip
        weights(parser, ("weight", 300.0, "of the distance L1"))

    def data(self, c, split="train"):
        name = getattr(c, "pictures", c.dataset)
        if name == "walkers":
            if c.side % 8:
                raise DataError(f"--side {c.side}: expected a multiple of 8")
            few = c.clips if split == "train" else min(MOST, c.clips)
            found = walkers(few, c.frames, c.side, seed=int(split == "test"))
        else:
            found = posed_clips(name)
            kept = (np.arange(len(found)) % HELD_OUT == 0) == (split == "test")
            found = dataclasses.replace(
                found, clips=found.clips[kept], labels=found.labels[kept], poses=found.poses[kept]
            )
        length, *sides = found.clips.shape[2:]
        if any(side % 8 for side in sides) or length < c.past + 2:
            raise DataError(
                f"{found.name}: clips of {length} frames of {sides[0]}x{sides[1]}: expected sides "
                f"that are multiples of 8, and at least --past {c.past} and two more frames"
            )
        return found

    def held_out(self, data, options):
        return self.data(options, "test")

    def facts(self, data, c):
        return {
            "clip_shape": list(data.clips.shape[1:]), "joints": data.poses.shape[2],
            "bones": [list(pair) for pair in data.bones],
        }  # fmt: skip

    def stages(self, c):
        return {"poses": c.pose_steps, "frames": c.steps}

    def game(self, c):
        _, frames, *sides = c.clip_shape
        E = Recognition(c.joints, c.latent_dim, c.hidden)
        P = Prediction(c.joints, c.latent_dim, c.hidden, frames - c.past)
        return PoseVAE(E, P, c.past, c.latent_dim, tuple(sides), c.sigma, c.control)

    def game_after(self, players, c):
        channels, frames, *sides = c.clip_shape
        G = Renderer(channels, c.joints, c.features)
        shape = (channels + c.joints, frames - c.past, *sides)
        D = OfBoth(clip_critic(shape, c.features), flat=False)
        return Game(G, D, players["P"], c.past, c.latent_dim, c.weight, c.control)

    def optimizers(self, game, c):
        decay = 0.9 if c.stage == "poses" else c.b1
        return {
            name: Adam(player.parameters(), c.lr, (decay, 0.999))
            for name, player in game.players.items()
        }

    def batches(self, game, data, c, device):
        both = SimpleNamespace(clips=data.clips, poses=data.poses)
        return Batches(both, c.batch_size, c.seed, device, game.columns)

    def begin(self, game, data, c, device):
        game.clips, game.poses = data.clips, data.poses

    def ready(self, game, c, device):
        data = self.data(c, "test")
        game.clips, game.poses = data.clips, data.poses

    def measure(self, game, c, samples, device):
        data = self.data(c, "test")
        n = min(samples, MOST, len(data))
        game.clips, game.poses = data.clips[:n], data.poses[:n]
        side = data.clips.shape[-1]
        truth, past = data.poses[:n, c.past :], data.poses[:n, : c.past]
        still = np.repeat(past[:, -1:], truth.shape[1], 1)
        speed = (past[:, -1:] - past[:, -2:-1]) * np.arange(1, truth.shape[1] + 1)[:, None, None]

        def far(poses):
            """The mean distance of joints, in pixels, of each clip."""
            return np.sqrt(((poses - truth) ** 2).sum(-1)).mean((1, 2)) * (side / 2)

        guesses = []
        for seed in range(IMAGINED):
            _, known, z = game.inputs(n, Generator(seed), device)
            guesses.append(game.imagined(known, z).cpu().numpy())
        each = np.stack([far(poses) for poses in guesses])
        nothing = float(far(still).mean())
        rows = [
            Row("pose error", float(far(np.mean(guesses, 0)).mean()), better="down", target=nothing,
                note="pixels, of the mean of ten imaginations; target: persistence"),
            Row("of the best", float(each.min(0).mean()), better="down", target=nothing,
                note="of the nearest of ten"),
            Row("of one", float(each.mean()), better="down"),
            Row("persistence", nothing, better="down", note="the figure stands still"),
            Row("straight on", float(far(still + speed).mean()), better="down",
                note="joints go on as in the last two frames"),
            Row("spread", float(np.std(guesses, 0).mean()) * side / 2,
                note="deviation of imaginations, pixels"),
        ]  # fmt: skip
        if hasattr(game, "G"):
            rows += frame_rows(game, c, n, truth, guesses[0], device)
        return rows


def frame_rows(game, c, n: int, truth: np.ndarray, imagined: np.ndarray, device) -> list[Row]:
    """How far drawn frames are from the true ones."""
    clips = float_clips(game.clips[:n])
    real = clips[:, :, c.past :]
    off = lambda made: float(np.abs(made - real).mean()) / 2

    def drawn(poses):
        found = []
        for i in range(0, n, 100):
            frame, some = (
                tensor_of(to_device(np.ascontiguousarray(x[i : i + 100]), device))
                for x in (clips[:, :, c.past - 1], poses)
            )
            found.append(game.drawn(frame, some).cpu().numpy())
        return np.concatenate(found)

    last = np.repeat(clips[:, :, c.past - 1 : c.past], real.shape[2], 2)
    told = np.roll(truth, 1, 0) if c.control else truth
    return [
        Row("frame error", off(drawn(told)), better="down", target=off(last),
            note="mean of |difference|, with true poses; target: the last frame stands still"),
        Row("frame error, imagined", off(drawn(imagined)), better="down", target=off(last)),
        Row("still frame error", off(last), better="down"),
    ]  # fmt: skip
