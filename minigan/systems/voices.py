"""Utterances that become another speaker's: which are converted, what they look like, what is
measured of them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import to_device
from ..autograd import tensor_of
from ..data import SeriesSet
from ..metrics import classifier_of
from ..metrics.rows import subset
from ..metrics.series import Classifier
from ..viz import Panels
from .system import label_of

Pair = tuple[np.ndarray, int, int]  # frames (T, C), who said them, who shall say them
COEFFICIENTS = 4  # of a frame, in a picture
LEAST = 1e-12  # a variance that is not 0


def speaker_of(text: str, c: Any) -> int:
    """The number of a speaker who is given by name, or by number; ValueError where there is none
    such."""
    found = label_of(text, c)
    if not 0 <= found < c.classes:
        raise ValueError(f"there is no label {found}: they are 0 to {c.classes - 1}")
    return found


def scaled(x: np.ndarray, c: Any) -> np.ndarray:
    return ((x - np.array(c.mean)) / np.array(c.deviation)).astype(np.float32)


def all_pairs(data: SeriesSet, c: Any) -> list[Pair]:
    """Each utterance, as each of the others would say it; --source and --target alone, if given."""
    given = [None if name is None else speaker_of(name, c) for name in (c.source, c.target)]
    return [
        (x, int(y), k)
        for x, y in zip(data.each(), data.labels)
        for k in range(c.classes)
        if k != y and given[0] in (None, y) and given[1] in (None, k)
    ]


def subset_of(pairs: list[Pair], n: int) -> list[Pair]:
    return [pairs[i] for i in subset(np.arange(len(pairs)), n)]


def some_pairs(data: SeriesSet, c: Any, n: int) -> list[Pair]:
    """Of a picture: different sources, and targets far from them in the list of speakers; of one
    pair of speakers some utterances."""
    known = all_pairs(data, c)
    far = [pair for pair in known if (pair[2] - pair[1]) % c.classes == c.classes // 2]
    first = {pair[1:]: pair for pair in reversed(far or known)}
    found = [first[who] for who in sorted(first)] if len(first) > 1 else known
    return found[:n]


def converted(game: Any, pairs: Sequence[Pair], c: Any, device: Any) -> list[np.ndarray]:
    """What the game makes of each."""
    lengths = [len(x) for x, *_ in pairs]
    x = scaled(np.concatenate([x for x, *_ in pairs]), c)
    wanted = np.repeat([k for *_, k in pairs], lengths)
    parts = []
    for i in range(0, len(x), 5000):
        given = (tensor_of(to_device(a[i : i + 5000], device)) for a in (x, wanted))
        parts.append(game.convert(*given).cpu().numpy())
    found = np.concatenate(parts).astype(np.float64) * np.array(c.deviation) + np.array(c.mean)
    return np.split(found, np.cumsum(lengths)[:-1])


def who_said(data: SeriesSet, c: Any) -> np.ndarray:
    """The run's number of each speaker; -1 of others, of own files."""
    names = list(c.class_names)
    numbers = [names.index(name) if name in names else -1 for name in data.classes]
    return np.array(numbers)[data.labels]


def pictured(pairs: Sequence[Pair], made: Sequence[np.ndarray], data: SeriesSet, c: Any) -> Panels:
    """Curves of each: before, after, and an utterance that the target has really said."""
    rows = []
    for (x, who, whom), y in zip(pairs, made):
        curves = {"source": x, "converted": y}
        own = np.flatnonzero(data.labels == whom)
        if len(own):
            curves["target, real"] = data.each()[own[0]]
        said = c.class_names[who] if who >= 0 else "?"
        rows.append((f"{said} as {c.class_names[whom]}", curves))
    names = [f"c{i + 1}" for i in range(min(COEFFICIENTS, c.frame_shape[0]))]
    return Panels(rows, names, "frame")


def as_csv(pairs: Sequence[Pair], made: Sequence[np.ndarray], c: Any) -> str:
    """A row for each frame, as `minigan.data.csvseries` reads it."""
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(["series", "label", *[f"c{i + 1}" for i in range(c.frame_shape[0])]])
    for i, ((_, _, whom), frames) in enumerate(zip(pairs, made), 1):
        table.writerows([i, c.class_names[whom], *[f"{v:.6g}" for v in x]] for x in frames)
    return buffer.getvalue()


# --- what is measured ---


KNOWN: dict[tuple[str, str], Any] = {}  # of a set and a device: the control is heard by it, too


def classifier_of_speakers(data: SeriesSet, device: str) -> Classifier:
    """What real frames teach."""
    key = data.checksum_of(("labels",)), device
    if key not in KNOWN:
        KNOWN[key] = classifier_of(*data.frames(), len(data.classes), device=device)
    return KNOWN[key]


def heard_in(known: Any, parts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Whom a classifier hears in each frame, and in each utterance by all of its frames."""
    found = known.log_probabilities(np.concatenate(parts))
    ends = np.cumsum([len(x) for x in parts])[:-1]
    return found.argmax(1), np.array([x.sum(0).argmax() for x in np.split(found, ends)])


def global_variance(data: SeriesSet, k: int) -> np.ndarray:
    """Of a speaker's utterances: the variance of each number over an utterance, their mean."""
    return np.mean([x.var(0) for x, y in zip(data.each(), data.labels) if y == k], 0)


def variances_off(
    parts: Sequence[np.ndarray], whom: np.ndarray, of: dict[int, np.ndarray]
) -> tuple[float, float]:
    """(mean |log share|, mean share): of the variances of each speaker's utterances in those that
    they should have, `of`, without numbers that do not vary there; NaN where none does."""
    found = []
    for k in np.unique(whom):
        mean = np.mean([x.var(0) for x, y in zip(parts, whom) if y == k], 0)
        vary = of[int(k)] > LEAST
        found.append(np.maximum(mean, LEAST)[vary] / of[int(k)][vary])
    shares = np.concatenate(found)
    if not len(shares):
        return math.nan, math.nan
    return float(np.abs(np.log(shares)).mean()), float(shares.mean())


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Over time, of two utterances (T, C): the mean over numbers."""
    a, b = a - a.mean(0), b - b.mean(0)
    size = np.sqrt((a * a).sum(0) * (b * b).sum(0))
    return float(((a * b).sum(0) / np.maximum(size, 1e-12)).mean())


def course(pairs: Sequence[Pair], made: Sequence[np.ndarray]) -> float:
    """How far an utterance goes the way that its source goes."""
    return float(np.mean([correlation(x, y) for (x, *_), y in zip(pairs, made)]))


def crossed(pairs: Sequence[Pair], data: SeriesSet) -> float:
    """The same of real utterances of the targets, brought to the length of the source's."""
    own = {k: [x for x, y in zip(data.each(), data.labels) if y == k] for k in set(data.labels)}
    found = []
    for i, (x, _, whom) in enumerate(pairs):
        other = own[whom][i % len(own[whom])]
        places = np.linspace(0, len(other) - 1, len(x))
        at = [np.interp(places, np.arange(len(other)), column) for column in other.T]
        found.append(correlation(x, np.stack(at, 1)))
    return float(np.mean(found))
