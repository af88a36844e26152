"""What the data sets here share: transforms, the way they print, and the search for their files."""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....data.dataset import Dataset
from ....data.download import fetch, md5_of
from ....data.files import open_atomic
from ....data.imageset import DataError, DataUnavailable

Function = Callable[[Any], Any] | None


class _Both:
    """transform of the image, target_transform of the target."""

    def __init__(self, transform: Function, target_transform: Function):
        self.transform, self.target_transform = transform, target_transform

    def __call__(self, image: Any, target: Any) -> tuple[Any, Any]:
        return (
            image if self.transform is None else self.transform(image),
            target if self.target_transform is None else self.target_transform(target),
        )

    def __repr__(self) -> str:
        shown = (("Transform: ", self.transform), ("Target transform: ", self.target_transform))
        lines = [
            head + repr(t).replace("\n", "\n" + " " * len(head))
            for head, t in shown
            if t is not None
        ]
        return "\n".join(["StandardTransform", *lines])


class VisionDataset(Dataset):
    """Base of the data sets here.

    transforms : a function of (image, target); or, instead, the next two
    transform, target_transform : a function of the image, a function of the target
    """

    def __init__(
        self,
        root: Any = None,
        transforms: Callable[[Any, Any], Any] | None = None,
        transform: Function = None,
        target_transform: Function = None,
    ):
        if transforms is not None and (transform is not None or target_transform is not None):
            raise ValueError(
                "Only transforms or transform/target_transform can be passed as argument"
            )
        self.root = os.path.expanduser(root) if isinstance(root, str) else root
        self.transform, self.target_transform = transform, target_transform
        given = transform is not None or target_transform is not None
        self.transforms = _Both(transform, target_transform) if given else transforms

    def _pair(self, image: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is None and self.target_transform is None and self.transforms is not None:
            return self.transforms(image, target)
        return _Both(self.transform, self.target_transform)(image, target)

    def extra_repr(self) -> str:
        """Further lines of `repr`."""
        return ""

    def __repr__(self) -> str:
        lines = [f"Number of datapoints: {len(self)}"]  # type: ignore[arg-type]
        lines += [f"Root location: {self.root}"] if self.root is not None else []
        lines += self.extra_repr().splitlines()
        lines += repr(self.transforms).splitlines() if self.transforms is not None else []
        return "\n    ".join([f"Dataset {type(self).__name__}", *lines])


def choice(name: str, value: Any, values: Sequence[str]) -> str:
    """`value`, if it is one of `values`."""
    if not isinstance(value, str) or value not in values:
        raise ValueError(f"{name}={value!r}: expected one of {', '.join(map(repr, values))}")
    return value


def locate(root: Any, places: Sequence[str], names: Sequence[str]) -> Path | None:
    """The first of the folders `places` under `root` (and root itself, ".") that has all files
    `names`."""
    for place in places:
        folder = Path(root).expanduser() / place
        if all(os.path.isfile(folder / name) for name in names):
            return folder
    return None


def missing(
    dataset: str, root: Any, places: Sequence[str], names: Sequence[str], how_to: str
) -> DataUnavailable:
    """The error that says what was looked for, where, and what to do."""
    folders = [str(root) if place == "." else os.path.join(str(root), place) for place in places]
    there = "" if os.path.isdir(Path(root).expanduser()) else " (no such folder)"
    listed = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    looked = f"looked for {listed} in {' or '.join(folders)}"
    return DataUnavailable(
        f"{dataset}: root={str(root)!r}{there} does not hold the data; {looked}; {how_to}"
    )


def download(dataset: str, url: str, path: Path, md5: str) -> None:
    """Fetch a file, unless it is there already."""
    how_to = f"fetch {url} by other means and put it at {path}"
    try:
        if not (path.is_file() and md5_of(path) == md5):
            fetch([url], path, md5, None, f"{dataset} {path.name}", how_to)
    except DataUnavailable as e:
        raise DataUnavailable(f"{dataset}: {e}; {how_to}") from e
    except OSError as e:
        raise DataError(f"{dataset}: {path} cannot be written ({e})") from e


def unpack(archive: Path, names: Sequence[str], folder: Path) -> None:
    """Write those members of a tar or zip archive whose paths in it are `names` below `folder`, and
    no others."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                for name in names:
                    with packed.open(name) as file:
                        _copy(file, folder / name)
            return
        left = set(names)
        with tarfile.open(archive) as tar:
            for member in tar:
                source = (
                    tar.extractfile(member) if member.isfile() and member.name in left else None
                )
                if source is not None:
                    _copy(source, folder / member.name)
                    left.remove(member.name)
        if left:
            raise KeyError(f"{', '.join(sorted(left))} not in it")
    except (OSError, EOFError, KeyError, tarfile.TarError, zipfile.BadZipFile) as e:
        raise DataError(f"{archive}: cannot be unpacked ({e}); delete it and fetch it again") from e


def _copy(source: Any, path: Path) -> None:
    with open_atomic(path) as file:
        while chunk := source.read(1 << 20):
            file.write(chunk)


def read_bytes(path: Path, size: int | None = None, multiple_of: int = 1) -> np.ndarray:
    """The file as uint8 (N,), of `size` bytes or a multiple of so many."""
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as e:
        raise DataError(f"{path}: cannot be read ({e.strerror or e})") from e
    if (
        not content.size
        or content.size % multiple_of
        or (size is not None and content.size != size)
    ):
        wanted = f"{size}" if size is not None else f"a multiple of {multiple_of}"
        raise DataError(
            f"{path}: damaged or of another kind: it has {content.size} bytes, expected {wanted}; "
            "fetch it again"
        )
    return content
