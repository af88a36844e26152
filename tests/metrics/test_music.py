"""What melodies are like, by hand."""

import numpy as np
import pytest

from minigan.metrics import interval_divergence, repeats, scale_consistency, tone_span


def test_scales():
    major = np.array([[62, 64, 66, 67, 69, 71, 73, 74]])  # D
    assert scale_consistency(major) == 1
    assert scale_consistency([[69, 71, 72, 74, 76, 77, 80, 81]]) == 1  # A, harmonic minor
    assert scale_consistency([[60, 61, 62, 63]]) == 0.75
    assert scale_consistency(np.concatenate([major[:, :4], [[60, 61, 62, 63]]])) == 0.875
    assert scale_consistency(np.arange(12)[None]) == pytest.approx(7 / 12)


def test_repeats_and_span():
    assert repeats([[1, 2, 3, 1, 2, 3, 1, 2, 3]]) == 5  # 123 in three places, 231 and 312 in two
    assert repeats([[5] * 6]) == 1 and repeats([[5] * 5]) == 0  # only those that are apart
    assert repeats([[1, 2, 1, 2]], 2) == 1
    assert tone_span([[60, 64, 62], [50, 50, 51]]) == 2.5


def test_intervals():
    up, down = np.array([[60, 62, 64]]), np.array([[64, 62, 60]])
    assert interval_divergence(up, up + 5) == 0 and interval_divergence(up, down) == 1
    both = np.array([[60, 62, 60]])
    # p = (1, 0), q = (1/2, 1/2), m = (3/4, 1/4)
    expected = (np.log2(4 / 3) + 0.5 * np.log2(2 / 3) + 0.5 * np.log2(2)) / 2
    assert interval_divergence(up, both) == pytest.approx(expected)
    assert interval_divergence([[0, 13]], [[0, 25]]) == 0  # more than an octave is an octave
