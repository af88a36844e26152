"""USPS (Hull 1994): 9,298 digits of envelopes, 16x16 pixels, in the text format of LIBSVM."""

from __future__ import annotations

import bz2
from pathlib import Path
from typing import Any

import numpy as np

from ....data.imageset import DataError
from .base import Function, VisionDataset, download, locate, missing

URL = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"


class USPS(VisionDataset):
    """`data`: NumPy uint8 (N, 16, 16); `targets`: a list of N ints, 0 to 9.

    root : holds usps.bz2 (7,291 digits) and usps.t.bz2 (2,007 for tests)
    """

    split_list = {
        "train": [f"{URL}usps.bz2", "usps.bz2", "ec16c51db3855ca6c91edd34d0e9b197"],
        "test": [f"{URL}usps.t.bz2", "usps.t.bz2", "8ea070ee2aca1ac39742fdd1ef5ed118"],
    }

    def __init__(
        self,
        root: Any,
        train: bool = True,
        transform: Function = None,
        target_transform: Function = None,
        download: bool = False,
    ):
        super().__init__(root, transform=transform, target_transform=target_transform)
        url, name, md5 = self.split_list["train" if train else "test"]
        folder = locate(root, [".", "USPS", "usps"], [name]) or self._download(
            url, name, md5, download
        )
        self.data, self.targets = _read(folder / name)

    def _download(self, url: str, name: str, md5: str, allowed: bool) -> Path:
        if not allowed:
            raise missing(
                "USPS",
                self.root,
                [".", "USPS", "usps"],
                [name],
                f"pass download=True, or fetch {url}",
            )
        folder = Path(self.root).expanduser()
        download("USPS", url, folder / name, md5)
        return folder

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        from PIL import Image

        return self._pair(Image.fromarray(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        return len(self.data)


def _read(path: Path) -> tuple[np.ndarray, list[int]]:
    """Lines `label 1:value ... 256:value`, labels 1 to 10 and values in [-1, 1]."""
    try:
        with bz2.open(path, "rt", encoding="ascii") as file:
            rows = [line.split() for line in file]
        pixels = np.array(
            [[item.split(":")[1] for item in row[1:]] for row in rows], np.float32
        ).reshape(-1, 16, 16)
        labels = [int(row[0]) - 1 for row in rows]
    except (OSError, EOFError, ValueError, IndexError) as e:
        raise DataError(
            f"{path}: cannot be read as LIBSVM's lines of 256 values ({e}); fetch it again"
        ) from e
    if (
        len(pixels) != len(labels)
        or not labels
        or not 0 <= min(labels) <= max(labels) < 10
        or np.abs(pixels).max() > 1
    ):
        raise DataError(f"{path}: expected labels 1 to 10 and values from -1 to 1; fetch it again")
    return ((pixels + 1) / 2 * 255).astype(np.uint8), labels
