"""The embedded digits: the same every time, balanced, placed like MNIST's, and told apart."""

import numpy as np
import pytest

from minigan.data import load_dataset
from minigan.data.strokes import strokes


@pytest.fixture(scope="module")
def drawn():
    return strokes(3000, seed=0)


def test_shape_and_range(drawn):
    assert drawn.images.shape == (3000, 1, 28, 28) and drawn.images.dtype == np.uint8
    assert drawn.labels.shape == (3000,) and drawn.labels.dtype == np.uint8
    assert drawn.images.max((1, 2, 3)).min() > 200  # every digit is inked, white on black
    assert 15 < drawn.images.mean() < 50  # MNIST: 33
    grey = (drawn.images > 20) & (drawn.images < 235)
    assert 0.2 < grey.sum() / (drawn.images > 20).sum() < 0.8  # edges are soft


def test_deterministic_and_prefix_stable(drawn):
    assert strokes(3000, seed=0).checksum == drawn.checksum != strokes(3000, seed=1).checksum
    short = strokes(333, seed=0)
    np.testing.assert_array_equal(short.images, drawn.images[:333])
    np.testing.assert_array_equal(short.labels, drawn.labels[:333])
    assert len(strokes(0)) == 0 and len(strokes(1)) == 1


def test_balanced(drawn):
    assert np.bincount(drawn.labels).tolist() == [300] * 10
    counts = np.bincount(strokes(333, seed=3).labels, minlength=10)
    assert counts.max() - counts.min() <= 1


def test_box_and_centre_of_mass(drawn):
    images = drawn.images[:, 0].astype(float)
    for axis in (1, 2):
        inked = (images > 0).any(axis)
        extent = 28 - inked.argmax(1) - inked[:, ::-1].argmax(1)
        assert extent.max() <= 20
        centre = images.sum(axis) @ (np.arange(28) + 0.5) / images.sum((1, 2))
        assert np.abs(centre - 14).max() < 0.51
    assert images[:, 4:24, 4:24].sum() / images.sum() > 0.98


def test_all_are_different(drawn):
    assert len(np.unique(drawn.images.reshape(3000, -1), axis=0)) == 3000


def test_a_classifier_recognises_another_seed(drawn):
    means = np.stack([drawn.images[drawn.labels == d].mean(0).ravel() for d in range(10)])
    other = strokes(1000, seed=7)
    scores = (means**2).sum(1) - 2 * other.images.reshape(1000, -1).astype(float) @ means.T
    right = scores.argmin(1) == other.labels
    assert right.mean() > 0.8
    assert min(right[other.labels == d].mean() for d in range(10)) > 0.5
    # within a class the images vary: the mean explains only a part of them
    residual = drawn.images.reshape(3000, -1) - means[drawn.labels]
    assert residual.std() > 0.5 * drawn.images.std()


def test_the_whole_set():
    data = load_dataset("strokes")
    assert len(data) == 20_000 and data.checksum != load_dataset("strokes", "test").checksum
