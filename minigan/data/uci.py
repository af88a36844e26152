"""UCI digits: real ones of another source than MNIST's, which come with scikit-learn.

Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository: 32x32 bitmaps, of which each block of 4x4 was counted.
"""

from __future__ import annotations

import numpy as np

from .imageset import DataUnavailable, ImageSet

TRAIN = 1197  # of 1,797
EXTRA = "need scikit-learn: pip install 'minigan[uci]'"


def uci_digits(split: str = "train") -> ImageSet:
    """1,797 digits of 8x8 pixels of 17 greys, brought into MNIST's form (20x20, in the middle of
    28x28): images uint8 (N, 1, 28, 28), labels uint8 (N,). "train": the first 1,197, "test": the
    last 600. DataUnavailable without scikit-learn."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataUnavailable(f"UCI digits {EXTRA}") from error
    found = load_digits()
    part = slice(None, TRAIN) if split == "train" else slice(TRAIN, None)
    return ImageSet(
        as_mnist(found.images[part]), found.target[part].astype(np.uint8), "uci-digits",
        "scikit-learn",
    )  # fmt: skip


def as_mnist(counts: np.ndarray) -> np.ndarray:
    """(N, 8, 8), each 0 to 16 -> uint8 (N, 1, 28, 28): enlarged to 20x20, black around it."""
    from PIL import Image

    images = np.zeros((len(counts), 1, 28, 28), np.uint8)
    for to, digit in zip(images, np.rint(counts * (255 / 16)).astype(np.uint8)):
        large = Image.fromarray(digit).resize((20, 20), Image.Resampling.BICUBIC)
        to[0, 4:24, 4:24] = np.asarray(large)
    return images
