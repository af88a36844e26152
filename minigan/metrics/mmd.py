"""Maximum mean discrepancy: how far apart two distributions are for the functions of a kernel's
space (Gretton et al. 2012)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Generator, array_module
from .rows import Estimate, as_pair, blocks, squared_distances, subset

Kernel = Callable[[Any, Any], Any]  # rows (N, D), (M, D) -> k(x_i, y_j), (N, M)


def cubic(x: Any, y: Any) -> Any:
    """(x.y / D + 1)^3: the kernel of the kernel inception distance (Binkowski et al. 2018, section
    4)."""
    k = x @ y.T
    k /= x.shape[1]
    k += 1
    return k * k * k


def rbf(bandwidth: float) -> Kernel:
    """The kernel exp(-|x - y|^2 / 2 bandwidth^2)."""
    if not bandwidth > 0:
        raise ValueError(f"rbf: bandwidth={bandwidth}: expected a number above 0")

    def kernel(x, y):
        return array_module(x).exp(squared_distances(x, y) * (-0.5 / bandwidth**2))

    return kernel


def median_distance(x: Any, y: Any, most: int = 1000, seed: int = 0) -> float:
    """The median distance between samples of the two put together (at most `most` of each): a usual
    bandwidth (Gretton et al. 2012, section 8)."""
    x, y = as_pair(x, y)
    both = array_module(x).concatenate([subset(x, most, seed), subset(y, most, seed + 1)])
    i, j = np.triu_indices(len(both), 1)
    middle = float(array_module(x).median(squared_distances(both, both)[i, j]))
    return math.sqrt(middle) if middle > 0 else 1.0


def _total(x, y, kernel, diagonal):
    """The sum of k(x_i, y_j) over all pairs, without i = j unless `diagonal`."""
    total = 0.0
    for rows in blocks(len(x), len(y)):
        k = kernel(x[rows], y)
        total += float(k.sum())
        if not diagonal:
            total -= float(
                k[np.arange(rows.stop - rows.start), np.arange(rows.start, rows.stop)].sum()
            )
    return total


def mmd2(x: Any, y: Any, kernel: Kernel | None = None) -> float:
    """The unbiased estimate of the squared MMD from samples (N, ...) and (M, ...), each at least 2.

        E k(x, x') + E k(y, y') - 2 E k(x, y),  means over pairs of different samples

    kernel : None: `rbf` with the median distance

    0 on average for equal distributions, where it is negative half of the time; above 0 else.
    Source: Gretton et al. 2012, eq. 3. Cost: (N + M)^2 / 2 kernels of D multiplications; memory as
    in `rows.BLOCK`.
    """
    x, y = as_pair(x, y, least=2)
    kernel = rbf(median_distance(x, y)) if kernel is None else kernel
    n, m = len(x), len(y)
    within = _total(x, x, kernel, False) / (n * (n - 1)) + _total(y, y, kernel, False) / (
        m * (m - 1)
    )
    return within - 2 * _total(x, y, kernel, True) / (n * m)


def mmd2_subsets(
    x: Any,
    y: Any,
    kernel: Kernel | None = None,
    subsets: int = 50,
    subset_size: int = 1000,
    seed: int = 0,
) -> Estimate:
    """The mean of `mmd2` over random subsets of both, with a standard error.

    subset_size : samples of each in a subset, at most half of the fewer samples (n)

    The standard error is the delete-d jackknife's: the deviation over subsets of m of n samples,
    times sqrt(m / (n - m)) (Shao and Wu 1989). (The deviation itself, which many print, is that of
    an estimate from m samples.)
    """
    x, y = as_pair(x, y, least=4)
    kernel = rbf(median_distance(x, y)) if kernel is None else kernel
    n = min(len(x), len(y))
    size = min(subset_size, n // 2)
    if subsets < 2 or size < 2:
        raise ValueError(
            f"mmd2_subsets: subsets={subsets}, subset_size={subset_size}: expected at least 2 of "
            "each"
        )
    random = Generator(seed)
    values = [
        mmd2(x[random.permutation(len(x))[:size]], y[random.permutation(len(y))[:size]], kernel)
        for _ in range(subsets)
    ]
    return Estimate(
        float(np.mean(values)), float(np.std(values, ddof=1)) * math.sqrt(size / (n - size))
    )


def kid(
    real: Any, fake: Any, subsets: int = 50, subset_size: int = 1000, seed: int = 0
) -> Estimate:
    """Kernel inception distance of features (N, D): `mmd2_subsets` with the cubic kernel; 0 on
    average for equal ones.

    Source: Binkowski et al. 2018, section 4. Cost: subsets x 3 subset_size^2 D multiplications.
    """
    return mmd2_subsets(real, fake, cubic, subsets, subset_size, seed)
