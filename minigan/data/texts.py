"""Texts as sequences of tokens: characters, or words, of a line each.

>>> data = texts("quatrains")
>>> data.tokens.shape, data.lines(data.tokens[:1])
((15228, 20), ['來年二月二與汝暫相棄燒灰散長江勿占檀那地'])
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .imageset import DataError, settle, shortened

POEMS = Path(__file__).parent / "poems"  # with their licence
VERSE = 5  # characters, of a quatrain
HELD_OUT = 10  # every tenth line is for the test
END, RARE = "", "\u25a1"  # what follows the last token of a line; what is too rare to have a number
UNITS = ("auto", "characters", "words")


@dataclass(frozen=True, eq=False, repr=False)
class TextSet:
    """Sequences of tokens, all of the length of the longest.

    tokens      int64 (N, T), read-only: places in the vocabulary
    vocabulary  what the tokens stand for. Where lines differ in length, the first is `END`, which
                fills up shorter ones
    between     what stands between two tokens of a line: "" for characters, " " for words
    name        "quatrains", "oracle", or that of the file
    source      where it came from, for messages
    left_out    (line, why) of each line that is not in the set
    verse       tokens of a verse, of which each line is made; 0: it has none
    checksum    sha256 hex digest of tokens and vocabulary
    """

    tokens: np.ndarray
    vocabulary: tuple[str, ...]
    between: str
    name: str
    source: str
    left_out: tuple[tuple[str, str], ...] = ()
    verse: int = 0
    checksum: str = field(init=False)

    def __post_init__(self):
        tokens = np.ascontiguousarray(self.tokens, np.int64).view()
        if tokens.ndim != 2 or not tokens.size:
            raise DataError(f"tokens must be (N, T), not {tokens.shape}")
        if not 0 <= tokens.min() <= tokens.max() < len(self.vocabulary):
            raise DataError(
                f"tokens from {tokens.min()} to {tokens.max()}: expected 0 to "
                f"{len(self.vocabulary) - 1}, places in the vocabulary"
            )
        settle(self, [tokens, "\n".join(self.vocabulary).encode()], tokens=tokens)

    def __len__(self):
        return len(self.tokens)

    def checksum_of(self, columns: Sequence[str]) -> str:
        """`checksum`, whatever the columns."""
        return self.checksum

    def lines(self, tokens: np.ndarray) -> list[str]:
        """What sequences of tokens (n, T) say."""
        return spelt(tokens, self.vocabulary, self.between)

    def __repr__(self):
        n, length = self.tokens.shape
        return f"TextSet({self.name!r}, {n} sequences of {length}, from {self.source})"


def unpadded(tokens: np.ndarray, vocabulary: Sequence[str]) -> list[list[int]]:
    """Sequences of tokens (n, T), up to the first `END` of each."""
    rows = np.asarray(tokens).tolist()
    if END not in vocabulary:
        return rows
    end = list(vocabulary).index(END)
    return [row[: row.index(end)] if end in row else row for row in rows]


def spelt(tokens: np.ndarray, vocabulary: Sequence[str], between: str = "") -> list[str]:
    """What sequences of tokens (n, T) say, up to the first `END`."""
    rows = unpadded(tokens, vocabulary)
    return [between.join([vocabulary[i] for i in row]) for row in rows]


def text_lines(path: str | os.PathLike) -> list[str]:
    """The lines of a text file (UTF-8, .gz where it is packed), without white space around; empty
    ones, too. DataError where it cannot be read."""
    try:
        content = Path(path).read_bytes()
        content = gzip.decompress(content) if str(path).endswith(".gz") else content
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8 ({error}): save it in that encoding") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error})") from None
    return [line.strip() for line in text.splitlines()]


def texts(
    name: str | os.PathLike = "quatrains", split: str = "train", unit: str = "auto",
    length: int = 32, most: int = 8000, on_notice: Callable[[str], object] = print,
) -> TextSet:  # fmt: skip
    """The poems that come with the package, or a text file, as sequences of tokens, a line each.

    name       "quatrains": 16,920 Chinese poems of 4 x 5 characters; or a file, .txt or .txt.gz
    split      "train", or "test": every tenth of the lines. Both have one vocabulary
    unit       a token is one of "characters" or "words", parted by white space; "auto": words where
               most lines have several
    length     tokens of a line, at most: longer ones are left out
    most       tokens that have a number: the most frequent ones; others are `RARE`
    on_notice  called with one sentence if lines are left out

    DataError where the file cannot be read or has fewer than 20 lines that are no longer.
    """
    if split not in ("train", "test"):
        raise DataError(f"split={split!r}: expected 'train' or 'test'")
    if unit not in UNITS:
        raise DataError(f"unit={unit!r}: expected one of {', '.join(UNITS)}")
    own = name != "quatrains"
    path = Path(name) if own else POEMS / "quatrains.txt.gz"
    if not path.is_file():
        raise DataError(f"no texts {str(name)!r}: expected quatrains, or a text file of a sequence "
                        "in each line")  # fmt: skip
    numbered = [(i, line) for i, line in enumerate(text_lines(path), 1) if line]
    if unit == "auto":
        several = sum(len(line.split()) > 1 for _, line in numbered)
        unit = "words" if 2 * several > len(numbered) else "characters"
    rows, left_out = [], []
    for i, line in numbered:
        words = line.split() if unit == "words" else list(line)
        if len(words) <= length:
            rows.append(words)
        else:
            left_out.append((f"line {i}", f"{len(words)} {unit}, more than {length}"))
    if len(rows) < 2 * HELD_OUT:
        raise DataError(
            f"{path} has {len(rows)} lines of at most {length} {unit}: expected {2 * HELD_OUT} or "
            "more" + (" (--longest allows longer ones)" if left_out else "")
        )
    if left_out:
        which = shortened([f"{line}: {why}" for line, why in left_out], between="; ")
        on_notice(f"{path}: {len(left_out)} lines are left out ({which})")
    vocabulary, tokens = numbers_of(rows, most)
    test = np.arange(len(rows)) % HELD_OUT == HELD_OUT - 1
    return TextSet(
        tokens[test if split == "test" else ~test], vocabulary, " " if unit == "words" else "",
        path.name if own else "quatrains", str(path), tuple(left_out), 0 if own else VERSE,
    )  # fmt: skip


def numbers_of(rows: Sequence[Sequence[str]], most: int) -> tuple[tuple[str, ...], np.ndarray]:
    """(vocabulary, tokens (N, T)) of lines of words: the most frequent first, of equally frequent
    ones the smaller; before them `END`, if the lines differ in length, and `RARE`, if there are
    more than `most`."""
    counts = Counter(word for row in rows for word in row)
    kept = sorted(counts, key=lambda word: (-counts[word], word))[:most]
    length = max(map(len, rows))
    first = [END] if min(map(len, rows)) < length else []
    if len(counts) > len(kept):
        first += [RARE]
        kept = [word for word in kept if word != RARE]
    vocabulary = (*first, *kept)
    number = {word: i for i, word in enumerate(vocabulary)}
    rare = number.get(RARE, 0)
    tokens = np.zeros((len(rows), length), np.int64)
    for i, words in enumerate(rows):
        tokens[i, : len(words)] = [number.get(word, rare) for word in words]
    return vocabulary, tokens
