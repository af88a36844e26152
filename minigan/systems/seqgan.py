"""SeqGAN: sequences of words, by a policy whose rewards are what a discriminator says.

    python -m minigan train seqgan                          # a made language
    python -m minigan train seqgan --dataset quatrains      # Chinese poems
    python -m minigan draw runs/seqgan --n 10 --out lines.txt
    python -m minigan measure runs/seqgan --control

Algorithm (Yu et al. 2017, Algorithm 1; `minigan.gan.SeqGAN`), in three stages. First maximum
likelihood: G, an LSTM, learns each next token of the data. Then D, convolutions over windows of the
text with a highway layer, learns to tell the data from what G says. Then in each round, of y ~ G,

    G ascends  sum_t log pi(y_t | y_1 .. y_(t-1)) Q_t
    D ascends  E log D(x) + E log(1 - D(y)),  --d-steps times

where Q_t is the mean of D over --rollouts sequences that begin with y_1 .. y_t, which a copy of G
that lags behind it completes.

What to look at: samples/*.txt. What shows that it works: the oracle, an LSTM with random weights,
made the data and knows the likelihood of what G says (NLL_oracle, nats of a token); it falls after
maximum likelihood was through (published: 9.038 to 8.736, of 5,000 words). It falls as well when G
of maximum likelihood only says what is likely more often, its logits divided by a temperature below
1 (Caccia et al. 2020, arXiv:1811.02549), which is measured beside it. Of texts: BLEU-2 beside
held-out ones, to be read beside self-BLEU-2, which is high where samples are alike.
Control: maximum likelihood goes on in place of the game. --shuffled gives each sequence the rewards
of another one.
"""

from __future__ import annotations

import argparse
import copy
import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..arrays import Generator
from ..autograd import no_grad
from ..data.batches import Batches
from ..data.texts import unpadded
from ..gan.sequences import Likelihood, Policy, TextCritic, oracle
from ..gan.sequences import SeqGAN as Game
from ..metrics import bleu, self_bleu
from ..optim import Adam
from ..training.cli import number
from ..training.stages import left_by, path_of_stage
from .system import Row, counts, unchanged
from .texts import OfTexts, drawn_by, nats

SAID = 2000  # sequences whose BLEU is measured, at most
TEMPERATURE = 0.9  # at which G of maximum likelihood is measured, too


class SeqGAN(OfTexts):
    """Sequences of words by a policy, which a discriminator rewards for what sounds like the
    data."""

    paper = (
        "Yu, Zhang, Wang, Yu 2017, SeqGAN: Sequence Generative Adversarial Nets with Policy "
        "Gradient, arXiv:1609.05473"
    )
    control = "maximum likelihood goes on in place of the game"
    likelihood = Likelihood  # the game of the first stage
    defaults = {"batch_size": 64, "sample_interval": 500}

    def options(self, parser):
        super().options(parser)
        p = parser
        counts(
            p,
            ("mle-steps", 12_000, "steps of maximum likelihood, until it is through"),
            ("d-first-steps", 30, "rounds of D alone"),
            ("steps", 300, "rounds of the game; with the others it replaces --epochs"),
            ("more-steps", 8000, "steps that maximum likelihood goes on, in the control"),
            ("d-steps", 40, "steps of D in a round"),
            ("rollouts", 16, "sequences that a token's reward is the mean of"),
            ("hidden", 32, "units of the LSTM, and numbers that a token becomes"),
            ("filters", 32, "D's, of each length"),
        )
        for name, default, what in (
            ("lr", 1e-2, "Adam's learning rate in maximum likelihood"),
            ("g-lr", 1e-3, "G's, in the game"),
            ("d-lr", 1e-3, "D's"),
        ):
            text = f"{what} (default {default})"
            p.add_argument(f"--{name}", type=number(float, above=0), default=default, help=text)
        p.add_argument(
            "--rate", type=number(float, 0, 1), default=0.8,
            help="of the copy that rolls out: what it keeps in a round (default %(default)s)",
        )  # fmt: skip
        p.add_argument(
            "--baseline",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="rewards less what the other sequences of the batch have on the average (default: "
            "yes; the paper: no)",
        )
        p.add_argument(
            "--shuffled", action="store_true", help="each sequence has the rewards of another one"
        )

    def plays(self, c):
        """Is there a game after maximum likelihood?"""
        return not c.control

    def stages(self, c):
        first = {"MLE": c.mle_steps}
        if not self.plays(c):
            return first | {"more MLE": c.more_steps}
        return first | {"D alone": c.d_first_steps, "adversarial": c.steps}

    def language(self, c):
        """What games are told of the data."""
        return {
            "vocabulary": c.vocabulary, "length": c.length, "between": c.between,
            "verse": getattr(c, "verse", 0),  # runs from before do not say
        }  # fmt: skip

    def game(self, c):
        policy = Policy(len(c.vocabulary), c.hidden, c.hidden)
        return self.likelihood(policy, **self.language(c))

    def rewarded(self, *players, c, **given):
        """The game of a policy and a discriminator."""
        return Game(*players, **given)

    def game_after(self, players, c):
        if not self.plays(c):
            return self.likelihood(players["G"], **self.language(c))
        D = players.get("D") or TextCritic(len(c.vocabulary), c.length, c.hidden, c.filters)
        return self.rewarded(
            players["G"], D, c=c, **self.language(c), rollouts=c.rollouts, rate=c.rate,
            d_steps=c.d_steps, baseline=c.baseline, shuffled=c.shuffled,
            alone=c.stage == "D alone",
        )  # fmt: skip

    def optimizers(self, game, c):
        rates = {"G": c.g_lr, "D": c.d_lr} if "D" in game.players else {"G": c.lr}
        return {name: Adam(p.parameters(), rates[name]) for name, p in game.players.items()}

    def batches(self, game, data, c, device):
        parts = c.d_steps if self.plays(c) and c.stage != "MLE" else 1
        size = c.batch_size * parts
        # a round goes through a small set several times
        tokens = np.tile(data.tokens, (math.ceil(size / len(data)), 1))
        return Batches(SimpleNamespace(tokens=tokens), size, c.seed, device, game.columns)

    def measure(self, game, c, samples, device):
        numbers = Generator(0).uniform((samples, c.length))
        test = self.data(c, "test")
        unchanged("words", test.vocabulary, c.vocabulary, test)
        policies = {"": game.G.eval()}
        if (first := after_mle(game, c)) is not None:
            policies[" after MLE"] = first
            policies[f" after MLE, at temperature {TEMPERATURE}"] = cooled(first, TEMPERATURE)
        rows = []
        said = {name: drawn_by(G, numbers, device) for name, G in policies.items()}
        if c.pictures == "oracle":
            truth = oracle(len(c.vocabulary)).to(device)
            best = nats(truth, test.tokens, device)
            found = {name: nats(truth, tokens, device) for name, tokens in said.items()}
            rows += [
                Row(f"NLL oracle{name}", value, best, "down",
                    note="nats of a token of G's, by the language that made the data")
                for name, value in found.items()
            ]  # fmt: skip
            if (before := found.get(" after MLE")) is not None:
                rows.append(Row("drop after MLE", before - found[""], target=0.302,
                                note="published for 5,000 words: 9.038 to 8.736"))  # fmt: skip
                cold = before - found[f" after MLE, at temperature {TEMPERATURE}"]
                rows.append(Row("drop by temperature", cold,
                                note=f"of G after MLE, at {TEMPERATURE}"))  # fmt: skip
        else:
            rows += bleu_rows(said, self.data(c), test)
        return [
            *rows,
            *[Row(f"NLL test{name}", nats(G, test.tokens, device), better="down",
                  note="nats of a token of held-out sequences, by G")
              for name, G in policies.items()],
        ]  # fmt: skip


def after_mle(game: Any, c: Any) -> Policy | None:
    """G as the first stage has left it; None in that stage."""
    if not path_of_stage(c.folder, 0).exists():
        return None
    found = copy.deepcopy(game.G)
    found.load_state_dict(left_by(c.folder, 0)["players"]["G"])
    return found.eval()


def cooled(policy: Policy, temperature: float) -> Policy:
    """A copy whose logits are divided by the temperature."""
    found = copy.deepcopy(policy)
    with no_grad():
        for p in found.out.parameters():
            p.copy_(p / temperature)
    return found


def bleu_rows(said: dict[str, np.ndarray], data: Any, test: Any) -> list[Row]:
    """BLEU-2 of samples beside the held-out sequences, and beside each other."""
    n = min(SAID, len(test), *map(len, said.values()))
    real = unpadded(data.tokens[:n], data.vocabulary)
    references = unpadded(test.tokens, data.vocabulary)
    best, alike = bleu(real, references), self_bleu(real)
    rows = []
    for name, tokens in said.items():
        some = unpadded(tokens[:n], data.vocabulary)
        rows += [
            Row(f"BLEU-2{name}", bleu(some, references), best, note="beside held-out sequences"),
            Row(f"self-BLEU-2{name}", self_bleu(some), alike, "down",
                note="beside the other samples: high where they are alike"),
        ]  # fmt: skip
    return rows
