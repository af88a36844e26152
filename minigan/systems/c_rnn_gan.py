"""C-RNN-GAN: melodies as series of real numbers, by two recurrent networks.

    python -m minigan train c-rnn-gan                                # Bach's chorales, music21's
    python -m minigan train c-rnn-gan --dataset FOLDER               # MIDI files
    # other series, or a .csv; of a few series, so many passes as make some 3,600 steps
    python -m minigan train c-rnn-gan --dataset italy-power-demand --epochs 1800
    python -m minigan draw runs/c-rnn-gan --n 8 --out tunes.mid
    python -m minigan measure runs/c-rnn-gan --control

Algorithm (Mogren 2016; `minigan.gan.CRNNGAN`): a note is pitch, length, intensity and the time
since the one before. G, an LSTM, makes each of noise and of its own last note; D, an LSTM in both
directions, says of each note how real it is, and D(x) is the mean. With f(x), what D's last unit
sees,

    D ascends   E log D(x) + E log(1 - D(G(z))); it rests while its loss is less than 0.7 of what
                G's would be
    G descends  |E f(x) - E f(G(z))|^2

What differs from the paper: a number is a place between 0 and 1, of which each value (a pitch, a
length) has a part as wide as it is frequent, and D sees data anywhere in that part, so that it does
not tell them by their being round; f is matched on the average of a batch and of times, not example
by example; Adam in place of SGD; one layer; G never rests; melodies have one voice, moved to keys
without sharps and flats. Series with labels: G and D are told them.

What to look at: samples/*.png, piano rolls, and the .mid files beside them. What shows that it
works: four measures of melodies beside those of real ones: the divergence of intervals, how many
notes are of one scale, repeats of three notes, the span; beside them those of a random walk, and of
notes of which each is drawn by the one before (bigram). Of series with labels: how well what is
learnt from samples tells real ones apart (TSTR).
Control: an LSTM that says notes as words, by maximum likelihood.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..data import SeriesSet, series
from ..data.batches import Batches
from ..data.music import MUSIC, melodies
from ..data.series import MADE, OF_AEON
from ..gan.c_rnn_gan import CRNNGAN as Game
from ..gan.c_rnn_gan import SHOWN, Coding, Composer, Listener, Spoken
from ..gan.sequences import Policy
from ..metrics import (
    accuracy_of_series,
    interval_divergence,
    repeats,
    scale_consistency,
    tone_span,
)
from ..training.cli import number
from .evidence import drawn
from .system import Row, System, adam_options, counts, label_of, labels_of, unchanged
from .writing import sampled, written

PLACES = 64  # of real numbers, for the control: so many values of a series at a time, about
MEASURES = {
    "scale consistency": scale_consistency, "repeats of 3": repeats, "tone span": tone_span,
}  # fmt: skip


class CRNNGAN(System):
    """Melodies, or other series of numbers, by two recurrent networks: G makes each note of noise
    and its own last one, D listens in both directions."""

    paper = (
        "Mogren 2016, C-RNN-GAN: Continuous recurrent neural networks with adversarial training, "
        "arXiv:1611.09904"
    )
    control = "notes are words, and an LSTM learns the next one by maximum likelihood"
    defaults = {"lr": 1e-3, "batch_size": 32, "epochs": 90, "ema": 0.995, "sample_interval": 500}
    writes = "music"

    def data_options(self, parser):
        parser.add_argument(
            "--dataset", default="chorales",
            help=f"melodies: {', '.join(MUSIC)} (all but the last: pip install 'minigan[music]'), "
            "a folder of MIDI files or of .abc files; other series: "
            f"{', '.join([*OF_AEON, *MADE])}, or a .csv (default %(default)s)",
        )  # fmt: skip

    def options(self, parser):
        adam_options(parser)
        counts(
            parser,
            ("notes", 24, "of a melody"),
            ("noise", 8, "numbers of it in each step"),
            ("hidden", 64, "G's units"),
            ("d-hidden", 64, "D's, of each direction"),
        )
        parser.add_argument(
            "--d-lr", type=number(float, above=0), default=3e-4, help="D's (default %(default)s)"
        )

    def data(self, c, split="train"):
        name = getattr(c, "pictures", c.dataset)
        return melodies(name, split, c.notes) if are_tunes(name) else series(name, split)

    def test_of(self, c):
        return self.data(c, "test")

    def held_out(self, data, options):
        return self.data(options, "test")

    def facts(self, data: Any, c):
        if (data.lengths < data.series.shape[1]).any():
            raise ValueError(f"{data.name}: its series differ in length, and they must not here")
        music = are_tunes(c.dataset)
        found = {"length": data.series.shape[1], "music": music}
        if music or c.control:
            levels = levels_of(data.series, music)
            at = places(data.series, levels)
            found |= {"levels": levels, "edges": edges_of(at, levels)}
        if c.control:
            found["words"] = np.unique(at.reshape(-1, at.shape[2]), axis=0).tolist()
        elif not music:
            low, high = data.series.min((0, 1)), data.series.max((0, 1))
            more = np.maximum(0.1 * (high - low), 1e-6)
            found |= {"low": (low - more).tolist(), "high": (high + more).tolist()}
        return found | (labels_of(data, self.name) if len(data.classes) > 1 else {})

    def game(self, c):
        classes = getattr(c, "classes", 0)
        if c.control:
            policy = Policy(classes + len(c.words), c.hidden, c.hidden)
            words = [[levels[i] for levels, i in zip(c.levels, word)] for word in c.words]
            table = np.array([words[0]] * classes + words, np.float32)
            return Spoken(policy, table, c.length, c.music, classes)
        coding = Coding(levels=c.levels, edges=c.edges) if c.music else Coding(c.low, c.high)
        return Game(
            Composer(coding, c.noise, c.hidden, classes),
            Listener(coding, c.d_hidden, classes),
            c.length, c.noise, c.music,
        )  # fmt: skip

    def batches(self, game, data, c, device):
        if c.control:
            found = SimpleNamespace(tokens=words_of(data, c))
        else:
            values = places(data.series, c.levels) if c.music else data.series
            found = SimpleNamespace(series=values, labels=data.labels)
        return Batches(found, c.batch_size, c.seed, device, game.columns)

    def write(self, game, c, options, random, device):
        if options.sources or (options.label is not None and not game.classes):
            return super().write(game, c, options, random, device)  # which says why not
        inputs = game.inputs(options.n, random, device)
        if options.label is not None:
            inputs = game.asked(inputs, label_of(options.label, c))
        most = None if game.music else SHOWN
        return written(game, sampled(game, inputs), self.made_by(game), options, most)

    def made_by(self, game):
        return self.writes if game.music else "series"

    def measure(self, game, c, samples, device):
        made, inputs = drawn(game, samples, device)
        train, test = self.data(c), self.test_of(c)
        if "classes" in vars(c):
            unchanged("labels", train.classes, c.class_names, train)
        if c.music:
            rows = music_rows(made[..., 0], train.series[..., 0], test.series[..., 0])
        else:
            rows = series_rows(made, train, test)
        if "classes" not in vars(c):
            return rows
        if isinstance(game, Spoken):
            labels = first_words(game, inputs)
        else:
            labels = inputs[1].cpu().numpy()
        known = accuracy_of_series(made, labels, test.series, test.labels)
        best = accuracy_of_series(train.series, train.labels, test.series, test.labels)
        note = (
            "of test series, by a classifier that learnt from samples; real: from training series"
        )
        return [Row("TSTR accuracy", known, best, target=best - 0.05, note=note), *rows]


def are_tunes(name: Any) -> bool:
    """Are these data melodies, or other series?"""
    return name not in OF_AEON and name not in MADE and Path(name).suffix.lower() != ".csv"


# --- coding ---


def levels_of(values: np.ndarray, music: bool) -> list[list[float]]:
    """For each column of series (N, T, F) its values; of real numbers quantiles."""
    columns = values.reshape(-1, values.shape[2]).T.astype(np.float64)
    if music:
        return [np.unique(column).tolist() for column in columns]
    count = max(2, round(PLACES ** (1 / len(columns))))
    middles = (np.arange(count) + 0.5) / count
    return [np.unique(np.quantile(column, middles)).tolist() for column in columns]


def edges_of(at: np.ndarray, levels: list[list[float]]) -> list[list[float]]:
    """Where each level's part of 0 to 1 begins, and 1; as wide as it is frequent among places
    (N, T, F)."""
    counts = [np.bincount(at[..., f].ravel(), minlength=len(row)) for f, row in enumerate(levels)]
    return [[0.0, *(np.cumsum(row) / row.sum()).tolist()] for row in counts]


def places(values: np.ndarray, levels: list[list[float]]) -> np.ndarray:
    """Of each value (N, T, F) the place of the nearest level: int64."""
    found = [
        np.abs(values[..., f, None] - np.array(row)).argmin(-1) for f, row in enumerate(levels)
    ]
    return np.stack(found, -1)


def words_of(data: SeriesSet, c: Any) -> np.ndarray:
    """Series as the control's words, int64 (N, T), the label before them, where there are some."""
    classes = getattr(c, "classes", 0)
    number = {tuple(word): i + classes for i, word in enumerate(c.words)}
    coded = places(data.series, c.levels)
    tokens = np.array([[number[tuple(note)] for note in row] for row in coded.tolist()])
    if not classes:
        return tokens
    return np.concatenate([data.labels[:, None].astype(np.int64), tokens], 1)


def first_words(game: Spoken, inputs: tuple) -> np.ndarray:
    """The labels that the control has said; what is none counts as the first."""
    said = game.G.draw(inputs[0]).cpu().numpy()[:, 0]
    return np.where(said < game.labels_first, said, 0)


# --- what is measured ---


def music_rows(made: np.ndarray, train: np.ndarray, test: np.ndarray) -> list[Row]:
    """The measures of pitches (N, T), of real ones, and of melodies that two simple rules make."""
    rules = {"random walk": walk_of(train, len(made)), "bigram": bigram_of(train, len(made))}
    name = "JSD of intervals"
    note = "bits; of training melodies, whose intervals are compared with held-out ones"
    rows = [Row(name, interval_divergence(made, test), interval_divergence(train, test), "down",
                note=note)]  # fmt: skip
    rows += [Row(f"{name}, {rule}", interval_divergence(x, test), better="down")
             for rule, x in rules.items()]  # fmt: skip
    for name, measure in MEASURES.items():
        real = measure(test)
        better = "up" if name == "scale consistency" else "same"
        rows.append(Row(name, measure(made), real, better, note="as real ones have it"))
        rows += [Row(f"{name}, {rule}", measure(x), real, better) for rule, x in rules.items()]
    return rows


def walk_of(pitches: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    """n melodies that begin as real ones (N, T) do and go on by steps from N(0, s), rounded, s the
    deviation of real intervals; inside of the range of real ones."""
    random = np.random.default_rng(seed)
    found = np.empty((n, pitches.shape[1]))
    found[:, 0] = random.choice(pitches[:, 0], n)
    size, low, high = np.diff(pitches, axis=1).std(), pitches.min(), pitches.max()
    for t in range(1, pitches.shape[1]):
        found[:, t] = np.clip(found[:, t - 1] + np.rint(random.normal(0, size, n)), low, high)
    return found


def bigram_of(pitches: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    """n melodies that begin as real ones (N, T) do; each next pitch is one of those that follow
    this one there, as often."""
    random = np.random.default_rng(seed)
    whole = pitches.astype(int)
    before, after = whole[:, :-1].ravel(), whole[:, 1:].ravel()
    follow = {pitch: after[before == pitch] for pitch in np.unique(whole)}
    found = np.empty((n, whole.shape[1]), int)
    found[:, 0] = random.choice(whole[:, 0], n)
    for t in range(1, whole.shape[1]):
        for pitch in np.unique(found[:, t - 1]):
            rows = np.flatnonzero(found[:, t - 1] == pitch)
            choices = follow[pitch] if len(follow[pitch]) else whole[:, 0]
            found[rows, t] = random.choice(choices, len(rows))
    return found


def series_rows(made: np.ndarray, train: SeriesSet, test: SeriesSet) -> list[Row]:
    """How far means, deviations and the step from one time to the next are from held-out ones."""
    about = {
        "mean of a time": lambda x: x.mean(0), "deviation of a time": lambda x: x.std(0),
        "size of steps": lambda x: np.abs(np.diff(x, axis=1)).mean(0),
    }  # fmt: skip
    off = lambda x, of: float(np.abs(of(x) - of(test.series)).mean())
    return [
        Row(f"off in {name}", off(made, of), off(train.series, of), "down",
            note="mean distance from held-out series")
        for name, of in about.items()
    ]  # fmt: skip
