"""The classifier that comes with the package, and what it says of images."""

from pathlib import Path

import numpy as np
import pytest
from load_script import load_script

import minigan
from minigan.data import SavedFileError, mnist, strokes
from minigan.data.imageset import DataUnavailable
from minigan.metrics import MnistClassifier, describe, load_classifier
from minigan.metrics.classifier import WEIGHTS


@pytest.fixture(scope="module")
def classifier():
    return load_classifier()


def test_its_weights_are_those_that_were_published(classifier):
    assert classifier.digest == "19ef24f7e8ec" and WEIGHTS.stat().st_size < 300_000
    assert sum(p.numel() for p in classifier.parameters()) == 60_986


def test_it_knows_the_real_digits(classifier):
    try:
        test = mnist.load("mnist", "test", download=False)
    except DataUnavailable as missing:
        pytest.skip(str(missing))
    assert (describe(test.images, classifier).digits == test.labels).sum() == 9_950


def test_it_knows_drawn_digits_better_than_chance(classifier):
    data = strokes(300, seed=3)
    assert (describe(data.images, classifier).digits == data.labels).mean() > 0.8


def test_bytes_and_floats_are_the_same_images_and_batches_do_not_matter(classifier, monkeypatch):
    data = strokes(70, seed=1).images
    whole = describe(data, classifier)
    assert (
        whole.features.shape == (70, 64)
        and whole.features.dtype == np.float32
        and (whole.features >= 0).all()
    )
    assert np.allclose(whole.probabilities.sum(1), 1) and whole.probabilities.shape == (70, 10)
    monkeypatch.setattr("minigan.metrics.classifier.BATCH", 16)
    parts = describe(minigan.tensor(data.astype(np.float32) / 127.5 - 1), classifier)
    assert np.allclose(whole.features, parts.features, rtol=1e-4, atol=1e-4)
    assert (whole.digits == parts.digits).all()


def test_what_is_no_digit_is_refused(classifier):
    for images, words in (
        (np.zeros((2, 3, 28, 28), np.float32), "digits"),
        (np.zeros((2, 1, 32, 32), np.uint8), "digits"),
        (np.full((2, 1, 28, 28), 255.0), "-1, 1"),
        (np.full((2, 1, 28, 28), np.nan), "-1, 1"),
        (np.zeros((2, 1, 28, 28), int), "int64"),
    ):
        with pytest.raises(ValueError, match=words):
            describe(images, classifier)


def test_other_weights(tmp_path):
    own = MnistClassifier()
    minigan.save(own.state_dict(), tmp_path / "own")
    assert load_classifier(tmp_path / "own").digest == own.digest != load_classifier().digest
    minigan.save({"a": minigan.zeros(2)}, tmp_path / "foreign")
    with pytest.raises(SavedFileError, match="does not hold the weights"):
        load_classifier(tmp_path / "foreign")
    with pytest.raises(OSError):
        load_classifier(tmp_path / "none")


@pytest.fixture(scope="module")
def example():
    return load_script(Path(__file__).parents[2] / "examples" / "mnist_classifier.py")


def test_training_learns_and_can_be_repeated(example, capsys):
    data = strokes(600, seed=9)
    nets = [example.train(data, 3, 50, 3e-3, seed, "cpu") for seed in (0, 0, 1)]
    assert nets[0].digest == nets[1].digest != nets[2].digest and not nets[0].training
    assert (describe(data.images, nets[0]).digits == data.labels).mean() > 0.6
    example.report(nets[0], data)
    assert "strokes, 600 test images" in capsys.readouterr().out


def test_shifted_images(example):
    images = np.zeros((200, 1, 28, 28), np.uint8)
    images[:, 0, 10, 12] = 255
    moved = example.shifted(images, minigan.Generator(0))
    assert (
        moved.shape == images.shape
        and moved.dtype == np.float32
        and (moved.reshape(200, -1).max(1) == 1).all()
    )
    _, _, rows, columns = np.nonzero(moved == 1)
    assert (
        {*rows} == {8, 9, 10, 11, 12}
        and {*columns} == {10, 11, 12, 13, 14}
        and (moved.sum((1, 2, 3)) == 2 - 784).all()
    )
