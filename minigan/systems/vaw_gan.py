"""VAW-GAN: what one speaker says, in the voice of another, learnt without parallel speech.

    python -m minigan train vaw-gan                       # needs aeon, the extra `series`
    python -m minigan draw runs/vaw-gan --label 3 --n 4   # curves; --out FILE.csv: numbers
    python -m minigan measure runs/vaw-gan --control

Algorithm (Hsu et al. 2017, Algorithm 1; `minigan.gan.VAWGAN`), in two stages. A frame x of speaker
y has a code z ~ q(z|x), and G makes x of z and y. First E and G descend -ELBO, the bound of log
p(x|y). Then a critic D compares what is made another speaker's with what that one has really said:

    D ascends  --k times  W = E D(x_t, y_t) - E D(G(E(x_s), y_t), y_t)
    E descends            -ELBO
    G descends            -ELBO + alpha W

What bounds D's slope is a penalty of its gradient, or weights that are clipped (--lipschitz clip).
Frames are 12 LPC cepstra of 25.6 ms of 9 men (the paper: spectra of two of them), each scaled to
deviation 1. All are sources and targets of each other; --source 1 --target 2 is the paper's, of one
pair. No two utterances are parallel in the game.

What to look at: samples/*.png, curves over time of test utterances, before and after, beside one
that the target has really said. What shows that it works: a classifier that has learnt from real
frames hears the target in held-out utterances of others, and the variance of each cepstrum over an
utterance (global variance) is near that of the target's; VAEs make it too small.
Control: the VAE goes on in place of the game. --deaf is another one: G is not told who shall speak,
and the source is heard still.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import nn
from ..arrays import to_device
from ..autograd import tensor_of
from ..data import DataError, SeriesSet, series
from ..data.batches import Batches, Together
from ..data.csvseries import read_csv
from ..data.files import write_atomic
from ..data.series import MADE, OF_AEON, gathered
from ..gan.cgan import Joined
from ..gan.constraints import WeightClip
from ..gan.penalties import GradientPenalty
from ..gan.vaw import VAWGAN as Game
from ..gan.vaw import SpeakerVAE
from ..metrics import classifier_of
from ..metrics.rows import subset
from ..metrics.series import Classifier
from ..training.cli import number
from ..viz import Panels
from .parts import layers
from .system import Row, System, adam_options, counts, facts_of, label_of, labels_of, weights

SHOWN, COEFFICIENTS = 3, 4  # utterances in a picture, and how many numbers of a frame
DRAWN = 8  # utterances in a picture that is asked for


class VAWGAN(System):
    """Frames of one speaker as another would say them, without parallel speech: an auto-encoder
    that is told who speaks, and a critic of what it makes."""

    paper = (
        "Hsu, Hwang, Wu, Tsao, Wang 2017, Voice Conversion from Unaligned Corpora using "
        "Variational Autoencoding Wasserstein Generative Adversarial Networks, arXiv:1704.00849"
    )
    control = "the VAE goes on in place of the game"
    averaged = None
    writes = "series"
    defaults = {"lr": 1e-3, "b1": 0.5, "batch_size": 128, "sample_interval": 1000}

    def data_options(self, parser):
        parser.add_argument(
            "--dataset", default="japanese-vowels",
            help=f"{', '.join([*OF_AEON, *MADE])} (the first ones need aeon), or a .csv of series "
            "with a column 'label' of who speaks (default %(default)s)",
        )  # fmt: skip

    def options(self, parser):
        p = parser
        adam_options(p)
        counts(
            p,
            ("latent-dim", 8, "numbers of a code"),
            ("hidden", 128, "units of the hidden layers"),
            ("vae-steps", 4000, "steps of the first stage"),
            ("steps", 4000, "steps of the second; with the first they replace --epochs"),
            ("k", 5, "steps of D in each"),
        )
        weights(
            p,
            ("alpha", 10.0, "weight of W beside the bound"),
            ("penalty", 10.0, "weight of the penalty of D's gradient"),
        )
        add = p.add_argument
        add("--sd", type=number(float, above=0), default=0.5,
            help="of p(x|z, y), beside deviations of 1 (default %(default)s)")  # fmt: skip
        add("--lipschitz", choices=("penalty", "clip"), default="penalty",
            help="what bounds D's slope: a penalty of its gradient, or --clip "
            "(default %(default)s)")  # fmt: skip
        add("--clip", type=number(float, above=0), default=0.05,
            help="limit of D's weights (default %(default)s)")  # fmt: skip
        add("--source", metavar="LABEL", help="the only speaker who is converted (default: all)")
        add("--target", metavar="LABEL", help="the only one into whom (default: all)")
        add("--deaf", action="store_true",
            help="another control: G is not told who shall speak")  # fmt: skip

    def data(self, c, split="train"):
        said = print if split == "train" else lambda notice: None  # once
        return series(getattr(c, "pictures", c.dataset), split, said)

    def test_of(self, c):
        return self.data(c, "test")

    def held_out(self, data, options):
        return self.data(options, "test")

    def examples(self, data):
        return int(data.lengths.sum())

    def shown(self, data, options):
        """Held-out utterances, and the facts that `facts` finds."""
        facts = vars(options) | self.facts(data, options)
        return self.held_out(data, options), facts_of(facts)

    def facts(self, data, c):
        frames = data.frames()[0].astype(np.float64)
        found = labels_of(data, self.name) | {"frame_shape": list(frames.shape[1:])}
        for name in ("source", "target"):
            if getattr(c, name) is not None:
                speaker_of(getattr(c, name), SimpleNamespace(**found))
        if c.source is not None and c.source == c.target:
            raise ValueError(f"--source {c.source} --target {c.target}: expected two speakers")
        deviation = np.maximum(frames.std(0), 1e-6)
        return found | {"mean": frames.mean(0).tolist(), "deviation": deviation.tolist()}

    def stages(self, c):
        return {"VAE": c.vae_steps, "more VAE" if c.control else "adversarial": c.steps}

    def game(self, c):
        (n,), h = c.frame_shape, c.hidden
        E = nn.Sequential(*layers(n, h, h, 2 * c.latent_dim))
        G = Joined(nn.Sequential(*layers(c.latent_dim + c.classes, h, h, n)), c.classes)
        return SpeakerVAE(E, G, c.latent_dim, c.classes, c.sd, not c.deaf)

    def game_after(self, players, c):
        given = (c.latent_dim, c.classes, c.sd, not c.deaf)
        if c.control:
            return SpeakerVAE(players["E"], players["G"], *given)
        (n,), h = c.frame_shape, c.hidden
        D = Joined(nn.Sequential(*layers(n + c.classes, h, h, 1)), c.classes)
        penalties = (GradientPenalty(c.penalty),) if c.lipschitz == "penalty" else ()
        return Game(players["E"], players["G"], D, *given, c.alpha, c.k, penalties)

    def constraints(self, game, c):
        clipped = "D" in game.players and c.lipschitz == "clip"
        return {"D": [WeightClip(c.clip)]} if clipped else {}

    def batches(self, data, c, device, columns):
        """Frames and speakers of two streams: sources and targets."""
        x, y = data.frames()
        x = scaled(x, c)
        streams = []
        for i, name in enumerate(("source", "target")):
            only = None if c.stage == "VAE" else getattr(c, name)
            rows = np.full(len(x), True) if only is None else y == speaker_of(only, c)
            some = SimpleNamespace(frames=x[rows], labels=y[rows])
            size = min(c.batch_size, int(rows.sum()))
            streams.append(Batches(some, size, c.seed + i, device, ("frames", "labels")))
        n = min(stream.batch_size for stream in streams)
        for stream in streams:  # W compares as many of each
            stream.batch_size, stream.rows = n, slice(0, n)
        return Together(*streams)

    def exhibit(self, game, data, generator, device):
        test, c = data
        pairs = some_pairs(test, c, SHOWN)
        return lambda: pictured(pairs, converted(game, pairs, c, device), test, c)

    def write(self, game, c, options, random, device):
        """Held-out utterances, or those of a .csv (--from), as --label would say them, or as
        others do."""
        if options.sources:
            data = self.own(options.sources, c)
        else:
            data = self.test_of(c)
            data = data.some(random.permutation(len(data))[: options.n])
        said = who_said(data, c)
        if options.label is not None:
            wanted = np.full(len(data), speaker_of(options.label, c))
        else:
            others = 1 + (random.uniform((len(data),)) * (c.classes - 1)).astype(np.int64)
            wanted = (said + others) % c.classes
        pairs = list(zip(data.each(), said.tolist(), wanted.tolist()))
        found = converted(game, pairs, c, device)
        out = Path(options.out or Path(options.run) / "drawn.png")
        if out.suffix == ".csv":
            write_atomic(out, as_csv(pairs, found, c).encode())
        elif out.suffix == ".png":
            pictured(pairs[:DRAWN], found[:DRAWN], self.test_of(c), c).save(out)
            if len(found) > DRAWN:
                return f"{DRAWN} of {len(found)} series in {out} (--out FILE.csv has all)"
        else:
            raise ValueError(f"--out {out}: series are written as FILE.png (curves) or FILE.csv")
        return f"{len(found)} series in {out}"

    def own(self, files: Sequence[str], c: Any) -> SeriesSet:
        """The series of a .csv, as many numbers at a time as the run knows."""
        if len(files) > 1 or Path(files[0]).suffix.lower() != ".csv":
            raise ValueError(f"--from {' '.join(files)}: expected a .csv of series")
        found = gathered(read_csv(Path(files[0])), Path(files[0]).name, files[0])
        if found.series.shape[2:] != tuple(c.frame_shape):
            raise DataError(
                f"{files[0]}: {found.series.shape[2]} numbers at a time, and the run has learnt "
                f"from {c.frame_shape[0]}"
            )
        return found

    def measure(self, game, c, samples, device):
        data, test = self.data(c), self.test_of(c)
        known = classifier_of_speakers(data, str(device))
        pairs = subset_of(all_pairs(test, c), samples)
        made = converted(game, pairs, c, device)
        source, target = (np.array([pair[i] for pair in pairs]) for i in (1, 2))
        heard, real = heard_in(known, made), heard_in(known, test.each())
        right = lambda found, whom: float((found == whom).mean())
        each = lambda whom, parts: np.repeat(whom, [len(x) for x in parts])
        frames, of_real = each(target, made), each(test.labels, test.each())
        best = right(real[0], of_real)
        variance = {k: global_variance(data, k) for k in range(c.classes)}
        off, share = variances_off(made, target, variance)
        off_real, share_real = variances_off(test.each(), test.labels, variance)
        return [
            Row("target heard, frames", right(heard[0], frames), best, target=0.8,
                note="by a classifier of real frames; real: of held-out utterances"),
            Row("target heard, utterances", right(heard[1], target), right(real[1], test.labels)),
            Row("source heard, frames", right(heard[0], each(source, made)),
                (1 - best) / (c.classes - 1), "down"),
            Row("global variance off", off, off_real, "down",
                note="mean |log| of an utterance's variances over those of the target's; real: "
                "held-out utterances of the target"),
            Row("global variance", share, share_real,
                note="the mean share of the target's: 1 is right"),
            Row("course kept", course(pairs, made), crossed(pairs, test),
                note="correlation over time with the source; real: the target's own utterances "
                "with the source's, which say the same"),
        ]  # fmt: skip


# --- conversions: (frames (T, C), who said them, who shall say them) ---

Pair = tuple[np.ndarray, int, int]


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
    they should have, `of`."""
    found = []
    for k in np.unique(whom):
        mean = np.mean([x.var(0) for x, y in zip(parts, whom) if y == k], 0)
        found.append(np.maximum(mean, 1e-12) / of[int(k)])
    return float(np.abs(np.log(found)).mean()), float(np.mean(found))


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
