"""ORGAN: tunes in ABC notation, by a policy that a discriminator and an objective reward.

    python -m minigan train organ                        # Irish and American dances, of music21
    python -m minigan train organ --dataset folksongs --objective steps
    python -m minigan train organ --dataset FILE         # .abc, or a text file of a tune in a line
    python -m minigan draw runs/organ --n 8 --out tunes.mid
    python -m minigan measure runs/organ --control

Algorithm (Guimaraes et al. 2017; `minigan.gan.ORGAN`): that of `minigan.systems.seqgan`, in which a
sequence is worth, in the place of D(y),

    lambda D(y) + (1 - lambda) O(y) / (its copies among those that were drawn with it)

with lambda = --weight. O is the part of intervals that are perfect fifths (tonality), or steps of a
scale (steps). Words are notes with their lengths, and bar lines; four bars are a sequence.

What to look at: samples/*.png, piano rolls under what was said, and the .mid files beside them.
What shows that it works: the objective rises after maximum likelihood, while the part of sequences
that are tunes, with bars of one length, and of different runs of three words stay.
Control: lambda = 1, which is SeqGAN. --weight 0: without D.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..arrays import Generator
from ..autograd import tensor_of
from ..data import texts
from ..data.music import COLLECTIONS, MADE, tunes
from ..data.texts import unpadded
from ..gan.organ import OBJECTIVES, Intervals, TunesByLikelihood, pitches_of, validity
from ..gan.organ import ORGAN as Game
from .seqgan import SeqGAN, after_mle
from .system import Row, unchanged, weights
from .texts import drawn_by, nats

LONGEST = 36  # words, as in the paper


class ORGAN(SeqGAN):
    """Tunes by a policy whose rewards are what a discriminator says, mixed with an objective: how
    many intervals are fifths, or steps."""

    paper = (
        "Guimaraes, Sanchez-Lengeling, Outeiral, Farias, Aspuru-Guzik 2017, Objective-Reinforced "
        "Generative Adversarial Networks (ORGAN) for Sequence Generation Models, arXiv:1705.10843"
    )
    control = "lambda = 1: the objective does not count, which is SeqGAN"
    defaults = SeqGAN.defaults | {
        "mle_steps": 800, "d_first_steps": 20, "steps": 50, "rollouts": 4, "hidden": 64,
        "d_steps": 2, "g_lr": 2e-3, "sample_interval": 200,
    }  # fmt: skip
    likelihood = TunesByLikelihood

    def data_options(self, parser):
        parser.add_argument(
            "--dataset", default="tunes",
            help=f"{', '.join(COLLECTIONS)} (of music21: pip install 'minigan[music]'), {MADE}, an "
            ".abc file or a folder of such, or a .txt file of a tune a line, whose words are notes "
            "and bar lines (default %(default)s)",
        )  # fmt: skip

    def options(self, parser):
        super().options(parser)
        parser.add_argument("--objective", choices=[*OBJECTIVES], default="tonality",
                            help="(default %(default)s)")  # fmt: skip
        weights(parser, ("weight", 0.5, "lambda, of D in what a tune is worth"), most=1.0)

    def data(self, c, split="train"):
        name = str(getattr(c, "pictures", c.dataset))
        longest = c.longest or LONGEST
        if Path(name).suffix in (".txt", ".gz"):
            data = texts(name, split, "words", longest)
        else:
            data = tunes(name, split, longest=longest)
        if not pitches_of(data.vocabulary).any():
            raise ValueError(f"{data.source}: none of its words is a note, such as C, ^f2 or A,/2")
        return data

    def plays(self, c):
        return True  # the control, too

    def rewarded(self, *players, c, **given):
        weight = 1.0 if c.control else c.weight
        wanted = Intervals(c.objective, c.vocabulary)
        return Game(*players, **given, wanted=wanted, weight=weight)

    def measure(self, game, c, samples, device):
        train, test = self.data(c), self.data(c, "test")
        unchanged("words", test.vocabulary, c.vocabulary, test)
        policies = {"": game.G.eval()}
        if (first := after_mle(game, c)) is not None:
            policies[" after MLE"] = first
        numbers = Generator(0).uniform((samples, c.length))
        said = {name: drawn_by(G, numbers, device) for name, G in policies.items()}
        n = min(samples, len(train))
        rows = []
        for name, tokens in said.items():
            for objective in sorted(OBJECTIVES, key=lambda o: o != c.objective):
                rows.append(Row(f"{objective}{name}", of_tunes(objective, tokens, c),
                                of_tunes(objective, train.tokens, c),
                                note="of the intervals" if objective == c.objective else
                                "of the intervals; it is not what was rewarded"))  # fmt: skip
            rows += [
                Row(f"validity{name}", validity(tokens, c.vocabulary),
                    validity(train.tokens, c.vocabulary), note="bars of one length"),
                Row(f"distinct-3{name}", distinct(tokens[:n], c.vocabulary),
                    distinct(train.tokens[:n], c.vocabulary),
                    note=f"runs of three words that differ, of all in {n} tunes"),
                Row(f"NLL test{name}", nats(policies[name], test.tokens, device), better="down",
                    note="nats of a word of held-out tunes, by G"),
            ]  # fmt: skip
        return rows


def of_tunes(objective: str, tokens: np.ndarray, c) -> float:
    """The mean of an objective over tunes (N, T)."""
    judge = Intervals(objective, c.vocabulary)
    return float(judge(tensor_of(np.array(tokens))).numpy().mean())


def distinct(tokens: np.ndarray, vocabulary, n: int = 3) -> float:
    """Different runs of n words, by their number (Li et al. 2016)."""
    rows = unpadded(tokens, vocabulary)
    runs = [tuple(row[i : i + n]) for row in rows for i in range(len(row) - n + 1)]
    return len(set(runs)) / max(1, len(runs))
