"""What a classifier's opinions say of samples: is each image clearly something, and are all classes
there?"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..arrays import to_numpy
from ..autograd import raw
from .classifier import MnistClassifier, describe
from .rows import Estimate


def _probabilities(p: Any, name: str = "probabilities") -> np.ndarray:
    p = to_numpy(raw(p)).astype(np.float64)
    if p.ndim != 2 or not len(p):
        raise ValueError(
            f"{name} have shape {p.shape}: expected (N, classes), a row for each sample"
        )
    if not ((p >= 0).all() and np.allclose(p.sum(1), 1, atol=1e-4)):
        raise ValueError(f"{name}: expected rows that sum to 1; take the softmax of logits")
    return p


def _kl(p: np.ndarray, q: np.ndarray) -> Any:
    """KL(p || q) along the last dimension, in nats, with 0 log 0 = 0; infinite where q lacks a
    class of p."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0).sum(-1)


def _jackknife(logs: np.ndarray) -> float:
    """The standard error of a mean."""
    return float(logs.std(ddof=1) / math.sqrt(len(logs))) if len(logs) > 1 else math.inf


def inception_score(probabilities: Any) -> Estimate:
    """exp E KL(p(y | x) || p(y)), p(y) the mean of p(y | x): from 1 (all samples alike) to the
    number of classes; high is good.

    probabilities : p(y | x), (N, classes), of generated images

    High if each image is clearly of one class and all classes occur equally; what happens within a
    class it cannot see, and it never looks at real images. Source: Salimans et al. 2016, section 4.
    The standard error is that of the mean over x (p(y) taken as known), times the score. All
    samples count at once: the mean over parts (often 10) is lower, most so with few samples.
    """
    p = _probabilities(probabilities)
    each = _kl(p, p.mean(0))
    value = math.exp(each.mean())
    return Estimate(value, value * _jackknife(each))


def mode_score(probabilities: Any, real_probabilities: Any) -> Estimate:
    """exp( E KL(p(y | x) || p(y)) - KL(p(y) || p*(y)) ), p* the mean over real images: at most the
    Inception score, which it equals if samples have the classes in the right proportions; high is
    good, the value of other real images is the mark.

    probabilities, real_probabilities : p(y | x), (N, classes) and (M, classes)

    Source: Che et al. 2017 in the form of Xu et al. 2018, section 2. (With p* in place of p(y) in
    the first term too, as it is also printed, the proportions cancel and what remains is the
    Inception score.) Standard error as there.
    """
    p = _probabilities(probabilities)
    real = _probabilities(real_probabilities, "real_probabilities")
    if p.shape[1] != real.shape[1]:
        raise ValueError(f"mode_score: {p.shape[1]} classes, but {real.shape[1]} of real images")
    marginal = p.mean(0)
    each = _kl(p, marginal)
    value = math.exp(each.mean() - _kl(marginal, real.mean(0)))
    return Estimate(value, value * _jackknife(each))


class ModesCovered(NamedTuple):
    """How many classes samples fall in, and how unequally."""

    covered: int  # classes with at least one sample
    classes: int
    kl: float  # KL(class frequencies || uniform) in nats: 0 to log(classes); low is good
    # what kl is on average for samples whose classes are uniform: about (classes - 1) / 2 N
    floor: float


def modes_covered(labels: Any, classes: int = 10) -> ModesCovered:
    """Count the classes among `labels`, integers (N,) in [0, classes), as for stacked MNIST (Metz
    et al. 2017, section 3.3; Lin et al. 2018, section 4.2).

    The floor is the expectation of the KL under the uniform distribution, simulated for small N
    (100 draws with a fixed seed), since the estimate from counts is biased upwards.
    """
    labels = to_numpy(raw(labels))
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels):
        raise ValueError(
            f"labels are {labels.dtype} {labels.shape}: expected integers (N,), at least one"
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"labels reach from {labels.min()} to {labels.max()}: expected 0 to {classes - 1}"
        )
    uniform = np.full(classes, 1 / classes)
    counts = np.bincount(labels.astype(np.int64), minlength=classes)
    n = len(labels)
    if n >= 20 * classes:
        floor = (classes - 1) / (2 * n)
    else:
        floor = float(
            _kl(np.random.default_rng(0).multinomial(n, uniform, 100) / n, uniform).mean()
        )
    return ModesCovered(int((counts > 0).sum()), classes, float(_kl(counts / n, uniform)), floor)


def stacked_labels(images: Any, classifier: MnistClassifier) -> np.ndarray:
    """Which of 10^C modes stacked digits are: int64 (N,), the digits of the channels written one
    after the other.

    images : (N, C, 28, 28), a digit in each channel, uint8 or float in [-1, 1]

    Source: Metz et al. 2017, section 3.3 (C = 3: the channels of a colour image).
    """
    images = to_numpy(raw(images))
    if images.ndim != 4:
        raise ValueError(f"stacked images have shape {images.shape}: expected (N, C, 28, 28)")
    labels = np.zeros(len(images), np.int64)
    for c in range(images.shape[1]):
        labels = 10 * labels + describe(images[:, c : c + 1], classifier).digits
    return labels
