"""MNIST and its siblings: found in a folder, in the cache, or downloaded from a public mirror.

LeCun, Cortes, Burges: The MNIST database of handwritten digits. Xiao, Rasul, Vollgraf:
Fashion-MNIST (2017). Clanuwat et al.: Deep Learning for Classical Japanese Literature (2018),
Kuzushiji-MNIST.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .download import fetch, md5_of
from .idx import read_idx
from .imageset import DataError, DataUnavailable, ImageSet

MIRRORS = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    "fashion-mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    "kmnist": ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
}

# Size in bytes (None: not known) and md5 of each file as the mirrors serve it, with ".gz" added to
# the name.
FILES: dict[str, dict[str, tuple[int | None, str]]] = {
    "mnist": {
        "train-images-idx3-ubyte": (9912422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        "train-labels-idx1-ubyte": (28881, "d53e105ee54ea40749a09fcbcd1e9432"),
        "t10k-images-idx3-ubyte": (1648877, "9fb629c4189551a2d022fa330f9573f3"),
        "t10k-labels-idx1-ubyte": (4542, "ec29112dd5afa0611ce80d1b7f02629c"),
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": (26421880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        "train-labels-idx1-ubyte": (29515, "25c81989df183df01b3e8a0aad5dffbe"),
        "t10k-images-idx3-ubyte": (4422102, "bef4ecab320f06d8554ea6380940ec79"),
        "t10k-labels-idx1-ubyte": (5148, "bb300cfdad3c16e7a12a480ee83cd310"),
    },
    "kmnist": {
        "train-images-idx3-ubyte": (None, "bdb82020997e1d708af4cf47b453dcf7"),
        "train-labels-idx1-ubyte": (None, "e144d726b3acfaa3e44228e80efcd344"),
        "t10k-images-idx3-ubyte": (None, "5c965bf0a639b31b8f53240b1b52f4d7"),
        "t10k-labels-idx1-ubyte": (None, "7320c461ea6c1c855c0b718fb2a4b134"),
    },
}

# of the folders that torchvision makes
TORCH_NAMES = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}

# ImageSet.checksum of the genuine MNIST: both data sets use the same file names, so a folder can be
# taken for the other.
MNIST_CHECKSUMS = {
    "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
}

_HOW_TO = "name a folder with the four idx files by --data-dir DIR or MINIGAN_DATA"


def load(
    name: str = "mnist", split: str = "train", data_dir=None, download: bool = True
) -> ImageSet:
    """Load MNIST or a sibling of it: images uint8 (N, 1, 28, 28), labels uint8 (N,), N = 60,000 or
    10,000.

    name      "mnist", "fashion-mnist" or "kmnist"
    split     "train" or "test"
    data_dir  folder (str or path) that holds the idx files, gzipped or not, itself or in a
              subfolder called `name`, MNIST/raw (where torchvision puts them) or raw; also under
              the names that Kaggle gives them, and as its table mnist_train.csv
    download  whether a mirror may be asked, last of all

    Looks in `data_dir` and nowhere else if it is given; otherwise in $MINIGAN_DATA (the same
    layout), then in the cache folder of the user, then downloads there. Files from a user's folder
    are checked by their structure, those in the cache by their checksum.

    Raises DataError if `data_dir` or $MINIGAN_DATA is no folder, if `data_dir` lacks the files, if
    a file is damaged or foreign, or a download broke off or has the wrong checksum. Raises
    DataUnavailable (a DataError) if there are no files and no mirror can be reached, which is known
    within a few seconds.
    """
    if name not in FILES or split not in ("train", "test"):
        raise DataError(
            f"no data set {name!r} / {split!r}; there are {', '.join(FILES)}, each 'train' and "
            "'test'"
        )
    wanted = wanted_files(name, split)

    searched = []
    folder = (os.environ.get("MINIGAN_DATA") or None) if data_dir is None else data_dir
    if folder is not None:
        what = "MINIGAN_DATA" if data_dir is None else "data folder"
        found = find(folder, name, split, what)
        if found:
            return found
        if data_dir is not None:
            raise DataError(
                f"data folder {folder} does not hold {name}: {expected(folder, name, split)}"
            )
        searched.append(f"MINIGAN_DATA={folder}")

    try:
        from platformdirs import user_cache_dir
    except ImportError:
        where = f" in {searched[0]}" if searched else " in a folder of yours"
        raise DataUnavailable(
            f"{name} is not{where}, and without platformdirs (pip install platformdirs) there is "
            f"no cache to download it to; {_HOW_TO}."
        ) from None
    cache = Path(user_cache_dir("minigan")) / name
    searched.append(str(cache))
    return _read(name, *(_cached(cache, name, file, download, searched) for file in wanted))


def wanted_files(name: str, split: str) -> list[str]:
    """The names of the images' and the labels' file."""
    return [
        file for file in FILES[name] if file.startswith("train" if split == "train" else "t10k")
    ]


def _places(folder: Path, name: str) -> list[Path]:
    """Where in a folder files may be: where we, the user, torchvision or a copy of its folder put
    them."""
    theirs = TORCH_NAMES[name]
    return [folder / name, folder, folder / theirs / "raw", folder / theirs, folder / "raw"]


def expected(folder, name: str, split: str) -> str:
    """For messages: what is looked for, and where."""
    first, _, *others = (str(place) for place in _places(Path(folder), name))
    names = " and ".join(wanted_files(name, split))
    return (
        f"expected {names} (or with .gz) in it or in {', '.join([first, *others[:-1]])} or "
        f"{others[-1]}"
    )


def find(folder, name: str, split: str, what: str = "data folder") -> ImageSet | None:
    """The images and labels of a user's folder; None if none of the files is there."""
    folder, wanted = Path(folder).expanduser(), wanted_files(name, split)
    if not os.path.isdir(folder):  # os.path answers where pathlib would raise PermissionError
        raise DataError(f"{what} {folder}: no such folder; {_HOW_TO}")
    for place in _places(folder, name):
        found = {f: p for f in wanted for p in _spellings(place, f) if os.path.isfile(p)}
        if len(found) == len(wanted):
            return _read(name, *(found[f] for f in wanted))
        if found:
            missing = " and ".join(f for f in wanted if f not in found)
            raise DataError(
                f"{what} {place}: {missing} (or with .gz) is missing beside {', '.join(found)}; "
                "add it"
            )
        table = place / f"{name}_{split}.csv"
        if os.path.isfile(table):
            return _read_table(name, table)
    return None


def _spellings(place: Path, file: str) -> Iterator[Path]:
    """Names under which a file is passed around, ours last: Kaggle's have a dot before idx3, or are
    in a folder of their own name."""
    dotted = file.replace("-idx", ".idx")
    for name in (dotted, file):
        yield from (place / dotted / name, place / file / name, place / name, place / f"{name}.gz")


def _read_table(name: str, path: Path) -> ImageSet:
    """Kaggle's form: a line an image, the label and its 784 pixels, with commas; a line of names
    before them or not."""
    try:
        with open(path, encoding="ascii") as lines:
            first = lines.read(1)
        if not first:
            raise ValueError("it is empty")
        rows = np.loadtxt(path, np.uint8, delimiter=",", skiprows=int(not first.isdigit()), ndmin=2)
    except (OSError, ValueError, OverflowError) as e:
        raise DataError(
            f"{path}: cannot be read as a table of labels and pixels ({e}); put the original file "
            "in its place"
        ) from e
    if rows.shape[1] != 785 or not len(rows) or rows[:, 0].max() > 9:
        raise DataError(
            f"{path}: expected rows of a label 0 to 9 and 784 pixels, but it holds "
            f"{rows.shape[0]} of {rows.shape[1]} numbers"
        )
    return ImageSet(rows[:, 1:].reshape(-1, 1, 28, 28), rows[:, 0], name, str(path))


def _read(name: str, images_path: Path, labels_path: Path) -> ImageSet:
    images, labels = read_idx(images_path), read_idx(labels_path)
    if (
        images.dtype != "uint8"
        or images.ndim != 3
        or images.shape[1:] != (28, 28)
        or not len(images)
    ):
        raise DataError(
            f"{images_path}: expected images, uint8 (N, 28, 28), but it holds {images.dtype} "
            f"{images.shape}"
        )
    if labels.dtype != "uint8" or labels.shape != images.shape[:1]:
        raise DataError(
            f"{labels_path}: expected {len(images)} labels, uint8 ({len(images)},), to go with "
            f"{images_path}, but it "
            f"holds {labels.dtype} {labels.shape}; take both files from the same data set and split"
        )
    if labels.max() > 9:
        raise DataError(
            f"{labels_path}: expected labels 0 to 9, but there is a {labels.max()}; put the "
            "original back"
        )
    data = ImageSet(images[:, None], labels, name, str(images_path.parent))
    if name != "mnist" and data.checksum in MNIST_CHECKSUMS:
        raise DataError(
            f"{images_path}: this is MNIST, not {name}; keep each in a subfolder of its own name"
        )
    return data


def _cached(cache: Path, name: str, file: str, download: bool, searched: list[str]) -> Path:
    """The path of a file in the cache that has the right checksum, downloaded if it is not there
    yet."""
    path = cache / f"{file}.gz"
    size, md5 = FILES[name][file]
    try:
        present = path.is_file()
        if present and md5_of(path) == md5:
            return path
        if not download:
            raise DataUnavailable(f"{name} is not in {' or '.join(searched)}; {_HOW_TO}.")
        try:
            fetch(
                [f"{mirror}{file}.gz" for mirror in MIRRORS[name]],
                path,
                md5,
                size,
                f"{name} {file}",
                _HOW_TO,
            )
        except DataUnavailable as e:
            if present:
                raise DataError(
                    f"{path}: damaged (wrong checksum), and {e}; delete it, or {_HOW_TO}"
                ) from e
            raise DataUnavailable(
                f"{name} is not in {' or '.join(searched)}, and {e}; to use it, {_HOW_TO}."
            ) from e
    except OSError as e:
        raise DataError(f"{path}: the cache cannot be used ({e}); {_HOW_TO}") from e
    return path
