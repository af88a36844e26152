"""What systems of texts share: their data, a language that is known exactly among them, and what
`draw` writes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Generator, to_device, to_numpy
from ..autograd import no_grad, raw, tensor_of
from ..data import TextSet, texts
from ..data.texts import UNITS
from ..gan.sequences import Policy, oracle
from ..training.cli import number
from .system import System

BATCH = 500
# of the oracle: words, tokens of a sequence, how many sequences; of texts: words, tokens of a line
ORACLE = {"words": 500, "longest": 20, "sequences": 10_000}
TEXTS = {"words": 8000, "longest": 32}


class OfTexts(System):
    """A system whose samples are sequences of tokens."""

    averaged = None
    writes = "texts"

    def data_options(self, parser):
        parser.add_argument(
            "--dataset", default="oracle",
            help="oracle: a made language, an LSTM with random weights, whose likelihood is known; "
            "quatrains: Chinese poems; or a .txt file of a sequence a line (default %(default)s)",
        )  # fmt: skip

    def options(self, parser):
        add, positive = parser.add_argument, number(int, 1)
        add("--unit", choices=UNITS, default="auto",
            help="of texts, what a token is; auto: words if they are parted by spaces "
            "(default %(default)s)")  # fmt: skip
        add("--longest", type=number(int, 2), default=None,
            help=f"tokens of a sequence, at most (default {TEXTS['longest']}, of the oracle "
            f"{ORACLE['longest']})")  # fmt: skip
        add("--words", type=number(int, 2), default=None,
            help=f"different tokens, at most: the most frequent ones (default {TEXTS['words']}; of "
            f"the oracle {ORACLE['words']})")  # fmt: skip
        add("--sequences", type=positive, default=ORACLE["sequences"],
            help="of the oracle, how many are learnt from (default %(default)s)")  # fmt: skip

    def data(self, c, split="train"):
        name = getattr(c, "pictures", c.dataset)
        if name == "oracle":
            return of_oracle(c, split)
        given = {k: getattr(c, k) or default for k, default in TEXTS.items()}
        return texts(name, split, c.unit, given["longest"], given["words"])

    def test_of(self, c):
        return self.data(c, "test")

    def held_out(self, data, options):
        return self.data(options, "test")

    def facts(self, data, c):
        return {
            "vocabulary": list(data.vocabulary), "between": data.between,
            "length": data.tokens.shape[1], "verse": data.verse,
        }  # fmt: skip


def of_oracle(c: Any, split: str) -> TextSet:
    """Sequences that the oracle says; its words are numbers."""
    words, length = (getattr(c, k) or ORACLE[k] for k in ("words", "longest"))
    random = Generator({"train": 1, "test": 2}[split])
    numbers = random.uniform((c.sequences, length))
    tokens = drawn_by(oracle(words), numbers)
    names = tuple(map(str, range(words)))
    return TextSet(tokens, names, " ", "oracle", f"drawn by an LSTM with {words} words")


def drawn_by(policy: Policy, numbers: np.ndarray, device: Any = None) -> np.ndarray:
    """Sequences of random numbers (N, T): int64 (N, T)."""
    given = tensor_of(to_device(numbers, device) if device else numbers)
    return to_numpy(raw(policy.draw(given)))


def nats(policy: Policy, tokens: np.ndarray, device: Any) -> float:
    """-log of the policy's probability of a token, the mean over sequences (N, T)."""
    found = []
    with no_grad():
        for i in range(0, len(tokens), BATCH):
            some = tensor_of(to_device(np.array(tokens[i : i + BATCH]), device))
            found.append(policy.nats(some).mean(1).cpu().numpy())
    return float(np.concatenate(found).mean(dtype=np.float64))
