"""Melodies to be seen and heard: a piano roll, and beside it a MIDI file."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..data.files import write_atomic
from ..data.imageset import DataUnavailable
from ..data.midi import midi_of
from .pictures import Text

BLACK = {1, 3, 6, 8, 10}  # keys


class Music:
    """Melodies: notes (n, 4) each, of pitch, length, intensity, time since the one before; times in
    quarters.

    Saved as FILE.png, a piano roll of each, with FILE.mid beside it, one melody after the other
    (without the package mido the roll alone); as FILE.mid alone; as FILE.txt, the lines.

    lines : what stands above each, such as the tune in ABC notation
    """

    suffix = ".png"

    def __init__(self, melodies: Sequence[np.ndarray], lines: Sequence[str] = (), columns: int = 2):
        self.melodies = [np.asarray(melody, np.float32).reshape(-1, 4) for melody in melodies]
        self.lines = list(lines)
        self.columns = columns
        self.others = (".mid", ".txt") if self.lines else (".mid",)

    def save(self, path: str | Path) -> None:
        path = Path(path)
        if path.suffix == ".txt":
            Text(self.lines).save(path)
        elif path.suffix == ".mid":
            write_atomic(path, midi_of(self.melodies))
        else:
            write_atomic(path, self.roll())
            with contextlib.suppress(DataUnavailable):  # it can still be seen
                write_atomic(path.with_suffix(".mid"), midi_of(self.melodies))

    def roll(self) -> bytes:
        """The piano rolls as a PNG: time to the right, pitch upwards, black keys' rows grey."""
        from matplotlib.figure import Figure

        columns = min(self.columns, len(self.melodies))
        rows = -(-len(self.melodies) // columns)
        figure = Figure(figsize=(5 * columns, 1.9 * rows), dpi=80, layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        heard = [melody[:, 0] for melody in self.melodies if len(melody)]
        low, high = (
            (min(x.min() for x in heard), max(x.max() for x in heard)) if heard else (60, 72)
        )
        for ax in axes[len(self.melodies) :]:
            ax.axis("off")
        for i, (ax, melody) in enumerate(zip(axes, self.melodies)):
            begins = np.cumsum(melody[:, 3]) - melody[:1, 3].sum()
            ax.bar(begins, 0.9, melody[:, 1] * 0.94, melody[:, 0] - 0.45, align="edge", color="C0")
            for pitch in range(int(low), int(high) + 1):
                if pitch % 12 in BLACK:
                    ax.axhspan(pitch - 0.5, pitch + 0.5, color="0.93", zorder=0)
            ticks = [p for p in range(int(low), int(high) + 1) if p % 12 in (0, 7)]
            ax.set_yticks(ticks, [f"{'C' if p % 12 == 0 else 'G'}{p // 12 - 1}" for p in ticks])
            ax.set_ylim(low - 1, high + 1)
            ax.tick_params(labelsize=6)
            if i < len(self.lines):
                ax.set_title(self.lines[i], fontsize=7, loc="left", parse_math=False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        return buffer.getvalue()
