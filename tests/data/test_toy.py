"""Point sets in the plane: where the points lie, how many modes there are, and that a seed gives
the same ones again."""

import numpy as np
import pytest

from minigan.arrays import Generator
from minigan.data.toy import TOYS, PointBatches, grid, moons, ring, swiss_roll


@pytest.mark.parametrize("name", TOYS)
def test_points_fit_the_picture_and_can_be_repeated(name):
    data = TOYS[name]()
    x = data.draw(4000, Generator(3))
    assert (
        x.shape == (4000, 2)
        and x.dtype == np.float32
        and data.draw(0, Generator(0)).shape == (0, 2)
    )
    np.testing.assert_array_equal(x, data.draw(4000, Generator(3)))
    assert not np.array_equal(x, data.draw(4000, Generator(4)))
    assert (np.abs(x) < data.limit).mean() > 0.999 and np.abs(x).max() > 0.6 * data.limit
    with pytest.raises(ValueError, match="n=-1"):
        data.draw(-1, Generator(0))


@pytest.mark.parametrize(
    "data, modes, gap",
    [
        (ring(), 8, 2 * np.sin(np.pi / 8)),
        (ring(5, 2.0, 0.1), 5, 4 * np.sin(np.pi / 5)),
        (grid(), 25, 2),
    ],
)
def test_mixtures(data, modes, gap):
    """All modes differ, the nearest two are as far apart as geometry says, each has its share, and
    deviates by std in x and y."""
    distances = np.linalg.norm(data.means[:, None] - data.means[None], axis=-1) + 1e9 * np.eye(
        modes
    )
    assert len(data.means) == modes and distances.min() == pytest.approx(gap)
    x = data.draw(50_000, Generator(0)).astype(float)
    label = np.linalg.norm(x[:, None] - data.means[None], axis=-1).argmin(1)
    share = np.bincount(label, minlength=modes) / len(x)
    assert np.abs(share * modes - 1).max() < 0.12
    rest = x - data.means[label]
    np.testing.assert_allclose(rest.std(0), data.std, rtol=0.02)
    np.testing.assert_allclose(rest.mean(0), 0, atol=0.05 * data.std)


def test_the_grid_is_that_of_the_paper():
    assert {tuple(m) for m in grid().means} == {
        (x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)
    }


def test_the_roll_is_a_spiral():
    x = 7.5 * swiss_roll(noise=0).draw(1000, Generator(0)).astype(float)
    t = np.linalg.norm(x, axis=1)
    np.testing.assert_allclose(x, t[:, None] * np.stack([np.cos(t), np.sin(t)], 1), atol=1e-4)
    assert (
        t.min() >= 1.5 * np.pi - 1e-4
        and t.max() <= 4.5 * np.pi + 1e-4
        and t.min() < 5
        and t.max() > 14
    )


def test_moons_are_half_circles():
    x = moons(noise=0).draw(1000, Generator(0)).astype(float)
    upper = np.isclose(np.linalg.norm(x - [-0.5, -0.25], axis=1), 1, atol=1e-5) & (
        x[:, 1] >= -0.25 - 1e-5
    )
    lower = np.isclose(np.linalg.norm(x - [0.5, 0.25], axis=1), 1, atol=1e-5) & (
        x[:, 1] <= 0.25 + 1e-5
    )
    assert (upper | lower).all() and abs(upper.mean() - 0.5) < 0.06


def test_bad_parameters():
    for make, word in (
        (lambda: ring(0), "modes=0"),
        (lambda: ring(std=-1), "std=-1"),
        (lambda: grid(0), "side=0"),
    ):
        with pytest.raises(ValueError, match=word):
            make()


def test_batches_are_the_points_each_once():
    batches = PointBatches(ring(), 30, size=100, seed=2)
    seen = [b.numpy() for (b,) in batches.epoch(0)]
    assert (
        len(batches) == len(seen) == 3 and seen[0].shape == (30, 2) and seen[0].dtype == np.float32
    )
    points = {p.tobytes() for p in ring().draw(100, Generator(2))}
    assert len({p.tobytes() for b in seen for p in b} & points) == 90
    np.testing.assert_array_equal(next(batches.epoch(0, 2))[0].numpy(), seen[2])
    assert not np.array_equal(next(batches.epoch(1))[0].numpy(), seen[0])
    with pytest.raises(ValueError, match="1 to 100"):
        PointBatches(ring(), 101, size=100)
