"""Annealed importance sampling: against the exact log-likelihood of linear decoders, where
everything is Gaussian."""

import math

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.metrics import ais_log_likelihood

RNG = np.random.default_rng(6)


def linear(latent, size, scale=1.0):
    """A decoder z -> W z + b in float64, and the exact log p(x) = log N(x; b, W W^T + sigma^2
    I)."""
    net = nn.Linear(latent, size, dtype=np.float64)
    w, b = scale * RNG.normal(size=(size, latent)), RNG.normal(size=size)
    net.weight.data, net.bias.data = minigan.tensor(w), minigan.tensor(b)

    def exact(x, sigma):
        c = w @ w.T + sigma**2 * np.eye(size)
        r = x - b
        return -0.5 * (
            np.einsum("ni,ni->n", r, np.linalg.solve(c, r.T).T)
            + np.linalg.slogdet(2 * math.pi * c)[1]
        )

    def draw(n, sigma):
        return RNG.normal(size=(n, latent)) @ w.T + b + sigma * RNG.normal(size=(n, size))

    return net, exact, draw


@pytest.mark.parametrize("latent, size, sigma", [(1, 1, 0.5), (2, 5, 0.3), (4, 3, 1.0)])
def test_linear_decoders(latent, size, sigma):
    net, exact, draw = linear(latent, size)
    x = draw(6, sigma)
    found = ais_log_likelihood(net, x, sigma, latent, chains=24, steps=600)
    assert np.allclose(found.log_likelihood, exact(x, sigma), atol=0.35)
    assert 0.4 < found.acceptance < 0.98 and (found.effective > 2).all()


def test_data_far_from_the_prior_and_a_wrong_model_are_unlikely():
    net, exact, draw = linear(2, 4)
    near, far = draw(3, 0.5), draw(3, 0.5) + 4
    found = [ais_log_likelihood(net, x, 0.5, 2, steps=300).log_likelihood for x in (near, far)]
    assert found[1].max() < found[0].min() and np.allclose(found[1], exact(far, 0.5), rtol=0.02)


def test_more_temperatures_bring_it_closer_from_below():
    net, exact, draw = linear(3, 8, 2.0)
    x = draw(8, 0.2)
    gap = [
        (
            exact(x, 0.2) - ais_log_likelihood(net, x, 0.2, 3, chains=8, steps=s).log_likelihood
        ).mean()
        for s in (5, 40, 800)
    ]
    assert gap[0] > gap[1] > gap[2] and gap[0] > 3 and abs(gap[2]) < 0.5


def test_it_is_repeatable_and_leaves_the_default_generator_alone():
    net, _, draw = linear(2, 3)
    x, before = draw(2, 0.5), minigan.get_rng_state()
    runs = [
        ais_log_likelihood(net, x, 0.5, 2, chains=3, steps=10, seed=s).log_likelihood
        for s in (1, 1, 2)
    ]
    assert (
        (runs[0] == runs[1]).all()
        and (runs[0] != runs[2]).all()
        and minigan.get_rng_state() == before
    )
    assert net.weight.grad is None


def test_float32_networks():
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 5))
    found = ais_log_likelihood(net, np.zeros((2, 1, 5), np.float32), 0.5, 2, chains=4, steps=20)
    assert found.log_likelihood.shape == (2,) and np.isfinite(found.log_likelihood).all()


def test_nonsense_is_refused():
    net, _, _ = linear(2, 3)
    with pytest.raises(ValueError, match="sigma"):
        ais_log_likelihood(net, np.zeros((2, 3)), 0.0, 2)
    with pytest.raises(ValueError, match="makes 3 numbers"):
        ais_log_likelihood(net, np.zeros((2, 4)), 1.0, 2)
