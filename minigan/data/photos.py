"""Patches of photographs, and digits on them.

>>> patches = photo_patches(1000)                          # needs scikit-image
>>> patches.images.shape, patches.classes[:2]
((1000, 3, 28, 28), ('astronaut', 'brick'))
>>> digits = on_pictures(load_dataset("mnist"), "train")   # MNIST-M's recipe
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np

from .imageset import DataError, DataUnavailable, ImageSet

# of scikit-image, those that come with it: all others would be downloaded
NAMES = (
    "astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel",
    "hubble_deep_field", "immunohistochemistry", "moon", "retina", "rocket",
)  # fmt: skip
SIDE = 320  # pixels of a photograph's shorter side, about that of the Berkeley set's
TRAIN = 2 / 3  # of a picture's width, from the left
EXTRA = "needs scikit-image: pip install 'minigan[photos]'"


@functools.cache
def photographs() -> dict[str, np.ndarray]:
    """name -> photograph, uint8 (H, W, 3), the shorter side 320 pixels: the 13 (some are grey) that
    scikit-image brings with it. DataUnavailable without scikit-image."""
    try:
        from skimage import data
    except ImportError as error:
        raise DataUnavailable(f"photographs: this {EXTRA}") from error
    from PIL import Image

    found = {}
    for name in NAMES:
        picture = Image.fromarray(getattr(data, name)()).convert("RGB")
        factor = SIDE / min(picture.size)
        size = round(picture.width * factor), round(picture.height * factor)
        found[name] = np.asarray(picture.resize(size, Image.Resampling.LANCZOS))
    return found


def textures(n: int = 12, side: int = SIDE, seed: int = 0) -> dict[str, np.ndarray]:
    """name -> made picture, uint8 (side, side, 3): coloured noise that is smooth at several scales,
    for when there is no scikit-image."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    found = {}
    for i in range(n):
        total = np.zeros((side, side, 3))
        for cells in (4, 16, 64):
            noise = (rng.random((cells, cells, 3)) * 255).astype(np.uint8)
            smooth = Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC)
            total += np.asarray(smooth) * rng.dirichlet([1, 1, 1])[0]
        total -= total.min((0, 1))
        found[f"texture{i}"] = (total * (255 / total.max((0, 1)))).astype(np.uint8)
    return found


def photo_patches(
    n: int = 20_000, split: str = "train", size: int = 28, seed: int = 0,
    pictures: Mapping[str, np.ndarray] | None = None,
) -> ImageSet:  # fmt: skip
    """n square patches of photographs, at places chosen by the seed: images uint8 (n, 3, size,
    size), labels the number of the picture, `classes` the pictures' names.

    split : "train" cuts from the left two thirds of each picture, "test" from the right third, so
        that the two share no pixel
    pictures : name -> uint8 (H, W, 3), instead of `photographs()`; DataError where a patch does not
        fit
    """
    if split not in ("train", "test"):
        raise DataError(f"split={split!r}: expected 'train' or 'test'")
    source = "scikit-image" if pictures is None else "made"
    pictures = photographs() if pictures is None else pictures
    halves = []
    for name, picture in pictures.items():
        edge = round(picture.shape[1] * TRAIN)
        halves.append(picture[:, :edge] if split == "train" else picture[:, edge:])
        if min(halves[-1].shape[:2]) < size:
            raise DataError(
                f"{name}: a patch of {size}x{size} does not fit into the {split} part, "
                f"{halves[-1].shape[0]}x{halves[-1].shape[1]}: lower size"
            )
    rng = np.random.default_rng([seed, split == "test"])
    which = rng.integers(len(halves), size=n)
    places = rng.random((n, 2))
    images = np.empty((n, 3, size, size), np.uint8)
    for to, number, place in zip(images, which, places):
        part = halves[number]
        y = int(place[0] * (part.shape[0] - size + 1))
        x = int(place[1] * (part.shape[1] - size + 1))
        to[:] = part[y : y + size, x : x + size].transpose(2, 0, 1)
    return ImageSet(
        images, which.astype(np.uint8), "photo-patches", source, classes=tuple(pictures)
    )


def on_pictures(
    digits: ImageSet, split: str, seed: int = 0, pictures: Mapping[str, np.ndarray] | None = None
) -> ImageSet:
    """Each picture x of a set (of digits) on a patch p: |p - x|, as MNIST-M is made (Ganin et al.
    2016, section 5.2.4; there with photographs of the Berkeley set). Images uint8 (N, 3, H, W).

    split, seed, pictures : as for `photo_patches`
    """
    height, width = digits.images.shape[2:]
    if height != width:
        raise DataError(f"on_pictures: images of {height}x{width}: expected squares")
    patches = photo_patches(len(digits), split, height, seed, pictures)
    x, p = digits.images, patches.images
    name = f"{digits.name}-{'photos' if pictures is None else 'pictures'}"
    source = f"{digits.source} on pictures ({patches.source})"
    return ImageSet(
        np.maximum(p, x) - np.minimum(p, x), digits.labels, name, source, classes=digits.classes
    )
