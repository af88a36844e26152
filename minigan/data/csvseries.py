"""Own series in a .csv, whose first line names the columns, in one of two forms.

A series in each row: a column `label` (or class, category, target, speaker), all others but a time
(see below) its values in their order. Empty cells at the end of a row make it shorter.

    label,h0,h1,h2,h3
    winter,0.1,0.4,0.9,0.2

A time in each row, where there is a column `series` (or id, utterance, sequence): rows with the
same name of a series are its times, in their order; each column but the series' name, the label and
the time (time, t, frame, step, date) is a channel.

    series,label,c0,c1
    u1,ann,1.9,-0.2
    u1,ann,1.8,-0.3

A label for all, where there is no such column. Columns without a name, such as the index that
pandas writes, are left out. Cells that say nan, ? or nothing are missing values:
their series are left out, and it is said which. Where the first line parts names by semicolons or
tabs, so do the others, and numbers may have decimal commas.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from .imageset import DataError
from .labelled import LABELS
from .series import Found, number_of

OF_LABEL = (*LABELS, "speaker")
OF_SERIES = ("series", "id", "utterance", "sequence")
OF_TIME = ("time", "t", "frame", "step", "date", "timestamp")
ALL = "all"  # the label of series that have none
HOW = "expected a line of columns' names, such as 'label,h0,h1,h2' or 'series,label,c0,c1'"


def read_csv(path: Path) -> list[Found]:
    """The series of a file. DataError where it is of another form."""
    head, rows = _table(path)
    label = _place(head, OF_LABEL)
    whose = _place(head, OF_SERIES)
    skipped = {label, whose, _place(head, OF_TIME)}
    values = [i for i, name in enumerate(head) if name and i not in skipped]
    if not values:
        raise DataError(f"{path}: its columns are {', '.join(head)}: there is none of values")
    said = lambda row: ALL if label is None else row[label].strip()
    if whose is None:
        whole = [
            (where, _numbers(path, where, head, _trimmed(row, values))[:, None], said(row))
            for where, row in rows
        ]
        if len(values) == 1:
            raise DataError(
                f"{path}: one value in each row ({head[values[0]]!r}). Where a row is a time, a "
                "column 'series' must say of which series"
            )
        return whole
    found: dict[str, tuple[str, list[np.ndarray]]] = {}
    for where, row in rows:
        name = row[whose].strip()
        if not name:
            raise DataError(f"{path}, {where}: it does not say of which series it is")
        first, times = found.setdefault(name, (said(row), []))
        if said(row) != first:
            raise DataError(
                f"{path}, {where}: series {name!r} has the label {said(row)!r} here and "
                f"{first!r} before: give it one label"
            )
        cells = [(i, row[i]) for i in values]
        times.append(_numbers(path, where, head, cells))
    return [(f"series {name}", np.array(times), first) for name, (first, times) in found.items()]


def _table(path: Path) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """The columns' names in small letters, and (where, cells) of each row."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: it is no text in UTF-8 ({error.reason})") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from None
    lines = text.splitlines()
    first = next(filter(str.strip, lines), "")
    by = max(",;\t", key=first.count)
    reader = csv.reader(lines, strict=True, delimiter=by)
    try:
        rows = [(f"line {reader.line_num}", row) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise DataError(f"{path} is no CSV ({error}); {HOW}") from None
    if not rows:
        raise DataError(f"{path} is empty; {HOW}")
    head = [cell.strip().lower() for cell in rows[0][1]]
    if all(_number(cell) is not None for cell in head):
        raise DataError(f"{path}: the first line has no names; {HOW}")
    if not rows[1:]:
        raise DataError(f"{path} has no rows but the first; {HOW}")
    for where, row in rows[1:]:
        if len(row) != len(head):
            raise DataError(f"{path}, {where}: {len(row)} values instead of {len(head)}")
    if by != ",":
        return head, [(where, list(map(_with_point, row))) for where, row in rows[1:]]
    return head, rows[1:]


def _with_point(cell: str) -> str:
    """A cell, with a point where it is a number with a decimal comma."""
    changed = cell.replace(",", ".", 1)
    return cell if _number(changed) is None else changed


def _place(head: list[str], names: tuple[str, ...]) -> int | None:
    return next((head.index(name) for name in names if name in head), None)


def _number(cell: str) -> float | None:
    """None where it is none; NaN where it is missing."""
    try:
        return number_of(cell)
    except ValueError:
        return None


def _trimmed(row: list[str], places: list[int]) -> list[tuple[int, str]]:
    """The cells without the empty ones at the end; one at least."""
    last = max((n for n, i in enumerate(places) if row[i].strip()), default=0)
    return [(i, row[i]) for i in places[: last + 1]]


def _numbers(path: Path, where: str, head: list[str], cells: list[tuple[int, str]]) -> np.ndarray:
    found = []
    for i, cell in cells:
        value = _number(cell)
        if value is None:
            raise DataError(
                f"{path}, {where}: {cell!r} in column {head[i]!r} is no number; labels stand in a "
                "column 'label'"
            )
        found.append(value)
    return np.array(found)
