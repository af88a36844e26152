"""Inception and Mode score, modes covered: values that are known by hand."""

import math

import numpy as np
import pytest

from minigan.data import strokes
from minigan.metrics import (
    describe,
    inception_score,
    load_classifier,
    mode_score,
    modes_covered,
    stacked_labels,
)

RNG = np.random.default_rng(3)


def test_known_scores():
    sure, unsure = np.eye(10)[np.arange(200) % 10], np.full((200, 10), 0.1)
    assert math.isclose(inception_score(sure).value, 10) and math.isclose(
        inception_score(unsure).value, 1
    )
    assert math.isclose(inception_score(np.eye(10)[[3] * 50]).value, 1)  # one class only
    assert math.isclose(inception_score(np.eye(10)[[3, 4] * 50]).value, 2)
    # Two opinions, 0.9 and 0.1: log score = log 2 - entropy of (0.9, 0.1)
    expected = 2 * 0.9**0.9 * 0.1**0.1
    assert math.isclose(inception_score(np.array([[0.9, 0.1], [0.1, 0.9]])).value, expected)


def test_its_error_is_that_of_repetitions():
    def draw():
        p = RNG.dirichlet(np.full(5, 0.3), 400)
        return inception_score(p)

    drawn = [draw() for _ in range(60)]
    assert 0.6 < np.mean([d.se for d in drawn]) / np.std([d.value for d in drawn]) < 1.6


def test_mode_score_is_the_inception_score_minus_wrong_proportions():
    real = np.eye(10)[np.arange(200) % 10]
    assert math.isclose(mode_score(real, real).value, 10)
    # 5 of 10 classes: KL(uniform on 5 || uniform on 10) = log 2
    half = np.eye(10)[np.arange(200) % 5]
    assert math.isclose(inception_score(half).value, 5) and math.isclose(
        mode_score(half, real).value, 2.5
    )
    assert mode_score(real, half).value == 0  # classes that do not exist
    soft = RNG.dirichlet(np.ones(10), 300)
    assert mode_score(soft, real).value <= inception_score(soft).value
    assert math.isclose(mode_score(soft, soft[::-1]).value, inception_score(soft).value)


def test_modes_covered():
    even = modes_covered(np.arange(1000) % 10)
    assert even.covered == 10 and abs(even.kl) < 1e-12 and math.isclose(even.floor, 9 / 2000)
    two = modes_covered(np.array([1, 7] * 500))
    assert two.covered == 2 and math.isclose(two.kl, math.log(5))
    assert math.isclose(modes_covered(np.zeros(5, int), 1000).kl, math.log(1000))


@pytest.mark.parametrize("classes, n", [(10, 2000), (1000, 26_000), (1000, 3000)])
def test_the_floor_is_the_mean_of_uniform_labels(classes, n):
    drawn = [modes_covered(RNG.integers(0, classes, n), classes) for _ in range(20)]
    assert abs(np.mean([d.kl for d in drawn]) / drawn[0].floor - 1) < 0.25


def test_stacked_labels_are_the_digits_of_the_channels():
    classifier, data = load_classifier(), strokes(60, seed=5).images
    digits = describe(data, classifier).digits
    stacked = np.concatenate([data[:20], data[20:40], data[40:]], 1)
    assert (
        stacked_labels(stacked, classifier) == 100 * digits[:20] + 10 * digits[20:40] + digits[40:]
    ).all()


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="softmax"):
        inception_score(RNG.normal(size=(5, 3)))
    with pytest.raises(ValueError, match="classes"):
        inception_score(np.ones(5))
    with pytest.raises(ValueError, match="3 classes"):
        mode_score(np.eye(3), np.eye(4))
    with pytest.raises(ValueError, match="0 to 9"):
        modes_covered(np.array([10]))
    with pytest.raises(ValueError, match="integers"):
        modes_covered(np.array([1.0]))
