"""A labelled set of images in memory, and the two errors with which `minigan.data` answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MOST_CLASSES = 256  # labels are uint8
SHOWN = 3  # of several things, how many are named


def shortened(things: Sequence, text: Callable = str, between: str = ", ") -> str:
    """The first of several things, for messages, and how many more there are."""
    rest = len(things) - SHOWN
    return between.join(map(text, things[:SHOWN])) + (
        f"{between}and {rest} more" if rest > 0 else ""
    )


class DataError(ValueError, RuntimeError):
    """A data file is missing, damaged, foreign or of the wrong kind; the text says which one and
    what to do.

    It is both kinds of error because torchvision raises RuntimeError where files are missing.
    """


class DataUnavailable(DataError):
    """There are no files and no mirror can be reached: nothing is wrong, the data is just not
    here."""


def settle(data: Any, checked: Iterable[Any], **arrays: np.ndarray) -> None:
    """The end of a frozen data set's __post_init__: it has these arrays, read-only, as a stray
    in-place operation would make the checksum lie; and as `checksum` the sha256 hex digest of the
    bytes of those `checked`, in their order."""
    for name, array in arrays.items():
        array.flags.writeable = False
        object.__setattr__(data, name, array)
    digest = hashlib.sha256()
    for part in checked:
        digest.update(part)
    object.__setattr__(data, "checksum", digest.hexdigest())


@dataclass(frozen=True, eq=False, repr=False)
class ImageSet:
    """A labelled set of images.

    images    uint8 (N, C, H, W), C-contiguous, read-only; 0 is black, 255 is white
    labels    uint8 (N,), read-only
    name      "mnist", "fashion-mnist", "strokes", or that of the folder
    source    where it came from, for messages
    left_out  (name, why) of each file of a folder, or entry of a list, that is not in the set
    classes   of own pictures with classes: the name of each label's class
    checksum  sha256 hex digest of the images' bytes: equal checksums are equal training data
    """

    images: np.ndarray
    labels: np.ndarray
    name: str
    source: str
    left_out: tuple[tuple[str, str], ...] = ()
    classes: tuple[str, ...] = ()
    checksum: str = field(init=False)

    def __post_init__(self):
        images = np.ascontiguousarray(self.images).view()
        labels = np.ascontiguousarray(self.labels).view()
        if images.dtype != np.uint8 or images.ndim != 4:
            raise DataError(f"images must be uint8 (N, C, H, W), not {images.dtype} {images.shape}")
        if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
            raise DataError(
                f"labels must be uint8 ({len(images)},), not {labels.dtype} {labels.shape}"
            )
        settle(self, [images], images=images, labels=labels)

    def __len__(self):
        return len(self.images)

    def require_classes(self, who: str) -> int:
        """How many classes there are, for `who` (a conditional game); DataError, in one line, where
        the labels are of no use to it."""
        n = len(self.classes) or int(self.labels.max()) + 1
        if n < 2:
            raise DataError(
                f"{who} needs labels, and {self.name} has one class only (own pictures: a "
                "subfolder for each class, or a .csv or .json of file names and labels)"
            )
        if n > MOST_CLASSES:
            raise DataError(
                f"{self.name} has {n} classes: {who} takes at most {MOST_CLASSES}, so put some "
                "together"
            )
        if n > len(self):
            raise DataError(
                f"{self.name} has more classes than pictures ({n} and {len(self)}): add pictures, "
                "or take classes away"
            )
        counts = np.bincount(self.labels, minlength=n)
        if empty := [name for name, m in zip(self.classes, counts) if not m]:
            raise DataError(
                f"{self.name}: no picture of {shortened(empty, repr)} can be read: add some, or "
                "take the class away"
            )
        return n

    def checksum_of(self, columns: Sequence[str]) -> str:
        """`checksum`; of these columns' bytes, where own labels are among them."""
        if not self.classes or "labels" not in columns:
            return self.checksum
        return hashlib.sha256(self.checksum.encode() + self.labels.tobytes()).hexdigest()

    def __repr__(self):
        return f"ImageSet({self.name!r}, images {self.images.shape}, from {self.source})"
