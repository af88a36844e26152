"""Data sets with torchvision's names and arguments: pairs (image, label), the image a Pillow picture or what `transform` makes of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..autograd import tensor_of
from ..backend.elsewhere import complete as _complete
from ..data import mnist
from ..data.dataset import Dataset
from ..data.imageset import DataError

__all__ = ["MNIST", "DatasetFolder", "FashionMNIST", "ImageFolder", "default_loader"]
_complete(__name__)

IMAGES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
Function = Callable[[Any], Any] | None


class VisionDataset(Dataset):
    """Base of the data sets here: applies `transform` to images and `target_transform` to labels."""

    def __init__(self, root: Any, transform: Function = None, target_transform: Function = None):
        self.root, self.transform, self.target_transform = root, transform, target_transform

    def _pair(self, image: Any, target: Any) -> tuple[Any, Any]:
        return (
            image if self.transform is None else self.transform(image),
            target if self.target_transform is None else self.target_transform(target),
        )


class MNIST(VisionDataset):
    """Handwritten digits. `data`: uint8 (N, 28, 28); `targets`: int64 (N,).

    root : a folder with the idx files, in it or in its subfolder mnist, MNIST/raw or raw; where they are not there, they are
           looked for where `minigan.data.load_dataset` looks
    train : the 60,000 examples, or the 10,000 for tests
    download : may a mirror be asked? Files are then kept in minigan's cache folder, not in root
    """

    name = "mnist"
    classes = ["0 - zero", "1 - one", "2 - two", "3 - three", "4 - four", "5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine"]

    def __init__(
        self, root: Any, train: bool = True, transform: Function = None, target_transform: Function = None, download: bool = False
    ):  # fmt: skip
        super().__init__(root, transform, target_transform)
        self.train = train
        found = mnist.load(self.name, "train" if train else "test", self._folder(), download)
        self.data, self.targets = tensor_of(found.images[:, 0].copy()), tensor_of(found.labels.astype(np.int64))

    def _folder(self) -> Path | None:
        """The place under root where the files are."""
        root, first = Path(self.root), "train-images-idx3-ubyte"
        for place in (root, root / self.name, root / type(self).__name__ / "raw", root / "raw"):
            if any((place / f"{first}{end}").exists() for end in ("", ".gz")):
                return place
        return None

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        from PIL import Image

        return self._pair(Image.fromarray(self.data.array[index]), int(self.targets.array[index]))

    def __len__(self) -> int:
        return len(self.data)


class FashionMNIST(MNIST):
    """Pictures of clothes, as `MNIST`."""

    name = "fashion-mnist"
    classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


def default_loader(path: Any) -> Any:
    """The picture in a file, as RGB. DataError, which names the file, if it cannot be read."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except Exception as error:  # Pillow's readers fail in many ways on damaged files
        raise DataError(f"{path}: this picture cannot be read ({type(error).__name__}: {error}); mend or remove it") from error


class DatasetFolder(VisionDataset):
    """root/class/.../file: the label is the number of the class among the sorted subfolders.

    `classes`, `class_to_idx`, `samples` (paths and labels), `targets`, as torchvision has them.
    """

    def __init__(
        self, root: Any, loader: Callable[[str], Any], extensions: tuple[str, ...] | None = None, transform: Function = None,
        target_transform: Function = None, is_valid_file: Callable[[str], bool] | None = None,
    ):  # fmt: skip
        super().__init__(root, transform, target_transform)
        self.loader, self.extensions = loader, extensions
        try:
            self.classes = sorted(e.name for e in os.scandir(root) if e.is_dir())
        except OSError as error:
            raise DataError(f"the data folder {root} cannot be read: {error.strerror}") from error
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self.samples: list[tuple[str, int]] = []
        for name, label in self.class_to_idx.items():
            for folder, _, files in sorted(os.walk(os.path.join(root, name), followlinks=True)):
                for path in (os.path.join(folder, file) for file in sorted(files)):
                    if is_valid_file(path) if is_valid_file else path.lower().endswith(extensions or ""):
                        self.samples.append((path, label))
        if not self.samples:
            kinds = f" with names ending in {', '.join(extensions)}" if extensions else ""
            raise DataError(f"the data folder {root} has no subfolder with files{kinds}: expected {root}/<class>/<file>")
        self.targets = [label for _, label in self.samples]
        self.imgs = self.samples

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, label = self.samples[index]
        return self._pair(self.loader(path), label)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """root/class/.../picture: as `DatasetFolder`, pictures as RGB."""

    def __init__(
        self, root: Any, transform: Function = None, target_transform: Function = None, loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
    ):  # fmt: skip
        super().__init__(root, loader, None if is_valid_file else IMAGES, transform, target_transform, is_valid_file)
