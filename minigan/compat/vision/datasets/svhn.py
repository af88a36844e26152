"""SVHN (Netzer et al. 2011): house numbers cut out of street views, one digit in the middle of each
picture of 32x32 pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ....data.imageset import DataError
from .base import Function, VisionDataset, choice, download, locate, missing

URL = "http://ufldl.stanford.edu/housenumbers/"


class SVHN(VisionDataset):
    """`data`: NumPy uint8 (N, 3, 32, 32); `labels`: int64 (N,), 0 for the digit 0 (10 in the
    files).

    root : holds train_32x32.mat and so on
    split : "train" (73,257), "test" (26,032) or "extra" (531,131)
    download : may the file be fetched into root?
    """

    split_list = {
        "train": [f"{URL}train_32x32.mat", "train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"],
        "test": [f"{URL}test_32x32.mat", "test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"],
        "extra": [f"{URL}extra_32x32.mat", "extra_32x32.mat", "a93ce644f1a588dc4d68dda5feec44a7"],
    }

    def __init__(
        self,
        root: Any,
        split: str = "train",
        transform: Function = None,
        target_transform: Function = None,
        download: bool = False,
    ):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = choice("split", split, tuple(self.split_list))
        self.url, self.filename, self.file_md5 = self.split_list[split]
        folder = locate(root, [".", "SVHN", "svhn"], [self.filename])
        if folder is None:
            folder = self._download(download)
        self.data, self.labels = _read(folder / self.filename)

    def _download(self, allowed: bool) -> Path:
        if not allowed:
            raise missing(
                "SVHN",
                self.root,
                [".", "SVHN", "svhn"],
                [self.filename],
                f"pass download=True, or fetch {self.url}",
            )
        folder = Path(self.root).expanduser()
        download("SVHN", self.url, folder / self.filename, self.file_md5)
        return folder

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        from PIL import Image

        return self._pair(
            Image.fromarray(self.data[index].transpose(1, 2, 0)), int(self.labels[index])
        )

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {self.split}"


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    from scipy.io import loadmat

    try:
        found = loadmat(path, variable_names=["X", "y"])
    except Exception as e:  # damaged files fail in many ways
        raise DataError(
            f"{path}: cannot be read as a file of Matlab 5 ({e}); fetch it again"
        ) from e
    pixels, labels = found.get("X"), found.get("y")
    if (
        not isinstance(pixels, np.ndarray)
        or pixels.dtype != np.uint8
        or pixels.ndim != 4
        or pixels.shape[:3] != (32, 32, 3)
    ):
        raise DataError(f"{path}: expected X, uint8 (32, 32, 3, N); fetch it again")
    if (
        not isinstance(labels, np.ndarray)
        or labels.size != pixels.shape[3]
        or labels.dtype.kind not in "iuf"
    ):
        raise DataError(f"{path}: expected y, {pixels.shape[3]} labels; fetch it again")
    labels = labels.astype(np.int64).reshape(-1)
    labels[labels == 10] = 0
    return np.ascontiguousarray(pixels.transpose(3, 2, 0, 1)), labels
