"""Classifiers of series and of their frames: who learns from made ones and is examined on real ones
(train on synthetic, test on real: Esteban, Hyland, Raetsch 2017, section 4), or knows who speaks.

>>> real, test = series("italy-power-demand"), series("italy-power-demand", "test")
>>> accuracy_of_series(real.series, real.labels, test.series, test.labels)    # the ceiling
>>> accuracy_of_series(made, labels_of_made, test.series, test.labels)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import nn
from ..arrays import Generator, default_generator, to_device
from ..autograd import no_grad, tensor_of
from ..nn import functional as F
from ..optim import Adam

LR, HIDDEN, BATCH = 3e-3, 64, 64


class Classifier:
    """Numbers -> log of the probability of each label: two hidden layers, of numbers that have
    mean 0 and deviation 1 in what it learnt from."""

    def __init__(self, network: nn.Module, mean: np.ndarray, deviation: np.ndarray):
        self.network = network
        self.mean, self.deviation = mean, deviation
        self.place = next(network.parameters()).device

    def seen(self, x: np.ndarray) -> np.ndarray:
        return ((flat(x) - self.mean) / self.deviation).astype(np.float32)

    def log_probabilities(self, x: np.ndarray) -> np.ndarray:
        """(N, ...) -> (N, classes)"""
        found, seen = [], self.seen(x)
        with no_grad():
            for i in range(0, len(seen), 1000):
                given = tensor_of(to_device(seen[i : i + 1000], self.place))
                found.append(F.log_softmax(self.network(given), 1).cpu().numpy())
        return np.concatenate(found)

    def labels(self, x: np.ndarray) -> np.ndarray:
        """The label of each: (N, ...) -> int64 (N,)"""
        return self.log_probabilities(x).argmax(1)


def flat(x: Any) -> np.ndarray:
    """(N, ...) -> (N, numbers)"""
    array = np.asarray(x, np.float32)
    return array.reshape(len(array), -1)


def classifier_of(
    x: Any, labels: Any, classes: int, steps: int = 1500, weight_decay: float = 1e-3,
    seed: int = 0, device: Any = "cpu",
) -> Classifier:  # fmt: skip
    """What these teach: Adam on the cross entropy, its rate falling along a half cosine.

    x : series (N, T, C), frames (N, C), whatever has N rows;  labels : whole numbers (N,)
    steps : of 64 examples;  weight_decay : the network's squared weights cost half of this
    seed : of its weights and of the order; the default generator is left as it was
    """
    x, labels = flat(x), np.asarray(labels).astype(np.int64)
    if len(x) != len(labels) or not len(x) or not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"classifier_of: {len(x)} examples, {len(labels)} labels of {classes}: expected as "
            "many, from 0"
        )
    before = default_generator.get_state()
    try:
        default_generator.manual_seed(seed)
        sizes = x.shape[1], HIDDEN, HIDDEN, classes
        network = nn.Sequential(
            nn.Linear(*sizes[:2]), nn.ReLU(), nn.Linear(*sizes[1:3]), nn.ReLU(),
            nn.Linear(*sizes[2:]),
        ).to(device)  # fmt: skip
    finally:
        default_generator.set_state(before)
    found = Classifier(network, x.mean(0), x.std(0) + 1e-6)
    seen, order = found.seen(x), Generator(seed)
    optimizer = Adam(network.parameters(), LR, weight_decay=weight_decay)
    batches = -(-len(x) // BATCH)
    for step in range(steps):
        if step % batches == 0:
            rows = order.permutation(len(x))
        part = rows[step % batches * BATCH :][:BATCH]
        given, wanted = (tensor_of(to_device(a[part], found.place)) for a in (seen, labels))
        optimizer.param_groups[0]["lr"] = LR * 0.5 * (1 + math.cos(math.pi * step / steps))
        optimizer.zero_grad()
        F.cross_entropy(network(given), wanted).backward()
        optimizer.step()
    network.eval()
    return found


def accuracy_of_series(
    series: Any, labels: Any, test_series: Any, test_labels: Any, steps: int = 1500, seed: int = 0,
    device: Any = "cpu",
) -> float:  # fmt: skip
    """The share of test series that a classifier gets right which has learnt from these series
    alone: (N, T, C) or (N, T), all of one length, as many numbers each as test series have."""
    if flat(series).shape[1:] != flat(test_series).shape[1:]:
        raise ValueError(
            f"accuracy_of_series: series {np.shape(series)} and test series "
            f"{np.shape(test_series)} must be of one length"
        )
    test_labels = np.asarray(test_labels)
    classes = int(max(np.max(labels), test_labels.max())) + 1
    found = classifier_of(series, labels, classes, steps, seed=seed, device=device)
    return float((found.labels(test_series) == test_labels).mean())
