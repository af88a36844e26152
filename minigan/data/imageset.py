"""A labelled set of images in memory, and the two errors with which `minigan.data` answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np


class DataError(ValueError, RuntimeError):
    """A data file is missing, damaged, foreign or of the wrong kind; the text says which one and
    what to do.

    It is both kinds of error because torchvision raises RuntimeError where files are missing.
    """


class DataUnavailable(DataError):
    """There are no files and no mirror can be reached: nothing is wrong, the data is just not
    here."""


@dataclass(frozen=True, eq=False, repr=False)
class ImageSet:
    """A labelled set of images.

    images    uint8 (N, C, H, W), C-contiguous, read-only; 0 is black, 255 is white
    labels    uint8 (N,), read-only
    name      "mnist", "fashion-mnist", "strokes", or that of the folder
    source    where it came from, for messages
    left_out  (name, why) of each file of a folder that is not in the set
    checksum  sha256 hex digest of the images' bytes: equal checksums are equal training data
    """

    images: np.ndarray
    labels: np.ndarray
    name: str
    source: str
    left_out: tuple[tuple[str, str], ...] = ()
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
        # A stray in-place operation would make the checksum lie.
        images.flags.writeable = labels.flags.writeable = False
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "checksum", hashlib.sha256(images).hexdigest())

    def __len__(self):
        return len(self.images)

    def __repr__(self):
        return f"ImageSet({self.name!r}, images {self.images.shape}, from {self.source})"
