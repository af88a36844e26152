"""BLEU against numbers worked out by hand."""

import math

import pytest

from minigan.metrics import bleu, self_bleu


def test_matches_are_clipped_and_short_sequences_are_punished():
    references = ["the cat is on the mat".split(), "there is a cat on the mat".split()]
    # the example of Papineni et al., section 2.1: "the" counts twice at most
    assert bleu(["the the the the the the the".split()], references, 1) == pytest.approx(2 / 7)
    # 3 of 4 words, 2 of 3 pairs (one of each reference); 4 words, the nearest reference has 6
    found = bleu(["the cat on moon".split()], references)
    assert found == pytest.approx(math.exp(1 - 6 / 4) * math.sqrt(3 / 4 * 2 / 3))
    assert bleu(references, references) == pytest.approx(1)


def test_no_match_counts_as_a_tenth():
    assert bleu(["xy"], ["ab"]) == pytest.approx(math.sqrt(0.1 / 2 * 0.1 / 1))


def test_the_mean_over_sequences():
    both = bleu(["ab", "xy"], ["ab"])
    assert both == pytest.approx((1 + bleu(["xy"], ["ab"])) / 2)


def test_self_bleu_is_bleu_beside_the_others():
    some = ["abca", "abab", "ccab", "aaa", "abca"[::-1]]
    expected = [bleu([x], some[:i] + some[i + 1 :]) for i, x in enumerate(some)]
    assert self_bleu(some) == pytest.approx(sum(expected) / len(expected))
    assert self_bleu(["abcd"] * 3) == pytest.approx(1)
