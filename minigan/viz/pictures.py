"""What samples are shown as: each has a `suffix` and `save(path)`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .grid import as_bytes, save_grid


class Picture(Protocol):
    """What a game or a system shows of itself: a grid, pairs, a clip, a text."""

    suffix: str  # of its files

    def save(self, path: str | Path) -> None:
        """Write it, atomically."""


class Grid:
    """Images (N, C, H, W), floats in [-1, 1] or uint8, in so many rows and columns."""

    suffix = ".png"

    def __init__(self, images: Any, rows: int, columns: int):
        self.images = images
        self.rows = rows
        self.columns = columns

    def save(self, path: str | Path) -> None:
        save_grid(path, self.images, self.rows, self.columns)


def beside(*columns: Any, most: int = 3) -> Grid:
    """Images (N, C, H, W) of each column side by side, such as (a, G(a), b): N groups, `most` of
    them in a row. Grey ones are shown beside coloured ones."""
    columns = tuple(as_bytes(images) for images in columns)
    channels = max(images.shape[1] for images in columns)
    wide = [np.repeat(x, channels // x.shape[1], 1) for x in columns]
    images = np.stack(wide, 1).reshape(-1, *wide[0].shape[1:])
    across = min(most, len(wide[0])) * len(columns)
    return Grid(images, -(-len(images) // across), across)
