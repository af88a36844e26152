"""Classifiers of series: they learn what can be learnt, and nothing of labels that mean nothing."""

import numpy as np
import pytest

from minigan import get_rng_state
from minigan.data import series
from minigan.metrics import accuracy_of_series, classifier_of

DAYS, TEST = series("made-days"), series("made-days", "test")


def test_what_series_teach():
    found = accuracy_of_series(DAYS.series, DAYS.labels, TEST.series, TEST.labels, steps=150)
    assert found > 0.95
    turned = accuracy_of_series(DAYS.series, 1 - DAYS.labels, TEST.series, TEST.labels, steps=150)
    assert turned < 0.05
    labels = np.random.default_rng(0).permutation(DAYS.labels)
    assert 0.25 < accuracy_of_series(DAYS.series, labels, TEST.series, TEST.labels, 150) < 0.75


def test_log_probabilities_are_those_of_the_network():
    before = get_rng_state()
    found = classifier_of(DAYS.series, DAYS.labels, 3, steps=5)
    x = (TEST.series[:4, :, 0] - DAYS.series[..., 0].mean(0)) / (DAYS.series[..., 0].std(0) + 1e-6)
    w = {k: v.detach().numpy() for k, v in found.network.named_parameters()}
    for i in (0, 2):
        x = np.maximum(x @ w[f"{i}.weight"].T + w[f"{i}.bias"], 0)
    x = x @ w["4.weight"].T + w["4.bias"]
    expected = x - np.log(np.exp(x).sum(1, keepdims=True))
    np.testing.assert_allclose(found.log_probabilities(TEST.series[:4]), expected, atol=1e-5)
    assert found.labels(TEST.series[:4]).tolist() == expected.argmax(1).tolist()
    np.testing.assert_array_equal(np.asarray(get_rng_state()), np.asarray(before))
    again = classifier_of(DAYS.series, DAYS.labels, 3, steps=5).log_probabilities(TEST.series)
    np.testing.assert_array_equal(found.log_probabilities(TEST.series), again)


def test_bad_input():
    with pytest.raises(ValueError, match="4 examples, 3 labels of 2"):
        classifier_of(np.zeros((4, 2)), [0, 1, 0], 2)
    with pytest.raises(ValueError, match="from 0"):
        classifier_of(np.zeros((2, 2)), [0, 2], 2)
    with pytest.raises(ValueError, match="of one length"):
        accuracy_of_series(np.zeros((2, 5)), [0, 1], np.zeros((2, 6)), [0, 1])
