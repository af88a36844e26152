"""A line of text in the font that a translator of glyphs has made up."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.glyphs import missing, text_pictures
from .evidence import floats

INK = -0.6  # what is brighter is ink
GAP, SPACE = 1 / 16, 1 / 4  # of the size: between letters, and of a blank


def set_line(text: str, pictures: np.ndarray) -> np.ndarray:
    """Pictures (N, C, size, size) in [-1, 1] of the characters of `text` that are no blanks, beside
    each other, each as wide as its ink: (C, size, width)."""
    size, rest, parts = pictures.shape[-1], iter(pictures), []
    empty = lambda width: np.full((*pictures.shape[1:3], max(1, round(width))), -1, np.float32)
    for character in text:
        if character.isspace():
            parts.append(empty(SPACE * size))
            continue
        picture = next(rest)
        columns = np.flatnonzero((picture > INK).any((0, 1)))
        first, last = (columns[0], columns[-1]) if len(columns) else (0, 0)
        parts += [picture[..., first : last + 1], empty(GAP * size)]
    return np.concatenate([empty(GAP * size), *parts], -1)


def lines(text: str, font: str, size: int, made_of: Any) -> np.ndarray:
    """The text in this font over what is made of its letters: float32 (1, C, 2 size, width).

    made_of : pictures (N, 1, size, size) in [-1, 1] -> pictures
    """
    letters = [c for c in text if not c.isspace()]
    if not letters:
        raise ValueError("--text: there is no letter in it")
    if unknown := missing(font, letters):
        raise ValueError(f"--text: the font {font} has no {', '.join(map(repr, unknown))}")
    pictures = floats(text_pictures(font, letters, size))
    made = made_of(pictures)
    rows = [set_line(text, np.repeat(x, made.shape[1] // x.shape[1], 1)) for x in (pictures, made)]
    width = max(row.shape[-1] for row in rows)
    rows = [np.pad(row, ((0, 0), (0, 0), (0, width - row.shape[-1])), constant_values=-1)
            for row in rows]  # fmt: skip
    return np.concatenate(rows, 1)[None].astype(np.float32)
