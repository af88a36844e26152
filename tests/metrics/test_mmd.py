"""Kernel MMD: against double loops, the closed form for Gaussians, its null, and where it must
fail."""

import math

import numpy as np
import pytest

from minigan.metrics import cubic, kid, median_distance, mmd2, mmd2_subsets, rbf
from minigan.metrics import rows as rows_module

RNG = np.random.default_rng(1)


def naive(x, y, k):
    """Means over pairs of different samples, by loops."""
    n, m = len(x), len(y)
    xx = sum(k(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    yy = sum(k(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return xx + yy - 2 * sum(k(a, b) for a in x for b in y) / (n * m)


@pytest.mark.parametrize("block", [1 << 22, 12])
def test_it_is_the_definition(monkeypatch, block):
    monkeypatch.setattr(rows_module, "BLOCK", block)
    x, y = RNG.normal(size=(6, 3)), RNG.normal(size=(5, 3)) + 0.5
    assert math.isclose(
        mmd2(x, y, cubic), naive(x, y, lambda a, b: (a @ b / 3 + 1) ** 3), rel_tol=1e-9
    )
    assert math.isclose(
        mmd2(x, y, rbf(0.7)),
        naive(x, y, lambda a, b: math.exp(-sum((a - b) ** 2) / 0.98)),
        rel_tol=1e-9,
    )


def test_the_default_bandwidth_is_the_median_distance():
    x, y = RNG.normal(size=(9, 2)), RNG.normal(size=(8, 2))
    both = np.concatenate([x, y])
    every = [math.dist(both[i], both[j]) for i in range(17) for j in range(i)]
    assert math.isclose(median_distance(x, y), np.sqrt(np.median(np.square(every))), rel_tol=1e-9)
    assert math.isclose(mmd2(x, y), mmd2(x, y, rbf(median_distance(x, y))))


def test_the_known_value_of_shifted_gaussians():
    """N(0, I) and N(m, I) in d dimensions, rbf of width s: 2 (s^2 / (s^2 + 2))^(d/2) (1 -
    exp(-|m|^2 / 2 (s^2 + 2)))."""
    d = 3
    s = 1.5
    shift = 0.8
    expected = 2 * (s**2 / (s**2 + 2)) ** (d / 2) * (1 - math.exp(-d * shift**2 / (2 * (s**2 + 2))))
    found = mmd2_subsets(
        RNG.normal(size=(4000, d)), RNG.normal(size=(4000, d)) + shift, rbf(s), subset_size=500
    )
    assert abs(found.value - expected) < 4 * found.se and 0 < found.se < 0.1 * expected


def test_the_known_value_of_the_cubic_kernel():
    """In one dimension E (x y + 1)^3 needs moments only: N(0, 1) and N(m, 1) have 1, 0, 1, 0 and 1,
    m, m^2 + 1, m^3 + 3 m."""
    m = 0.5
    a, b = np.array([1, 0, 1, 0.0]), np.array([1, m, m**2 + 1, m**3 + 3 * m])
    expected = ([1, 3, 3, 1] * (a - b) ** 2).sum()
    found = kid(RNG.normal(size=(20_000, 1)), RNG.normal(size=(20_000, 1)) + m)
    assert abs(found.value - expected) < 4 * found.se


def test_at_the_null_it_is_zero_on_average_and_the_error_is_that_of_repetitions():
    drawn = [
        mmd2_subsets(
            RNG.normal(size=(200, 4)),
            RNG.normal(size=(200, 4)),
            rbf(2.0),
            subsets=20,
            subset_size=50,
        )
        for _ in range(40)
    ]
    values = np.array([d.value for d in drawn])
    assert abs(values.mean()) < 3.5 * values.std() / math.sqrt(40) and (values < 0).any()
    other = [
        mmd2_subsets(
            RNG.normal(size=(200, 4)),
            RNG.normal(size=(200, 4)) + 1,
            rbf(2.0),
            subsets=20,
            subset_size=50,
        )
        for _ in range(40)
    ]
    deviation, said = np.std([d.value for d in other]), np.mean([d.se for d in other])
    assert 0.6 < said / deviation < 1.7


def test_a_shift_a_collapse_and_another_width_are_seen():
    x = RNG.normal(size=(1000, 4))
    for y in (
        RNG.normal(size=(1000, 4)) + 0.5,
        np.zeros((1000, 4)) + x[:1],
        1.5 * RNG.normal(size=(1000, 4)),
    ):
        for kernel in (cubic, None):
            found = mmd2_subsets(x, y, kernel, 20, 200)
            assert found.value > 5 * found.se


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        mmd2(np.zeros((1, 2)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="subsets"):
        mmd2_subsets(np.zeros((9, 2)), np.zeros((9, 2)), subsets=1)
    with pytest.raises(ValueError, match="bandwidth"):
        rbf(0.0)
