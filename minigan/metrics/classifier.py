"""The classifier whose features and opinions metrics of digits are made of: a small CNN, trained on
this engine (`examples/mnist_classifier.py`), whose weights come with the package.

Values that were computed with different classifiers cannot be compared: print `digest` beside them.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import nn
from ..arrays import device as as_device
from ..arrays import to_device, to_numpy
from ..autograd import Tensor, no_grad, raw, tensor_of
from ..data.saving import SavedFileError, load

WEIGHTS = Path(__file__).with_name("mnist_classifier.safetensors")
BATCH = 500  # images that go through the network together


def digest_of(network: nn.Module) -> str:
    """Twelve hexadecimal digits that name a network's weights and buffers: the beginning of the
    SHA-256 of their names, shapes and bytes."""
    found = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        array = to_numpy(value.array)
        found.update(f"{name} {array.dtype.name} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:12]


class MnistClassifier(nn.Module):
    """Images (N, 1, 28, 28) in [-1, 1] -> logits (N, 10) of the digits 0 to 9; 60,986 parameters.

    Three times: Conv2d(3x3, padding 1), BatchNorm2d, ReLU, MaxPool2d(2), with 16, 32, 64 channels;
    then `features`, 64 linear units with ReLU; then 10 linear units.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in ((1, 16), (16, 32), (32, 64)):
            layers += [
                nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),
                nn.BatchNorm2d(n_out),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
        self.trunk = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 3 * 3, 64), nn.ReLU())
        self.head = nn.Linear(64, 10)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that name the weights (see `digest_of`)."""
        return digest_of(self)

    def features(self, images: Tensor) -> Tensor:
        """(N, 64), each at least 0: what the last layer sees, which Frechet distance and its kin
        compare."""
        return self.trunk(images)

    def forward(self, images):
        return self.head(self.features(images))


class Described(NamedTuple):
    """What the classifier says of N images, as NumPy arrays."""

    features: np.ndarray  # (N, 64) float32
    probabilities: np.ndarray  # (N, 10) float64, p(digit given image); each row sums to 1

    @property
    def digits(self) -> np.ndarray:
        """(N,) int64: the likeliest digit of each."""
        return self.probabilities.argmax(1)


def load_classifier(path: str | os.PathLike | None = None, device="cpu") -> MnistClassifier:
    """The classifier that comes with the package, in evaluation mode.

    path : weights that `examples/mnist_classifier.py` has written, instead
    device : where it computes

    OSError if the file cannot be read, SavedFileError if it holds something else.
    """
    path = WEIGHTS if path is None else Path(path)
    net = MnistClassifier()
    try:
        net.load_state_dict(load(path))
    except (RuntimeError, TypeError, AttributeError) as error:
        raise SavedFileError(
            f"{path} does not hold the weights of {type(net).__name__}: {error}"
        ) from error
    return net.to(as_device(device)).eval()


def as_images(images, name: str = "images") -> np.ndarray:
    """Images as (N, 1, 28, 28), uint8 or float in [-1, 1]; ValueError if they are something
    else."""
    images = to_numpy(raw(images))
    if images.ndim == 3:
        images = images[:, None]
    if images.ndim != 4 or images.shape[1:] != (1, 28, 28):
        raise ValueError(
            f"{name} have shape {images.shape}: the classifier knows digits, (N, 1, 28, 28), only"
        )
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise ValueError(f"{name} are {images.dtype}: expected uint8, or floats in [-1, 1]")
    if images.dtype.kind == "f" and images.size:
        low, high = float(images.min()), float(images.max())
        if not (low >= -1.001 and high <= 1.001):  # false for NaN, too
            raise ValueError(
                f"{name} range from {low:.3g} to {high:.3g}: expected floats in [-1, 1], or uint8"
            )
    return images


def describe(images, classifier: MnistClassifier) -> Described:
    """Features and class probabilities of `images` (N, 1, 28, 28), uint8 or float in [-1, 1],
    computed in batches.

    Cost: 4 MFLOP per image; 10,000 images take one or two seconds on two cores.
    """
    images = as_images(images)
    place = next(classifier.parameters()).device
    features = np.empty((len(images), classifier.head.in_features), np.float32)
    logits = np.empty((len(images), classifier.head.out_features), np.float32)
    with no_grad():
        for start in range(0, len(images), BATCH):
            rows = slice(start, start + BATCH)
            batch = images[rows]
            batch = (
                batch.astype(np.float32) / np.float32(127.5) - 1
                if batch.dtype == np.uint8
                else batch.astype(np.float32)
            )
            found = classifier.features(tensor_of(to_device(batch, place)))
            features[rows], logits[rows] = (
                to_numpy(found.array),
                to_numpy(classifier.head(found).array),
            )
    scores = logits.astype(np.float64)
    scores = np.exp(scores - scores.max(1, keepdims=True))
    return Described(features, scores / scores.sum(1, keepdims=True))
