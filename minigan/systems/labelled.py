"""Few labels and many images: which images keep their label, and how many test images are named
wrongly."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from .. import nn
from ..arrays import Generator, to_device
from ..autograd import no_grad
from ..data import ImageSet
from ..data.batches import Batches, Together
from ..gan.recalibrate import evaluating
from ..metrics import describe
from ..training.cli import number
from .evidence import digits_of, reference
from .system import Row

BATCH = 500


def add_labels(parser, default: int = 100) -> None:
    """The option --labels."""
    parser.add_argument(
        "--labels",
        type=number(int, 1),
        default=default,
        help="how many images of the data have a label, as many of each class, chosen by --seed "
        "(default %(default)s)",
    )


def class_count(data: ImageSet) -> int:
    """How many classes the labels name: 0 to this number less one."""
    return int(data.labels.max()) + 1


def some_of_each(data: ImageSet, n: int, seed: int) -> ImageSet:
    """The images and labels of `rows_of_each`."""
    rows = rows_of_each(data, n, seed)
    return dataclasses.replace(data, images=data.images[rows], labels=data.labels[rows])


def rows_of_each(data: ImageSet, n: int, seed: int) -> np.ndarray:
    """The numbers of n images, as many of each class (where that does not go, the first ones have
    one more), chosen by the seed, class by class; ValueError where that cannot be."""
    classes = class_count(data)
    each, rest = divmod(n, classes)
    if not each or classes < 2:
        raise ValueError(
            f"--labels {n}: expected at least {classes}, one for each class"
            if classes > 1
            else f"--labels {n}: {data.name} has one class only (pictures: a subfolder for each)"
        )
    sizes = [each + (k < rest) for k in range(classes)]
    order = Generator(seed).permutation(len(data))
    found = [order[data.labels[order] == k][: sizes[k]] for k in range(classes)]
    if short := [k for k in range(classes) if len(found[k]) < sizes[k]]:
        k = short[0]
        raise ValueError(f"--labels {n}: {sizes[k]} of class {k}, which has {len(found[k])} images")
    return np.concatenate(found)


def beside_unlabelled(data: ImageSet, c: Any, device: Any) -> Together:
    """Batches (labelled images, their labels, unlabelled images): a step sees as many of the few
    labelled ones as there are, at most a batch; the unlabelled ones are all images."""
    few = some_of_each(data, c.labels, c.seed)
    return Together(
        Batches(few, min(c.batch_size, len(few)), c.seed, device, ("images", "labels")),
        Batches(data, c.batch_size, c.seed, device),
    )


def strided(shape: tuple[int, ...], classes: int, width: int = 16) -> nn.Sequential:
    """Images (N, *shape) -> logits: convolutions of stride 2 to width and 2 width channels, batch
    normalisation and ReLU behind each; dropout, linear units. It learns fast."""
    c, h, w = shape
    size = 2 * width * (-(-h // 4)) * (-(-w // 4))
    return nn.Sequential(
        nn.Conv2d(c, width, 5, 2, 2, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(size, classes),
    )  # fmt: skip


def predicted(network: nn.Module, images: np.ndarray, device: Any) -> np.ndarray:
    """The likeliest class of each image by a network's logits (N, classes): int64 (N,)."""
    batches = Batches(images, 1, device=device)
    with evaluating(network), no_grad():
        found = [
            network(*batches[to_device(np.arange(i, min(i + BATCH, len(images))), device)])
            for i in range(0, len(images), BATCH)
        ]
    return np.concatenate([logits.cpu().numpy().argmax(1) for logits in found])


def error_row(
    network: nn.Module, c: Any, device: Any, target: float = np.nan, note: str = ""
) -> Row:
    """How many test images the network names wrongly; beside it, the package's classifier, which
    learnt from all labels."""
    test = digits_of(c, "test")
    n, best = len(test), describe(test.images, reference(c, device).classifier).digits
    wrong = int((predicted(network, test.images, device) != test.labels).sum())
    return Row(
        "errors", wrong, int((best != test.labels).sum()), "down", target * n / 10_000,
        se=float(np.sqrt(wrong * (1 - wrong / n))),
        note=f"of {n:,} test images" + (f"; {note}" if note else ""),
    )  # fmt: skip
