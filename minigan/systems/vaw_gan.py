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

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import nn
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
from ..training.cli import number
from .parts import layers
from .system import Row, System, adam_options, counts, facts_of, labels_of, unchanged, weights
from .voices import (
    all_pairs,
    as_csv,
    classifier_of_speakers,
    converted,
    course,
    crossed,
    global_variance,
    heard_in,
    pictured,
    scaled,
    some_pairs,
    speaker_of,
    subset_of,
    variances_off,
    who_said,
)  # fmt: skip

SHOWN, DRAWN = 3, 8  # utterances in a picture, while it is trained and asked for


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

    def batches(self, game, data, c, device):
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
        unchanged("labels", data.classes, c.class_names, data)
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
