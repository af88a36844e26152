"""Own pictures of two domains: folders trainA and trainB, or pairs side by side in one picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from .findfiles import find_files
from .folder import decoded, named
from .glyphs import FONTS, glyphs
from .imageset import DataError
from .pairs import Pairs

DIRECTIONS = ("AtoB", "BtoA")


def load_pairs(
    name: str | os.PathLike, split: str = "train", size: int = 32, direction: str = "AtoB",
    font_a: str = FONTS[0], font_b: str = FONTS[1], on_notice: Callable[[str], object] = print,
) -> Pairs:  # fmt: skip
    """Two domains by name: "glyphs", or a folder (`image_pairs`).

    direction   "AtoB", or "BtoA": `images` are those of B, and `targets` those of A
    size        pixels of a side
    font_a, font_b   of glyphs
    """
    if direction not in DIRECTIONS:
        raise DataError(f"direction={direction!r}: expected {' or '.join(DIRECTIONS)}")
    if name == "glyphs":
        found = glyphs(split, size, font_a, font_b)
    elif os.path.isdir(name):
        found = image_pairs(name, split, size, on_notice)
    else:
        raise DataError(
            f"no data of two domains {str(name)!r}: there is 'glyphs', and folders with trainA and "
            "trainB, or of pictures that show a pair side by side"
        )
    return found if direction == "AtoB" else found.reversed()


def image_pairs(
    folder: str | os.PathLike, split: str = "train", size: int = 64,
    on_notice: Callable[[str], object] = print,
) -> Pairs:  # fmt: skip
    """The pictures of a folder as two domains: uint8 (N, C, size, size) and (M, C, size, size),
    grey where all of a domain are.

    With subfolders trainA and trainB: pairs where both hold files of the same names (without their
    endings), else two sets that do not belong together. Without: every picture in `train`, or in
    the folder itself, shows A at its left and B at its right. split="test": testA and testB, or
    `test`; where they are not there, what is there for training.

    Pictures of trainA are cut to their largest square centre, halves of a pair squeezed into it,
    both then resized. DataError: no such folder, none can be read, or pictures that show no pair.
    """
    folder = Path(folder).expanduser()
    if not os.path.isdir(folder):
        raise DataError(f"{folder}: no such folder")
    a, b = (folder / f"{split}{side}" for side in "AB")
    if split != "train" and not (os.path.isdir(a) or os.path.isdir(folder / split)):
        return image_pairs(folder, "train", size, on_notice)
    if os.path.isdir(a) or os.path.isdir(b):
        return _two_folders(folder, a, b, size, on_notice)
    place = folder / split if os.path.isdir(folder / split) else folder
    return _side_by_side(folder, place, size, on_notice)


def read_pictures(
    names: Sequence[str | os.PathLike], shape: tuple[int, ...]
) -> tuple[np.ndarray, list[str]]:
    """Files, and all pictures in folders, as uint8 (N, *shape), shape = (C, H, W), their centres
    resized; and a name of each, without its ending, no two alike. DataError where one is not there
    or cannot be read, or a folder holds none that can."""
    images, stems = [], []
    for name in names:
        path = Path(name).expanduser()
        whole = path.is_dir()
        place, files = (path, _pictures_of(path)) if whole else (path.parent, [path.name])
        if not whole and not os.path.lexists(path):
            raise DataError(f"{path}: no such file")
        found, problems = decoded(
            place, files, (shape[1], shape[2]), shape[0], cache=False, quiet=True
        )
        if not len(found):
            raise DataError(f"{path} cannot be read as a picture: {named(problems)}")
        unread = dict(problems)
        images.append(found)
        stems += [os.path.splitext(n)[0] for n in files if n not in unread]
    seen: dict[str, int] = {}
    for i, stem in enumerate(stems):
        seen[stem] = seen.get(stem, 0) + 1
        if seen[stem] > 1:
            stems[i] = f"{stem}-{seen[stem]}"
    return np.concatenate(images), stems


def _two_folders(folder: Path, a: Path, b: Path, size: int, on_notice: Callable) -> Pairs:
    found, stems, left_out = [], [], []
    for place in (a, b):
        if not os.path.isdir(place):
            raise DataError(f"{folder}: there is no folder {place.name} beside the other one")
        files = _pictures_of(place)
        images, problems = decoded(place, files, (size, size), None, on_notice)
        unread = dict(problems)
        if not len(images):
            raise DataError(f"{place}: none of its files can be read: {named(problems)}")
        found.append(images)
        stems.append([os.path.splitext(name)[0] for name in files if name not in unread])
        left_out += [(f"{place.name}/{name}", why) for name, why in problems]
    names: tuple[str, ...] = ()
    paired = set(stems[0]) == set(stems[1]) and all(len(set(s)) == len(s) for s in stems)
    if paired:  # endings may sort otherwise
        number = {name: i for i, name in enumerate(stems[1])}
        found[1] = found[1][[number[name] for name in stems[0]]]
        names = tuple(stems[0])
    labels = np.zeros(len(found[0]), np.uint8)
    return Pairs(
        found[0], labels, folder.resolve().name, str(folder), tuple(left_out),
        targets=found[1], names=names, paired=paired,
    )  # fmt: skip


def _side_by_side(folder: Path, place: Path, size: int, on_notice: Callable) -> Pairs:
    files = _pictures_of(place)
    wrong = [(name, "it is not wider than high") for name in files if not _wide(place / name)]
    if wrong:
        raise DataError(
            f"{place}: pictures that show no pair side by side: {named(wrong)}; expected A at the "
            "left and B at the right, or folders trainA and trainB"
        )
    (images, problems), (targets, _) = (
        decoded(place, files, (size, size), None, notice, crop=half)
        for half, notice in (("left", on_notice), ("right", lambda text: None))
    )
    if not len(images):
        raise DataError(f"{place}: none of its files can be read: {named(problems)}")
    unread = dict(problems)
    return Pairs(
        images, np.zeros(len(images), np.uint8), folder.resolve().name, str(folder),
        tuple(problems), targets=targets,
        names=tuple(os.path.splitext(n)[0] for n in files if n not in unread),
    )  # fmt: skip


def _pictures_of(place: Path) -> list[str]:
    return find_files(place, "*")[0]


def _wide(path: Path) -> bool:
    """Is it wider than high, as two pictures side by side are? True of what cannot be read: that is
    told elsewhere."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.width > picture.height
    except Exception:
        return True
