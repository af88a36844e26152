"""Mode coverage against a loop, and against what true data must score."""

import math

import numpy as np
import pytest

from minigan.arrays import Generator
from minigan.data.toy import grid, ring
from minigan.metrics.modes import mode_coverage, true_quality


def by_loop(samples, means, std, within):
    """One sample after the other, as the definition reads."""
    counts = [0] * len(means)
    for x in samples:
        distances = [math.dist(x, m) / std for m in means]
        k = min(range(len(means)), key=distances.__getitem__)
        counts[k] += distances[k] < within
    good = sum(counts)
    kl = sum(c / good * math.log(c / good * len(means)) for c in counts if c)
    return sum(c > 0 for c in counts), good / len(samples), kl, counts


@pytest.mark.parametrize("within", [3.0, 1.5])
def test_as_the_definition_reads(within):
    rng = np.random.default_rng(0)
    means = rng.normal(size=(6, 2))
    samples = means[rng.choice(6, 300, p=[0.5, 0.3, 0.1, 0.1, 0, 0])] + 0.2 * rng.normal(
        size=(300, 2)
    )
    found = mode_coverage(samples, means, 0.15, within)
    modes, quality, kl, counts = by_loop(samples, means, 0.15, within)
    assert (found.modes, found.counts.tolist()) == (modes, counts)
    assert found.high_quality == pytest.approx(quality) and found.reverse_kl == pytest.approx(kl)


@pytest.mark.parametrize("data", [ring(), grid()])
def test_true_data(data):
    """The floors: 98.89 % (+- 3 standard errors), all modes, and the bias of the KL divergence, (K
    - 1) / (2 n)."""
    found = [
        mode_coverage(data.draw(2500, Generator(seed)), data.means, data.std) for seed in range(20)
    ]
    assert true_quality() == pytest.approx(0.98889, abs=1e-5)
    assert np.mean([f.high_quality for f in found]) == pytest.approx(
        0.98889, abs=3 * math.sqrt(0.0111 * 0.98889 / 50_000)
    )
    assert all(f.modes == len(data.means) for f in found)
    assert np.mean([f.reverse_kl for f in found]) == pytest.approx(
        (len(data.means) - 1) / 5000, rel=0.35
    )


def test_collapse():
    data = ring()
    one = mode_coverage(np.repeat(data.means[:1], 100, 0), data.means, data.std)
    assert (one.modes, one.high_quality) == (1, 1.0) and one.reverse_kl == pytest.approx(
        math.log(8)
    )
    none = mode_coverage(np.zeros((10, 2)), data.means, data.std)
    assert (none.modes, none.high_quality) == (0, 0.0) and math.isnan(none.reverse_kl)


def test_errors():
    with pytest.raises(ValueError, match=r"samples \(4,\)"):
        mode_coverage(np.zeros(4), np.zeros((2, 2)), 1)
    with pytest.raises(ValueError, match="std=0"):
        mode_coverage(np.zeros((4, 2)), np.zeros((2, 2)), 0)
