"""Data sets: MNIST and Fashion-MNIST from files or mirrors, and `strokes`, which needs neither.

>>> data = load_dataset("mnist")
>>> data.images.shape, data.labels.shape
((60000, 1, 28, 28), (60000,))
"""

from __future__ import annotations

from . import mnist
from .collate import default_collate
from .dataset import ConcatDataset, Dataset, IterableDataset, Subset, TensorDataset, random_split
from .folder import image_folder
from .idx import read_idx
from .imageset import DataError, DataUnavailable, ImageSet
from .loader import DataLoader
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler
from .saving import SavedFileError, load, save
from .strokes import strokes

__all__ = [
    "DATASETS", "BatchSampler", "ConcatDataset", "DataError", "DataLoader", "DataUnavailable", "Dataset", "ImageSet", "IterableDataset",
    "RandomSampler", "Sampler", "SavedFileError", "SequentialSampler", "Subset", "SubsetRandomSampler", "TensorDataset",
    "WeightedRandomSampler", "default_collate", "image_folder", "load", "load_dataset", "mnist", "random_split", "read_idx", "save",
    "strokes",
]  # fmt: skip

DATASETS = ("mnist", "fashion-mnist", "strokes")


def load_dataset(name: str, split: str = "train", data_dir=None, on_notice=print) -> ImageSet:
    """Load a data set by name; the images are uint8 (N, 1, 28, 28), the labels uint8 (N,).

    name       "mnist", "fashion-mnist" or "strokes"
    split      "train" (60,000 images; strokes: 20,000) or "test" (10,000; strokes: 4,000)
    data_dir   folder with the idx files; None: $MINIGAN_DATA, then the cache folder, then a download
    on_notice  called with one sentence if "mnist" can be had nowhere and `strokes` is returned in its place

    Raises DataError if files are missing from `data_dir`, damaged or foreign: those are never replaced silently.
    DataUnavailable (a DataError) for "fashion-mnist" with no files and no network: digits are no stand-in for clothes.
    """
    if name not in DATASETS or split not in ("train", "test"):
        raise DataError(f"no data set {name!r} / {split!r}; there are {', '.join(DATASETS)}, each 'train' and 'test'")
    if name != "strokes":
        try:
            return mnist.load(name, split, data_dir)
        except DataUnavailable as e:
            if name != "mnist":
                raise
            on_notice(f"{e} Training uses the embedded data set 'strokes' (drawn digits) instead.")
    return strokes(20_000, seed=0) if split == "train" else strokes(4_000, seed=1)
