"""Pictures with captions: digits that are coloured, made small or large and put somewhere, and own
pictures.

>>> data = captioned(load_dataset("mnist"))
>>> data.images.shape, data.texts[0]
((30000, 3, 28, 28), 'a small green five at the top')
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import os
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .folder import image_folder
from .imageset import DataError, ImageSet, settle
from .labelled import is_list, listed

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
COLOURS = {
    "red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 64, 255), "yellow": (255, 255, 0),
    "purple": (192, 0, 255), "white": (255, 255, 255),
}  # fmt: skip
# where in the picture: (right, down), in steps
PLACES = {
    "at the left": (-1, 0), "at the right": (1, 0), "at the top": (0, -1),
    "at the bottom": (0, 1), "in the middle": (0, 0),
}  # fmt: skip
# size -> (pixels of what was a picture of 28, of a step from the middle); a digit is 20 of those 28
SIZES = {"small": (14, 8), "large": (22, 5)}
# what a picture has, in the order of `Captioned.attributes`, and how many there are of each
ATTRIBUTES = {
    "digit": len(DIGITS), "colour": len(COLOURS), "place": len(PLACES), "size": len(SIZES)
}  # fmt: skip
SIDE, JITTER = 28, 1  # pixels
MOST = 30_000  # pictures
SILENT = 0.2  # share of the captions that do not say the place, and that do not say the size
HELD_OUT = 0.1  # share of the combinations
WORD = re.compile(r"\w+")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Captioned(ImageSet):
    """Pictures, and a text about each.

    texts       N of them
    attributes  int64 (N, 4): digit, colour, place and size, as numbers, of those that are made here
    checksum    of the pictures and their texts
    """

    texts: tuple[str, ...] = ()
    attributes: np.ndarray = None  # type: ignore[assignment]

    def __post_init__(self):
        super().__post_init__()
        if len(self.texts) != len(self.images):
            raise DataError(f"{len(self.images)} pictures and {len(self.texts)} captions")
        settle(self, [self.images, "\n".join(self.texts).encode()])

    def checksum_of(self, columns):
        return self.checksum


# --- texts ---


def words_of(text: str) -> list[str]:
    """Its words in small letters, without punctuation."""
    return WORD.findall(text.lower())


def vocabulary_of(texts: Sequence[str]) -> list[str]:
    """All words of these texts, sorted."""
    return sorted({word for text in set(texts) for word in words_of(text)})


def encoded(texts: Sequence[str], vocabulary: Sequence[str]) -> np.ndarray:
    """The words of each text as numbers from 1 on, their places in the vocabulary: int64 (N, most
    words of a text), 0 behind the last. ValueError, with the nearest word that is known, for a
    word that is not there, or a text without any."""
    number = {word: i for i, word in enumerate(vocabulary, 1)}
    different: dict[str, list[int]] = {}
    for text in dict.fromkeys(texts):
        words = words_of(text)
        if not words:
            raise ValueError(f"there is no word in {text!r}")
        if unknown := [word for word in words if word not in number]:
            near = difflib.get_close_matches(unknown[0], vocabulary, 1)
            known = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(vocabulary)}"
            raise ValueError(f"the word {unknown[0]!r} was in none of the captions ({known})")
        different[text] = [number[word] for word in words]
    length = max(map(len, different.values()))
    rows = {text: row + [0] * (length - len(row)) for text, row in different.items()}
    return np.array([rows[text] for text in texts], np.int64)


def caption(attributes: Any, place: bool = True, size: bool = True) -> str:
    """The text about a picture with these attributes; of its place and its size it may say
    nothing."""
    digit, colour, where, large = attributes
    words = [
        "a", *([list(SIZES)[large]] if size else []), list(COLOURS)[colour], DIGITS[digit],
        *([list(PLACES)[where]] if place else []),
    ]  # fmt: skip
    return " ".join(words)


def combinations(held_out: bool) -> np.ndarray:
    """The combinations of attributes that training pictures have, or the others: int64 (M, 4)."""
    counts = tuple(ATTRIBUTES.values())
    order = np.random.default_rng(0).permutation(np.prod(counts))
    n = round(HELD_OUT * len(order))
    some = np.sort(order[:n] if held_out else order[n:])
    return np.stack(np.unravel_index(some, counts), 1).astype(np.int64)


# --- pictures ---


def captioned(digits: ImageSet, every: bool = False, seed: int = 0) -> Captioned:
    """Digits (mnist, strokes) as coloured pictures with captions, uint8 (N, 3, 28, 28), on black:
    the first `MOST` of them, each small or large, in one of six colours, in one of five places.

    every   also the tenth of the 600 combinations of digit, colour, place and size that is held out
    seed    of which picture gets which; every fifth caption does not say the place, every fifth not
            the size
    """
    if digits.images.shape[1:] != (1, 28, 28) or digits.name not in ("mnist", "strokes"):
        raise DataError(
            f"{digits.name} has no captions: take mnist, strokes, a .csv or .json of pictures "
            "and captions, or a folder whose subfolders' names say what is to be seen"
        )
    rng, n = np.random.default_rng([seed, 3]), min(len(digits), MOST)
    labels = digits.labels[:n].astype(np.int64)
    attributes = np.empty((n, 4), np.int64)
    allowed = combinations(False)
    allowed = np.concatenate([allowed, combinations(True)]) if every else allowed
    for digit in range(10):
        mine, own = labels == digit, allowed[allowed[:, 0] == digit]
        attributes[mine] = own[rng.integers(len(own), size=mine.sum())]
    images = np.zeros((n, 3, SIDE, SIDE), np.uint8)
    shift = rng.integers(-JITTER, JITTER + 1, (n, 2))
    colours = np.array(list(COLOURS.values()), np.float32) / 255
    for size, (side, step) in enumerate(SIZES.values()):
        for place, (right, down) in enumerate(PLACES.values()):
            mine = np.flatnonzero((attributes[:, 3] == size) & (attributes[:, 2] == place))
            ink = shrunk(digits.images[mine, 0], side)
            corner = np.array([down, right]) * step + (SIDE - side) // 2
            for k, row in enumerate(mine):
                _put(images[row], ink[k], colours[attributes[row, 1]], corner + shift[row])
    says = rng.random((n, 2)) >= SILENT
    texts = tuple(caption(a, *said) for a, said in zip(attributes, says))
    return Captioned(
        images, digits.labels[:n], f"{digits.name}-captions", f"{digits.source}, coloured and "
        "placed", texts=texts, attributes=attributes,
    )  # fmt: skip


def _put(image: np.ndarray, ink: np.ndarray, colour: np.ndarray, corner: np.ndarray) -> None:
    """Put ink (side, side) into an image (3, SIDE, SIDE); what lies outside is cut off."""
    first = np.maximum(corner, 0)
    last = np.minimum(corner + len(ink), SIDE)
    (top, left), (bottom, right) = first, last
    part = ink[top - corner[0] : bottom - corner[0], left - corner[1] : right - corner[1]]
    image[:, top:bottom, left:right] = np.rint(part * colour[:, None, None])


def shrunk(images: np.ndarray, side: int) -> np.ndarray:
    """Squares (N, S, S) as float32 (N, side, side), side <= S: each pixel the mean of what it
    covers, weighted as a triangle of twice its width."""
    scale = images.shape[-1] / side
    new, old = (np.arange(side) + 0.5) * scale, np.arange(images.shape[-1]) + 0.5
    weights = np.maximum(0, 1 - np.abs(new[:, None] - old) / scale)
    weights = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return weights @ images.astype(np.float32) @ weights.T


def own_captions(
    name: Any, size: int = 28, on_notice: Callable[[str], object] = print
) -> Captioned:
    """Own pictures with captions: a .csv or .json of file and caption (see `image_list`), or a
    folder whose subfolders' names are the captions. DataError where there are none."""
    if is_list(name):
        path, images, texts, left_out, _ = listed(name, (size, size), None, on_notice)
        labels = np.zeros(len(images), np.uint8)
        found = Captioned(images, labels, path.name, str(path), left_out, texts=tuple(texts))
    elif os.path.isdir(name):
        data = image_folder(
            name, "*", output_size=(size, size), channels=None, recursive=True, on_notice=on_notice
        )
        texts = [data.classes[k] for k in data.labels] if data.classes else []
        if not texts:
            raise DataError(f"{name} has no captions: a .csv or .json of file and caption has them")
        found = Captioned(
            data.images, data.labels, data.name, data.source, data.left_out, texts=tuple(texts)
        )
    else:
        raise DataError(f"no data set {str(name)!r} with captions: expected mnist, strokes, emoji, "
                        "a folder of pictures or a .csv or .json of them")  # fmt: skip
    if len(set(found.texts)) < 2:
        raise DataError(f"{name} has one caption only: there is nothing that a text could choose")
    return found


@functools.lru_cache(3)
def of_digits(name: str, split: str, data_dir: str | None, every: bool) -> Captioned:
    """`captioned` digits of a data set, drawn once."""
    from . import load_dataset

    seed = {"train": 0, "test": 1}[split] + 2 * every
    return captioned(load_dataset(name, split, data_dir), every, seed)
