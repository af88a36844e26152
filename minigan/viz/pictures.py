"""What samples are shown as: each has a `suffix` and `save(path)`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..data.files import write_atomic
from .grid import as_bytes, image_grid, save_gif, save_grid


class Picture(Protocol):
    """What a game or a system shows of itself: a grid, pairs, a clip, a text. `others`, where there
    are any, are the suffixes of other files that it can be saved as."""

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


class TextGrid:
    """Images (N, C, H, W), as many of each text, in rows: the text, then its images."""

    suffix = ".png"

    def __init__(self, images: Any, texts: Sequence[str], scale: int = 2):
        self.images = images
        self.texts = list(texts)
        self.scale = scale

    def save(self, path: str | Path) -> None:
        from PIL import Image, ImageDraw, ImageFont

        grid = image_grid(self.images, len(self.texts)).repeat(self.scale, 0)
        grid = grid.repeat(self.scale, 1)
        font = ImageFont.load_default(6 * self.scale)
        wide = 4 * self.scale + round(max(font.getlength(text) for text in self.texts))
        picture = Image.new("RGB", (wide + grid.shape[1], grid.shape[0]))
        pen, step = ImageDraw.Draw(picture), (grid.shape[0] - self.scale) / len(self.texts)
        for i, text in enumerate(self.texts):
            place = 2 * self.scale, self.scale + step * (i + 0.5)
            pen.text(place, text, (255, 255, 255), font=font, anchor="lm")
        picture.paste(Image.fromarray(grid).convert("RGB"), (wide, 0))
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        write_atomic(path, buffer.getvalue())


class Text:
    """Lines of text, as a text file in UTF-8."""

    suffix = ".txt"

    def __init__(self, lines: Sequence[str]):
        self.lines = list(lines)

    def save(self, path: str | Path) -> None:
        write_atomic(path, "".join(f"{line}\n" for line in self.lines).encode())


class Clips:
    """Clips (N, C, T, H, W), floats in [-1, 1] or uint8, that run beside each other in so many rows
    and columns, as an animated GIF; as FILE.png a row of frames for each."""

    suffix = ".gif"
    others = (".png",)

    def __init__(self, clips: Any, rows: int, columns: int, scale: int = 2):
        self.clips = np.asarray(clips)
        self.rows = rows
        self.columns = columns
        self.scale = scale

    def save(self, path: str | Path) -> None:
        if Path(path).suffix == ".png":
            return strips(self.clips).save(path)
        frames = [
            image_grid(self.clips[:, :, t], self.rows, self.columns)
            .repeat(self.scale, 0).repeat(self.scale, 1)
            for t in range(self.clips.shape[2])
        ]  # fmt: skip
        save_gif(path, frames, ms_per_frame=120, hold_last=480)


def strips(clips: Any) -> Grid:
    """Clips (N, C, T, H, W) as pictures: a row of frames for each."""
    clips = np.asarray(clips)
    n, _, frames = clips.shape[:3]
    images = clips.swapaxes(1, 2).reshape(n * frames, clips.shape[1], *clips.shape[3:])
    return Grid(images, n, frames)


def beside(*columns: Any, most: int = 3) -> Grid:
    """Images (N, C, H, W) of each column side by side, such as (a, G(a), b): N groups, `most` of
    them in a row. Grey ones are shown beside coloured ones."""
    columns = tuple(as_bytes(images) for images in columns)
    channels = max(images.shape[1] for images in columns)
    wide = [np.repeat(x, channels // x.shape[1], 1) for x in columns]
    images = np.stack(wide, 1).reshape(-1, *wide[0].shape[1:])
    across = min(most, len(wide[0])) * len(columns)
    return Grid(images, -(-len(images) // across), across)


class Panel(NamedTuple):
    """Points in the plane, coloured by a number that each has."""

    title: str
    places: np.ndarray  # (N, 2)
    kinds: np.ndarray  # int (N,)
    names: Sequence[str]  # of the kinds


class Points:
    """Panels of points, in so many columns; those of a column are the same places."""

    suffix = ".png"

    def __init__(self, panels: Sequence[Panel], columns: int):
        self.panels = panels
        self.columns = columns

    def save(self, path: str | Path) -> None:
        from matplotlib.figure import Figure

        rows = -(-len(self.panels) // self.columns)
        figure = Figure(figsize=(4.2 * self.columns, 4 * rows), dpi=100, layout="constrained")
        axes = figure.subplots(rows, self.columns, squeeze=False).ravel()
        for ax, panel in zip(axes, self.panels):
            for kind, name in enumerate(panel.names):
                x, y = panel.places[panel.kinds == kind].T
                ax.scatter(x, y, s=5, label=name, color=f"C{kind % 10}", alpha=0.6, linewidths=0)
            ax.set_title(panel.title, fontsize=10)
            ax.set(xticks=[], yticks=[])
            ax.legend(fontsize=7, markerscale=2, loc="upper right")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        write_atomic(path, buffer.getvalue())


class Lines:
    """Curves over whole numbers, one for each row of `values`; NaN leaves a gap."""

    suffix = ".png"

    def __init__(self, values: Any, names: Sequence[str], xlabel: str, ylabel: str):
        self.values = np.asarray(values)
        self.names = list(names)
        self.labels = {"xlabel": xlabel, "ylabel": ylabel}

    def save(self, path: str | Path) -> None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5.6, 3.8), dpi=100, layout="constrained")
        ax, x = figure.subplots(), np.arange(1, self.values.shape[1] + 1)
        for i, (row, name) in enumerate(zip(self.values, self.names)):
            ax.plot(x, row, "o-", color=f"C{i % 10}", label=name, markersize=3)
        ax.set(xticks=x[:: -(-len(x) // 30)], **self.labels)
        ax.grid(alpha=0.3)
        ax.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        write_atomic(path, buffer.getvalue())


class Panels:
    """Curves side by side: a row of panels for each of `rows`, a column for each number.

    rows : (title, {name: values (T, numbers)}): curves of a row may differ in their length
    names : of the numbers;  xlabel : what T counts
    """

    suffix = ".png"

    def __init__(
        self, rows: Sequence[tuple[str, dict[str, Any]]], names: Sequence[str], xlabel: str = ""
    ):
        self.rows = list(rows)
        self.names = list(names)
        self.xlabel = xlabel

    def save(self, path: str | Path) -> None:
        from matplotlib.figure import Figure

        n, m = len(self.rows), len(self.names)
        width, height = 0.9 + 2.4 * m, 0.9 + 1.7 * n
        figure = Figure(figsize=(width, height), dpi=100)
        axes = figure.subplots(n, m, squeeze=False)
        # by hand: a layout that asks each label for its size takes seconds
        figure.subplots_adjust(
            0.75 / width, 0.5 / height, 1 - 0.1 / width, 1 - 0.3 / height, 0.2, 0.2
        )
        for row, (title, curves) in enumerate(self.rows):
            for i, (name, ax) in enumerate(zip(self.names, axes[row])):
                for k, (whose, values) in enumerate(curves.items()):
                    x = np.arange(1, len(values) + 1)
                    style = "o" if len(x) == 1 else "-"
                    ax.plot(x, values[:, i], style, color=f"C{k % 10}", label=whose, linewidth=1.4)
                ax.locator_params(nbins=4)
                ax.tick_params(labelsize=6)
                if row == 0:
                    ax.set_title(name, fontsize=9)
                if row == n - 1:
                    ax.set_xlabel(self.xlabel, fontsize=8)
            axes[row, 0].set_ylabel(title, fontsize=8)
        axes[0, -1].legend(fontsize=6)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        write_atomic(path, buffer.getvalue())


def principal_plane(points: np.ndarray) -> np.ndarray:
    """(N, D) -> (N, 2): the coordinates along the two directions of the largest variance."""
    from scipy.linalg import eigh

    centred, n = points - points.mean(0), len(points)
    # by the products of N points, which are fewer than pixels are
    variances, directions = eigh(centred @ centred.T, subset_by_index=[n - 2, n - 1])
    places = directions[:, ::-1] * np.sqrt(np.maximum(variances[::-1], 0))
    axes = places.T @ centred
    return places * np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])
