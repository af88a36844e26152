"""Parzen log-likelihood: against the definition, known values, real against real, and where it must
fail."""

import math

import numpy as np
import pytest

from minigan.metrics import choose_sigma, parzen, parzen_log_likelihoods
from minigan.metrics import rows as rows_module

RNG = np.random.default_rng(0)


def naive(samples, x, sigma):
    """log of the mean of Gaussian densities, one after the other."""
    d = len(x)
    densities = [
        math.exp(-sum((x - s) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi)) ** d
        for s in samples
    ]
    return math.log(sum(densities) / len(densities))


def test_it_is_the_definition_for_every_width_and_any_block(monkeypatch):
    samples, data = RNG.normal(size=(13, 3)), RNG.normal(size=(7, 3))
    expected = [[naive(samples, x, s) for x in data] for s in (0.5, 1.0, 2.0)]
    assert np.allclose(parzen_log_likelihoods(samples, data, (0.5, 1.0, 2.0)), expected, rtol=1e-10)
    monkeypatch.setattr(rows_module, "BLOCK", 30)  # two rows of data at a time
    assert np.allclose(parzen_log_likelihoods(samples, data, (0.5, 1.0, 2.0)), expected, rtol=1e-10)


def test_one_sample_is_a_gaussian_and_far_points_do_not_underflow():
    x = np.array([[3000.0, 0.0]])
    value = parzen_log_likelihoods(np.zeros((1, 2)), x, [0.1])[0, 0]
    assert math.isclose(
        value, -(3000**2) / 0.02 - 2 * math.log(0.1 * math.sqrt(2 * math.pi)), rel_tol=1e-12
    )


def test_the_known_value_of_gaussian_samples():
    """A window of width s over N(0, 1) samples tends to N(0, 1 + s^2): the mean log-density of N(0,
    1) data is known."""
    samples, test = RNG.normal(size=(20_000, 1)), RNG.normal(size=(5_000, 1))
    result = parzen(samples, test, sigma=0.3)
    expected = -0.5 * math.log(2 * math.pi * 1.09) - 0.5 / 1.09
    assert abs(result.value - expected) < 4 * result.se and 0.5 < result.se * math.sqrt(5_000) < 0.8
    shifted = parzen(samples + 2, test, sigma=0.3)
    assert abs(shifted.value - (-0.5 * math.log(2 * math.pi * 1.09) - 2.5 / 1.09)) < 4 * shifted.se


def test_sigma_is_chosen_on_validation_data_and_not_on_the_test_data():
    samples = RNG.normal(size=(300, 2))
    validation = RNG.normal(size=(200, 2))
    test = 5 * RNG.normal(size=(200, 2))
    widths = (0.01, 0.3, 3.0, 30.0)
    sigma, value = choose_sigma(samples, validation, widths)
    assert sigma == 0.3 and math.isclose(
        value, parzen_log_likelihoods(samples, validation, [0.3]).mean()
    )
    result = parzen(samples, test, validation, sigmas=widths)
    assert result.sigma == 0.3 and result.value < parzen(samples, test, test, sigmas=widths).value


def test_collapse_is_worse_than_spread():
    """Two clusters; the mean of one Gaussian cluster alone, with the right width, is a perfect
    model of it."""
    draw = lambda n: RNG.normal(size=(n, 2)) * 0.5 + 3 * RNG.choice([-1, 1], n)[:, None]
    test = draw(500)
    assert parzen(draw(500), test, test).value > parzen(abs(draw(500)), test, test).value + 1
    assert (
        parzen(np.full((500, 2), 3.0), test, test).value < parzen(draw(500), test, test).value - 1
    )


@pytest.mark.parametrize(
    "arguments, error, words",
    [
        ((np.zeros((3, 2)), np.zeros((3, 2))), ValueError, "sigma"),
        ((np.zeros((3, 2)), np.zeros((3, 3)), None, 1.0), ValueError, "expected as many"),
        ((np.zeros((3, 2), np.uint8), np.zeros((3, 2)), None, 1.0), TypeError, "uint8"),
        ((np.full((3, 2), np.nan), np.zeros((3, 2)), None, 1.0), ValueError, "NaN"),
        ((np.zeros((0, 2)), np.zeros((3, 2)), None, 1.0), ValueError, "at least 1"),
        ((np.zeros((3, 2)), np.zeros((3, 2)), None, -1.0), ValueError, "widths"),
    ],
)
def test_nonsense_is_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        parzen(*arguments)
