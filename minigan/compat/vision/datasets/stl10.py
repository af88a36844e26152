"""STL-10 (Coates, Ng, Lee 2011): photographs of 96x96 pixels, few with labels and many without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ....data.imageset import DataError
from .base import Function, VisionDataset, choice, download, locate, missing, read_bytes, unpack


class STL10(VisionDataset):
    """`data`: NumPy uint8 (N, 3, 96, 96); `labels`: (N,), 0 to 9, -1 for pictures without a label;
    `classes`.

    root : holds the folder stl10_binary, or is it
    split : "train" (5,000), "test" (8,000), "unlabeled" (100,000) or "train+unlabeled"
    folds : 0 to 9, one of the predefined parts of 1,000 of the 5,000; None: all
    download : may the archive (2.6 GB) be fetched into root and unpacked there?
    """

    base_folder = "stl10_binary"
    url = "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"
    filename = "stl10_binary.tar.gz"
    tgz_md5 = "91f7769df0f17e558f3565bffb0c7dfb"
    class_names_file, folds_list_file = "class_names.txt", "fold_indices.txt"
    splits = ("train", "train+unlabeled", "unlabeled", "test")

    def __init__(
        self,
        root: Any,
        split: str = "train",
        folds: int | None = None,
        transform: Function = None,
        target_transform: Function = None,
        download: bool = False,
    ):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = choice("split", split, self.splits)
        if folds is not None and (not isinstance(folds, int) or not 0 <= folds < 10):
            raise ValueError(f"folds={folds!r}: expected None or 0 to 9")
        self.folds = folds
        folder = self._folder(download)
        parts = [self._read(folder, part) for part in split.split("+")]
        self.data = (
            parts[0][0] if len(parts) == 1 else np.concatenate([images for images, _ in parts])
        )
        self.labels = (
            parts[0][1]
            if len(parts) == 1
            else np.concatenate([labels.astype(np.int64) for _, labels in parts])
        )
        if (folder / self.class_names_file).is_file():
            self.classes = (folder / self.class_names_file).read_text("ascii").split()

    def _files(self, part: str) -> list[str]:
        return ["unlabeled_X.bin"] if part == "unlabeled" else [f"{part}_X.bin", f"{part}_y.bin"]

    def _folder(self, allowed: bool) -> Path:
        names = [name for part in self.split.split("+") for name in self._files(part)]
        names += [self.folds_list_file] if self.folds is not None and self.split != "test" else []
        folder = locate(self.root, [self.base_folder, "."], names)
        if folder is None and not allowed:
            how_to = f"pass download=True, or unpack {self.filename} there"
            raise missing("STL10", self.root, [self.base_folder, "."], names, how_to)
        if folder is None:
            root = Path(self.root).expanduser()
            download("STL10", self.url, root / self.filename, self.tgz_md5)
            all_names = [n for part in ("train", "test", "unlabeled") for n in self._files(part)]
            all_names += [self.class_names_file, self.folds_list_file]
            unpack(root / self.filename, [f"{self.base_folder}/{name}" for name in all_names], root)
            folder = root / self.base_folder
        return folder

    def _read(self, folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
        names = self._files(part)
        # stored by columns
        images = (
            read_bytes(folder / names[0], multiple_of=3 * 96 * 96)
            .reshape(-1, 3, 96, 96)
            .transpose(0, 1, 3, 2)
        )
        if part == "unlabeled":
            return images, np.full(len(images), -1)
        labels = read_bytes(folder / names[1], size=len(images))
        if labels.min() < 1 or labels.max() > 10:
            raise DataError(
                f"{folder / names[1]}: expected labels 1 to 10, but there are {labels.min()} to "
                f"{labels.max()}; fetch it again"
            )
        if part == "train" and self.folds is not None:
            chosen = self._fold(folder / self.folds_list_file, len(images))
            images, labels = images[chosen], labels[chosen]
        return images, labels - np.uint8(1)

    def _fold(self, path: Path, n: int) -> np.ndarray:
        assert self.folds is not None
        try:
            chosen = np.array(path.read_text("ascii").splitlines()[self.folds].split(), np.int64)
        except (OSError, ValueError, IndexError) as e:
            raise DataError(f"{path}: expected 10 lines of indices ({e})") from e
        if len(chosen) and not 0 <= chosen.min() <= chosen.max() < n:
            raise DataError(
                f"{path}: indices {chosen.min()} to {chosen.max()}, but there are {n} pictures"
            )
        return chosen

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        from PIL import Image

        image = Image.fromarray(np.ascontiguousarray(self.data[index].transpose(1, 2, 0)))
        return self._pair(image, int(self.labels[index]))

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {self.split}"
