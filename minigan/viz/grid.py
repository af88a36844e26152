"""Grids of images as PNG files, and animations of such grids as GIF files."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..data.files import write_atomic


def image_grid(images, rows: int, cols: int | None = None, pad: int = 1) -> np.ndarray:
    """Lay images out row by row: uint8 (rows * (H + pad) + pad, cols * (W + pad) + pad), with 3
    channels (..., 3).

    images  float in [-1, 1] (what lies outside is clipped, NaN is black) or uint8; (N, 1, H, W),
            (N, 3, H, W) or (N, H, W), with N at most rows * cols; the cells left over are black
    cols    by default as many as N images need
    pad     black pixels between the images and around the grid

    Raises ValueError for any other shape, type or number.
    """
    images = as_bytes(images)
    n, c, h, w = images.shape
    if rows < 1 or pad < 0 or (cols is not None and cols < 1):
        raise ValueError(
            f"rows and cols must be at least 1 and pad at least 0, not {rows}, {cols}, {pad}"
        )
    cols = max(1, -(-n // rows)) if cols is None else cols
    if n > rows * cols:
        raise ValueError(
            f"{n} images do not fit into {rows} rows x {cols} cols; pass images[:{rows * cols}]"
        )
    cells = np.zeros((rows * cols, c, h + pad, w + pad), np.uint8)
    cells[:n, :, pad:, pad:] = images
    cells = cells.reshape(rows, cols, c, h + pad, w + pad).transpose(0, 3, 1, 4, 2)
    grid = cells.reshape(rows * (h + pad), cols * (w + pad), c)
    grid = np.pad(grid, ((0, pad), (0, pad), (0, 0)))
    return grid[:, :, 0] if c == 1 else grid


def as_bytes(images) -> np.ndarray:
    """Images as `image_grid` takes them, as uint8 (N, C, H, W)."""
    images = np.asarray(images)
    if images.ndim == 3:
        images = images[:, None]
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(
            f"images must be (N, 1, H, W), (N, 3, H, W) or (N, H, W), not {images.shape}"
        )
    if images.dtype.kind == "f":
        # A run that diverged still gets its picture.
        images = np.rint((np.clip(np.nan_to_num(images, nan=-1.0), -1, 1) + 1) * 127.5).astype(
            np.uint8
        )
    elif images.dtype != np.uint8:
        raise ValueError(f"images must be uint8 or float in [-1, 1], not {images.dtype}")
    return images


def _save_png(path, pixels: np.ndarray) -> None:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    write_atomic(path, buffer.getvalue())


def save_grid(path, images, rows: int, cols: int | None = None, scale: int = 2) -> None:
    """Write `image_grid(images, rows, cols)` as a PNG file, every pixel enlarged to scale x scale.

    Written atomically, the folder made if need be. Raises ValueError as `image_grid` does, OSError
    if writing fails.
    """
    grid = image_grid(images, rows, cols)
    if scale < 1:
        raise ValueError(f"scale must be at least 1, not {scale}")
    _save_png(path, grid.repeat(scale, 0).repeat(scale, 1))


def save_images(folder, images, names=None) -> list[Path]:
    """Write each image into a PNG file of its own, as it is: folder/00000.png, 00001.png, ...;
    their paths.

    images  as for `image_grid`
    names   of the files, without .png, instead of numbers
    """
    paths = []
    for i, image in enumerate(as_bytes(images)):
        paths.append(Path(folder) / f"{names[i] if names else f'{i:05d}'}.png")
        _save_png(
            paths[-1],
            np.ascontiguousarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)),
        )
    return paths


def save_gif(
    path, frames, ms_per_frame: int = 120, hold_last: int = 1500, max_frames: int = 200,
    pad: bool = False,
) -> None:  # fmt: skip
    """Write an endlessly repeating GIF animation.

    frames        paths of image files, or uint8 arrays (H, W) or (H, W, 3); all of one size
    ms_per_frame  how long a frame is shown, in milliseconds
    hold_last     how long the last one is shown
    max_frames    of more frames, this many are taken, evenly spread, the first and the last among
                  them
    pad           frames may differ in size: smaller ones lie at the top left, on black

    Frames that equal the one before are merged with it into a longer one. Files are opened one by
    one. Written atomically. Raises ValueError if there are no frames or their sizes differ, OSError
    if a file cannot be read.
    """
    frames = list(frames)
    if not frames:
        raise ValueError("no frames to animate")
    if max_frames < 1:
        raise ValueError(f"max_frames must be at least 1, not {max_frames}")
    if len(frames) > max_frames:
        frames = [
            frames[i] for i in np.linspace(len(frames) - 1, 0, max_frames).round().astype(int)[::-1]
        ]

    sizes = [_opened(frame).size for frame in frames] if pad else []
    largest = [max(side) for side in zip(*sizes)]

    def load(frame):
        return _opened(frame).crop((0, 0, *largest)) if pad else _opened(frame)

    first = load(frames[0])

    def rest():
        for frame in frames[1:]:
            image = load(frame)
            if image.size != first.size:
                what = frame if isinstance(frame, (str, os.PathLike)) else "a frame"
                raise ValueError(
                    f"{what} has the size {image.size}, the first frame {first.size}: they must "
                    "agree"
                )
            yield image

    buffer = io.BytesIO()
    # GIF counts in hundredths of a second, and browsers slow anything below two of them down to
    # ten.
    durations = [max(20, math.ceil(ms_per_frame / 10) * 10)] * (len(frames) - 1) + [
        max(20, hold_last)
    ]
    first.save(buffer, "GIF", save_all=True, append_images=rest(), duration=durations, loop=0)
    write_atomic(path, buffer.getvalue())


def _opened(frame) -> Any:
    """A frame of `save_gif`, grey or in colour."""
    from PIL import Image

    if not isinstance(frame, (str, os.PathLike)):
        frame = np.ascontiguousarray(frame)
        if frame.dtype != np.uint8:
            raise ValueError(
                f"a frame must be uint8, not {frame.dtype}; image_grid makes one of samples"
            )
        return Image.fromarray(frame)
    with Image.open(frame) as image:
        return image.convert("L" if image.mode in ("1", "L") else "RGB")
