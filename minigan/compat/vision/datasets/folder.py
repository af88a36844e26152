"""Folders of files, one subfolder a class."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from ....data.folder import _in_mode
from ....data.imageset import DataError
from .base import Function, VisionDataset

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def opened(path: Any, mode: str | None = None) -> Any:
    """The picture in a file, in its own mode or as RGB; of 16 bits of grey the upper 8. DataError,
    which names the file, if it cannot be read."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            if mode is None:
                image.load()
                return image
            return _in_mode(image, mode) if image.mode.startswith("I") else image.convert(mode)
    except Exception as error:  # Pillow's readers fail in many ways on damaged files
        raise DataError(
            f"{path}: this picture cannot be read ({type(error).__name__}: {error}); mend or "
            "remove it"
        ) from error


def default_loader(path: Any) -> Any:
    """The picture in a file, as RGB. DataError, which names the file, if it cannot be read."""
    return opened(path, "RGB")


pil_loader = default_loader


def files_below(folder: str) -> Iterator[str]:
    """All files of a folder and its subfolders, links followed, in sorted order."""
    for place, _, names in sorted(os.walk(folder, followlinks=True)):
        yield from (os.path.join(place, name) for name in sorted(names))


def has_file_allowed_extension(filename: str, extensions: str | tuple[str, ...]) -> bool:
    """Does the name end in one of these (of small letters)?"""
    return (
        str(filename)
        .lower()
        .endswith(extensions if isinstance(extensions, str) else tuple(extensions))
    )


def is_image_file(filename: str) -> bool:
    """Does the name end in one of IMG_EXTENSIONS?"""
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def find_classes(directory: Any) -> tuple[list[str], dict[str, int]]:
    """The sorted names of the subfolders, and their numbers."""
    try:
        classes = sorted(e.name for e in os.scandir(directory) if e.is_dir())
    except OSError as error:
        raise DataError(f"the data folder {directory} cannot be read: {error.strerror}") from error
    if not classes:
        raise DataError(
            f"the data folder {directory} has no subfolder with files: expected "
            f"{directory}/<class>/<file>"
        )
    return classes, {name: i for i, name in enumerate(classes)}


def make_dataset(
    directory: Any,
    class_to_idx: dict[str, int] | None = None,
    extensions: str | tuple[str, ...] | None = None,
    is_valid_file: Callable[[str], bool] | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """The paths of the files of each class, and its number; as for `DatasetFolder`."""
    if (extensions is None) == (is_valid_file is None):
        raise ValueError("extensions, is_valid_file: give one of the two")
    directory = os.path.expanduser(directory)
    endings = (extensions,) if isinstance(extensions, str) else tuple(extensions or ())
    valid = is_valid_file or (lambda path: has_file_allowed_extension(path, endings))
    samples, empty = [], []
    for name, label in sorted(
        (find_classes(directory)[1] if class_to_idx is None else class_to_idx).items()
    ):
        found = [
            (path, label) for path in files_below(os.path.join(directory, name)) if valid(path)
        ]
        samples += found
        empty += [name] if not found else []
    if empty and not allow_empty:
        kinds = (
            f" with a name ending in {', '.join(endings)}"
            if endings
            else " that is_valid_file takes"
        )
        raise DataError(
            f"the data folder {directory} has no file{kinds} in the "
            f"subfolder{'s' * (len(empty) > 1)} {', '.join(empty)}: expected "
            f"{directory}/<class>/<file>; allow_empty=True lets them be"
        )
    return samples


class DatasetFolder(VisionDataset):
    """root/class/.../file: the label is the number of the class among the sorted subfolders.

    loader : what reads a file
    extensions, is_valid_file : endings of names, or a function of a path: which files count; give
        one of the two
    allow_empty : a class without such files is no error

    `classes`, `class_to_idx`, `samples` (paths and labels), `targets`, as torchvision has them.
    """

    def __init__(
        self,
        root: Any,
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Function = None,
        target_transform: Function = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.loader, self.extensions = loader, extensions
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.samples = self.make_dataset(
            self.root, self.class_to_idx, extensions, is_valid_file, allow_empty
        )
        self.targets = [label for _, label in self.samples]

    def find_classes(self, directory: Any) -> tuple[list[str], dict[str, int]]:
        """The names of the classes, and their numbers; a subclass may choose others."""
        return find_classes(directory)

    make_dataset = staticmethod(make_dataset)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, label = self.samples[index]
        return self._pair(self.loader(path), label)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """root/class/.../picture: as `DatasetFolder`, pictures as RGB. `imgs`: another name of
    `samples`."""

    def __init__(
        self,
        root: Any,
        transform: Function = None,
        target_transform: Function = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ):
        extensions = None if is_valid_file else IMG_EXTENSIONS
        super().__init__(
            root, loader, extensions, transform, target_transform, is_valid_file, allow_empty
        )
        self.imgs = self.samples
