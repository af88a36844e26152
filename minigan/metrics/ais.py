"""Annealed importance sampling: the log-likelihood of a decoder with Gaussian noise (Neal 2001; Wu
et al. 2017)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .. import nn
from ..arrays import Generator, device_of, to_numpy
from ..autograd import Tensor, grad, no_grad, raw, tensor_of
from .rows import as_rows


class Annealed(NamedTuple):
    """What annealed importance sampling found."""

    log_likelihood: np.ndarray  # (N,) float64: log p(x) of each, a lower bound on average
    # (N,): effective number of chains, 1 to `chains`; near 1, log p(x) rests on one chain alone
    effective: np.ndarray
    acceptance: float  # share of accepted moves


def ais_log_likelihood(
    decoder: nn.Module, data: Any, sigma: float, latent_dim: int, chains: int = 16,
    steps: int = 500, leapfrogs: int = 10,
    step_size: float = 0.1, seed: int = 0,
) -> Annealed:  # fmt: skip
    """log p(x) of each x in `data` for z ~ N(0, I), x ~ N(decoder(z), sigma^2 I).

    decoder : (n, latent_dim) -> (n, ...); used as it is: put it into evaluation mode. Its dtype is
        computed in
    data : floats (N, ...), as the decoder makes them
    chains : for each x;
    steps : temperatures;
    leapfrogs : steps of a Hamiltonian move (Neal 2011), of length `step_size` at first, which is
        then adapted to the acceptance of each chain (65 %)

    Chains go from the prior to the posterior through p(z) p(x | z)^t, t from 0 to 1 by the sigmoid
    schedule of Wu et al. 2017; a weight w gathers (t' - t) log p(x | z), and log p(x) is log mean
    w: exp of it is unbiased (nearly, since step sizes follow past moves), so it is itself a lower
    bound on average, which more steps make tighter. Compare at equal sigma only. Cost: N chains
    steps (leapfrogs + 1) passes through the decoder and back. Nothing is drawn from the default
    generator.
    """
    if not sigma > 0 or chains < 1 or steps < 2 or leapfrogs < 1 or not step_size > 0:
        raise ValueError(
            "ais: sigma and step_size must be above 0, steps at least 2, chains and leapfrogs at "
            "least 1"
        )
    rows = as_rows(data, "data")
    example = next(iter(decoder.parameters()), None)
    dtype, place = (
        (np.dtype(np.float64), device_of(rows))
        if example is None
        else (example.dtype, example.device)
    )
    if device_of(rows) != place:
        raise TypeError(
            f"ais: the data are on {device_of(rows)}, the decoder on {place}: move one of them"
        )
    n, size = len(rows), rows.shape[1]
    target = tensor_of(rows.repeat(chains, 0).astype(dtype))
    random = Generator(seed)
    constant = -size * math.log(sigma * math.sqrt(2 * math.pi))

    def log_likelihood(z: Tensor) -> Tensor:
        """log p(x | z) without its constant, of each chain."""
        made = decoder(z).reshape(len(z), -1)
        if made.shape[1] != size:
            raise ValueError(
                f"ais: the decoder makes {made.shape[1]} numbers, the data have {size}"
            )
        return ((made - target) ** 2).sum(1) * (-0.5 / sigma**2)

    def slope(z, t):
        """log p(x | z) as float64, and the gradient of log p(z) + t log p(x | z)."""
        z = tensor_of(z, requires_grad=True)
        value = log_likelihood(z)
        (g,) = grad(value.sum(), z)
        return value.array.astype(np.float64), raw(g) * dtype.type(t) - z.array

    draw = lambda: random.normal((n * chains, latent_dim), dtype.type, place)
    z = draw()
    with no_grad():
        like = raw(log_likelihood(tensor_of(z))).astype(np.float64)
    ends = 1 / (1 + math.exp(4)), 1 / (1 + math.exp(-4))
    temperatures = [
        (1 / (1 + math.exp(4 - 8 * i / (steps - 1))) - ends[0]) / (ends[1] - ends[0])
        for i in range(steps)
    ]
    weights = 0.0 * like
    epsilon = 0.0 * like + step_size
    accepted = 0.0
    for before, t in zip(temperatures, temperatures[1:]):
        weights = weights + (t - before) * like
        e = epsilon[:, None].astype(dtype)
        momentum = draw()
        energy = like * t - 0.5 * ((z * z).sum(1) + (momentum * momentum).sum(1)).astype(np.float64)
        _, g = slope(z, t)
        new = z
        for _ in range(leapfrogs):
            momentum = momentum + g * e / 2
            new = new + momentum * e
            value, g = slope(new, t)
            momentum = momentum + g * e / 2
        change = (
            value * t
            - 0.5 * ((new * new).sum(1) + (momentum * momentum).sum(1)).astype(np.float64)
            - energy
        )
        # False for NaN: a step that flew off
        yes = np.log(random.uniform((n * chains,), np.float64, place) + 1e-300) < change
        z, like = np.where(yes[:, None], new, z), np.where(yes, value, like)
        epsilon = (epsilon * np.where(yes, 1.02, 1.02 ** (-0.65 / 0.35))).clip(1e-4, 2.0)
        accepted += float(yes.mean()) / (steps - 1)
    w = to_numpy(weights).reshape(n, chains)
    top = w.max(1, keepdims=True)
    scaled = np.exp(w - top)
    return Annealed(
        np.log(scaled.mean(1)) + top[:, 0] + constant,
        scaled.sum(1) ** 2 / (scaled**2).sum(1),
        accepted,
    )
