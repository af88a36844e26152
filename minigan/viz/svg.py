"""Curves as SVG text for a page: colours come from the page's style, as classes c0, c1, ..."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

WIDTH, HEIGHT = 640, 220  # units of the drawing, which a page scales
LEFT, RIGHT, TOP, BOTTOM = 58, 8, 8, 24
BINS = 160  # columns of values that are drawn as their mean and range


def line_chart(steps: Sequence[float], curves: Mapping[str, Sequence[float]], title: str) -> str:
    """An <svg> with a line for each curve over the steps; of many values their means, and the range
    behind them.

    curves : name -> values, as many as steps; NaN and infinities leave gaps
    title : what those who do not see it are told

    ValueError where no value is finite.
    """
    x = np.asarray(steps, np.float64)
    lines = {
        name: np.where(np.isfinite(y := np.asarray(values, np.float64)), y, np.nan)
        for name, values in curves.items()
    }
    known = np.concatenate([y[np.isfinite(y)] for y in lines.values()] or [np.empty(0)])
    if not known.size:
        raise ValueError(f"line_chart: {title}: there is no finite value")
    marks = ticks(float(known.min()), float(known.max()))
    low, high = min(marks[0], known.min()), max(marks[-1], known.max())
    first, last = float(x.min()), float(x.max())
    across = lambda v: LEFT + (v - first) / ((last - first) or 1) * (WIDTH - LEFT - RIGHT)
    up = lambda v: HEIGHT - BOTTOM - (v - low) / ((high - low) or 1) * (HEIGHT - TOP - BOTTOM)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        *(_rule(up(v), f"{v:.6g}") for v in marks),
        *(
            f'<text x="{across(v):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{v:.6g}</text>'
            for v in ticks(first, last)
            if first <= v <= last
        ),
    ]
    for number, y in enumerate(lines.values()):
        parts.append(_curve(across(x), up(y), number))
    return "".join([*parts, "</svg>"])


def _rule(y: float, text: str) -> str:
    return (
        f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    )


def _curve(x: np.ndarray, y: np.ndarray, number: int) -> str:
    """Means of up to BINS groups of finite values, their range behind them; a few as points."""
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    groups = np.array_split(np.arange(len(x)), min(BINS, max(1, len(x))))
    rows = [(x[g].mean(), y[g].mean(), y[g].min(), y[g].max()) for g in groups if len(g)]
    pairs = lambda points: " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    found = ""
    if len(x) > BINS:
        band = [(a, low) for a, _, low, _ in rows] + [(a, high) for a, _, _, high in rows[::-1]]
        found += f'<polygon class="c{number}" points="{pairs(band)}"/>'
    found += f'<polyline class="c{number}" points="{pairs([row[:2] for row in rows])}"/>'
    if len(x) <= 40:
        found += "".join(f'<circle class="c{number}" cx="{a:.1f}" cy="{b:.1f}" r="2.5"/>'
                         for a, b, *_ in rows)  # fmt: skip
    return found


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from at or below low to at or above high, about so many."""
    if not high > low:
        return [low]
    size = (high - low) / most
    power = 10.0 ** math.floor(math.log10(size))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= size * 0.999)
    return [round(i * step, 12) for i in range(math.floor(low / step), math.ceil(high / step) + 1)]
