"""Pictures of worlds that a policy acts in."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data.files import write_atomic
from .grid import image_grid, save_gif, save_grid

FRAMES = 125  # of an animation, at most
WIDE, HIGH, FINE = 144, 84, 2  # pixels of a frame; it is drawn finer by so much
STRIP = 8  # frames of an episode that are shown beside each other
INK, CART, POLE, DOWN = (60, 60, 60), (40, 40, 48), (202, 120, 60), (255, 214, 208)


class Poles:
    """Poles on carts, as they are seen in episodes (N, T, 4): place, speed, angle, angular speed.
    As an animation, all beside each other, which shows every fourth step in the time that it takes;
    or with .png a row of moments of each. A pole that has fallen, or run away, is on red.

    far, steep : the place and the angle with which an episode ends
    """

    suffix, others = ".gif", (".png",)

    def __init__(self, episodes: Any, far: float = 2.4, steep: float = math.radians(12)):
        self.episodes = np.asarray(episodes, np.float64)
        self.far, self.steep = far, steep

    def frame(self, x: float, angle: float) -> np.ndarray:
        """uint8 (3, HIGH, WIDE)"""
        from PIL import Image, ImageDraw

        over = abs(x) > self.far or abs(angle) > self.steep
        w, h = WIDE * FINE, HIGH * FINE
        picture = Image.new("RGB", (w, h), DOWN if over else (255, 255, 255))
        pen, ground, unit = ImageDraw.Draw(picture), h * 0.82, w / (2 * self.far + 0.8)
        middle, top = w / 2 + x * unit, ground - 0.09 * w
        pen.line([(0, ground), (w, ground)], fill=INK, width=FINE)
        for edge in (-self.far, self.far):
            place = w / 2 + edge * unit
            pen.line([(place, ground), (place, ground + 3 * FINE)], fill=INK, width=FINE)
        pen.rectangle([middle - 0.075 * w, top, middle + 0.075 * w, ground], fill=CART)
        tip = middle + math.sin(angle) * 0.36 * w, top - math.cos(angle) * 0.36 * w
        pen.line([(middle, top), tip], fill=POLE, width=4 * FINE)
        small = picture.resize((WIDE, HIGH), Image.Resampling.LANCZOS)
        return np.asarray(small).transpose(2, 0, 1)

    def frames(self, times: Sequence[int]) -> np.ndarray:
        """uint8 (times, N, 3, HIGH, WIDE)"""
        return np.stack(
            [np.stack([self.frame(s[0], s[2]) for s in self.episodes[:, t]]) for t in times]
        )

    def lasting(self) -> int:
        """Steps until all episodes are over."""
        moved = (self.episodes[:, 1:] != self.episodes[:, :-1]).any((0, 2))
        return int(moved.nonzero()[0].max(initial=0)) + 1

    def save(self, path: str | Path) -> None:
        last, n = self.lasting(), len(self.episodes)
        if Path(path).suffix == ".png":
            times = np.linspace(0, last, STRIP).round().astype(int).tolist()
            strips = self.frames(times).swapaxes(0, 1).reshape(-1, 3, HIGH, WIDE)
            return save_grid(path, strips, n, STRIP, scale=1)
        apart = max(4, -(-last // FRAMES))
        times = [*range(0, last, apart), last]
        rows = max(1, math.isqrt(n))
        shown = [image_grid(frame, rows) for frame in self.frames(times)]
        save_gif(path, shown, ms_per_frame=20 * apart, hold_last=1000)


class Cells:
    """Numbers of the cells of a square world, as maps beside each other, with paths in the last.

    maps : title -> (cells,), row by row;  paths : int (N, T), the cells of each
    """

    suffix = ".png"

    def __init__(self, maps: dict[str, np.ndarray], paths: np.ndarray | None = None):
        self.maps, self.paths = maps, paths

    def save(self, path: str | Path) -> None:
        from matplotlib.figure import Figure

        size = (3.1 * len(self.maps), 3.4)
        figure = Figure(figsize=size, dpi=100, layout="constrained")
        axes = figure.subplots(1, len(self.maps), squeeze=False)[0]
        for ax, (title, values) in zip(axes, self.maps.items()):
            side = math.isqrt(len(values))
            ax.imshow(values.reshape(side, side), cmap="viridis")
            dark = values < (values.min() + values.max()) / 2
            for i, value in enumerate(values):
                ax.text(i % side, i // side, f"{value:.1f}", ha="center", va="center", fontsize=8,
                        color="white" if dark[i] else "black")  # fmt: skip
            ax.set_title(title, fontsize=10)
            ax.set(xticks=[], yticks=[])
        if self.paths is not None:
            shift = np.linspace(-0.25, 0.25, len(self.paths)) if len(self.paths) > 1 else [0.0]
            for i, (walk, off) in enumerate(zip(self.paths, shift)):
                row, column = np.divmod(walk, side)
                axes[-1].plot(column + off, row + off, "-", color=f"C{i % 10}", lw=1)
                axes[-1].plot(column[0] + off, row[0] + off, "o", color=f"C{i % 10}", ms=4)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        write_atomic(path, buffer.getvalue())
