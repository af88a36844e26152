"""`glyphs`: the same character in two fonts, drawn by Pillow; the fonts are those that come with
matplotlib, or one's own.

>>> train, test = glyphs("train"), glyphs("test")
>>> train.images.shape, train.targets.shape, train.names[:3]
((1138, 1, 32, 32), (1138, 1, 32, 32), ('0', '1', '2'))
"""

from __future__ import annotations

import functools
import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .imageset import DataError
from .pairs import Pairs

FONTS = "DejaVuSansMono", "DejaVuSerif-BoldItalic"
SIZE = 32
# of the picture's side: the font's size, and where the base line is
EM, BASE = 22 / 32, 23 / 32
HELD_OUT = 0.2  # share of the pairs that are the test set


def glyphs(
    split: str = "train", size: int = SIZE, font_a: str = FONTS[0], font_b: str = FONTS[1]
) -> Pairs:
    """All letters and digits that two fonts share: `images` in the first, `targets` in the second,
    uint8 (N, 1, size, size), white on black; `names` are the characters.

    split   "train", "test" (a fifth), or "all". A letter with its accents and its small and capital
            form, and whatever looks like one of them in either font, is in one of the two
    size    pixels of a side
    font_a, font_b   names of matplotlib's ("DejaVuSans", "STIXGeneralItalic"; `fonts` lists them),
            or paths of .ttf, .otf or .ttc files

    Of characters that look the same in either font the first is kept (Latin A, not Greek Alpha).
    The default: 1,424 pairs. DataError for a font that is not there, or fonts that share too few.
    """
    if split not in ("train", "test", "all"):
        raise DataError(f"glyphs: split={split!r}: expected 'train', 'test' or 'all'")
    whole, parts = _drawn(size, str(font_a), str(font_b))
    return whole if split == "all" else parts[split == "test"]


@functools.lru_cache(4)
def _drawn(size: int, font_a: str, font_b: str) -> tuple[Pairs, tuple[Pairs, Pairs]]:
    a, b = font_file(font_a), font_file(font_b)
    shared = [c for c in sorted(characters_of(a) & characters_of(b)) if chr(c).isalnum()]
    characters = [chr(c) for c in shared]
    first, second = (_pictures(path, characters, size) for path in (a, b))
    groups = _groups(characters, first, second)
    kept = _different(first, second)
    if len(kept) < 10:
        raise DataError(
            f"glyphs: the fonts {font_a} and {font_b} share {len(kept)} letters that look "
            "different: take others"
        )
    whole = Pairs(
        first[kept], np.zeros(len(kept), np.uint8), "glyphs", f"{a.name} and {b.name}",
        targets=second[kept], names=tuple(characters[i] for i in kept), groups=groups[kept],
    )  # fmt: skip
    return whole, whole.split(HELD_OUT)


def fonts() -> dict[str, Path]:
    """matplotlib's fonts: name -> file."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return {path.stem: path for path in sorted(folder.glob("*.ttf"))}


def font_file(name: str) -> Path:
    """The file of a font; DataError where there is none."""
    if os.path.isfile(name):
        return Path(name)
    known = fonts()
    if name not in known:
        raise DataError(
            f"there is no font {name!r}: name a .ttf, .otf or .ttc file, or one of matplotlib's, "
            f"such as {', '.join([n for n in known if n.startswith('DejaVu')][:12])}"
        )
    return known[name]


def characters_of(path: Path) -> set[int]:
    """The characters that a font has; DataError where it is none."""
    from matplotlib.ft2font import FT2Font

    try:
        return set(FT2Font(str(path)).get_charmap())
    except (RuntimeError, OSError) as error:
        raise DataError(f"{path} cannot be read as a font ({error})") from error


def text_pictures(font: str, texts: Iterable[str], size: int = SIZE) -> np.ndarray:
    """Each text (a character) in a font: uint8 (N, 1, size, size), as `glyphs` draws it."""
    return _pictures(font_file(font), list(texts), size)


def missing(font: str, texts: Iterable[str]) -> list[str]:
    """The characters of these texts that a font does not have, sorted."""
    return sorted(
        {c for text in texts for c in text} - set(map(chr, characters_of(font_file(font))))
    )


def _pictures(path: Path, texts: list[str], size: int) -> np.ndarray:
    from PIL import Image, ImageDraw, ImageFont

    font: Any = ImageFont.truetype(str(path), round(EM * size))
    found = np.zeros((len(texts), 1, size, size), np.uint8)
    for to, text in zip(found, texts):
        picture = Image.new("L", (size, size))
        place = size // 2, round(BASE * size)
        ImageDraw.Draw(picture).text(place, text, 255, font=font, anchor="ms")
        to[0] = np.asarray(picture)
    return found


def _groups(characters: list[str], *drawn: np.ndarray) -> np.ndarray:
    """The number of each character's group: one base letter, or one look, is one group."""
    parent: dict[Any, Any] = {}

    def root(x):
        while parent.setdefault(x, x) != x:
            x = parent[x]
        return x

    for i, character in enumerate(characters):
        base = unicodedata.normalize("NFKD", character)[0].casefold()[0]
        for look in (base, *((k, pictures[i].tobytes()) for k, pictures in enumerate(drawn))):
            parent[root(look)] = root(i)
    roots = [root(i) for i in range(len(characters))]
    return np.unique(roots, return_inverse=True)[1].astype(np.int64)


def _different(*drawn: np.ndarray) -> np.ndarray:
    """The numbers of the characters that look like none before, in any font, and not empty."""
    seen: set[tuple[int, bytes]] = set()
    kept = []
    for i in range(len(drawn[0])):
        looks = {(k, pictures[i].tobytes()) for k, pictures in enumerate(drawn)}
        if not looks & seen and all(pictures[i].any() for pictures in drawn):
            kept.append(i)
            seen |= looks
    return np.array(kept, np.int64)
