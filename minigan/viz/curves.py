"""The curves of a run, from the lines of its metrics.jsonl."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np

from ..data.files import write_atomic

# Okabe and Ito's palette: told apart by every kind of colour vision; D is blue and G is orange
# everywhere.
_D = "#0072B2"
_G = "#D55E00"
_GREY = "#777777"


def read_metrics(path) -> list[dict]:
    """The rows of a metrics.jsonl: one JSON object a line. Empty lines are skipped.

    A last line that was cut off (the run was killed while writing it) is left out. Raises
    ValueError that names file and line for anything else that is not a JSON object, OSError if the
    file cannot be read.
    """
    rows = []
    lines = Path(path).read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"a {type(row).__name__} where an object was expected")
        except (ValueError, RecursionError) as e:
            if number == len(lines):  # what follows the last newline
                break
            raise ValueError(
                f"{path}, line {number}: not a JSON object ({e}); remove the line to go on"
            ) from e
        rows.append(row)
    return rows


def save_curves(path, metrics, title: str | None = None, smooth: float = 0.03) -> None:
    """Draw a run's curves into a PNG file: above D's value and G's loss, below mean D(x) and mean
    D(G(z)).

    metrics  path of a metrics.jsonl, or its rows: dicts with "step" and any of "d_value", "g_loss",
             "d_real" (mean D(x)), "d_fake" (mean D(G(z))), "epoch"; what is missing, null or NaN
             leaves a gap
    title    a line above the panels
    smooth   width of the moving average drawn over the raw values, as a part of the whole run

    Where steps go back (a run was resumed from before its last lines), the later rows count.
    Written atomically, the folder made if need be. Raises ValueError if there are no rows or the
    file is damaged (see `read_metrics`).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    # not pyplot: the user's backend and open figures stay as they are
    from matplotlib.figure import (
        Figure,
    )

    is_file = isinstance(metrics, (str, os.PathLike))
    columns = _columns(read_metrics(metrics) if is_file else metrics)
    if columns is None:
        raise ValueError(
            f"{metrics if is_file else 'metrics'}: no rows with a step, so there is nothing to draw"
        )
    step = columns["step"]

    figure = Figure(figsize=(8, 6.4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    _lines(
        above,
        columns,
        smooth,
        ("d_value", "D's value (ascends)", _D, "-"),
        ("g_loss", "G's loss (descends)", _G, "--"),
    )
    above.set_ylabel("value, loss")
    _lines(
        below,
        columns,
        smooth,
        ("d_real", "mean D(x), real", _D, "-"),
        ("d_fake", "mean D(G(z)), generated", _G, "--"),
    )
    below.set_ylabel("D's output")
    outputs = np.concatenate([columns["d_real"], columns["d_fake"]])
    if not ((outputs < 0) | (outputs > 1)).any():  # probabilities; a critic's scores have no 1/2
        below.axhline(0.5, color=_GREY, linewidth=1, linestyle=":", label="1/2: D cannot tell")
        below.set_ylim(-0.02, 1.02)
    epochs = columns["epoch"][np.isfinite(columns["epoch"])]
    below.set_xlabel(
        "training step" + (f"  ({round(epochs[-1], 1):g} epochs)" if len(epochs) else "")
    )
    if len(step) > 1:
        below.set_xlim(step[0], step[-1])
    for axes in (above, below):
        axes.grid(color="#e5e5e5", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        if axes.get_legend_handles_labels()[0]:
            # above the panel: curves of a GAN leave no corner free for sure
            axes.legend(
                loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, borderaxespad=0.2
            )
    if title:
        figure.suptitle(title)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_atomic(path, buffer.getvalue())


def _columns(rows) -> dict[str, np.ndarray] | None:
    kept: list[dict] = []
    for row in rows:
        # where D's outputs are no logits
        row = {"d_real": row.get("critic_real"), "d_fake": row.get("critic_fake")} | row
        row = {
            name: _number(row.get(name))
            for name in ("step", "epoch", "d_value", "g_loss", "d_real", "d_fake")
        }
        if np.isnan(row["step"]):
            continue
        while kept and kept[-1]["step"] >= row["step"]:
            kept.pop()
        kept.append(row)
    return {name: np.array([row[name] for row in kept]) for name in kept[0]} if kept else None


def _number(x) -> float:
    """`x` as a float; NaN, which leaves a gap, for what is no number or too big to be drawn."""
    return (
        float(x)
        if isinstance(x, (int, float)) and not isinstance(x, bool) and abs(x) < 1e300
        else np.nan
    )


def _lines(axes, columns, smooth, *curves):
    """Raw values thin and pale, their moving average thick above them."""
    step = columns["step"]
    for name, label, color, style in curves:
        values = columns[name]
        if np.isnan(values).all():
            continue
        window = 2 * round(smooth * len(step) / 2) + 1
        few = "o" if len(step) == 1 else None
        axes.plot(step, values, color=color, linewidth=0.7, alpha=0.35 if window > 1 else 0.0)
        axes.plot(
            step,
            _smooth(values, window),
            style,
            color=color,
            linewidth=1.8,
            label=label,
            marker=few,
        )


def _smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Centred moving average over `window` values, fewer at the ends; gaps (NaN) stay gaps and do
    not spread."""
    known, ones = np.isfinite(values), np.ones(window)
    total = np.convolve(np.where(known, values, 0), ones)[window // 2 :][: len(values)]
    count = np.convolve(known, ones)[window // 2 :][: len(values)]
    return np.where(known, total / np.maximum(count, 1), np.nan)
