"""A layer and its activation as one op: its errors, and its rule."""

import numpy as np
import pytest

import minigan
from minigan.autograd import OPS
from minigan.fast.linear_activation import linear_activation


def test_a_slope_that_is_not_positive_is_refused():
    with pytest.raises(RuntimeError, match="slope > 0"):
        linear_activation(
            minigan.ones(1, 2), minigan.ones(2, 2), minigan.zeros(2), "leaky_relu", -0.5
        )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_kernel_of_a_convolutions_rule(dtype):
    rng = np.random.default_rng(0)
    for shape in ((7, 5), (40, 6, 9, 8), (3, 5, 4, 2, 3), (2, 3, 0)):
        g, y = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
        card = OPS["activation_grad_and_sums"].card
        h, total = card.kernels["cpu"](g, y, 0.2)
        expected, sums = card.forward(g, y, 0.2)
        assert (h == expected).all() and total.dtype == h.dtype == dtype
        np.testing.assert_allclose(total, sums, 0, 1e-4 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["leaky_relu", "tanh", "sigmoid", "softplus"])
def test_the_kernel_of_a_rule(activation, dtype):
    """`activation_grad` by its kernel is what it is by its reference, in the same dtypes."""
    rng = np.random.default_rng(0)
    for shape in ((7, 5), (2, 3, 5)):
        g, y = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
        card = OPS["activation_grad"].card
        for k, f in zip(
            card.kernels["cpu"](g, y, activation, 0.2),
            card.forward(g, y, activation, 0.2),
            strict=True,
        ):
            assert k.dtype == f.dtype == dtype
            np.testing.assert_allclose(
                k,
                f,
                rtol=1e-5 if dtype == "float32" else 1e-12,
                atol=1e-6 if dtype == "float32" else 1e-13,
            )
