"""BLEU: how many of a sequence's n-grams are in others (Papineni et al. 2002)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

SMALL = 0.1  # a match where there is none: Chen and Cherry 2014, method 1


def bleu(sequences: Sequence, references: Sequence, n: int = 2) -> float:
    """BLEU-n with equal weights, the mean over the sequences, each beside all references.

    sequences, references : of tokens, of any length;  n : the longest n-grams

    Sequences that are all alike may reach 1: read it beside `self_bleu`.
    """
    tables = [_most(references, k) for k in range(1, n + 1)]
    lengths = np.unique([len(x) for x in references])
    return float(np.mean([
        _of_one(x, [table.get for table in tables], lengths) for x in sequences
    ]))  # fmt: skip


def self_bleu(sequences: Sequence, n: int = 2) -> float:
    """The mean BLEU-n of each sequence beside all the others: high where they are alike (Zhu et al.
    2018)."""
    tables = [_two(sequences, k) for k in range(1, n + 1)]
    lengths = Counter(len(x) for x in sequences)
    found = []
    for i, x in enumerate(sequences):
        others = np.array([k for k in lengths if lengths[k] > (k == len(x))])

        def most(table):
            def of(gram, nothing):
                first, whose, second = table[gram]
                return second if whose == i else first

            return of

        found.append(_of_one(x, [most(table) for table in tables], others))
    return float(np.mean(found))


def _grams(x: Sequence, n: int) -> Counter:
    """n-grams and how often each comes."""
    row = tuple(x)
    return Counter(row[i : i + n] for i in range(len(row) - n + 1))


def _most(sequences: Sequence, n: int) -> dict:
    """n-gram -> how often it comes in the sequence that has it most often."""
    found: dict = {}
    for x in sequences:
        for gram, count in _grams(x, n).items():
            found[gram] = max(count, found.get(gram, 0))
    return found


def _two(sequences: Sequence, n: int) -> dict:
    """n-gram -> (how often it comes in the sequence that has it most often, which one that is, how
    often in the next one)."""
    found: dict = {}
    for i, x in enumerate(sequences):
        for gram, count in _grams(x, n).items():
            first, whose, second = found.get(gram, (0, -1, 0))
            found[gram] = (count, i, first) if count > first else (first, whose, max(second, count))
    return found


def _of_one(x: Sequence, most: Sequence, lengths: np.ndarray) -> float:
    """BLEU of a sequence;  most : for each n, of an n-gram how often a reference has it."""
    logs = []
    for n, of in enumerate(most, 1):
        grams = _grams(x, n)
        total = sum(grams.values())
        right = sum(min(count, of(gram, 0)) for gram, count in grams.items())
        logs.append(np.log((right or SMALL) / max(1, total)))
    nearest = min(lengths, key=lambda k: (abs(k - len(x)), k))
    brevity = min(0.0, 1 - nearest / max(1, len(x)))
    return float(np.exp(np.mean(logs) + brevity))
