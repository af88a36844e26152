"""What nearest neighbours say: can two sets be told apart, does one lie within the other, was
something learnt by heart?"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..arrays import array_module, to_numpy
from .rows import as_pair, as_rows, beside, blocks, squared_distances, squared_norms


def _nearest(x: Any, y: Any, k: int = 1, itself: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Distances and indices (N, k) of the k nearest rows of y to each row of x, the nearest first.

    itself : x is y, and a row is no neighbour of its own
    """
    xp, norms = array_module(x), squared_norms(y)
    distances, indices = np.empty((len(x), k)), np.empty((len(x), k), np.int64)
    for rows in blocks(len(x), len(y)):
        d = squared_distances(x[rows], y, None, norms)
        if itself:
            d[np.arange(len(d)), np.arange(rows.start, rows.stop)] = math.inf
        near = d.argmin(1)[:, None] if k == 1 else xp.argpartition(d, k - 1, axis=1)[:, :k]
        found = xp.take_along_axis(d, near, 1)
        order = found.argsort(1)
        indices[rows] = to_numpy(xp.take_along_axis(near, order, 1))
        distances[rows] = np.sqrt(to_numpy(xp.take_along_axis(found, order, 1)))
    return distances, indices


class TwoSample(NamedTuple):
    """Leave-one-out accuracy of the nearest neighbour's label, of all samples and of each kind."""

    accuracy: float
    real: float
    fake: float
    se: float  # of `accuracy` if the distributions were equal, about


def nearest_neighbour_test(real: Any, fake: Any) -> TwoSample:
    """How often is the nearest other sample of the same kind? As many samples (N, ...) of each, at
    least 2.

    0.5 for equal distributions; 1 for sets that lie apart; towards 0 if each fake is a copy of a
    real one. `real` below 0.5 with `fake` above it: fakes crowd at a few of the real samples (mode
    collapse). A tie counts half.

    Source: Lopez-Paz and Oquab 2017, section 3; the two accuracies apart: Xu et al. 2018, section
    2. Cost: 3 N^2 D multiplications; memory as in `rows.BLOCK`.
    """
    real, fake = as_pair(real, fake, ("real", "fake"), least=2)
    if len(real) != len(fake):
        raise ValueError(
            f"nearest_neighbour_test: {len(real)} real and {len(fake)} fake samples: chance is "
            "0.5 only for as many of each"
        )

    def right(a, b):
        """Where a's nearest neighbour is in a: 1, in b: 0, a tie: 0.5."""
        same, other = _nearest(a, a, itself=True)[0][:, 0], _nearest(a, b)[0][:, 0]
        return ((same < other) + 0.5 * (same == other)).mean()

    on_real, on_fake = float(right(real, fake)), float(right(fake, real))
    # Mutual neighbours are right or wrong together, which adds about as much variance as there is:
    # 2, not 1, times the binomial.
    return TwoSample(
        (on_real + on_fake) / 2, on_real, on_fake, math.sqrt(2 * 0.25 / (2 * len(real)))
    )


class Fidelity(NamedTuple):
    """Are fakes like real samples (precision, density), and are all real samples met (recall,
    coverage)?"""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(real: Any, fake: Any, k: int = 5) -> Fidelity:
    """Precision, recall, density and coverage of samples (N, ...) and (M, ...), by balls that reach
    to the k-th nearest neighbour.

    precision : share of fakes in the ball of some real sample
    recall : share of real samples in the ball of some fake
    density : real balls that a fake lies in, on average, over k: not limited by 1
    coverage : share of real balls with a fake

    k : neighbours; each set needs more than k samples

    All are high for good samples. For equal distributions density is 1 and coverage 1 - prod_{i<k}
    (N - 1 - i) / (N + M - 1 - i), which is 1 - 2^-k for many samples, as many of each (0.969 for k
    = 5); precision and recall depend on the distribution: see real against real. Sources:
    Kynkaanniemi et al. 2019, eq. 1-2 (there k = 3); Naeem et al. 2020, section 3. Cost: (N + M)^2 D
    multiplications; memory as in `rows.BLOCK`.
    """
    real, fake = as_pair(real, fake, ("real", "fake"))
    if k < 1 or min(len(real), len(fake)) <= k:
        raise ValueError(
            f"precision_recall: {len(real)} real and {len(fake)} fake samples, k={k}: expected "
            "more than k of each"
        )
    xp = array_module(real)
    real_radius, fake_radius = (
        beside(_nearest(s, s, k, itself=True)[0][:, -1], s) for s in (real, fake)
    )
    fakes_met = beside(np.zeros(len(fake), bool), fake)
    density = 0.0
    norms = squared_norms(fake)
    reals_met, covered = 0, 0
    for rows in blocks(len(real), len(fake)):
        d = xp.sqrt(squared_distances(real[rows], fake, None, norms))
        within = d <= real_radius[rows][:, None]
        fakes_met |= within.any(0)
        density += float(within.sum())
        covered += int(within.any(1).sum())
        reals_met += int((d <= fake_radius).any(1).sum())
    n, m = len(real), len(fake)
    return Fidelity(float(fakes_met.mean()), reals_met / n, density / (k * m), covered / n)


def nearest_images(images: Any, training: Any, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Euclidean distances (N, k) and indices (N, k) of the k training images nearest to each image,
    the nearest first.

    Images are memorised if these distances are small: see `copying`. Cost: N M D multiplications;
    memory as in `rows.BLOCK`.
    """
    images, training = as_pair(images, training, ("images", "training"))
    if not 1 <= k <= len(training):
        raise ValueError(
            f"nearest_images: k={k}: expected 1 to {len(training)}, the number of training images"
        )
    return _nearest(images, training, k)


class Copying(NamedTuple):
    """Do samples lie nearer to the training data than unseen real data do?"""

    # of pairs (sample, unseen) in which the sample is nearer to its nearest training image: 0.5 is
    # right
    share: float
    z: float  # the same as a deviation from 0.5 in standard errors: far above 0 (say 3) for copies
    distance: float  # mean distance of a sample to its nearest training image
    unseen: float  # the same of unseen data


def copying(images: Any, training: Any, unseen: Any) -> Copying:
    """Memorisation test: compare the distances to the nearest training image of generated images
    and of real ones from outside.

    images, training, unseen : floats (N, ...), (T, ...), (M, ...)

    share is 0.5 for samples as fresh as unseen data, 1 for copies; below 0.5 they are farther off
    than real data are. Blurred images, too, are near to many others: look at the pairs
    (`nearest_images`). Source: Meehan, Chaudhuri, Dasgupta 2020 (a Mann-Whitney test over the whole
    space; theirs has the opposite sign).
    """
    unseen = as_rows(unseen, "unseen", 2)
    near = nearest_images(as_rows(images, "images", 2), training)[0][:, 0]
    far = nearest_images(unseen, training)[0][:, 0]
    n, m = len(near), len(far)
    ordered = np.sort(far)
    below, up_to = np.searchsorted(ordered, near, "left"), np.searchsorted(ordered, near, "right")
    share = float((m - up_to + 0.5 * (up_to - below)).mean()) / m
    return Copying(
        share,
        (share - 0.5) / math.sqrt((n + m + 1) / (12 * n * m)),
        float(near.mean()),
        float(far.mean()),
    )
