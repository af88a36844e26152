"""Clips: digits that move, made stick figures, and folders of animated GIFs.

>>> data = moving_digits(load_dataset("mnist"), 1000)
>>> data.clips.shape, data.paths.shape
((1000, 1, 10, 32, 32), (1000, 10, 2))
>>> data = moving_digits(load_dataset("mnist"), 1000, ground="photos")    # needs scikit-image
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .captions import shrunk
from .imageset import DataError, DataUnavailable, ImageSet, settle, shortened
from .photos import photo_patches, textures

GROUNDS = ("black", "photos", "textures")
SIDE, FRAMES = 32, 10
CHUNK = 250  # clips that are laid together
INK = 20 / 28  # of a digit's picture, what is ink
SPEEDS = (1.0, 2.5)  # of digits, pixels a frame


@dataclass(frozen=True, eq=False, repr=False)
class ClipSet:
    """A set of clips in memory.

    clips     uint8 (N, C, T, H, W), C-contiguous, read-only: T frames each
    labels    uint8 (N,), read-only: of moving digits, which
    name      "mnist-clips", "walkers", or that of the folder
    source    where they came from, for messages
    paths     float32 (N, T, 2): where the middle of what moves is, (y, x) in pixels; None: unknown
    poses     float32 (N, T, J, 2): where the joints of a figure are, (x, y), the picture is from -1
              to 1; None: there are none
    bones     pairs of joints between which lines are drawn
    left_out  (file, why) of each file of a folder that is not in the set
    classes   names of the labels
    checksum  sha256 hex digest of the clips' and poses' bytes
    """

    clips: np.ndarray
    labels: np.ndarray
    name: str
    source: str
    paths: np.ndarray | None = None
    poses: np.ndarray | None = None
    bones: tuple[tuple[int, int], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    classes: tuple[str, ...] = ()
    checksum: str = field(init=False)

    def __post_init__(self):
        clips = np.ascontiguousarray(self.clips).view()
        if clips.dtype != np.uint8 or clips.ndim != 5 or not clips.size:
            raise DataError(f"clips must be uint8 (N, C, T, H, W), not {clips.dtype} {clips.shape}")
        arrays = {"clips": clips}
        if self.poses is not None:
            poses = np.ascontiguousarray(self.poses, np.float32).view()
            if poses.ndim != 4 or poses.shape[::2] + poses.shape[3:] != (
                len(clips), poses.shape[2], 2
            ) or poses.shape[1] != clips.shape[2]:  # fmt: skip
                raise DataError(
                    f"poses must be (N, T, J, 2) with N = {len(clips)} and T = {clips.shape[2]}, "
                    f"not {poses.shape}"
                )
            arrays["poses"] = poses
        settle(self, arrays.values(), **arrays)

    def __len__(self):
        return len(self.clips)

    def checksum_of(self, columns: Sequence[str]) -> str:
        """`checksum`, whatever the columns."""
        return self.checksum

    def __repr__(self):
        return f"ClipSet({self.name!r}, clips {self.clips.shape}, from {self.source})"


def bounced(start: np.ndarray, speed: np.ndarray, frames: int, low: float, high: float):
    """Where something is that starts inside [low, high], and turns back where that ends: (N, T, D)
    of starts and speeds (N, D)."""
    wide = high - low
    way = start[:, None] - low + speed[:, None] * np.arange(frames)[:, None]
    return high - np.abs(way % (2 * wide) - wide)


def moving_digits(
    digits: ImageSet, n: int = 4000, frames: int = FRAMES, side: int = SIDE,
    ground: str = "black", scale: float = 1.0, split: str = "train", seed: int = 0,
) -> ClipSet:  # fmt: skip
    """n clips, each of one digit that goes straight on, a whole number of pixels at a time, and
    turns back where its ink would leave the picture.

    digits   uint8 (N, 1, S, S), such as mnist; each clip has one of them, in white
    ground   "black"; "photos": a patch of a photograph, the same in all frames (C = 3, needs
             scikit-image); "textures": of made pictures (C = 3)
    scale    of the digits, 1: as they are
    split    of the photographs, see `photo_patches`; another seed for "test"
    """
    if ground not in GROUNDS:
        raise DataError(f"ground={ground!r}: expected one of {', '.join(GROUNDS)}")
    size = round(digits.images.shape[-1] * scale)
    low = size * INK / 2
    if digits.images.shape[1] != 1 or frames < 2 or side - 2 * low < 4:
        raise DataError(
            f"moving_digits: digits of {digits.images.shape[1:]} at scale {scale:g} do not move in "
            f"{frames} pictures of {side}x{side}: raise the side"
        )
    rng = np.random.default_rng([seed, split == "test", 5])
    which = rng.integers(len(digits), size=n)
    ink = digits.images[which, 0].astype(np.float32)
    ink = (ink if scale == 1 else shrunk(ink, size)) / 255
    angle, speed = rng.uniform(0, 2 * np.pi, n), rng.uniform(*SPEEDS, n)
    start = rng.uniform(low, side - low, (n, 2))
    steps = np.stack([np.sin(angle), np.cos(angle)], 1) * speed[:, None]
    corners = np.rint(bounced(start, steps, frames, low, side - low) - size / 2).astype(int)
    source = f"{digits.source}, moved"
    behind = None
    if ground != "black":
        pictures = None if ground == "photos" else textures()
        behind = photo_patches(n, split, side, seed, pictures).images[:, :, None]
        source += f" on {ground}"
    clips = np.empty((n, 1 if behind is None else 3, frames, side, side), np.uint8)
    for i in range(0, n, CHUNK):
        some = slice(i, i + CHUNK)
        laid = _laid(ink[some], corners[some], side)
        if behind is not None:
            laid = laid * 255 + (1 - laid) * behind[some]
        clips[some] = laid if behind is not None else np.rint(laid * 255)
    return ClipSet(
        clips, digits.labels[which], f"{digits.name}-{ground}-clips", source,
        paths=(corners + size / 2).astype(np.float32), classes=digits.classes,
    )  # fmt: skip


def _laid(ink: np.ndarray, corners: np.ndarray, side: int) -> np.ndarray:
    """Ink (n, S, S) at each frame's corner, int (n, T, 2): float32 (n, 1, T, side, side). What lies
    outside has no ink, and is cut off."""
    n, size = ink.shape[:2]
    edge = max(0, -corners.min(), corners.max() + size - side)
    found = np.zeros((n, corners.shape[1], side + 2 * edge, side + 2 * edge), np.float32)
    rows = corners[..., 0, None, None] + edge + np.arange(size)[:, None]
    columns = corners[..., 1, None, None] + edge + np.arange(size)
    clip, frame = np.ogrid[:n, : corners.shape[1]]
    found[clip[..., None, None], frame[..., None, None], rows, columns] = ink[:, None]
    return found[:, None, :, edge : edge + side, edge : edge + side]


# --- made figures, whose joints are known ---

# hip, neck, head, hands, knees, feet
BONES = ((0, 1), (1, 2), (1, 3), (1, 4), (0, 5), (5, 7), (0, 6), (6, 8))
THICK = 0.09  # half of a line's width; the picture is from -1 to 1


def walkers(
    n: int = 3000, frames: int = 16, side: int = SIDE, change: float = 0.5, seed: int = 0
) -> ClipSet:
    """n clips of a made stick figure that walks to the left or to the right, at a pace of its own;
    a share `change` of them walk on at another pace (slower, faster, or the other way) from some
    frame of the second half on, so that what comes cannot be known.

    Nine joints: hip, neck, head, two hands, two knees, two feet, at places that are sines of the
    phase: no data of people.
    """
    rng = np.random.default_rng([seed, 6])
    one = lambda low, high: rng.uniform(low, high, (n, 1))
    pace, way = one(0.3, 0.7), rng.choice([-1.0, 1.0], (n, 1))
    when = rng.integers(frames // 2, max(frames - 2, frames // 2 + 1), (n, 1))
    other = np.where(rng.random((n, 1)) < change, rng.choice([-1.0, 0.0, 0.5, 1.8], (n, 1)), 1.0)
    t = np.arange(frames)[None]
    # the phase goes on from where it is at the frame of the change
    gone = pace * (np.minimum(t, when) + other * np.maximum(t - when, 0))
    phase = one(0, 2 * np.pi) + gone
    swing, size = one(0.45, 0.65), one(0.8, 1.0)
    stride = 0.12 * size * swing  # how far a radian of the phase carries it
    x = way * (stride * (gone - gone[:, frames // 2, None])) + one(-0.15, 0.15)
    leg, body = 0.42 * size, 0.55 * size
    joints = np.zeros((n, frames, 9, 2))

    def put(k, at, length, angle):
        """Joint k, from joint `at` down so far; the angle is that from straight down."""
        step = np.stack([way * np.sin(angle), np.cos(angle)], -1) * length[..., None]
        joints[:, :, k] = joints[:, :, at] + step

    joints[:, :, 0, 0] = x
    joints[:, :, 0, 1] = 0.05 + 0.04 * np.cos(2 * phase)
    put(1, 0, body, np.pi - 0.1 + 0 * phase)
    put(2, 1, 0.22 * size, np.pi - 0.1 + 0 * phase)
    for side_of, hand, knee, foot in ((0.0, 3, 5, 7), (np.pi, 4, 6, 8)):
        angle = swing * np.sin(phase + side_of)
        put(hand, 1, 0.5 * size, -1.1 * angle)
        put(knee, 0, leg, angle)
        bend = 0.75 * np.maximum(np.cos(phase + side_of), 0)
        put(foot, knee, leg, angle - bend)
    poses = joints.astype(np.float32)
    return ClipSet(
        rendered(poses, BONES, side), np.zeros(n, np.uint8), "walkers", "made: joints by sines",
        poses=poses, bones=BONES,
    )  # fmt: skip


def rendered(poses: np.ndarray, bones: Sequence[tuple[int, int]], side: int = SIDE) -> np.ndarray:
    """Lines between joints, white on black: uint8 (N, 1, T, side, side) of poses (N, T, J, 2)."""
    n, frames = poses.shape[:2]
    flat = poses.reshape(n * frames, *poses.shape[2:])
    places = (np.arange(side, dtype=np.float32) + 0.5) * (2 / side) - 1
    x, y = places[None, None], places[None, :, None]
    found = np.empty((n * frames, side, side), np.uint8)
    for i in range(0, len(flat), 256):
        some = flat[i : i + 256, :, :, None, None]
        nearest = np.full((len(some), side, side), np.inf, np.float32)
        for a, b in bones:
            start, along = some[:, a], some[:, b] - some[:, a]
            right, down = x - start[:, 0], y - start[:, 1]
            length = (along**2).sum(1) + 1e-12
            part = np.clip((right * along[:, 0] + down * along[:, 1]) / length, 0, 1)
            off = (right - part * along[:, 0]) ** 2 + (down - part * along[:, 1]) ** 2
            np.minimum(nearest, off, out=nearest)
        ink = np.clip((THICK - np.sqrt(nearest)) * (side / 2) + 0.5, 0, 1)
        found[i : i + 256] = np.rint(ink * 255)
    return found.reshape(n, 1, frames, side, side)


# --- own clips ---


def gif_folder(
    folder: str | os.PathLike, frames: int = FRAMES, side: int = SIDE,
    on_notice: Callable[[str], object] = print,
) -> ClipSet:  # fmt: skip
    """All animated GIFs of a folder and below it, cut into clips of so many frames that follow each
    other, their middles resized to squares; grey where all are grey.

    DataError where there is no such folder, or none that is long enough; what cannot be used is in
    `left_out`.
    """
    from PIL import Image, ImageOps, ImageSequence

    if not Path(folder).is_dir():
        raise DataError(f"{folder}: no such folder (expected one of animated GIFs)")
    paths = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() == ".gif")
    found, left_out = [], []
    for path in paths:
        try:
            with Image.open(path) as picture:
                seen = [
                    np.asarray(ImageOps.fit(frame.convert("RGB"), (side, side)))
                    for frame in ImageSequence.Iterator(picture)
                ]
        except Exception as error:  # of a damaged file Pillow raises whatever it runs into
            left_out.append((str(path.relative_to(folder)), f"cannot be read: {error}"))
            continue
        if len(seen) < frames:
            why = f"it has {len(seen)} frames, fewer than {frames}"
            left_out.append((str(path.relative_to(folder)), why))
        for i in range(0, len(seen) - frames + 1, frames):
            found.append(np.stack(seen[i : i + frames]))
    if left_out:
        some = shortened(left_out, lambda item: f"{item[0]} ({item[1]})", "; ")
        on_notice(f"left out: {some}")
    if not found:
        raise DataError(f"{folder}: no GIF of at least {frames} frames in it or below")
    clips = np.stack(found).transpose(0, 4, 1, 2, 3)
    if (clips == clips[:, :1]).all():
        clips = clips[:, :1]
    labels = np.zeros(len(clips), np.uint8)
    return ClipSet(clips, labels, Path(folder).name, str(folder), left_out=tuple(left_out))


def posed_clips(path: str | os.PathLike) -> ClipSet:
    """Own clips with poses, from a .npz file of `clips`, uint8 (N, T, H, W[, C]), `poses`, float
    (N, T, J, 2), from -1 to 1, and perhaps `bones`, int (B, 2). DataError where it has none, a pose
    is missing (NaN), or most joints lie outside of the picture."""
    try:
        with np.load(path) as file:
            given = {k: file[k] for k in ("clips", "poses", "bones") if k in file}
    except Exception as error:  # of a damaged file NumPy raises whatever it runs into
        raise DataError(f"{path} cannot be read as .npz ({error})") from error
    if missing := [k for k in ("clips", "poses") if k not in given]:
        raise DataError(f"{path} has no {missing[0]}: expected clips, poses and perhaps bones")
    clips = given["clips"]
    if clips.ndim not in (4, 5):
        raise DataError(f"{path}: clips must be (N, T, H, W[, C]), not {clips.shape}")
    clips = clips[:, None] if clips.ndim == 4 else clips.transpose(0, 4, 1, 2, 3)
    poses = given["poses"]
    if poses.dtype.kind not in "fiu":
        raise DataError(f"{path}: poses are {poses.dtype}: expected numbers")
    if not np.isfinite(poses).all():
        raise DataError(f"{path}: poses have NaN or infinite numbers: give each joint a place")
    if poses.size and (np.abs(poses) > 1).mean() > 0.5:
        raise DataError(
            f"{path}: poses from {poses.min():g} to {poses.max():g}: expected places in the "
            "picture, which is from -1 to 1 (of x pixels: (x + 0.5) * 2 / width - 1)"
        )
    joints = poses.shape[2] if poses.ndim == 4 else 0
    bones = given.get("bones", np.stack([np.arange(joints)[:-1], np.arange(joints)[1:]], 1))
    if bones.ndim != 2 or bones.shape[1] != 2:
        raise DataError(f"{path}: bones must be (B, 2), pairs of joints, not {bones.shape}")
    pairs = tuple((int(a), int(b)) for a, b in bones)
    labels = np.zeros(len(clips), np.uint8)
    return ClipSet(
        clips, labels, Path(path).stem, str(path), poses=poses, bones=pairs
    )  # fmt: skip


def photos_or_textures() -> str:
    """The ground that can be had here: "photos" with scikit-image, else "textures"."""
    from .photos import photographs

    try:
        photographs()
    except DataUnavailable:
        return "textures"
    return "photos"
