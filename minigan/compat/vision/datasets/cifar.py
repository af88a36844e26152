"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009): 60,000 photographs of 32x32 pixels, as Python's batches
or in the binary form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ....data.imageset import DataError
from .base import Function, VisionDataset, download, locate, missing, read_bytes, unpack
from .plainpickle import read_pickle


class CIFAR10(VisionDataset):
    """10 classes. `data`: NumPy uint8 (N, 32, 32, 3); `targets`: a list of N ints; `classes`,
    `class_to_idx`.

    root : holds the folder cifar-10-batches-py (or cifar-10-batches-bin, the binary form), or is it
    train : the 50,000 pictures, or the 10,000 for tests
    download : may the archive be fetched into root and unpacked there?
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list = [[f"data_batch_{i}"] for i in range(1, 6)]
    test_list = [["test_batch"]]
    meta = {"filename": "batches.meta", "key": "label_names"}
    binary_folder = "cifar-10-batches-bin"
    binary_names = "batches.meta.txt"
    label_bytes = 1

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
        names = [name for name, *_ in (self.train_list if train else self.test_list)]
        places = [
            self.base_folder,
            ".",
            str(Path(self.filename.removesuffix(".tar.gz")) / self.base_folder),
        ]
        binary_places = [self.binary_folder, "."]
        folder = locate(root, places, [*names, self.meta["filename"]])
        binary = (
            None
            if folder
            else locate(
                root, binary_places, [*(f"{name}.bin" for name in names), self.binary_names]
            )
        )
        if folder is None and binary is None:
            if not download:
                here = (
                    f"{self.filename} is there: "
                    if (Path(root).expanduser() / self.filename).is_file()
                    else ""
                )
                how_to = f"{here}pass download=True, or unpack {self.filename} there"
                raise missing(
                    type(self).__name__,
                    root,
                    [*places, self.binary_folder],
                    [*names, self.meta["filename"]],
                    how_to,
                )
            folder = self._download()
        if folder is not None:
            self._read_batches(folder, names)
        else:
            self._read_binary(binary, names)
        if len(self.data) != len(self.targets) or not 0 <= min(self.targets) <= max(
            self.targets
        ) < len(self.classes):
            raise DataError(
                f"{folder or binary}: its labels do not fit its {len(self.data)} pictures or "
                f"{len(self.classes)} classes"
            )
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def _download(self) -> Path:
        root = Path(self.root).expanduser()
        download(type(self).__name__, self.url, root / self.filename, self.tgz_md5)
        names = [name for name, *_ in (*self.train_list, *self.test_list)] + [self.meta["filename"]]
        unpack(root / self.filename, [f"{self.base_folder}/{name}" for name in names], root)
        return root / self.base_folder

    def _read_batches(self, folder: Path, names: list[str]) -> None:
        parts, self.targets = [], []
        for name in names:
            batch = read_pickle(folder / name)
            pixels, labels = batch.get("data"), batch.get("labels", batch.get("fine_labels"))
            if not (
                isinstance(pixels, np.ndarray)
                and pixels.dtype == np.uint8
                and pixels.ndim == 2
                and pixels.shape[1] == 3072
            ):
                raise DataError(
                    f"{folder / name}: expected data, uint8 (N, 3072); put the original file in "
                    "its place"
                )
            if not isinstance(labels, (list, np.ndarray)) or len(labels) != len(pixels):
                raise DataError(
                    f"{folder / name}: expected {len(pixels)} labels; put the original file in "
                    "its place"
                )
            parts.append(pixels)
            self.targets += [int(label) for label in labels]
        self._keep(np.concatenate(parts))
        self.classes = [
            str(name)
            for name in read_pickle(folder / self.meta["filename"]).get(self.meta["key"], ())
        ]

    def _read_binary(self, folder: Any, names: list[str]) -> None:
        # the last byte of the label is the class, the one before it the superclass
        row = self.label_bytes + 3072
        rows = np.concatenate(
            [read_bytes(folder / f"{name}.bin", multiple_of=row).reshape(-1, row) for name in names]
        )
        self.targets = rows[:, self.label_bytes - 1].tolist()
        self._keep(rows[:, self.label_bytes :])
        self.classes = (folder / self.binary_names).read_text("ascii").split()

    def _keep(self, rows: np.ndarray) -> None:
        self.data = np.ascontiguousarray(rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        from PIL import Image

        return self._pair(Image.fromarray(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10):
    """100 classes, as `CIFAR10`; root holds cifar-100-python (or cifar-100-binary)."""

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train"]]
    test_list = [["test"]]
    meta = {"filename": "meta", "key": "fine_label_names"}
    binary_folder = "cifar-100-binary"
    binary_names = "fine_label_names.txt"
    label_bytes = 2
