"""1-NN test, precision and its kin, memorisation: against loops, known nulls, and constructed
failures."""

import math

import numpy as np
import pytest

from minigan.metrics import copying, nearest_images, nearest_neighbour_test, precision_recall
from minigan.metrics import rows as rows_module

RNG = np.random.default_rng(5)


@pytest.fixture(params=[1 << 22, 25], ids=["one block", "many"])
def block(request, monkeypatch):
    monkeypatch.setattr(rows_module, "BLOCK", request.param)


def distances(a, b):
    return np.array([[math.dist(p, q) for q in b] for p in a])


def radii(a, k):
    return np.array(
        [sorted(math.dist(p, q) for j, q in enumerate(a) if j != i)[k - 1] for i, p in enumerate(a)]
    )


def test_nearest_images(block):
    x, y = RNG.normal(size=(9, 3)), RNG.normal(size=(14, 3))
    d, i = nearest_images(x, y, 4)
    every = distances(x, y)
    assert (i == every.argsort(1)[:, :4]).all() and np.allclose(d, np.sort(every, 1)[:, :4])
    d, i = nearest_images(y[::-1], y)
    assert (d == 0).all() and (i[:, 0] == np.arange(14)[::-1]).all()


def test_the_two_sample_test_by_loops(block):
    x, y = RNG.normal(size=(12, 2)), RNG.normal(size=(12, 2)) + 0.7
    both, labels = np.concatenate([x, y]), np.repeat([0, 1], 12)
    d = distances(both, both) + np.diag(np.full(24, np.inf))
    right = labels[d.argmin(1)] == labels
    found = nearest_neighbour_test(x, y)
    assert math.isclose(found.real, right[:12].mean()) and math.isclose(
        found.fake, right[12:].mean()
    )
    assert math.isclose(found.accuracy, right.mean())


def test_the_two_sample_test_at_its_null_and_its_error():
    for d in (1, 3, 20):
        drawn = [
            nearest_neighbour_test(RNG.normal(size=(150, d)), RNG.normal(size=(150, d)))
            for _ in range(60)
        ]
        values = np.array([t.accuracy for t in drawn])
        assert abs(values.mean() - 0.5) < 4 * values.std() / math.sqrt(60) + 1 / 300
        assert 0.6 < drawn[0].se / values.std() < 1.7


def test_the_two_sample_test_where_it_is_known():
    x = RNG.normal(size=(100, 3))
    apart = nearest_neighbour_test(x, x + 1000)
    assert apart.accuracy == apart.real == apart.fake == 1
    assert nearest_neighbour_test(x, x[::-1] + 1e-9).accuracy == 0  # copies, but for rounding
    assert nearest_neighbour_test(x, x.copy()).accuracy == 0
    collapsed = nearest_neighbour_test(x, x[:1] + 0.01 * RNG.normal(size=(100, 3)))
    assert collapsed.fake > 0.9 and collapsed.real > 0.5
    all_the_same = nearest_neighbour_test(np.ones((10, 2)), np.ones((10, 2)))
    assert all_the_same.accuracy == 0.5  # ties


def test_precision_recall_density_coverage_by_loops(block):
    real = RNG.normal(size=(13, 2))
    fake = 0.7 * RNG.normal(size=(11, 2)) + 0.4
    k = 3
    d = distances(real, fake)
    on_real = radii(real, k)
    on_fake = radii(fake, k)
    inside = d <= on_real[:, None]
    expected = (
        inside.any(0).mean(),
        (d <= on_fake).any(1).mean(),
        inside.sum() / (k * 11),
        inside.any(1).mean(),
    )
    assert np.allclose(precision_recall(real, fake, k), expected)


def test_density_and_coverage_at_their_null():
    drawn = np.mean(
        [
            precision_recall(RNG.normal(size=(200, 4)), RNG.normal(size=(200, 4)), 3)
            for _ in range(15)
        ],
        0,
    )
    expected = 1 - math.prod((199 - i) / (399 - i) for i in range(3))
    assert abs(drawn[2] - 1) < 0.05 and abs(drawn[3] - expected) < 0.02
    assert abs(drawn[0] - drawn[1]) < 0.02  # precision and recall are each other's mirror image


def test_what_collapse_and_noise_do():
    real = RNG.normal(size=(400, 2))
    collapsed = precision_recall(real, 0.01 * RNG.normal(size=(400, 2)))
    assert collapsed.precision > 0.95 and collapsed.recall < 0.1 and collapsed.coverage < 0.2
    apart = precision_recall(real, RNG.normal(size=(400, 2)) + 100)
    assert tuple(apart) == (0, 0, 0, 0)
    wide = precision_recall(real, 5 * RNG.normal(size=(400, 2)))
    assert wide.precision < 0.5 < 0.9 < wide.recall


def test_copying():
    training, unseen, fresh = (RNG.normal(size=(300, 4)) for _ in range(3))
    honest = copying(fresh, training, unseen)
    assert abs(honest.z) < 3.5 and abs(honest.share - 0.5) < 0.1
    learnt = copying(training[:200] + 0.01 * RNG.normal(size=(200, 4)), training, unseen)
    assert learnt.share > 0.95 and learnt.z > 10 and learnt.distance < 0.1 * learnt.unseen
    assert copying(fresh + 5, training, unseen).z < -10
    assert copying(unseen, training, unseen).share == 0.5  # ties
    shares = [
        copying(RNG.normal(size=(80, 2)), training[:, :2], RNG.normal(size=(60, 2)))
        for _ in range(60)
    ]
    assert 0.75 < np.std([c.z for c in shares]) < 1.3


def test_nonsense_is_refused():
    x = np.zeros((4, 2))
    with pytest.raises(ValueError, match="as many of each"):
        nearest_neighbour_test(x, np.zeros((5, 2)))
    with pytest.raises(ValueError, match="more than k"):
        precision_recall(x, x, 4)
    with pytest.raises(ValueError, match="k=5"):
        nearest_images(x, x, 5)
