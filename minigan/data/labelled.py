"""Own pictures with labels: a .csv or .json file that names both.

>>> data = image_list("birds/labels.csv", output_size=(64, 64))
>>> data.classes, data.labels.shape
(('crow', 'jay', 'wren'), (6000,))
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .folder import Size, decoded, named, numbered
from .imageset import DataError, ImageSet

LISTS = (".csv", ".json")
# names of columns and keys, in small letters
FILES = ("file", "filename", "file_name", "path", "image", "name")
LABELS = ("label", "class", "category", "target", "caption", "text")
HOW = {
    ".csv": "a row for each picture, 'file,label'",
    ".json": '{"file": "label", ...}, [["file", "label"], ...], [{"file": ..., "label": ...}, ...] '
    'or {"labels": [["file", "label"], ...]}',
}
Entry = tuple[str, Any, Any]  # (where in the list, file, label)


def is_list(name: str | os.PathLike) -> bool:
    """Is this the name of a list of files and labels?"""
    return Path(name).suffix.lower() in LISTS


def image_list(
    path: str | os.PathLike,
    output_size: Size = (64, 64),
    channels: int | None = None,
    on_notice: Callable[[str], object] = print,
    cache: bool = True,
    quiet: bool = False,
) -> ImageSet:
    """The pictures that a .csv or .json names, with the labels that it gives them, in its order.

    path         .csv: `file,label` in each row, or columns of these names (file, filename, path,
                 image; label, class, category, caption). .json: {"a.png": "cat"},
                 [["a.png", "cat"]], [{"file": "a.png", "label": "cat"}], or any of these under
                 "labels".
                 Names of files are relative to the list's folder; labels are words or whole numbers
    output_size, channels, on_notice, cache, quiet   as for `image_folder`

    The result's `classes` are the different labels, sorted, whole numbers by their size. Entries
    without a file name or a label, files that are not there or cannot be read, and files that were
    named before are left out: a notice names the first of them, the result's `left_out` all.
    DataError: no such list, one of another form, a file with two labels, or nothing is left.
    """
    path, images, texts, left_out, known = listed(
        path, output_size, channels, on_notice, cache=cache, quiet=quiet
    )
    classes = tuple(sorted(known, key=_order))
    return ImageSet(images, numbered(texts, classes), path.name, str(path), left_out, classes)


def listed(
    path: str | os.PathLike, output_size: Size, channels: int | None = None,
    on_notice: Callable[[str], object] = print, *, cache: bool = True, quiet: bool = False,
) -> tuple[Path, np.ndarray, list[str], tuple[tuple[str, str], ...], set[str]]:  # fmt: skip
    """(the list's path, its pictures, what it says of each, what is left out and why, all that it
    says, also of files that cannot be read); arguments and errors as for `image_list`."""
    path = Path(path).expanduser()
    entries, problems = _sound(path, _read(path))
    if not entries:
        raise DataError(f"{path}: it names no picture that is there: {named(problems)}")
    if problems:
        on_notice(f"{path}: {len(problems)} entries are left out: {named(problems)}")
    files = list(entries)
    images, unread = decoded(
        path.parent, files, output_size, channels, on_notice, cache=cache, quiet=quiet
    )
    if not len(images):
        raise DataError(f"{path}: none of its files can be read as a picture: {named(unread)}")
    lost = dict(unread)
    texts = [entries[name] for name in files if name not in lost]
    return path, images, texts, (*problems, *unread), set(entries.values())


def _order(label: str) -> tuple[bool, int, str]:
    whole = label.lstrip("-").isdecimal()
    return not whole, int(label) if whole else 0, label


def _sound(path: Path, found: Iterable[Entry]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """file -> label of entries that can be used, and (which, why) of the others."""
    entries: dict[str, str] = {}
    problems = []
    for where, file, given in found:
        if not isinstance(file, (str, type(None))):
            raise DataError(f"{path}, {where}: the file's name is {file!r}; expected {_how(path)}")
        if isinstance(given, bool) or not isinstance(given, (str, int, type(None))):
            raise DataError(
                f"{path}, {where}: the label is {given!r}; expected a word or a whole number"
            )
        file, label = (file or "").strip(), "" if given is None else str(given).strip()
        if not file:
            problems.append((where, "it names no file"))
        elif not label:
            problems.append((file, f"{where} gives it no label"))
        elif file in entries:
            if entries[file] != label:
                raise DataError(
                    f"{path}, {where}: {file} is {label!r} here and {entries[file]!r} before: give "
                    "it one label"
                )
            problems.append((file, f"{where} names it again"))
        elif not os.path.lexists(path.parent / file):
            problems.append((file, "it is not there"))
        else:
            entries[file] = label
    return entries, problems


def _read(path: Path) -> list[Entry]:
    """What the list says. DataError where it is no list."""
    try:
        text = path.read_text("utf-8-sig")
        return _rows(path, text) if path.suffix.lower() == ".csv" else _items(path, text)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: it is no text in UTF-8 ({error.reason})") from error
    except (csv.Error, json.JSONDecodeError) as error:
        kind = path.suffix[1:].upper()
        raise DataError(f"{path} is no {kind} ({error}); expected {_how(path)}") from error


def _how(path: Path) -> str:
    return HOW[path.suffix.lower()]


def _rows(path: Path, text: str) -> list[Entry]:
    reader = csv.reader(text.splitlines(), strict=True)
    rows = [(f"line {reader.line_num}", row) for row in reader if row]
    if not rows:
        raise DataError(f"{path} is empty; expected {_how(path)}")
    head = [cell.strip().lower() for cell in rows[0][1]]
    file = next((head.index(name) for name in FILES if name in head), None)
    label = next((head.index(name) for name in LABELS if name in head), None)
    if file is not None and label is not None:
        rows, wanted = rows[1:], len(head)
    else:
        file, label, wanted = 0, 1, 2
    if not rows:
        raise DataError(f"{path} names no files; expected {_how(path)}")
    for where, row in rows:
        if len(row) != wanted:
            raise DataError(
                f"{path}, {where}: {len(row)} values instead of {wanted}; expected {_how(path)}"
            )
    return [(where, row[file], row[label]) for where, row in rows]


def _items(path: Path, text: str) -> list[Entry]:
    # a name that is there twice is told, rather than lost
    content = json.loads(text, object_pairs_hook=_Pairs)
    if isinstance(content, _Pairs) and isinstance(within := dict(content).get("labels"), list):
        content = within
    if not isinstance(content, list) or not content:
        raise DataError(f"{path}: expected {_how(path)}")
    found: list[Entry] = []
    for i, item in enumerate(content, 1):
        where = f"entry {i}"
        if isinstance(item, _Pairs):
            values = {k.lower(): v for k, v in item}
            item = [next((values[k] for k in keys if k in values), None)
                    for keys in (FILES, LABELS)]  # fmt: skip
        if not isinstance(item, (list, tuple)) or len(item) != 2:
            raise DataError(f"{path}, {where}: it is {str(item)[:60]}; expected {_how(path)}")
        found.append((where, *item))
    return found


class _Pairs(list):
    """An object of JSON, as the list of its pairs."""
