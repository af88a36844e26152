"""What systems of clips share: their data, and what is measured of digits that move."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Generator
from ..data import DATASETS, DataError, load_dataset
from ..data.clips import GROUNDS, ClipSet, gif_folder, moving_digits, photos_or_textures
from ..metrics import Principal, describe, load_classifier
from ..training.cli import number
from .system import Row, System, adam_options
from .writing import sampled

DIGITS = ("mnist", "strokes")
TESTED = 5000  # clips of test digits
SQUARE = 28  # a side of what the classifier looks at


class OfClips(System):
    """A system whose samples are clips.

    ground, scale : what moving digits are laid on, and how large they are, by default
    """

    writes = "clips"
    ground = "black"
    scale = 1.0

    def data_options(self, parser):
        parser.add_argument(
            "--dataset", default="mnist",
            help="mnist or strokes, of whose digits each moves through a clip, or a folder of "
            "animated GIFs (default %(default)s)",
        )  # fmt: skip
        parser.add_argument("--data-dir", help="folder with the four idx files of MNIST")

    def options(self, parser):
        adam_options(parser)
        add = parser.add_argument
        add("--clips", type=number(int, 40), default=4000,
            help="of digits, how many are made (default %(default)s)")  # fmt: skip
        add("--frames", type=number(int, 4, 64), default=10,
            help="of a clip (default %(default)s)")  # fmt: skip
        add("--side", type=number(int, 16, 128), default=32,
            help="of a frame, pixels, a multiple of 8 (default %(default)s)")  # fmt: skip
        add("--ground", choices=("auto", *GROUNDS), default=self.ground,
            help="what digits move on: photos are scikit-image's, textures are made; auto: photos, "
            "or textures where it is not installed (default %(default)s)")  # fmt: skip
        add("--scale", type=number(float, 0.3, 1), default=self.scale,
            help="of digits, 1: 28 pixels (default %(default)s)")  # fmt: skip

    def data(self, c, split="train"):
        if c.side % 8:
            raise DataError(f"--side {c.side}: expected a multiple of 8")
        name = getattr(c, "pictures", c.dataset)
        if name not in DATASETS:
            if not isinstance(name, str) or split != "train":
                raise DataError(f"{name!r} has no clips for the {split}")
            return gif_folder(name, c.frames, c.side)
        if name not in DIGITS:
            raise DataError(f"--dataset {name}: expected {' or '.join(DIGITS)}, or a folder")
        digits = load_dataset(name, split, getattr(c, "data_dir", None))
        n = c.clips if split == "train" else min(TESTED, c.clips)
        ground = photos_or_textures() if c.ground == "auto" else c.ground
        return moving_digits(digits, n, c.frames, c.side, ground, c.scale, split)

    def test_of(self, c):
        return self.data(c, "test" if c.pictures in DATASETS else "train")

    def facts(self, data, c):
        return {"clip_shape": list(data.clips.shape[1:])}

    def clips_of(self, c: Any, split: str = "train") -> ClipSet:
        """The clips that a saved run learnt from, or such of test digits; ValueError where they
        cannot be had any more."""
        found = self.data(c, split)
        if found.name != c.dataset:
            raise ValueError(
                f"the run was trained on {c.dataset!r}, which cannot be found; say where with "
                "--data-dir or MINIGAN_DATA"
            )
        return found

    def measure(self, game, c, samples, device):
        """Of any clips: how far samples are from them."""
        clips = self.clips_of(c).clips
        real = Principal(as_pictures(clips))
        n = min(samples, len(clips) // 2)
        made = sampled(game, game.inputs(n, Generator(0), device))
        found = real(as_pictures(made))
        return [
            Row("frechet of pixels", found["frechet"], found["frechet_real"], "down",
                note=f"{found['samples']} whole clips; {real.what}"),
        ]  # fmt: skip


def as_pictures(clips: np.ndarray) -> np.ndarray:
    """(N, C, T, H, W) with frames as channels, (N, C T, H, W)."""
    return clips.reshape(len(clips), -1, *clips.shape[3:])


def float_clips(clips: np.ndarray) -> np.ndarray:
    """uint8 as float32 in [-1, 1]."""
    return clips.astype(np.float32) / np.float32(127.5) - np.float32(1)


# --- digits, white on black ---


def middles(clips: np.ndarray) -> np.ndarray:
    """The centre of mass of each frame's ink, (y, x) in pixels: (N, T, 2) of clips in [-1, 1]."""
    ink = (clips[:, 0] + 1) / 2
    ink = ink * (ink > 0.2)
    mass = ink.sum((2, 3)) + 1e-6
    high, wide = ink.shape[2:]
    y = (ink.sum(3) * (np.arange(high) + 0.5)).sum(2) / mass
    x = (ink.sum(2) * (np.arange(wide) + 0.5)).sum(2) / mass
    return np.stack([y, x], -1)


def digits_shown(clips: np.ndarray) -> np.ndarray:
    """The 28x28 pixels of each frame about the centre of its ink, as the classifier's digits lie:
    (N T, 1, 28, 28) of clips in [-1, 1]."""
    n, _, frames, *sides = clips.shape
    corners = np.rint(middles(clips) - SQUARE / 2).astype(int) + SQUARE
    corners = np.clip(corners, 0, np.array(sides) + SQUARE)
    edges = ((0, 0), (0, 0), (SQUARE, SQUARE), (SQUARE, SQUARE))
    padded = np.pad(clips[:, 0], edges, constant_values=-1)
    clip, frame = np.ogrid[:n, :frames]
    inside = np.arange(SQUARE)
    rows = corners[..., 0, None, None] + inside[:, None]
    columns = corners[..., 1, None, None] + inside
    shown = padded[clip[..., None, None], frame[..., None, None], rows, columns]
    return shown.reshape(n * frames, 1, SQUARE, SQUARE)


class Digits:
    """What the package's classifier says of clips of digits, white on black.

    features : float32 (N T, 64) of all frames;  labels : int64 (N, T)
    path : (N, T, 2), the centres of the ink
    """

    def __init__(self, clips: np.ndarray, device: Any):
        found = describe(digits_shown(clips), load_classifier(device=str(device)))
        self.features = found.features
        self.labels = found.digits.reshape(len(clips), -1)
        self.path = middles(clips)

    @property
    def label(self) -> np.ndarray:
        """The most frequent one of each clip's frames: (N,)."""
        return np.array([np.bincount(row, minlength=10).argmax() for row in self.labels])

    @property
    def one(self) -> float:
        """The share of clips that have one label in all frames."""
        return float((self.labels == self.labels[:, :1]).all(1).mean())

    @property
    def kinds(self) -> float:
        """How many labels there are, each with its share: exp of the entropy."""
        share = np.bincount(self.label, minlength=10) / len(self.labels)
        share = share[share > 0]
        return float(np.exp(-(share * np.log(share)).sum()))

    @property
    def step(self) -> float:
        """How far the digit goes from one frame to the next, pixels."""
        return lengths(np.diff(self.path, axis=1))

    @property
    def turn(self) -> float:
        """How much that changes from one frame to the next, pixels."""
        return lengths(np.diff(self.path, 2, axis=1))


def lengths(vectors: np.ndarray) -> float:
    """The mean length of vectors (..., 2)."""
    return float(np.sqrt((vectors**2).sum(-1)).mean())
