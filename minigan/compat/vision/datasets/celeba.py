"""CelebA (Liu et al. 2015): 202,599 faces of celebrities with 40 attributes, names, boxes and
landmarks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ....autograd import tensor_of
from ....data.imageset import DataError, DataUnavailable
from .base import Function, VisionDataset, choice
from .folder import opened

HOME = "http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
FILES = {  # target type -> its file
    "attr": "list_attr_celeba.txt",
    "identity": "identity_CelebA.txt",
    "bbox": "list_bbox_celeba.txt",
    "landmarks": "list_landmarks_align_celeba.txt",
}
PARTITION = "list_eval_partition.txt"
WIDTHS = {"attr": 40, "identity": 1, "bbox": 4, "landmarks": 10}


class Table(NamedTuple):
    """A text file of CelebA: the names of its columns, of the pictures, and int64 (pictures,
    columns)."""

    header: list[str]
    names: list[str]
    data: np.ndarray


class CelebA(VisionDataset):
    """Pictures of 178x218 pixels. The target: what `target_type` says, for several types a tuple,
    None for an empty list.

    root : holds the folder celeba (or is it), with the folder img_align_celeba and the text files;
        a file that only other target types need may be missing. Kaggle's form will do, too: tables
        with commas (.csv), and pictures one folder deeper
    split : "train" (162,770), "valid" (19,867), "test" (19,962) or "all"
    target_type : "attr", int64 (40,) of 0 and 1; "identity", the number of the person; "bbox", (x,
        y, width, height) in the original picture; "landmarks", int64 (10,): x and y of the eyes,
        the nose, the corners of the mouth; or a list of these
    download : the files lie on Google Drive, from where they have to be fetched by hand

    `filename`: the names of the pictures. `attr`, `identity`, `bbox`, `landmarks_align`: Tensors of
    as many rows, None if there is no such file. `attr_names`.
    """

    base_folder = "celeba"

    def __init__(
        self,
        root: Any,
        split: str = "train",
        target_type: str | list[str] = "attr",
        transform: Function = None,
        target_transform: Function = None,
        download: bool = False,
    ):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = choice(
            "split",
            split.lower() if isinstance(split, str) else split,
            ("train", "valid", "test", "all"),
        )
        self.target_type = (
            list(target_type) if isinstance(target_type, (list, tuple)) else [target_type]
        )
        for kind in self.target_type:
            choice("target_type", kind, tuple(FILES))
        if not self.target_type and target_transform is not None:
            raise RuntimeError("CelebA: target_transform is given, but target_type is empty")
        self.folder, self.images = self._locate(download)
        self._load()

    def _locate(self, download: bool) -> tuple[Path, Path]:
        """Where the text files and where the pictures are."""
        root = Path(self.root).expanduser()
        needed = [FILES[kind] for kind in self.target_type] + (
            [PARTITION] if self.split != "all" or not self.target_type else []
        )
        for folder in (root / self.base_folder, root):
            pictures = folder / "img_align_celeba"
            if os.path.isdir(pictures) and all(_file(folder, name) for name in needed):
                deeper = pictures / "img_align_celeba"
                return folder, deeper if os.path.isdir(deeper) else pictures
        there = "" if root.is_dir() else " (no such folder)"
        by_hand = (
            "it lies on Google Drive and cannot be downloaded from here"
            if download
            else "it cannot be downloaded from here"
        )
        raise DataUnavailable(
            f"CelebA: root={str(self.root)!r}{there} does not hold the data; looked for the "
            "folder img_align_celeba with the pictures "
            f"(unpack img_align_celeba.zip), {', '.join(needed)} in {root / self.base_folder} or "
            f"{root}; {by_hand}: fetch it from {HOME}"
        )

    def _load(self) -> None:
        tables = {
            kind: _read(path) for kind, name in FILES.items() if (path := _file(self.folder, name))
        }
        partition = _read(path) if (path := _file(self.folder, PARTITION)) else None
        names = partition.names if partition else tables[self.target_type[0]].names
        for kind, table in tables.items():
            if table.names != names or table.data.shape[1:] != (WIDTHS[kind],):
                raise DataError(
                    f"{_file(self.folder, FILES[kind])}: expected {WIDTHS[kind]} numbers for each "
                    f"of the {len(names)} pictures, "
                    f"but it holds {table.data.shape}, or other names; put the original file in "
                    "its place"
                )
        chosen = np.arange(len(names))
        if self.split != "all":
            assert partition is not None
            chosen = np.flatnonzero(
                partition.data[:, 0] == ("train", "valid", "test").index(self.split)
            )
        rows = {kind: tensor_of(table.data[chosen]) for kind, table in tables.items()}
        self.filename = [names[i] for i in chosen]
        self.identity, self.bbox, self.landmarks_align = (
            rows.get(kind) for kind in ("identity", "bbox", "landmarks")
        )
        self.attr = (rows["attr"] + 1) // 2 if "attr" in rows else None  # -1 and 1 become 0 and 1
        self.attr_names = tables["attr"].header if "attr" in tables else []

    def _target(self, kind: str, index: int) -> Any:
        rows = {
            "attr": self.attr,
            "identity": self.identity,
            "bbox": self.bbox,
            "landmarks": self.landmarks_align,
        }[kind]
        assert rows is not None
        return rows[index, 0] if kind == "identity" else rows[index]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = opened(self.images / self.filename[index])
        targets = tuple(self._target(kind, index) for kind in self.target_type)
        if not targets:
            return self._pair(image, None)
        return self._pair(image, targets if len(targets) > 1 else targets[0])

    def __len__(self) -> int:
        return len(self.filename)

    def extra_repr(self) -> str:
        return f"Target type: {self.target_type}\nSplit: {self.split}"


def _file(folder: Path, name: str) -> Path | None:
    """The text file, or Kaggle's table of the same name."""
    return next(
        (p for p in (folder / name, folder / f"{Path(name).stem}.csv") if os.path.isfile(p)), None
    )


def _read(path: Path) -> Table:
    """A text file: the number of pictures and the names of the columns (not everywhere), then a
    line a picture: its name, numbers."""
    comma = "," if path.suffix == ".csv" else None
    try:
        lines = [line.split(comma) for line in path.read_text("ascii").splitlines() if line.strip()]
        start = next(i for i, row in enumerate(lines) if "." in row[0])
        data = np.array([row[1:] for row in lines[start:]], np.int64)
    except (OSError, ValueError, StopIteration) as e:
        raise DataError(
            f"{path}: cannot be read as lines of a picture's name and numbers ({e}); put the "
            "original file in its place"
        ) from e
    header = [name.strip() for name in lines[start - 1]] if start else []
    return Table(header[1:] if comma else header, [row[0] for row in lines[start:]], data)
