"""Random Tensors: reproducible, of the right shape, dtype and distribution (wide bounds: at least
five standard errors)."""

import numpy as np
import pytest

import minigan
from minigan import Generator
from minigan.autograd import tensor_of

DRAWS = {
    "rand": lambda **o: minigan.rand(3, 4, **o),
    "randn": lambda **o: minigan.randn((3, 4), **o),
    "randint": lambda **o: minigan.randint(0, 10, (3, 4), **o),
    "randperm": lambda **o: minigan.randperm(12, **o),
    "rand_like": lambda **o: minigan.rand_like(minigan.zeros(3, 4), **o),
    "randn_like": lambda **o: minigan.randn_like(minigan.zeros(3, 4), **o),
    "normal": lambda **o: minigan.normal(1.0, 2.0, (3, 4), **o),
    "bernoulli": lambda **o: minigan.bernoulli(minigan.full((3, 4), 0.5), **o),
    "multinomial": lambda **o: minigan.multinomial(minigan.ones(3, 40), 4, **o),
    "dropout": lambda **o: minigan.dropout(minigan.ones(3, 4), 0.5, **o),
    "normal_": lambda **o: minigan.zeros(3, 4).normal_(**o),
    "uniform_": lambda **o: minigan.zeros(3, 4).uniform_(**o),
    "bernoulli_": lambda **o: minigan.zeros(3, 4).bernoulli_(**o),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_seeds(draw):
    """The same seed gives the same numbers, the next draw gives others, a Generator of its own
    leaves the default one alone."""
    minigan.manual_seed(7)
    first, second = draw().tolist(), draw().tolist()
    minigan.manual_seed(7)
    own = Generator(7)
    assert draw(generator=own).tolist() == first
    assert draw().tolist() == first and draw().tolist() == second
    assert first != second


def test_dtypes_and_shapes():
    assert (
        minigan.rand(2, 3).dtype == np.float32
        and minigan.rand(2, dtype=np.float64).dtype == np.float64
    )
    assert minigan.randn(()).shape == () and minigan.randn(0, 3).shape == (0, 3)
    assert minigan.randn(2, requires_grad=True).requires_grad
    assert (
        minigan.randint(5, size=(2, 2)).dtype == np.int64 and minigan.randperm(3).dtype == np.int64
    )
    assert minigan.rand_like(minigan.zeros(2, dtype=np.float64)).dtype == np.float64


def test_moments():
    g = Generator(3)
    u = minigan.rand(200_000, generator=g).array.astype(np.float64)
    assert 0 <= u.min() and u.max() < 1 and abs(u.mean() - 0.5) < 5 * np.sqrt(1 / 12 / len(u))
    z = minigan.normal(2.0, 3.0, (200_000,), generator=g).array.astype(np.float64)
    assert abs(z.mean() - 2) < 5 * 3 / np.sqrt(len(z)) and abs(z.std() / 3 - 1) < 0.01
    z = minigan.zeros(100_000).normal_(-1.0, 0.5, generator=g).array
    assert abs(z.mean() + 1) < 0.01 and abs(z.std() - 0.5) < 0.01
    u = minigan.zeros(100_000).uniform_(-3, 1, generator=g).array
    assert u.min() >= -3 and u.max() <= 1 and abs(u.mean() + 1) < 0.02


def test_normal_of_tensors():
    mean, std = minigan.tensor([0.0, 100.0]), minigan.tensor([1.0, 0.001])
    x = minigan.normal(mean, std)
    assert x.shape == (2,) and abs(x.tolist()[1] - 100) < 0.1


def test_bernoulli():
    p = tensor_of(np.array([0.0, 1.0, 0.3], np.float32).repeat(50_000).reshape(3, -1))
    x = minigan.bernoulli(p, generator=Generator(1))
    assert x.dtype == np.float32 and set(np.unique(x.array)) == {0.0, 1.0}
    np.testing.assert_allclose(x.array.mean(1), [0, 1, 0.3], atol=0.011)


def test_randint_covers_its_range():
    x = minigan.randint(-2, 3, (5000,), generator=Generator(0)).array
    assert set(x.tolist()) == {-2, -1, 0, 1, 2}


def test_multinomial():
    g, w = Generator(2), minigan.tensor([[1.0, 0.0, 3.0], [0.0, 5.0, 5.0]])
    x = minigan.multinomial(w, 20_000, replacement=True, generator=g).array
    shares = np.stack([np.bincount(r, minlength=3) / 20_000 for r in x])
    np.testing.assert_allclose(shares, [[0.25, 0, 0.75], [0, 0.5, 0.5]], atol=0.02)
    for row, allowed in zip(minigan.multinomial(w, 2, generator=g).tolist(), ({0, 2}, {1, 2})):
        assert set(row) == allowed  # without replacement: no index twice, none of weight 0
    firsts = [minigan.multinomial(w[0], 1, generator=g).item() for _ in range(2000)]
    assert abs(np.mean(firsts) / 2 - 0.75) < 0.05
    with pytest.raises(ValueError, match="num_samples=3 exceeds the number of non-zero weights"):
        minigan.multinomial(w, 3)
    with pytest.raises(ValueError, match="weights must be non-negative"):
        minigan.multinomial(minigan.tensor([-1.0, 2.0]), 1)


# --- dropout ---


def test_dropout_keeps_or_scales():
    x = tensor_of(np.random.default_rng(0).uniform(1, 2, (100, 100)).astype(np.float32), True)
    y = minigan.dropout(x, 0.3, generator=Generator(5))
    dropped = y.array == 0
    assert y.dtype == np.float32 and abs(dropped.mean() - 0.3) < 0.025
    np.testing.assert_allclose(y.array[~dropped], x.array[~dropped] / 0.7, rtol=1e-6)
    g = np.random.default_rng(1).standard_normal((100, 100)).astype(np.float32)
    y.backward(tensor_of(g))
    np.testing.assert_allclose(x.grad.array, np.where(dropped, 0, g / np.float32(0.7)), rtol=1e-6)


def test_dropout_at_its_limits():
    x = minigan.ones(4, requires_grad=True)
    assert minigan.dropout(x, 0.5, training=False) is x and minigan.dropout(x, 0.0) is x
    assert minigan.dropout(x, 1.0).tolist() == [0.0] * 4
    with pytest.raises(ValueError, match="p=1.5 is no probability"):
        minigan.dropout(x, 1.5)


def test_dropout_twice_differentiable():
    x = minigan.ones(50, dtype=np.float64, requires_grad=True)
    y = minigan.dropout(x * x * x, 0.5, generator=Generator(5))
    kept = y.array != 0
    (g,) = minigan.grad(y.sum(), x, create_graph=True)
    (h,) = minigan.grad(g.sum(), x)
    np.testing.assert_allclose(h.array, kept * 12.0)


def test_draws_require_a_gradient_that_is_0():
    """As in PyTorch: what was drawn does not depend on the parameters."""
    mean, std = (minigan.tensor([1.0, 0.5], requires_grad=True) for _ in range(2))
    for z in (
        minigan.normal(mean, std),
        minigan.normal(mean, 2.0) * std,
        minigan.normal(0.0, std) + 0 * mean,
    ):
        assert z.requires_grad
        g, _ = minigan.grad(z.sum(), [mean, std])
        assert g.tolist() == [0, 0]
    assert minigan.grad(minigan.normal(mean, std).sum(), std)[0].tolist() == [0, 0]
    p = minigan.tensor([0.2, 0.7], requires_grad=True)
    assert minigan.grad(minigan.bernoulli(p).sum(), p)[0].tolist() == [0, 0]
    assert not minigan.bernoulli(p.detach()).requires_grad
