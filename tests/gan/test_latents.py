"""Ways between latents, against their geometry."""

import numpy as np
import pytest

from minigan.gan import interpolate, lerp, slerp

RNG = np.random.default_rng(0)


def great_circle(a, b, t):
    """From a towards b along the unit sphere, as a rotation in their plane: Gram-Schmidt, cosine
    and sine."""
    n = b - (a @ b) * a
    n /= np.linalg.norm(n)
    angle = np.arccos(a @ b)
    return np.cos(t * angle) * a + np.sin(t * angle) * n


@pytest.mark.parametrize("d", [2, 3, 100])
def test_slerp_is_the_great_circle(d):
    a, b = (v / np.linalg.norm(v) for v in RNG.normal(size=(2, d)))
    for t in np.linspace(0, 1, 7):
        np.testing.assert_allclose(slerp(a, b, t), great_circle(a, b, t), atol=1e-12)


def test_equal_lengths_are_kept_and_steps_are_equal():
    a, b = (5 * v / np.linalg.norm(v) for v in RNG.normal(size=(2, 8)))
    way = slerp(a, b, np.linspace(0, 1, 9))
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), 5)
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps[0])
    assert np.linalg.norm(lerp(a, b, 0.5)) < 4.9  # the straight way leaves the sphere


def test_lerp_by_hand():
    assert lerp([0.0, 4.0], [2.0, 0.0], 0.25).tolist() == [0.5, 3.0]
    assert lerp([0.0, 4.0], [2.0, 0.0], [0.0, 1.0]).tolist() == [[0, 4], [2, 0]]


@pytest.mark.parametrize("way", [lerp, slerp])
def test_batches_dtypes_and_ends(way):
    a, b = RNG.normal(size=(2, 3, 4, 6)).astype(np.float32)
    before = a.copy()
    points = way(a, b, np.linspace(0, 1, 5))
    assert points.shape == (5, 3, 4, 6) and points.dtype == np.float32
    (
        np.testing.assert_allclose(points[0], a, rtol=1e-6),
        np.testing.assert_allclose(points[-1], b, rtol=1e-6),
    )
    np.testing.assert_allclose(
        points[:, 1, 2], way(a[1, 2], b[1, 2], np.linspace(0, 1, 5)), rtol=1e-6
    )
    np.testing.assert_array_equal(a, before)
    assert way(a, b, 0.5).shape == a.shape and way(a.astype(float), b, 0.5).dtype == np.float64


def test_where_there_is_no_angle():
    a = RNG.normal(size=6)
    np.testing.assert_allclose(slerp(a, 3 * a, 0.5), 2 * a)  # one direction
    np.testing.assert_allclose(slerp(a, a, 0.3), a)
    np.testing.assert_allclose(slerp(np.zeros(6), a, 0.25), a / 4)
    near = a + 1e-9 * RNG.normal(size=6)
    np.testing.assert_allclose(slerp(a, near, 0.5), (a + near) / 2, atol=1e-12)
    with pytest.raises(ValueError, match="opposite"):
        slerp(a, -2 * a, 0.5)


def test_interpolate():
    a, b = RNG.normal(size=(2, 3, 6))
    np.testing.assert_array_equal(interpolate(a, b, 4), slerp(a, b, [0, 1 / 3, 2 / 3, 1]))
    np.testing.assert_array_equal(interpolate(a, b, 2, "linear"), [a, b])
    for steps, mode in ((1, "slerp"), (5, "bezier")):
        with pytest.raises(ValueError, match=f"{mode}.*{steps}"):
            interpolate(a, b, steps, mode)
