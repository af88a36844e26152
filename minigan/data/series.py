"""Series of numbers with labels: real ones that aeon brings, made ones, and own ones in a .csv.

>>> data = series("japanese-vowels")
>>> data.series.shape, data.lengths.min(), data.classes
((270, 26, 12), 7, ('1', '2', '3', '4', '5', '6', '7', '8', '9'))

aeon (BSD-3-Clause) has the files in its package, and they are read there; they name no licence of
their own. JapaneseVowels: Kudo, Toyama, Shimbo 1999, Pattern Recognition Letters 20, of the UCI
archive: 9 men say two vowels, 12 LPC cepstra of each frame of 25.6 ms; the test was recorded on
other days. The others are of the UCR archive (Dau et al. 2019, arXiv:1810.07758), which asks to be
cited: ItalyPowerDemand: the power that Italy needs in each hour of a day, October to March, or
April to September; GunPoint: where a hand is; OSULeaf: outlines of leaves.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..arrays import Generator
from .imageset import MOST_CLASSES, DataError, DataUnavailable, settle, shortened

# name -> aeon's
OF_AEON = {
    "japanese-vowels": "JapaneseVowels", "italy-power-demand": "ItalyPowerDemand",
    "gun-point": "GunPoint", "osu-leaf": "OSULeaf",
}  # fmt: skip
EXTRA = "needs aeon, which has it: pip install 'minigan[series]'"
HELD_OUT = 5  # of own series of a class, every fifth is for the test
MISSING = ("", "nan", "na", "n/a", "null", "none", "?")
Found = tuple[str, np.ndarray, str]  # (where it was read, values (T, C), label)


@dataclass(frozen=True, eq=False, repr=False)
class SeriesSet:
    """Series of numbers, each with a label.

    series    float32 (N, T, C), read-only: C numbers at each of T times; zeros behind the end of
              those that are shorter
    lengths   int64 (N,), read-only: how many times each has
    labels    uint8 (N,), read-only
    name      "japanese-vowels", ..., or that of the file
    source    where it came from, for messages
    left_out  (which, why) of each series that is not in the set
    classes   the name of each label's class
    checksum  sha256 hex digest of the series and their lengths
    """

    series: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    name: str
    source: str
    left_out: tuple[tuple[str, str], ...] = ()
    classes: tuple[str, ...] = ()
    checksum: str = field(init=False)

    def __post_init__(self):
        kinds = {"series": np.float32, "lengths": np.int64, "labels": np.uint8}
        arrays = {
            name: np.ascontiguousarray(getattr(self, name), kind).view()
            for name, kind in kinds.items()
        }
        settle(self, [arrays["series"], arrays["lengths"]], **arrays)
        n, *rest = self.series.shape
        if len(rest) != 2 or not self.series.size:
            raise DataError(f"series must be (N, T, C), not {self.series.shape}")
        if self.lengths.shape != (n,) or self.labels.shape != (n,):
            raise DataError(f"{n} series, {len(self.lengths)} lengths, {len(self.labels)} labels")
        if not 1 <= self.lengths.min() <= self.lengths.max() <= rest[0]:
            raise DataError(f"lengths must be 1 to {rest[0]}")

    def __len__(self):
        return len(self.series)

    def checksum_of(self, columns: Sequence[str]) -> str:
        """`checksum`; with that of the labels, where they are among the columns."""
        if "labels" not in columns:
            return self.checksum
        return hashlib.sha256(self.checksum.encode() + self.labels.tobytes()).hexdigest()

    def require_classes(self, who: str) -> int:
        """How many classes there are, for `who`; DataError where it is one."""
        if len(self.classes) < 2:
            raise DataError(
                f"{who} needs labels, and {self.name} has one class only (own series: a column "
                "'label')"
            )
        return len(self.classes)

    def some(self, rows: np.ndarray) -> SeriesSet:
        """These series alone."""
        parts = (self.series[rows], self.lengths[rows], self.labels[rows])
        return SeriesSet(*parts, self.name, self.source, self.left_out, self.classes)

    def each(self) -> list[np.ndarray]:
        """The series without what is behind their ends: (T_i, C)."""
        return [x[:n] for x, n in zip(self.series, self.lengths)]

    def frames(self) -> tuple[np.ndarray, np.ndarray]:
        """What there is at each time of all series: float32 (M, C), and its label, uint8 (M,)."""
        inside = np.arange(self.series.shape[1]) < self.lengths[:, None]
        return self.series[inside], np.repeat(self.labels, self.lengths)

    def __repr__(self):
        return f"SeriesSet({self.name!r}, series {self.series.shape}, from {self.source})"


def series(
    name: str | os.PathLike = "japanese-vowels", split: str = "train",
    on_notice: Callable[[str], object] = print,
) -> SeriesSet:  # fmt: skip
    """Series with labels.

    name       "japanese-vowels" (270 and 370 of 7 to 29 x 12), "italy-power-demand" (67 and 1,029
               of 24), "gun-point" (50 and 150 of 150), "osu-leaf" (200 and 242 of 427); those
               need aeon. "made-voices" and "made-days", drawn by formulas, have the form of the
               first two. Or a .csv of own ones: `minigan.data.csvseries` says in which forms
    split      "train" or "test"; of a .csv, every fifth series of a class is for the test
    on_notice  called with one sentence if series are left out

    DataUnavailable without aeon; DataError where the file cannot be read, or is of another form.
    """
    if split not in ("train", "test"):
        raise DataError(f"split={split!r}: expected 'train' or 'test'")
    if name in MADE:
        return MADE[str(name)](split)
    if name in OF_AEON:
        found = read_ts(aeon_file(str(name), split))
        return gathered(found, str(name), f"aeon's {OF_AEON[str(name)]}", on_notice)
    path = Path(name).expanduser()
    if path.suffix.lower() != ".csv":
        known = ", ".join([*OF_AEON, *MADE])
        raise DataError(f"no series {str(name)!r}: expected one of {known}, or a .csv")
    return of_csv(path, split, on_notice)


def of_csv(path: Path, split: str, on_notice: Callable[[str], object] = print) -> SeriesSet:
    """Own series: `minigan.data.csvseries` says in which forms."""
    from .csvseries import read_csv

    whole = gathered(read_csv(path), path.name, str(path), on_notice)
    number = np.zeros(len(whole), np.int64)  # of each in its class
    for k in range(len(whole.classes)):
        number[whole.labels == k] = np.arange((whole.labels == k).sum())
    test = number % HELD_OUT == HELD_OUT - 1
    counts = np.bincount(whole.labels, minlength=len(whole.classes))
    if few := [name for name, n in zip(whole.classes, counts) if n < HELD_OUT]:
        of = f" of {shortened(few, repr)}" if len(whole.classes) > 1 else ""
        raise DataError(
            f"{path}: there are fewer than {HELD_OUT} series{of}: every fifth is held out for the "
            "test, so add some"
        )
    return whole.some(np.flatnonzero(test if split == "test" else ~test))


def gathered(
    found: Sequence[Found], name: str, source: str, on_notice: Callable[[str], object] = print
) -> SeriesSet:
    """Series as read, in one array. Those with a value that is missing are left out."""
    left_out, kept = [], []
    for where, values, label in found:
        wrong = int((~np.isfinite(values)).sum())
        if wrong:
            left_out.append((where, f"{wrong} missing value{'s' * (wrong > 1)}"))
        elif label.lower() in MISSING:
            left_out.append((where, "no label"))
        else:
            kept.append((values, label))
    if left_out:
        said = shortened([f"{where}: {why}" for where, why in left_out], between="; ")
        if not kept:
            raise DataError(f"{source}: no series is whole ({said}): fill in what is missing")
        on_notice(f"{source}: {len(left_out)} of {len(found)} series are left out ({said})")
    if not kept:
        raise DataError(f"{source}: there are no series")
    classes = tuple(sorted({label for _, label in kept}, key=_order))
    if len(classes) > MOST_CLASSES:
        raise DataError(f"{source}: {len(classes)} different labels: at most {MOST_CLASSES}")
    lengths = [len(values) for values, _ in kept]
    array = np.zeros((len(kept), max(lengths), kept[0][0].shape[1]), np.float32)
    for to, (values, _) in zip(array, kept):
        to[: len(values)] = values
    labels = [classes.index(label) for _, label in kept]
    parts = (array, np.array(lengths), np.array(labels))
    return SeriesSet(*parts, name, source, tuple(left_out), classes)


def _order(label: str) -> tuple[bool, float, str]:
    """Numbers by their size, then words."""
    try:
        return False, float(label), label
    except ValueError:
        return True, 0.0, label


# --- aeon's files ---


def aeon_file(name: str, split: str) -> Path:
    """Where the user's aeon has a set; it is not imported. DataUnavailable where it is not
    installed."""
    spec = importlib.util.find_spec("aeon")
    if spec is None or not spec.submodule_search_locations:
        raise DataUnavailable(f"{name} {EXTRA} (made-voices and made-days need nothing)")
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "data" / OF_AEON[name]
    return folder / f"{OF_AEON[name]}_{split.upper()}.ts"


def read_ts(path: Path) -> list[Found]:
    """The series of a .ts file: after "@data" one in each line, its channels parted by ":", the
    label behind the last one. DataError where it is of another form."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from None
    head = [line.strip().lower() for line in lines]
    if "@data" not in head or "@timestamps true" in head:
        raise DataError(f"{path}: expected series after a line @data, without timestamps")
    first = head.index("@data") + 1
    if not any(line.startswith("@classlabel true") for line in head[:first]):
        raise DataError(f"{path}: expected labels (@classLabel true)")
    found: list[Found] = []
    for i, line in enumerate(lines[first:], first + 1):
        if not line.strip():
            continue
        *channels, label = line.strip().split(":")
        rows = [[number_of(cell) for cell in channel.split(",")] for channel in channels]
        if not rows or len({len(row) for row in rows}) > 1 or len(rows) != len(
            found[0][1].T if found else rows
        ):  # fmt: skip
            raise DataError(f"{path}, line {i}: expected as many values in each channel")
        found.append((f"line {i}", np.array(rows, np.float64).T, label))
    return found


def number_of(cell: str) -> float:
    """NaN where it is missing; ValueError where it is no number."""
    return math.nan if cell.strip().lower() in MISSING else float(cell)


# --- made ones ---

VOICES = 4  # speakers of made-voices


def made_voices(split: str) -> SeriesSet:
    """Drawn by a formula, in the form of japanese-vowels: 4 speakers go from one vowel to another,
    7 to 29 frames of 12 numbers; what makes a speaker is a place, a size and a bend of each."""
    random = Generator({"train": 1, "test": 2}[split])
    who = Generator(0)
    place, size = 0.5 * who.normal((VOICES, 12)), np.exp(0.3 * who.normal((VOICES, 12)))
    from_, to = who.normal((12,)), who.normal((12,))
    n = 30 * VOICES
    labels = np.arange(n) % VOICES
    lengths = 7 + (random.uniform((n,)) * 23).astype(np.int64)
    array = np.zeros((n, int(lengths.max()), 12), np.float32)
    for i, (k, length) in enumerate(zip(labels, lengths)):
        way = 1 / (1 + np.exp(-np.linspace(-4, 4, length)[:, None] - random.normal((1,))))
        sound = (1 - way) * from_ + way * to + 0.2 * random.normal((length, 12))
        array[i, :length] = place[k] + 0.4 * size[k] * sound
    names = tuple(f"speaker {k + 1}" for k in range(VOICES))
    return SeriesSet(array, lengths, labels, "made-voices", "drawn by a formula", (), names)


def made_days(split: str) -> SeriesSet:
    """Drawn by a formula, in the form of italy-power-demand: 24 hours of a day, its evening high in
    winter, its noon in summer, mean 0 and variance 1."""
    random = Generator({"train": 3, "test": 4}[split])
    n = 68 if split == "train" else 400
    labels, hours = np.arange(n) % 2, np.arange(24.0)
    bump = lambda at, wide: np.exp(-(((hours - at) / wide) ** 2))
    shift, noise = random.normal((n, 1)), random.normal((n, 24))
    evening = np.where(labels == 0, 1.3, 0.5)[:, None] + 0.1 * random.normal((n, 1))
    days = bump(10.5 + 0.5 * shift, 3.5) + evening * bump(19 + 0.5 * shift, 2.5) + 0.1 * noise
    days = (days - days.mean(1, keepdims=True)) / days.std(1, keepdims=True)
    lengths = np.full(n, 24)
    names = "winter", "summer"
    parts = (days[..., None], lengths, labels)
    return SeriesSet(*parts, "made-days", "drawn by a formula", (), names)


# name -> function of the split
MADE: dict[str, Callable[[str], SeriesSet]] = {
    "made-voices": made_voices, "made-days": made_days,
}  # fmt: skip
