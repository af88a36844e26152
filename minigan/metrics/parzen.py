"""The Parzen window estimate of a log-likelihood, by which Goodfellow et al. 2014 (table 1)
compared generators."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..arrays import array_module, to_numpy
from .rows import as_pair, blocks, squared_distances, squared_norms

SIGMAS = tuple(np.logspace(-1, 0, 10))  # the candidates of the paper's program


class Parzen(NamedTuple):
    """The mean log-likelihood of the test data in nats, its standard error, and the width of the
    window."""

    value: float
    se: float
    sigma: float


def parzen_log_likelihoods(samples: Any, data: Any, sigmas: Any) -> np.ndarray:
    """log p(x) of each x in `data` under a mixture of Gaussians of width sigma around the n
    samples: float64 (sigmas, N).

        log p(x) = log (1/n) sum_i exp(-|x - s_i|^2 / 2 sigma^2) - D log(sigma sqrt(2 pi))

    samples, data : floats (n, ...) and (N, ...), D numbers each;  sigmas : the widths, each above 0

    Source: Breuleux, Bengio, Vincent 2011; Goodfellow et al. 2014, section 5. Cost: n N D
    multiplications, once for all sigmas, then n N exponentials for each; memory as in `rows.BLOCK`.
    """
    samples, data = as_pair(samples, data, ("samples", "data"))
    sigmas = [float(s) for s in sigmas]
    if not sigmas or not all(s > 0 and math.isfinite(s) for s in sigmas):
        raise ValueError(f"sigmas are {sigmas}: expected widths above 0")
    xp, norms = array_module(samples), squared_norms(samples)
    out = np.empty((len(sigmas), len(data)))
    for rows in blocks(len(data), len(samples)):
        d = squared_distances(data[rows], samples, None, norms)
        nearest = d.min(1, keepdims=True)
        d -= nearest
        for k, sigma in enumerate(sigmas):
            mean = xp.exp(d * (-0.5 / sigma**2)).mean(1)  # the nearest sample gives 1: never log 0
            logs = (
                xp.log(mean)
                - nearest[:, 0] * (0.5 / sigma**2)
                - data.shape[1] * math.log(sigma * math.sqrt(2 * math.pi))
            )
            out[k, rows] = to_numpy(logs)
    return out


def choose_sigma(samples: Any, validation: Any, sigmas: Any = SIGMAS) -> tuple[float, float]:
    """The width among `sigmas` under which `validation` is likeliest, and its mean log-likelihood.

    Not the test data: a width that they have chosen flatters. The paper's program takes the first
    1,000 of its validation images.
    """
    means = parzen_log_likelihoods(samples, validation, sigmas).mean(1)
    best = int(means.argmax())
    return float(sigmas[best]), float(means[best])


def parzen(
    samples: Any,
    test: Any,
    validation: Any = None,
    sigma: float | None = None,
    sigmas: Any = SIGMAS,
) -> Parzen:
    """Mean Parzen log-likelihood of `test` under `samples`, in nats: higher is better.

    samples, test, validation : floats (N, ...); for published figures 10,000 images with pixels in
        [0, 1]
    sigma : the window's width; None: chosen on `validation` by `choose_sigma`
    The standard error is the deviation of log p(x) over the test data / sqrt(N); it knows nothing
    of other samples.

    Compare only equal numbers of samples, and read it beside the value of real images as samples: a
    Parzen window rewards blurred images, and centroids of the training data beat those (Theis, van
    den Oord, Bethge 2016).
    """
    if sigma is None:
        if validation is None:
            raise ValueError("parzen: give sigma, or validation data to choose it on")
        sigma, _ = choose_sigma(samples, validation, sigmas)
    logs = parzen_log_likelihoods(samples, test, [sigma])[0]
    return Parzen(
        float(logs.mean()),
        float(logs.std(ddof=1) / math.sqrt(len(logs))) if len(logs) > 1 else math.inf,
        sigma,
    )
