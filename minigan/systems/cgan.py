"""CGAN: a label tells what is to be made.

    python -m minigan train cgan
    python -m minigan draw runs/cgan --label 7 --n 20 --out sevens

Algorithm (Mirza and Osindero 2014, equation 2): D ascends E log D(x|y) + E log(1 - D(G(z|y)|y)), G
descends -E log D(G(z|y)|y), y the labels of the real batch. Both get y as one-hot inputs. It is the
game of `gan` with both players bound to labels (`minigan.gan.CGAN`), so that every switch of
docs/games.md works.

What to look at: samples/*.png, a row for each label. What shows that it works: a classifier that
never saw the run says of each sample the label that was asked for; a classifier that is trained on
samples alone is right on real test images; samples of one label differ as much as real ones do.
Control: labels are shuffled among the images, so that they say nothing.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..arrays import Generator
from ..gan import GAMES
from ..metrics import describe
from ..metrics.train_on import accuracy_trained_on
from .evidence import digits_of, drawn, image_rows, reference
from .parts import Images
from .switched import Switched
from .system import Row, labels_of


class CGAN(Switched):
    """Digits, or other classes of pictures, that are asked for by a label."""

    paper = "Mirza and Osindero 2014, Conditional Generative Adversarial Nets, arXiv:1411.1784"
    control = "labels are shuffled among the images"
    defaults = {"lr": 1e-3, "epochs": 20, "ema": 0.999}
    shuffles = True  # is the control that labels mean nothing?

    def data(self, c, split="train"):
        data = super().data(c, split)
        if not (self.shuffles and c.control and split == "train"):
            return data
        order = Generator(c.seed).permutation(len(data))
        return dataclasses.replace(data, labels=data.labels[order])

    def facts(self, data, c):
        return super().facts(data, c) | labels_of(data, self.name)

    def measure(self, game, c, samples, device):
        images, inputs = drawn(game, samples, device)
        return [
            *label_rows(images, inputs[-1].cpu().numpy(), c, device),
            *image_rows(game, c, samples, device, ("frechet",), images),
        ]


class CGANOfBefore(CGAN):
    """The networks of runs that were called examples/mnist_games.py --game cgan."""

    def game(self, c):
        return GAMES["cgan"].of(Images(c), classes=c.classes)


def label_rows(images: np.ndarray, labels: np.ndarray, c, device) -> list[Row]:
    """Do samples have the labels that were asked for, do they teach a classifier, do they vary?"""
    test, training = reference(c, device), digits_of(c, "train")
    found, truth = describe(images, test.classifier), digits_of(c, "test")
    some = Generator(1).permutation(len(training))[: len(images)]
    real, real_labels = training.images[some], training.labels[some].astype(np.int64)
    described = describe(real, test.classifier)
    taught, taught_by_real = (
        accuracy_trained_on(x, y, truth.images, truth.labels, device=device)
        for x, y in ((images, labels), (real, real_labels))
    )
    return [
        Row("label accuracy", float((found.digits == labels).mean()),
            float((described.digits == real_labels).mean()), target=0.97,
            note="the classifier says what was asked for"),
        Row("trained on samples", taught, taught_by_real, target=0.95,
            note="a classifier trained on samples alone, on test images"),
        Row("variety in a class", _spread(found.features, labels),
            _spread(described.features, real_labels),
            note="mean squared distance of features from their class's mean"),
    ]  # fmt: skip


def _spread(features: np.ndarray, labels: np.ndarray) -> float:
    """The mean squared distance of features from the mean of their label's."""
    parts = [features[labels == label] for label in np.unique(labels)]
    return float(np.mean([((f - f.mean(0)) ** 2).sum(1).mean() for f in parts]))
