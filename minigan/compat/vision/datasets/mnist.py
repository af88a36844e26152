"""MNIST and data sets in its format."""

from __future__ import annotations

import string
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ....autograd import tensor_of
from ....data import mnist
from ....data.idx import read_idx
from ....data.imageset import DataError, DataUnavailable
from .base import Function, VisionDataset, choice, download, locate, missing, unpack

FURTHER = "https://raw.githubusercontent.com/facebookresearch/qmnist/master/"


def _renamed(old: str, new: str) -> Any:
    """The old name of an attribute, with a warning."""

    def get(self):
        warnings.warn(f"{old} has been renamed {new}", UserWarning, stacklevel=2)
        return getattr(self, new)

    return property(get, doc=f"The old name of `{new}`.")


class MNIST(VisionDataset):
    """Handwritten digits. `data`: a Tensor, uint8 (N, 28, 28); `targets`: int64 (N,); `classes`,
    `class_to_idx`.

    root : a folder with the idx files, in it or in its subfolder mnist, MNIST/raw or raw, or in the
        forms that Kaggle has; where they are not there, they are looked for where
        `minigan.data.load_dataset` looks
    train : the 60,000 examples, or the 10,000 for tests
    download : may a mirror be asked? Files are then kept in minigan's cache folder, not in root
    """

    name = "mnist"
    classes = [
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
    ]
    train_data, test_data = _renamed("train_data", "data"), _renamed("test_data", "data")
    train_labels = _renamed("train_labels", "targets")
    test_labels = _renamed("test_labels", "targets")

    def __init__(
        self,
        root: Any,
        train: bool = True,
        transform: Function = None,
        target_transform: Function = None,
        download: bool = False,
    ):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        images, targets = self._load(download)
        self.data, self.targets = tensor_of(images), tensor_of(targets)

    def _load(self, download: bool) -> tuple[np.ndarray, np.ndarray]:
        """The images, uint8 (N, 28, 28), and the labels, int64 (N,)."""
        split = "train" if self.train else "test"
        there = Path(self.root).expanduser().is_dir()
        try:
            found = (
                mnist.find(self.root, self.name, split, "root") if there else None
            ) or mnist.load(self.name, split, None, download)
        except DataUnavailable as e:
            how_to = "" if download else "; put the files there, or pass download=True"
            none = "" if there else " (no such folder)"
            looked = mnist.expected(self.root, self.name, split)
            raise DataUnavailable(
                f"{type(self).__name__}: root={str(self.root)!r}{none} has no files: "
                f"{looked}{how_to}. {e}"
            ) from e
        return found.images[:, 0].copy(), found.labels.astype(np.int64)

    @property
    def class_to_idx(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.classes)}

    def _target(self, index: int) -> Any:
        return int(self.targets.array[index])

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        from PIL import Image

        return self._pair(Image.fromarray(self.data.array[index]), self._target(index))

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST):
    """Pictures of clothes, as `MNIST`."""

    name = "fashion-mnist"
    classes = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]


class KMNIST(MNIST):
    """Characters of old Japanese books, as `MNIST`."""

    name = "kmnist"
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


def _read_pair(images: Path, labels: Path, label_dims: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (N, 28, 28), and labels (N,) or (N, k) as int64."""
    x, y = read_idx(images), read_idx(labels)
    if (
        x.dtype != np.uint8
        or x.ndim != 3
        or y.dtype.kind not in "iu"
        or y.ndim != label_dims
        or len(x) != len(y)
        or not len(x)
    ):
        raise DataError(
            f"{images}: expected images, uint8 (N, 28, 28), and as many labels in {labels.name}, "
            f"but they hold {x.dtype} {x.shape} and {y.dtype} {y.shape}"
        )
    return x, y.astype(np.int64)


class _OtherNames(MNIST):
    """As MNIST, in files of other names, in root/<class>/raw, root, or `folders` below it, gzipped
    or not."""

    folders: tuple[str, ...] = ()

    def _find(self, names: list[str]) -> list[Path] | None:
        own = type(self).__name__
        for end in (".gz", ""):
            folder = locate(
                self.root,
                [f"{own}/raw", ".", "raw", *self.folders],
                [f"{name}{end}" for name in names],
            )
            if folder is not None:
                return [folder / f"{name}{end}" for name in names]
        return None

    def _load(self, download: bool) -> tuple[np.ndarray, np.ndarray]:
        names = self._names()
        found = self._find(names)
        if found is None and download:
            self._download(Path(self.root).expanduser() / type(self).__name__ / "raw")
            found = self._find(names)
        if found is None:
            own, how_to = type(self).__name__, "put them there, or pass download=True"
            raise missing(
                own,
                self.root,
                [f"{own}/raw", ".", "raw", *self.folders],
                [f"{n} (or with .gz)" for n in names],
                how_to,
            )
        return self._read(*found)

    def _read(self, images: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
        return _read_pair(images, labels)

    def _names(self) -> list[str]:
        raise NotImplementedError

    def _download(self, folder: Path) -> None:
        raise NotImplementedError


class EMNIST(_OtherNames):
    """Letters and digits of the NIST forms (Cohen et al. 2017), as `MNIST`. The images lie on their
    side, as in the files: transposed.

    split : "byclass" (62 classes), "bymerge" (47: capitals and small letters that look alike are
        one), "balanced" (47), "letters" (classes 1 to 26; 0 is "N/A"), "digits" or "mnist"
    train, transform, target_transform, download : as `MNIST`; the archive of all splits (560 MB) is
        kept in root/EMNIST/raw
    """

    url = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    folders = ("gzip", "EMNIST", "emnist")
    _merged = sorted(set(string.digits + string.ascii_letters) - set("cijklmopsuvwxyz"))
    classes_split_dict = {
        "byclass": sorted(string.digits + string.ascii_letters),
        "bymerge": _merged,
        "balanced": _merged,
        "letters": ["N/A", *string.ascii_lowercase],
        "digits": list(string.digits),
        "mnist": list(string.digits),
    }

    def __init__(self, root: Any, split: str, **kwargs: Any):
        self.split = choice("split", split, self.splits)
        super().__init__(root, **kwargs)
        self.classes = self.classes_split_dict[split]
        if int(self.targets.array.max()) >= len(self.classes):
            raise DataError(
                f"EMNIST: a label {int(self.targets.array.max())} in split {split!r}, which has "
                f"{len(self.classes)} classes"
            )

    def _names(self) -> list[str]:
        start = f"emnist-{self.split}-{'train' if self.train else 'test'}"
        return [f"{start}-images-idx3-ubyte", f"{start}-labels-idx1-ubyte"]

    def _download(self, folder: Path) -> None:
        download("EMNIST", self.url, folder / "gzip.zip", self.md5)
        unpack(folder / "gzip.zip", [f"gzip/{name}.gz" for name in self._names()], folder)
        for name in self._names():
            (folder / "gzip" / f"{name}.gz").replace(folder / f"{name}.gz")


class QMNIST(_OtherNames):
    """MNIST rebuilt from NIST's forms, with 60,000 examples for tests (Yadav, Bottou 2019).

    what : "train", "test", "test10k" (MNIST's), "test50k" (the others) or "nist" (all 402,953
        digits); None: by `train`
    compat : targets are classes; else rows of 8 numbers (class, series, writer, ...)
    """

    subsets = {
        "train": "train",
        "test": "test",
        "test10k": "test",
        "test50k": "test",
        "nist": "nist",
    }
    md5s = {
        "train": ("ed72d4157d28c017586c42bc6afe6370", "0058f8dd561b90ffdd0f734c6a30e5e4"),
        "test": ("1394631089c404de565df7b7aeaf9412", "5b5b05890a5e13444e108efe57b788aa"),
    }

    def __init__(
        self,
        root: Any,
        what: str | None = None,
        compat: bool = True,
        train: bool = True,
        **kwargs: Any,
    ):
        self.what = choice(
            "what", ("train" if train else "test") if what is None else what, tuple(self.subsets)
        )
        self.compat = compat
        super().__init__(root, train, **kwargs)

    def _names(self) -> list[str]:
        start = "xnist" if self.what == "nist" else f"qmnist-{self.subsets[self.what]}"
        return [f"{start}-images-idx3-ubyte", f"{start}-labels-idx2-int"]

    def _read(self, images: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
        x, y = _read_pair(images, labels, label_dims=2)
        part = {"test10k": slice(10_000), "test50k": slice(10_000, None)}.get(
            self.what, slice(None)
        )
        return x[part], y[part]

    def _download(self, folder: Path) -> None:
        if self.what == "nist":
            raise DataUnavailable(
                f"QMNIST: fetch {' and '.join(self._names())} (.xz) from {FURTHER}, and unpack "
                f"them into {folder}"
            )
        for name, md5 in zip(self._names(), self.md5s[self.subsets[self.what]]):
            download("QMNIST", f"{FURTHER}{name}.gz", folder / f"{name}.gz", md5)

    def _target(self, index: int) -> Any:
        return int(self.targets.array[index, 0]) if self.compat else self.targets[index]

    def extra_repr(self) -> str:
        return f"Split: {self.what}"
