"""Frechet distance between two sets of features, each taken for a Gaussian."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..arrays import to_numpy
from .rows import as_rows


class Moments:
    """Mean and covariance of features that come in batches, in float64.

    >>> moments = Moments().update(features[:500]).update(features[500:])
    >>> moments.n, moments.mean.shape, moments.covariance.shape
    (1000, (64,), (64, 64))

    The sums are taken about the first batch's mean: no digits are lost where the mean is large
    beside the deviation.
    """

    def __init__(self) -> None:
        self.n = 0

    def update(self, features: Any) -> Self:
        """Take a batch (N, D) into account."""
        x = as_rows(features, "features")
        if self.n == 0:
            self._about = x.mean(0)
            self._sum, self._products = 0 * self._about, 0.0
        elif x.shape[1] != len(self._about):
            raise ValueError(
                f"features have {x.shape[1]} numbers, those before had {len(self._about)}"
            )
        x = x - self._about
        self.n += len(x)
        self._sum = self._sum + x.sum(0)
        self._products = self._products + x.T @ x
        return self

    @property
    def mean(self) -> np.ndarray:
        """(D,)"""
        return to_numpy(self._about + self._sum / self.n)

    @property
    def covariance(self) -> np.ndarray:
        """(D, D), unbiased."""
        mean = self._sum / self.n
        return to_numpy((self._products - self.n * mean[:, None] * mean) / (self.n - 1))


def frechet_of_gaussians(mean1, covariance1, mean2, covariance2) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1^1/2 S2 S1^1/2)^1/2): the squared 2-Wasserstein distance of
    two Gaussians.

    Source: Dowson and Landau 1982; Olkin and Pukelsheim 1982. The trace of the root is the sum of
    the roots of the eigenvalues of a symmetric matrix: no root of a matrix that is not symmetric,
    which can turn out complex.
    """
    values, vectors = np.linalg.eigh(covariance1)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    cross = np.linalg.eigvalsh(root @ covariance2 @ root)
    difference = mean1 - mean2
    return float(
        difference @ difference
        + np.trace(covariance1)
        + np.trace(covariance2)
        - 2 * np.sqrt(np.maximum(cross, 0)).sum()
    )


def frechet_distance(real: Any, fake: Any) -> float:
    """Frechet distance between features (N, D) and (M, D), or their `Moments`: at least 0 (but for
    rounding), 0 is best.

    Source: Heusel et al. 2017, eq. 6 (there with Inception's features). Finite samples bias it
    upwards, by about tr(S) (1/N + 1/M) / 2 and more: compare only values from equal numbers, and
    with the value of real features against other real ones. ValueError unless each has more samples
    than features: the covariance would be singular.
    """
    both = [m if isinstance(m, Moments) else Moments().update(m) for m in (real, fake)]
    for name, m in zip(("real", "fake"), both):
        if m.n == 0 or m.n <= len(m.mean):
            raise ValueError(
                f"frechet_distance: {m.n} {name} samples: expected more than there are features"
            )
    if len(both[0].mean) != len(both[1].mean):
        raise ValueError(
            f"frechet_distance: {len(both[0].mean)} features against {len(both[1].mean)}"
        )
    return frechet_of_gaussians(both[0].mean, both[0].covariance, both[1].mean, both[1].covariance)
