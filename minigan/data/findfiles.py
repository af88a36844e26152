"""Which files of a folder are meant by a pattern."""

from __future__ import annotations

import fnmatch
import os
import re
from collections import Counter, deque
from pathlib import Path, PurePath

from .imageset import DataError

Named = list[tuple[str, str]]  # (name, what is wrong with it)


def find_files(folder: Path, pattern: str, recursive: bool = False) -> tuple[list[str], Named]:
    """The matching files as sorted paths relative to the folder, with slashes; and what could not
    be looked into: (name, why).

    pattern : as in `Path.glob`, but the case of letters in a file's name does not matter
    recursive : look in subfolders too

    Names that begin with a dot are left out. Links to folders are followed, after the folders
    themselves, and each folder is read once, however many links lead to it. What is no regular file
    (a link that leads nowhere, a pipe) is among the files: reading it says what is wrong. DataError
    if there is no such folder, the pattern makes no sense, or nothing matches.
    """
    if not os.path.isdir(folder):
        raise DataError(f"{folder}: no such folder")
    parts = _parts(pattern)
    if recursive and parts[0] != "**":
        parts = ["**", *parts]
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror})") from error
    found, unseen = _walk(folder, parts)
    if not found:
        more = "".join(f"; not looked into: {name} ({why})" for name, why in unseen[:3])
        raise DataError(
            f"{folder}: no file matches {pattern!r}{' in it or below' * recursive}; "
            f"{_what_is_there(folder)}{more}"
        )
    return sorted(found), sorted(unseen)


def _parts(pattern: str) -> list[str]:
    """Its names between slashes. DataError where they could not be those of files in the folder."""
    parts = list(PurePath(pattern).parts)
    why = None
    if not parts:
        why = "it is empty"
    elif PurePath(pattern).is_absolute() or ".." in parts:
        why = "it leads out of the folder"
    elif any("**" in part and part != "**" for part in parts):
        why = "'**' stands for folders, and so between slashes"
    if why:
        raise DataError(
            f"pattern {pattern!r}: {why}; expected something like '*.jpg' or '**/*.png'"
        )
    return [*parts, "*"] if parts[-1] == "**" else parts


def _walk(folder: Path, parts: list[str]) -> tuple[set[str], Named]:
    tests = [
        re.compile(fnmatch.translate(part), re.IGNORECASE if part is parts[-1] else 0).match
        for part in parts
    ]
    found: set[str] = set()
    unseen: dict[str, str] = {}
    seen: dict[tuple[int, int, int], str] = {}
    # a folder, how many parts of the pattern lead there, and is it behind a link?
    waiting = deque([("", 0, False)])
    while waiting:
        where, depth, linked = waiting.popleft()
        place = os.stat(folder / where)
        first = seen.setdefault((place.st_dev, place.st_ino, depth), where)
        if first != where:  # a link, or what it leads to
            if linked:
                unseen[where] = f"a link to {first or 'the folder itself'}, which is read already"
            continue
        try:
            entries = sorted(os.scandir(folder / where), key=lambda e: e.name)
        except OSError as error:
            unseen[where] = f"it cannot be read: {error.strerror}"
            continue
        deep, last = parts[depth] == "**", depth == len(parts) - 1
        if deep:
            waiting.appendleft((where, depth + 1, False))
        for entry in entries:
            name = f"{where}/{entry.name}" if where else entry.name
            if entry.name.startswith(".") and (last or not parts[depth].startswith(".")):
                continue
            link = entry.is_symlink()
            if _is_folder(entry):
                if deep or (not last and tests[depth](entry.name)):
                    (waiting.append if link else waiting.appendleft)(
                        (name, depth if deep else depth + 1, link)
                    )
            elif last and tests[depth](entry.name):
                found.add(name)
            elif deep and link and not os.path.exists(folder / name) and not tests[-1](entry.name):
                unseen[name] = f"a link to {os.readlink(folder / name)}, which is not there"
    return found, list(unseen.items())


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links that lead to each other
        return False


def _what_is_there(folder: Path) -> str:
    """For messages: the extensions in a folder and below, the most frequent first."""
    counts: Counter[str] = Counter()
    below = False
    for place, _, names in os.walk(folder):
        kinds = [Path(n).suffix or "no extension" for n in names if not n.startswith(".")]
        below |= bool(kinds) and Path(place) != folder
        counts.update(kinds)
        if sum(counts.values()) > 100_000:
            break
    if not counts:
        return "there are no files in it"
    what = ", ".join(f"{n} {kind}" for kind, n in counts.most_common(5))
    return f"there are {what}" + (
        "; those in subfolders need a pattern like '**/*.jpg'" if below else ""
    )
