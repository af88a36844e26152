"""The compiled LSTM and the functions in it, against NumPy and scipy."""

from unittest import mock

import numpy as np
import pytest
from scipy import special

from minigan.autograd import tensor_of
from minigan.fast.cpu import elementary, recurrent
from minigan.fast.cpu.kernels import kernel
from minigan.ops import erf
from minigan.ops.recurrent import lstm_steps, lstm_steps_grad

RNG = np.random.default_rng(0)
ENDS = [0.0, -0.0, 1e-38, -1e-30, 100.0, -100.0, np.inf, -np.inf]
X = np.concatenate([np.linspace(-10, 10, 20_001), np.geomspace(1e-20, 1, 2001), ENDS])
X = X.astype(np.float32)


@kernel
def _tanh(x, y):
    for i in range(len(x)):
        y[i] = elementary.tanh_of_single(x[i])


def test_functions_of_single_precision():
    """Off by less than the distance to the next float32; odd, and NaN stays NaN."""
    tanh = np.empty_like(X)
    _tanh(X, tanh)
    for found, function in ((erf(tensor_of(X)).numpy(), special.erf), (tanh, np.tanh)):
        expected = function(X.astype(np.float64))
        assert found.dtype == np.float32
        near = np.spacing(np.maximum(np.abs(expected), 1e-45).astype(np.float32))
        assert (np.abs(found - expected) <= 0.6 * near).all()
        assert (np.signbit(found) == np.signbit(X)).all()
    nan = np.array([np.nan], np.float32)
    _tanh(nan, tanh[:1])
    assert np.isnan(tanh[0]) and np.isnan(erf(tensor_of(nan)).numpy()[0])


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize(
    "steps, examples, units", [(1, 1, 1), (1, 40, 9), (7, 5, 16), (30, 9, 3), (13, 20, 16)]
)
def test_steps_of_an_lstm(steps, examples, units, pieces):
    """Few and many rows of the products, shared by any number of threads; arguments as views."""
    normal = lambda *shape: RNG.normal(size=shape).astype(np.float32)
    x = normal(examples, steps, 4 * units).swapaxes(0, 1)
    h, c = normal(examples, units), normal(units, examples).T
    weight = normal(4 * units, units) / np.float32(units**0.5)
    with mock.patch.object(recurrent, "pieces_of", lambda n, least: (pieces, True)):
        out, gates = lstm_steps.card.kernels["cpu"](x, h, c, weight)
        expected = lstm_steps.card.forward(x, h, c, weight)
        for found, e in zip((out, gates), expected):
            np.testing.assert_allclose(found, e, rtol=1e-4, atol=2e-6)
        g = normal(2, examples, steps, units).swapaxes(1, 2)
        found = lstm_steps_grad.kernels["cpu"](g, c, weight, *expected)
    for f, e in zip(found, lstm_steps_grad.reference(g, c, weight, *expected)):
        assert f.dtype == np.float32
        np.testing.assert_allclose(f, e, rtol=1e-3, atol=2e-5)


def test_other_types_are_left_to_the_reference():
    x, h = RNG.normal(size=(2, 3, 8)), RNG.normal(size=(3, 2))
    found = lstm_steps.card.kernels["cpu"](x, h, h, np.ones((8, 2)))
    assert found[0].dtype == np.float64
    for f, e in zip(found, lstm_steps.card.forward(x, h, h, np.ones((8, 2)))):
        np.testing.assert_array_equal(f, e)
