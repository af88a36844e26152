"""Data sets: MNIST and Fashion-MNIST from files or mirrors, `strokes` and `glyphs`, which need
neither, photographs and digits that other packages bring, folders of pictures, texts, and series
of numbers.

>>> data = load_dataset("mnist")
>>> data.images.shape, data.labels.shape
((60000, 1, 28, 28), (60000,))
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable

from . import mnist
from .clips import ClipSet, gif_folder, moving_digits, posed_clips, walkers
from .collate import default_collate
from .dataset import ConcatDataset, Dataset, IterableDataset, Subset, TensorDataset, random_split
from .folder import image_folder, resized
from .glyphs import glyphs
from .idx import read_idx
from .imageset import DataError, DataUnavailable, ImageSet
from .labelled import image_list, is_list
from .loader import DataLoader
from .pairfolder import image_pairs, load_pairs
from .pairs import Pairs
from .photos import on_pictures, photo_patches, photographs, textures
from .sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from .saving import SavedFileError, load, save
from .series import SeriesSet, series
from .strokes import strokes
from .texts import TextSet, texts
from .uci import uci_digits

__all__ = [
    "DATASETS", "BatchSampler", "ClipSet", "ConcatDataset", "DataError", "DataLoader",
    "DataUnavailable", "Dataset", "ImageSet", "IterableDataset", "Pairs", "RandomSampler",
    "Sampler", "SavedFileError", "SequentialSampler", "SeriesSet", "Subset", "SubsetRandomSampler",
    "TensorDataset", "TextSet", "WeightedRandomSampler", "default_collate", "gif_folder", "glyphs",
    "image_folder", "image_list", "image_pairs", "load", "load_dataset", "load_pairs", "mnist",
    "moving_digits", "on_pictures", "photo_patches", "photographs", "posed_clips", "random_split",
    "read_idx", "resized", "save", "series", "strokes", "texts", "textures", "uci_digits",
    "walkers",
]  # fmt: skip


def _mnist(split: str, data_dir, on_notice: Callable[[str], object]) -> ImageSet:
    """The real digits, or drawn ones."""
    try:
        return mnist.load("mnist", split, data_dir)
    except DataUnavailable as e:
        on_notice(f"{e} Training uses the embedded data set 'strokes' (drawn digits) instead.")
    return _strokes(split)


def _fashion(split: str, data_dir, on_notice) -> ImageSet:
    return mnist.load("fashion-mnist", split, data_dir)


def _strokes(split: str, data_dir=None, on_notice=None) -> ImageSet:
    return _drawn(split)


@functools.lru_cache(2)  # drawing takes a second
def _drawn(split: str) -> ImageSet:
    return strokes(20_000, seed=0) if split == "train" else strokes(4_000, seed=1)


def _photo_patches(split: str, data_dir=None, on_notice=None) -> ImageSet:
    return photo_patches(20_000 if split == "train" else 4_000, split)


def _mnist_photos(split: str, data_dir, on_notice) -> ImageSet:
    return on_pictures(DATASETS["mnist"](split, data_dir, on_notice), split)


def _uci_digits(split: str, data_dir=None, on_notice=None) -> ImageSet:
    return uci_digits(split)


# name -> loader(split, data_dir, on_notice): one entry adds a data set
DATASETS: dict[str, Callable[..., ImageSet]] = {
    "mnist": _mnist,
    "fashion-mnist": _fashion,
    "strokes": _strokes,
    "glyphs": lambda split, data_dir, on_notice: glyphs(split),
    "photo-patches": _photo_patches,
    "mnist-photos": _mnist_photos,
    "uci-digits": _uci_digits,
}


def load_dataset(
    name,
    split: str = "train",
    data_dir=None,
    on_notice: Callable[[str], object] = print,
    size: int | None = None,
) -> ImageSet:
    """Load a data set by name, or a folder of pictures; images are uint8 (N, C, H, W), labels uint8
    (N,).

    name       one of `DATASETS`; else a folder: all pictures in it and below, their centres resized
               to squares, grey if all are grey; labels are the numbers of its subfolders
               (`image_folder` says more, and has more options); or a .csv or .json file of
               pictures' names and labels (`image_list`)
    split      "train" (60,000 images; strokes, photo-patches: 20,000; uci-digits: 1,197; glyphs:
               1,138) or "test" (10,000; 4,000; 600; 286); a folder or a list is "train"
    data_dir   folder with the idx files; None: $MINIGAN_DATA, then the cache folder, then a
               download
    on_notice  called with one sentence if "mnist" can be had nowhere and `strokes` is returned in
               its place, or files are left out
    size       pixels of a side, of a folder's or a list's pictures (None: 28), or of glyphs (None:
               32); the others have theirs

    Raises DataError for another size than a set has, and if files are missing from `data_dir`,
    damaged or foreign: those are never replaced silently. DataUnavailable (a DataError) for
    "fashion-mnist" with no files and no network (digits are no stand-in for clothes), and for sets
    whose package is not installed.
    """
    if name in DATASETS and split in ("train", "test"):
        if name == "glyphs" and size is not None:
            return glyphs(split, size)
        found = DATASETS[name](split, data_dir, on_notice)
        if size not in (None, found.images.shape[2]):
            height, width = found.images.shape[2:]
            raise DataError(
                f"size={size}: pictures of {name} are {height}x{width}; leave it out, or take "
                "glyphs or a folder, which have any"
            )
        return found
    side = 28 if size is None else size
    if split == "train" and os.path.isdir(name):
        return image_folder(
            name, "*", output_size=(side, side), channels=None, recursive=True, on_notice=on_notice
        )
    if split == "train" and is_list(name):
        return image_list(name, (side, side), None, on_notice)
    raise DataError(
        f"no data set {str(name)!r} / {split!r}; there are {', '.join(DATASETS)}, each 'train' "
        "and 'test', and folders of pictures, or .csv or .json files of their names and labels, "
        "'train'"
    )
