"""Sequences that shall sound like the data and be good by a measure: SeqGAN whose rewards are
mixed with an objective."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import nn
from ..autograd import Tensor, no_grad, tensor_of
from ..data.abc import BAR, note_of, notes_of
from ..data.music import melody_of
from ..data.texts import END, unpadded
from ..ops import arange, clamp, cummax, cumsum, gather, where
from ..viz import Music, Picture
from .sequences import Likelihood, SeqGAN, Sequences

# objective -> intervals between a note and the one before that count, in semitones
OBJECTIVES = {"tonality": (7, 7), "steps": (1, 2)}
SHOWN = 8  # of the samples that people are shown


class Tunes(Sequences):
    """Sequences whose words are notes in ABC notation (`minigan.data.abc`) and bar lines."""

    exhibited = SHOWN

    def pictured(self, samples: np.ndarray) -> Picture:
        lines = self.lines(samples)
        return Music([melody_of(notes_of(line.split())) for line in lines], lines)


class TunesByLikelihood(Tunes, Likelihood):
    """`Likelihood` of tunes."""


class Intervals(nn.Module):
    """O(y): the part of a tune's intervals between neighbouring notes (bar lines between them do
    not count) which are perfect fifths, up or down ("tonality"), or steps of a scale, one or two
    semitones ("steps"). 0 where there are fewer than two notes."""

    pitches: Tensor  # of each word

    def __init__(self, name: str, vocabulary: Sequence[str]):
        super().__init__()
        self.least, self.most = OBJECTIVES[name]
        self.register_buffer("pitches", tensor_of(pitches_of(vocabulary)), persistent=False)
        self.end = list(vocabulary).index(END) if END in vocabulary else -1

    def forward(self, tokens: Tensor) -> Tensor:
        """Of sequences (m, T): float32 (m,)."""
        with no_grad():
            pitch = self.pitches[tokens]
            ended = cumsum((tokens == self.end).to("int64"), 1) > 0
            note = (pitch > 0) & ended.logical_not()
            places = arange(tokens.shape[1], device=tokens.device)
            last = cummax(where(note, places, places * 0 - 1), 1)[0][:, :-1]  # note before each
            apart = (pitch[:, 1:] - gather(pitch, 1, clamp(last, min=0))).abs()
            pairs = note[:, 1:] & (last >= 0)
            good = pairs & (apart >= self.least) & (apart <= self.most)
            count = clamp(pairs.to("float32").sum(1), min=1)
            return good.to("float32").sum(1) / count


class Copies(nn.Module):
    """How often a sequence is among those that were drawn with it."""

    codes: Tensor  # odd numbers, by whose sum each sequence is told from others

    def __init__(self, length: int):
        super().__init__()
        codes = np.random.default_rng(0).integers(0, 1 << 62, length) * 2 + 1
        self.register_buffer("codes", tensor_of(codes), persistent=False)

    def forward(self, tokens: Tensor, n: int) -> Tensor:
        """Of sequences (m, T), n of which were drawn together: int64 (m,)."""
        told = (tokens * self.codes).sum(1).reshape(-1, n)
        return (told[:, :, None] == told[:, None, :]).to("int64").sum(2).reshape(-1)


class ORGAN(Tunes, SeqGAN):
    """Guimaraes et al. 2017: `SeqGAN` in which a whole sequence y is worth

        weight D(y) + (1 - weight) O(y) / (how often y is among those that were drawn with it)

    wanted : O, such as `Intervals`
    weight : lambda; 1: `SeqGAN`, 0: D does not matter
    Other arguments as for `SeqGAN`.
    """

    def __init__(
        self, *arguments: Any, wanted: Callable[[Tensor], Tensor], weight: float = 0.5, **named: Any
    ):
        super().__init__(*arguments, **named)
        self.wanted = wanted
        self.weight = weight
        place = next(self.G.parameters()).device
        self.copies = Copies(self.length).to(place)
        if isinstance(wanted, nn.Module):
            wanted.to(place)

    def worth_of(self, tokens: Tensor, n: int) -> Tensor:
        judged = self.judged(tokens)
        wanted = self.wanted(tokens) / self.copies(tokens, n).to(judged.dtype)
        return self.weight * judged + (1 - self.weight) * wanted


def pitches_of(vocabulary: Sequence[str]) -> np.ndarray:
    """The MIDI pitch of each word, 0 of those that are no notes: int64 (V,)."""
    notes = [note_of(word) for word in vocabulary]
    return np.array([note[0] if note and note[0] else 0 for note in notes], np.int64)


def validity(tokens: np.ndarray, vocabulary: Sequence[str]) -> float:
    """The part of sequences that are tunes: two bars or more, each ended by its bar line, and all
    of one length."""
    found = []
    for row in unpadded(tokens, vocabulary):
        words = [vocabulary[i] for i in row]
        bars, now = [], 0.0
        for word in words:
            if word == BAR:
                bars.append(now)
                now = 0.0
            elif (note := note_of(word)) is not None:
                now += note[1]
        found.append(
            len(bars) > 1 and words[-1] == BAR and max(bars) - min(bars) < 1e-6 < min(bars)
        )
    return float(np.mean(found))
