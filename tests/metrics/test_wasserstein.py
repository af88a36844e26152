"""Wasserstein distances: against all permutations, SciPy in one dimension, closed forms, the null,
and failures."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from minigan.metrics import sliced_wasserstein, wasserstein, wasserstein_1d

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("n, m", [(5, 5), (4, 6), (7, 3), (50, 31), (1, 9)])
def test_one_dimension_against_scipy(n, m):
    x, y = RNG.normal(size=n), RNG.normal(size=m) + 0.3
    assert math.isclose(wasserstein_1d(x, y), wasserstein_distance(x, y), rel_tol=1e-9)
    # the same distributions, as many numbers of each: sort and pair
    repeated = (np.repeat(x, m), np.repeat(y, n))
    expected = math.sqrt(((np.sort(repeated[0]) - np.sort(repeated[1])) ** 2).mean())
    assert math.isclose(wasserstein_1d(x, y, 2), expected, rel_tol=1e-9)


@pytest.mark.parametrize("p", [1, 2])
def test_exact_is_the_best_of_all_permutations(p):
    x, y = RNG.normal(size=(6, 2)), RNG.normal(size=(6, 2))
    best = min(
        sum(math.dist(a, y[j]) ** p for a, j in zip(x, s)) / 6
        for s in itertools.permutations(range(6))
    )
    assert math.isclose(wasserstein(x, y, p), best ** (1 / p), rel_tol=1e-9)


def test_in_one_dimension_all_are_the_same():
    x, y = RNG.normal(size=(40, 1)), 2 * RNG.normal(size=(40, 1)) + 1
    for p in (1, 2):
        assert math.isclose(wasserstein(x, y, p), wasserstein_1d(x, y, p), rel_tol=1e-9)
        assert math.isclose(sliced_wasserstein(x, y, p, 3), wasserstein_1d(x, y, p), rel_tol=1e-9)


def test_known_values_of_gaussians():
    """W2 of N(0, 1) and N(m, s^2) is sqrt(m^2 + (s - 1)^2); a shift costs its length, in a slice
    |m| / sqrt(D)."""
    x, y = RNG.normal(size=50_000), 2 * RNG.normal(size=50_000) + 1
    assert abs(wasserstein_1d(x, y, 2) - math.sqrt(2)) < 0.03
    x = RNG.normal(size=(300, 8))
    assert math.isclose(wasserstein(x, x + 0.5, 2), 0.5 * math.sqrt(8), rel_tol=1e-9)
    assert abs(sliced_wasserstein(x, x + 0.5) - 0.5) < 0.05


def test_the_null_falls_with_the_number_of_samples_and_a_difference_is_seen():
    draw = lambda n: RNG.normal(size=(n, 3))
    null = [wasserstein(draw(n), draw(n)) for n in (30, 100, 400)]
    assert (
        null[0] > null[1] > null[2] > 0 and wasserstein(draw(400), draw(400) + 0.5) > 1.5 * null[2]
    )
    assert (
        sliced_wasserstein(draw(2000), draw(2000))
        < 0.1
        < 0.5
        < sliced_wasserstein(draw(2000), np.zeros((2000, 3)))
    )
    x = draw(50)
    assert wasserstein(x, x[::-1]) == 0 and sliced_wasserstein(x, x[::-1]) < 1e-12


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="as many of each"):
        wasserstein(np.zeros((3, 2)), np.zeros((4, 2)))
    with pytest.raises(ValueError, match="at most 5000"):
        wasserstein(np.zeros((5001, 1)), np.zeros((5001, 1)))
    with pytest.raises(ValueError, match="one number"):
        wasserstein_1d(np.zeros((3, 2)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="directions"):
        sliced_wasserstein(np.zeros((3, 2)), np.zeros((3, 2)), directions=0)
