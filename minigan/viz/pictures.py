"""What samples are shown as: each has a `suffix` and `save(path)`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from .grid import save_grid


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
