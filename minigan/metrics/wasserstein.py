"""Wasserstein distances: the least cost of carrying one distribution over to the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Generator, array_module, to_numpy
from .rows import as_pair, beside, squared_distances

MOST = 5000  # samples for the exact distance: its costs are 200 MB, and take minutes


def _cost_1d(x: Any, y: Any, p: float) -> Any:
    """W_p^p of each column of x (N, K) and y (M, K): the mean of |F^-1(q) - G^-1(q)|^p over q in
    [0, 1]."""
    xp = array_module(x)
    x, y = xp.sort(x, axis=0), xp.sort(y, axis=0)
    n, m = len(x), len(y)
    if n == m:
        return (abs(x - y) ** p).mean(0)
    # where either quantile function jumps, times n m
    steps = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)
    width = np.diff(steps) / (n * m)
    cost = abs(x[beside(steps[:-1] // m, x)] - y[beside(steps[:-1] // n, y)]) ** p
    return (cost * beside(width[:, None], x)).sum(0)


def wasserstein_1d(x: Any, y: Any, p: float = 1) -> float:
    """W_p of two samples of numbers (N,) and (M,): (mean of |F^-1(q) - G^-1(q)|^p)^(1/p), from
    sorted values. 0 is best."""
    x, y = as_pair(x, y)
    if x.shape[1] != 1 or p < 1:
        raise ValueError(
            f"wasserstein_1d: samples of {x.shape[1]} numbers, p={p}: expected one number each, "
            "and p of at least 1"
        )
    return float(_cost_1d(x, y, p)[0]) ** (1 / p)


def sliced_wasserstein(x: Any, y: Any, p: float = 2, directions: int = 500, seed: int = 0) -> float:
    """(E W_p^p of the projections on a random unit vector)^(1/p), from samples (N, ...) and (M,
    ...). 0 is best.

    directions : random unit vectors, the same ones for a seed

    Source: Rabin et al. 2011; Bonneel et al. 2015. For two Gaussians that differ in their means
    only it is |m1 - m2| / sqrt(D) for p = 2. Finite samples bias it upwards: see the value of real
    against real. Cost: (N + M) directions (D + log N).
    """
    x, y = as_pair(x, y)
    if directions < 1 or p < 1:
        raise ValueError(
            f"sliced_wasserstein: directions={directions}, p={p}: expected at least 1 of each"
        )
    random, total = Generator(seed), 0.0
    for start in range(0, directions, 50):
        theta = random.normal((x.shape[1], min(50, directions - start)), np.float64)
        theta = beside(theta / np.linalg.norm(theta, axis=0), x)
        total += float(_cost_1d(x @ theta, y @ theta, p).sum())
    return (total / directions) ** (1 / p)


def wasserstein(x: Any, y: Any, p: float = 1) -> float:
    """W_p with Euclidean distances, exactly: (least mean of |x_i - y_s(i)|^p over permutations
    s)^(1/p). 0 is best.

    x, y : as many samples of each (N, ...), at most 5,000

    The assignment is solved by SciPy (Jonker and Volgenant) on the CPU: O(N^3), for 1,000 samples
    well below a second, for 5,000 up to minutes. In D dimensions the value of equal distributions
    falls like N^(-1/D) only: it means little without that of real against real with the same N.
    """
    from scipy.optimize import linear_sum_assignment

    x, y = as_pair(x, y)
    if len(x) != len(y) or len(x) > MOST or p < 1:
        raise ValueError(
            f"wasserstein: {len(x)} and {len(y)} samples, p={p}: expected as many of each, at "
            f"most {MOST}, and p of at least 1"
        )
    costs = to_numpy(squared_distances(x, y)) ** (p / 2)
    return float(costs[linear_sum_assignment(costs)].mean()) ** (1 / p)
