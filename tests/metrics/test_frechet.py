"""Frechet distance: known values, against SciPy's root of a matrix, streaming, its null, and where
it must fail."""

import math

import numpy as np
import pytest
from scipy.linalg import sqrtm

from minigan.metrics import Moments, frechet_distance, frechet_of_gaussians

RNG = np.random.default_rng(2)


def spd(d):
    a = RNG.normal(size=(d, d))
    return a @ a.T / d + 0.1 * np.eye(d)


def test_known_values():
    one, zero = np.eye(3), np.zeros(3)
    assert math.isclose(frechet_of_gaussians(zero, one, zero + 2, one), 12)
    assert math.isclose(
        frechet_of_gaussians(zero, 4 * one, zero, 9 * one), 3 * (2 - 3) ** 2, rel_tol=1e-9
    )
    scale = np.array([1.0, 2.0, 3.0])  # covariances that commute: sum of (sqrt a - sqrt b)^2
    assert math.isclose(
        frechet_of_gaussians(zero, np.diag(scale), zero, one),
        ((np.sqrt(scale) - 1) ** 2).sum(),
        rel_tol=1e-9,
    )


def test_it_is_the_formula_with_the_root_of_the_product():
    for d in (1, 2, 7):
        s1 = spd(d)
        s2 = spd(d)
        m1 = RNG.normal(size=d)
        m2 = RNG.normal(size=d)
        expected = ((m1 - m2) ** 2).sum() + np.trace(s1 + s2 - 2 * sqrtm(s1 @ s2).real)
        assert math.isclose(frechet_of_gaussians(m1, s1, m2, s2), expected, rel_tol=1e-7)
        assert math.isclose(frechet_of_gaussians(m2, s2, m1, s1), expected, rel_tol=1e-7)
        assert abs(frechet_of_gaussians(m1, s1, m1, s1)) < 1e-7


def test_singular_covariances():
    """Features that never fire have no variance: the root must not fail."""
    s = np.diag([1.0, 0.0, 2.0])
    assert math.isclose(frechet_of_gaussians(np.zeros(3), s, np.zeros(3), 4 * s), 3, rel_tol=1e-9)


def test_moments_stream_and_keep_their_digits():
    x = RNG.normal(size=(500, 4)).astype(np.float32) + 1e4
    m = Moments()
    for part in np.split(x, (7, 100, 101, 400)):
        m.update(part)
    assert (
        m.n == 500
        and np.allclose(m.mean, x.astype(float).mean(0))
        and np.allclose(m.covariance, np.cov(x.astype(float).T), rtol=1e-9)
    )


def test_the_null_falls_with_the_number_of_samples_and_a_difference_stays():
    s, root = spd(5), None
    root = np.linalg.cholesky(s)
    draw = lambda n: RNG.normal(size=(n, 5)) @ root.T
    few, many = frechet_distance(draw(200), draw(200)), frechet_distance(draw(20_000), draw(20_000))
    assert 0 < many < 0.01 < few * 10
    known = frechet_of_gaussians(np.zeros(5), s, np.full(5, 0.5), 4 * s)
    assert abs(frechet_distance(draw(20_000), 2 * draw(20_000) + 0.5) - known) < 0.05 * known
    collapsed = np.zeros((300, 5)) + draw(1)
    assert frechet_distance(draw(300), collapsed) > 0.8 * np.trace(s)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="5 real samples"):
        frechet_distance(RNG.normal(size=(5, 5)), RNG.normal(size=(50, 5)))
    with pytest.raises(ValueError, match="features"):
        frechet_distance(RNG.normal(size=(50, 4)), RNG.normal(size=(50, 5)))
    with pytest.raises(ValueError, match="those before"):
        Moments().update(np.zeros((3, 2))).update(np.zeros((3, 3)))
    with pytest.raises(ValueError, match="0 real"):
        frechet_distance(Moments(), RNG.normal(size=(50, 5)))
