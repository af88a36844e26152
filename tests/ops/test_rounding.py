"""Sums, and what is made of them, are right to a few units in the last place however many terms
they have."""

import numpy as np
import pytest

import minigan
from minigan.arrays import total
from minigan.autograd import tensor_of
from minigan.nn import functional as F

ROWS = np.random.default_rng(0).random((60000, 12)).astype(np.float32) + np.float32(0.5)
TENTHS = np.full((60000, 3), 0.1, np.float32)


def error(found, expected):
    """The largest relative error of a Tensor against float64 numbers."""
    assert found.dtype == np.float32
    return float(np.max(np.abs(found.numpy() - expected) / np.abs(expected)))


@pytest.mark.parametrize("n", [3, 7, 41, 49, 82, 98, 107, 123, 1000, 60000])
def test_ones_have_the_mean_one(n):
    """1 / 41 is rounded: 41 times that is not 1."""
    ones = minigan.ones(n)
    assert (
        ones.mean() == 1.0
        and minigan.ones(n, 2).mean(0).tolist() == [1, 1]
        and minigan.ones(2, n).mean(1).tolist() == [1, 1]
    )
    assert F.l1_loss(ones, ones * 0) == 1.0 and F.mse_loss(ones, ones * 0) == 1.0
    assert F.avg_pool1d(ones[None], n).item() == 1.0 and F.adaptive_avg_pool1d(
        minigan.ones(1, 3 * n), 3
    ).tolist() == [[1, 1, 1]]
    x = minigan.zeros(n, requires_grad=True)
    x.mean().backward()
    assert x.grad[0].item() == np.float32(1) / np.float32(n)


def test_a_variance_of_two_kinds_of_numbers():
    x = minigan.tensor([1.0, 2.0]).repeat(41)
    assert x.var(unbiased=False).item() == 0.25 and x.std(unbiased=False).item() == 0.5


@pytest.mark.parametrize(
    "x",
    [ROWS, TENTHS, ROWS[::2], ROWS[:, ::3], np.asfortranarray(ROWS)],
    ids="rows tenths gaps columns turned".split(),
)
@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "norm", "logsumexp"])
def test_over_rows(name, x):
    if name in ("var", "std") and x is TENTHS:
        pytest.skip("nothing but rounding is left")
    y = x.astype(np.float64)
    expected = {
        "sum": lambda: y.sum(0), "mean": lambda: y.mean(0), "var": lambda: y.var(0, ddof=1),
        "std": lambda: y.std(0, ddof=1),
        "norm": lambda: np.sqrt((y * y).sum(0)), "logsumexp": lambda: np.log(np.exp(y).sum(0)),
    }[name]()  # fmt: skip
    found = tensor_of(x).norm(dim=0) if name == "norm" else getattr(tensor_of(x), name)(0)
    assert error(found, expected) < 4e-7


def test_over_batch_and_places():
    x = ROWS.reshape(60, 12, 1000)
    y = x.astype(np.float64)
    assert error(tensor_of(x).sum((0, 2)), y.sum((0, 2))) < 4e-7
    assert error(tensor_of(x).mean((0, 2)), y.mean((0, 2))) < 4e-7
    assert error(tensor_of(x).var((0, 2)), y.var((0, 2), ddof=1)) < 4e-7


@pytest.mark.parametrize("p", [1, 2, 3, 0.5])
def test_norms(p):
    y = ROWS.astype(np.float64)
    assert error(tensor_of(ROWS).norm(p, dim=0), (y**p).sum(0) ** (1 / p)) < 1e-6


def test_running_sums():
    y = ROWS.astype(np.float64)
    assert error(tensor_of(ROWS).cumsum(0), y.cumsum(0)) < 2e-7
    x = tensor_of(ROWS, requires_grad=True)
    (g,) = minigan.grad(x.cumsum(0).sum(), x)
    assert g[:, 0].tolist() == list(range(60000, 0, -1))


def test_shares():
    y = np.exp(ROWS.astype(np.float64))
    assert error(tensor_of(ROWS).softmax(0), y / y.sum(0)) < 1e-6
    assert error(tensor_of(ROWS).log_softmax(0), np.log(y / y.sum(0))) < 4e-7


def test_einsum():
    y = ROWS.astype(np.float64)
    assert error(minigan.einsum("ij->j", tensor_of(ROWS)), y.sum(0)) < 4e-7
    assert (
        error(minigan.einsum("ij,k->jk", tensor_of(ROWS), minigan.ones(2))[:, 0], y.sum(0)) < 4e-7
    )


BIASED = {
    "add": lambda x, b: x + b,
    "linear": lambda x, b: F.linear(x, minigan.ones(12, 12), b),
    "conv": lambda x, b: F.conv1d(x.T[None], minigan.ones(12, 12, 1), b)[0].T,
    "batch_norm": lambda x, b: F.batch_norm(x, None, None, None, b, training=True),
    "layer_norm": lambda x, b: F.layer_norm(x, (12,), None, b),
    "expand": lambda x, b: b.expand(60000, 12),
    "repeat": lambda x, b: b[None].repeat(60000, 1),
}


@pytest.mark.parametrize("name", BIASED)
def test_gradients_of_biases(name):
    b = minigan.zeros(12, requires_grad=True)
    (g,) = minigan.grad((BIASED[name](tensor_of(ROWS), b) * tensor_of(ROWS)).sum(), b)
    assert error(g, ROWS.astype(np.float64).sum(0)) < 4e-7


def test_a_prelu_slope():
    w = minigan.ones(12, requires_grad=True)
    (g,) = minigan.grad((F.prelu(tensor_of(-ROWS), w) * tensor_of(ROWS)).sum(), w)
    assert error(g, -(ROWS.astype(np.float64) ** 2).sum(0)) < 4e-7


HALF = {
    "mean": (lambda x: x.mean(), 300.0), "mean over rows": (lambda x: x.mean(0)[0], 300.0),
    "norm": (lambda x: x.norm(), 30000.0),
    "norm 3": (lambda x: x.norm(3), 300.0 * 10000 ** (1 / 3)), "var": (lambda x: x.var(), 0.0),
    "var of two": (lambda x: (x * minigan.tensor([1.0,
                    -1.0]).half().repeat(50)).std(unbiased=False), 300.0),
    "mse": (lambda x: F.mse_loss(x * 0.5, x * 0), 22500.0),
    "l1": (lambda x: F.l1_loss(x, x * 0), 300.0),
    "softmax": (lambda x: x.softmax(0)[0, 0], 0.01),
    "log_softmax": (lambda x: x.log_softmax(0)[0, 0], -4.6051702),
    "logsumexp": (lambda x: (x * 0).logsumexp((0, 1)), 9.2103404),
    "cumsum": (lambda x: (x / 300).cumsum(0)[-1, 0], 100.0),
    "avg_pool": (lambda x: F.avg_pool1d(x[None], 100)[0, 0, 0], 300.0),
    "normalize": (lambda x: F.normalize(x)[0, 0], 0.1),
    "pairwise_distance": (lambda x: F.pairwise_distance(x, x * 0)[0], 3000.0),
    "layer_norm": (lambda x: F.layer_norm(x + minigan.arange(100).half(), (100,))[0, -1], 1.7148),
    "batch_norm": (lambda x: F.batch_norm(x + minigan.arange(100).half()[:, None], None, None,
            training=True)[-1, 0], 1.7148),
}  # fmt: skip


@pytest.mark.parametrize("name", HALF)
def test_float16_is_summed_up_in_float32(name):
    call, expected = HALF[name]
    found = call(minigan.full((100, 100), 300.0, dtype=np.float16))
    assert found.dtype == np.float16 and found.item() == pytest.approx(expected, rel=2e-3, abs=1e-3)


@pytest.mark.parametrize("function", [F.layer_norm, F.batch_norm])
def test_float16_gradients_of_normalisation(function):
    data = (np.random.default_rng(0).random((64, 8)) * 100 + 300).astype(np.float16)
    more = ((8,),) if function is F.layer_norm else (None, None)
    named = {} if function is F.layer_norm else {"training": True}
    found = []
    for dtype in (np.float16, np.float32):
        x, w = (
            tensor_of(data.astype(dtype), requires_grad=True),
            minigan.ones(8, dtype=dtype, requires_grad=True),
        )
        found.append(
            minigan.grad((function(x, *more, weight=w, **named) ** 2 * (x * 0.01)).sum(), (x, w))
        )
    for half, single in zip(*found):
        assert half.dtype == np.float16
        np.testing.assert_allclose(
            half.numpy(), single.numpy(), rtol=0.02, atol=0.02 * float(single.abs().max())
        )


@pytest.mark.parametrize(
    "shape",
    [(5,), (100,), (70, 3), (3, 70), (40, 5, 50), (33, 34, 35), (0, 3), (1000, 1), (1, 1000)],
)
def test_total_is_the_sum(shape):
    """Of any dimensions, in any order in memory, with gaps and repeated elements."""
    x = np.random.default_rng(0).random(shape)
    turned = [x, np.asfortranarray(x), x[..., ::-1], x[::2], np.broadcast_to(x, (40, *shape))]
    for y in turned:
        for mask in range(1 << y.ndim):
            axes = tuple(i for i in range(y.ndim) if mask >> i & 1)
            for keepdims in (False, True):
                found = total(y, axes, keepdims)
                np.testing.assert_allclose(found, y.sum(axis=axes, keepdims=keepdims), rtol=1e-12)
                assert found.shape == y.sum(axis=axes, keepdims=keepdims).shape
