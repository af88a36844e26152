"""Train on samples, test on real images: what a generator's labelled samples teach (Ravuri and
Vinyals 2019, "classification accuracy score")."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arrays import Generator, default_generator, to_device
from ..autograd import tensor_of
from ..nn import functional as F
from ..optim import Adam
from .classifier import MnistClassifier, as_images, describe

LR = 3e-3


def accuracy_trained_on(
    images: Any, labels: Any, test_images: Any, test_labels: Any, epochs: int = 4,
    batch_size: int = 100, seed: int = 0, device: Any = "cpu",
) -> float:  # fmt: skip
    """The share of test images that a classifier gets right which has learnt from these images
    alone: a new `MnistClassifier`, Adam on the cross entropy, its rate falling along a half cosine.

    images, test_images : digits (N, 1, 28, 28), uint8 or floats in [-1, 1]
    labels, test_labels : whole numbers (N,), 0 to 9
    seed : of its weights and of the order; the default generator is left as it was
    """
    images, labels = as_images(images), np.asarray(labels).astype(np.int64)
    if len(images) != len(labels) or len(images) < batch_size:
        raise ValueError(
            f"accuracy_trained_on: {len(images)} images, {len(labels)} labels, expected as many, "
            f"and at least batch_size={batch_size}"
        )
    before = default_generator.get_state()
    try:
        default_generator.manual_seed(seed)
        net = MnistClassifier().to(device)
    finally:
        default_generator.set_state(before)
    optimizer, order = Adam(net.parameters(), LR), Generator(seed)
    steps = len(images) // batch_size
    for step in range(epochs * steps):
        if step % steps == 0:
            rows = order.permutation(len(images))
        part = rows[step % steps * batch_size :][:batch_size]
        x = images[part]
        if x.dtype == np.uint8:
            x = x.astype(np.float32) / np.float32(127.5) - 1
        x, y = (
            tensor_of(to_device(np.ascontiguousarray(a), net.head.weight.device))
            for a in (x.astype(np.float32, copy=False), labels[part])
        )
        optimizer.param_groups[0]["lr"] = (
            LR * 0.5 * (1 + math.cos(math.pi * step / (epochs * steps)))
        )
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
    found = describe(test_images, net.eval()).digits
    return float((found == np.asarray(test_labels)).mean())
