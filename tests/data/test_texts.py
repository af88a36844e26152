"""Texts as tokens: the poems of the package, and text files."""

import gzip

import numpy as np
import pytest

from minigan.data import DataError, TextSet, texts
from minigan.data.texts import END, POEMS, RARE, numbers_of, spelt


def test_the_quatrains_are_those_of_the_file():
    train, test = texts(), texts(split="test")
    lines = gzip.decompress((POEMS / "quatrains.txt.gz").read_bytes()).decode().split()
    assert len(lines) == len(set(lines)) == 16_920 and set(map(len, lines)) == {20}
    assert test.lines(test.tokens) == lines[9::10]
    assert train.lines(train.tokens) == [x for i, x in enumerate(lines) if i % 10 != 9]
    assert train.vocabulary == test.vocabulary and len(train.vocabulary) == 6148
    assert "MIT License" in (POEMS / "LICENSE").read_text()
    assert train.checksum != test.checksum == texts(split="test").checksum
    with pytest.raises(ValueError, match="read-only"):
        train.tokens[0] = 0


def test_frequent_words_come_first_and_rare_ones_share_a_number():
    rows = [["b", "a", "c"], ["a", "b"], ["a", "d", "e"]]
    vocabulary, tokens = numbers_of(rows, 3)
    assert vocabulary == (END, RARE, "a", "b", "c")
    np.testing.assert_array_equal(tokens, [[3, 2, 4], [2, 3, 0], [2, 1, 1]])
    assert spelt(tokens, vocabulary, " ") == ["b a c", "a b", f"a {RARE} {RARE}"]
    vocabulary, tokens = numbers_of([["b", "a"], ["a", "a"]], 3)
    assert vocabulary == ("a", "b") and tokens.tolist() == [[1, 0], [0, 0]]


def test_a_text_file(tmp_path):
    path, notices = tmp_path / "own.txt", []
    lines = [f"the cat {i % 3}" for i in range(30)] + ["a b c d e f"]
    path.write_text("\ufeff" + "\n\n".join(lines), "utf-8")
    data = texts(path, length=5, on_notice=notices.append)
    assert data.lines(data.tokens) == [x for i, x in enumerate(lines[:30]) if i % 10 != 9]
    assert data.between == " " and data.name == "own.txt" and data.tokens.shape == (27, 3)
    assert data.left_out == (("line 61", "6 words, more than 5"),) and "1 lines" in notices[0]
    letters = texts(path, "test", unit="characters", length=11)
    assert letters.lines(letters.tokens) == [*lines[9:30:10]] and letters.between == ""
    packed = tmp_path / "own.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert texts(packed, length=5, on_notice=notices.append).checksum == data.checksum
    content = packed.read_bytes()
    packed.write_bytes(content[:12] + b"\xff" * 9 + content[21:])
    with pytest.raises(DataError, match="cannot be read"):
        texts(packed)


@pytest.mark.parametrize("content, said", [
    (b"a\n" * 19, "has 19 lines"), (b"\xff\xfe\xfa\n" * 30, "is no text in UTF-8"),
    (b"a b c\n" * 30, "--longest allows longer ones"),
])  # fmt: skip
def test_texts_that_cannot_be_used(content, said, tmp_path):
    path = tmp_path / "own.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        texts(path, length=2)


def test_what_is_no_text():
    with pytest.raises(DataError, match="no texts 'nowhere'"):
        texts("nowhere")
    with pytest.raises(DataError, match="unit='letters'"):
        texts(unit="letters")
    with pytest.raises(DataError, match="places in the vocabulary"):
        TextSet(np.array([[0, 2]]), ("a", "b"), "", "own", "here")
