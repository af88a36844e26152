"""What melodies are like, by their pitches alone: int (N, T), MIDI's.

The measures are those of Mogren 2016, section 4.2, but for the one of notes at the same time, in
whose place intervals stand.
"""

from __future__ import annotations

import numpy as np

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
}  # fmt: skip
OCTAVE = 12


def scale_consistency(pitches: np.ndarray) -> float:
    """The part of a melody's notes that are of the one scale (major, natural or harmonic minor, of
    any of 12 keynotes) which has most of them; the mean over melodies."""
    names = np.asarray(pitches).astype(int) % OCTAVE
    counts = (names[:, :, None] == np.arange(OCTAVE)).mean(1)  # (N, 12)
    members = [
        [float((tone - key) % OCTAVE in steps) for tone in range(OCTAVE)]
        for steps in SCALES.values() for key in range(OCTAVE)
    ]  # fmt: skip
    return float((counts @ np.array(members).T).max(1).mean())


def repeats(pitches: np.ndarray, n: int = 3) -> float:
    """How many pairs of places in a melody have the same n pitches, without those that overlap; the
    mean over melodies."""
    pitches = np.asarray(pitches)
    windows = np.lib.stride_tricks.sliding_window_view(pitches, n, 1)
    same = (windows[:, :, None] == windows[:, None]).all(3)
    places = np.arange(windows.shape[1])
    apart = places[None] - places[:, None] >= n
    return float((same & apart).sum((1, 2)).mean())


def tone_span(pitches: np.ndarray) -> float:
    """Semitones from a melody's lowest to its highest note; the mean over melodies."""
    return float(np.ptp(np.asarray(pitches), axis=1).mean())


def interval_divergence(pitches: np.ndarray, others: np.ndarray) -> float:
    """The Jensen-Shannon divergence, in bits (0 to 1), of the intervals between neighbours, of one
    octave up or down at most, in two sets of melodies."""
    p, q = (_intervals(x) for x in (pitches, others))
    middle = (p + q) / 2
    return float((_kl(p, middle) + _kl(q, middle)) / 2)


def _intervals(pitches: np.ndarray) -> np.ndarray:
    steps = np.clip(np.diff(np.asarray(pitches).astype(int), axis=1), -OCTAVE, OCTAVE)
    counts = np.bincount(steps.ravel() + OCTAVE, minlength=2 * OCTAVE + 1)
    return counts / counts.sum()


def _kl(p: np.ndarray, q: np.ndarray) -> float:
    some = p > 0
    return float((p[some] * np.log2(p[some] / q[some])).sum())
