"""LSUN (Yu et al. 2015): scenes, ten categories of up to three million pictures."""

from __future__ import annotations

import bisect
import io
import os
from pathlib import Path
from typing import Any

from ....data.imageset import DataError, DataUnavailable
from .base import Function, VisionDataset
from .folder import IMG_EXTENSIONS, default_loader, files_below

CATEGORIES = (
    "bedroom",
    "bridge",
    "church_outdoor",
    "classroom",
    "conference_room",
    "dining_room",
    "kitchen",
    "living_room",
    "restaurant",
    "tower",
)
PARTS = ("train", "val", "test")


class LSUN(VisionDataset):
    """Pictures as RGB; the target is the number of the class among `classes`.

    root : holds, for each class c, the folder c_lmdb as it is downloaded (which needs the package
        lmdb), or a folder c of pictures, in it or in its subfolders, as LSUN's own `data.py export`
        makes them
    classes : "train", "val" (all categories), "test", or a list such as ["bedroom_train",
        "church_outdoor_val"]
    """

    def __init__(
        self,
        root: Any,
        classes: str | list[str] = "train",
        transform: Function = None,
        target_transform: Function = None,
    ):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.classes = _classes(classes)
        self.dbs = [_part(Path(root).expanduser(), name) for name in self.classes]
        self.indices: list[int] = []
        for db in self.dbs:
            self.indices.append(len(db) + (self.indices[-1] if self.indices else 0))
        self.length = self.indices[-1] if self.indices else 0

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not -self.length <= index < self.length:
            raise IndexError(f"LSUN: index {index} is out of range for {self.length} pictures")
        index %= self.length
        target = bisect.bisect_right(self.indices, index)
        return self._pair(
            self.dbs[target].picture(index - (self.indices[target - 1] if target else 0)), target
        )

    def __len__(self) -> int:
        return self.length

    def extra_repr(self) -> str:
        return f"Classes: {self.classes}"


def _classes(classes: Any) -> list[str]:
    if isinstance(classes, str):
        if classes not in PARTS:
            raise ValueError(
                f"classes={classes!r}: expected 'train', 'val', 'test', or a list such as "
                "['bedroom_train']"
            )
        return (
            ["test"] if classes == "test" else [f"{category}_{classes}" for category in CATEGORIES]
        )
    for name in classes:
        category, _, part = str(name).rpartition("_")
        if category not in CATEGORIES or part not in PARTS:
            raise ValueError(
                f"classes: {name!r} is none of {{{', '.join(CATEGORIES)}}}_{{{', '.join(PARTS)}}}"
            )
    return list(classes)


def _part(root: Path, name: str) -> Any:
    if os.path.isdir(root / f"{name}_lmdb"):
        return _Database(root / f"{name}_lmdb")
    if os.path.isdir(root / name):
        return _Folder(root / name)
    there = "" if root.is_dir() else " (no such folder)"
    raise DataUnavailable(
        f"LSUN: root={str(root)!r}{there} has no class {name!r}; looked for {root / name}, a "
        f"folder of pictures, and {root / name}_lmdb; "
        "the archives are at http://dl.yf.io/lsun/scenes/"
    )


class _Folder:
    def __init__(self, folder: Path):
        self.paths = [
            path for path in files_below(str(folder)) if path.lower().endswith(IMG_EXTENSIONS)
        ]
        if not self.paths:
            raise DataError(
                f"{folder}: no file in it or below has a name ending in {', '.join(IMG_EXTENSIONS)}"
            )

    def __len__(self) -> int:
        return len(self.paths)

    def picture(self, index: int) -> Any:
        return default_loader(self.paths[index])


class _Database:
    """LMDB: a map from names to files of pictures."""

    def __init__(self, folder: Path):
        try:
            import lmdb
        except ImportError as e:
            pictures = str(folder).removesuffix("_lmdb")
            raise DataError(
                f"{folder} is in the form of LMDB: install the package lmdb, or export its "
                f"pictures into {pictures}"
            ) from e
        try:
            self.env = lmdb.open(
                str(folder),
                max_readers=1,
                readonly=True,
                lock=False,
                readahead=False,
                meminit=False,
            )
            with self.env.begin() as read:
                self.keys = list(read.cursor().iternext(keys=True, values=False))
        except lmdb.Error as e:
            raise DataError(f"{folder}: cannot be read ({e})") from e

    def __len__(self) -> int:
        return len(self.keys)

    def picture(self, index: int) -> Any:
        with self.env.begin() as read:
            return default_loader(io.BytesIO(read.get(self.keys[index])))
