"""nn.init: bounds and moments; nn.utils: clipping and vectors."""

import math

import numpy as np
import pytest

from minigan import Generator, manual_seed, nn
from minigan.autograd import tensor_of
from minigan.nn import init


def fresh(*shape, dtype=np.float32):
    return nn.Parameter(np.full(shape, np.nan, dtype))


def moments(tensor, std, mean=0.0):
    v = tensor.detach().numpy()
    assert np.isfinite(v).all()
    assert abs(v.mean() - mean) < 5 * std / math.sqrt(v.size), (
        "the mean is too far off for so many draws"
    )
    assert abs(v.std() / std - 1) < 0.02


def within(tensor, bound):
    largest = np.abs(tensor.detach().numpy()).max()
    assert 0.99 * bound < largest <= bound * (1 + 1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draws(dtype):
    manual_seed(1)
    w = fresh(200, 300, dtype=dtype)
    assert init.uniform_(w, -2, 4) is w and w.requires_grad and w.is_leaf and w.dtype == dtype
    moments(w, 6 / math.sqrt(12), 1.0)
    moments(init.normal_(w, 3, 0.5), 0.5, 3)
    bound = 2 * math.sqrt(6 / 500)
    within(init.xavier_uniform_(w, 2), bound)
    moments(w, bound / math.sqrt(3))
    moments(init.xavier_normal_(w, 2), 2 * math.sqrt(2 / 500))
    gain = math.sqrt(2 / (1 + 0.2**2))
    bound = gain * math.sqrt(3 / 300)
    within(init.kaiming_uniform_(w, 0.2), bound)
    moments(w, bound / math.sqrt(3))
    moments(init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"), math.sqrt(2 / 200))


def test_fans_of_convolutions():
    w = fresh(50, 20, 5, 5)
    moments(init.kaiming_normal_(w, nonlinearity="linear"), 1 / math.sqrt(20 * 25))
    moments(init.xavier_normal_(w), math.sqrt(2 / (20 * 25 + 50 * 25)))
    with pytest.raises(ValueError, match="at least 2 dimensions"):
        init.kaiming_normal_(fresh(3))
    with pytest.raises(ValueError, match="mode='fan'"):
        init.kaiming_normal_(w, mode="fan")


@pytest.mark.parametrize(
    "mean, std, a, b", [(0, 1, -2, 2), (1, 2, 0.5, 1.5), (0, 1, 1, 3), (0, 0.02, -2, 2)]
)
def test_truncated_normal(mean, std, a, b):
    v = init.trunc_normal_(fresh(200, 200, dtype=np.float64), mean, std, a, b).detach().numpy()
    assert a <= v.min() and v.max() <= b
    grid = np.linspace(max(a, mean - 8 * std), min(b, mean + 8 * std), 200_001)
    density = np.exp(-(((grid - mean) / std) ** 2) / 2)
    density /= density.sum()
    expected = (grid * density).sum()
    spread = math.sqrt((grid**2 * density).sum() - expected**2)
    assert abs(v.mean() - expected) < 5 * spread / 200 and abs(v.std() / spread - 1) < 0.02


def test_constants():
    assert (
        init.constant_(fresh(2, 3), 0.3).detach().numpy().tolist()
        == np.full((2, 3), 0.3, np.float32).tolist()
    )
    assert (init.ones_(fresh(3)).detach().numpy() == 1).all() and (
        init.zeros_(fresh(3)).detach().numpy() == 0
    ).all()
    assert init.eye_(fresh(2, 3)).detach().numpy().tolist() == [[1, 0, 0], [0, 1, 0]]
    w = init.dirac_(fresh(4, 2, 3), 2).detach().numpy()
    assert w.sum() == 4 and all(w[o, i, 1] == 1 for o, i in ((0, 0), (1, 1), (2, 0), (3, 1)))


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (6, 2, 2, 2), (4, 4)])
def test_orthogonal(shape):
    w = (
        init.orthogonal_(fresh(*shape, dtype=np.float64), 2.0)
        .detach()
        .numpy()
        .reshape(shape[0], -1)
    )
    small = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-10)


def test_sparse():
    w = init.sparse_(fresh(10, 50), 0.25, 0.5).detach().numpy()
    assert ((w == 0).sum(0) == 3).all()
    assert len({tuple(np.flatnonzero(c == 0)) for c in w.T}) > 10


def test_gains():
    assert (
        init.calculate_gain("relu") == math.sqrt(2)
        and init.calculate_gain("tanh") == 5 / 3
        and init.calculate_gain("conv2d") == 1
    )
    assert init.calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)
    with pytest.raises(ValueError, match="'swish'"):
        init.calculate_gain("swish")


def test_draws_repeat():
    a, b = (init.normal_(fresh(5), generator=Generator(7)).detach().numpy() for _ in range(2))
    np.testing.assert_array_equal(a, b)


# --- utils ---


def with_gradients():
    parameters = [fresh(2, 3), fresh(4), fresh(1)]
    for i, p in enumerate(parameters[:2]):
        p.grad = tensor_of(np.random.default_rng(i).standard_normal(p.shape).astype(np.float32))
    return parameters


@pytest.mark.parametrize("order", [1, 2, 3.5, math.inf])
def test_clip_grad_norm(order):
    parameters = with_gradients()
    before = [p.grad.numpy().copy() for p in parameters[:2]]
    elements = np.abs(np.concatenate([g.reshape(-1) for g in before]).astype(np.float64))
    norm = elements.max() if order == math.inf else sum(v**order for v in elements) ** (1 / order)
    total = nn.utils.clip_grad_norm_(parameters, 0.5 * norm, order)
    np.testing.assert_allclose(total.item(), norm, rtol=1e-5)
    for p, g in zip(parameters, before):
        np.testing.assert_allclose(p.grad.numpy(), 0.5 * g, rtol=1e-4)
        assert p.grad.dtype == np.float32
    parameters = with_gradients()
    nn.utils.clip_grad_norm_(parameters, 2 * norm, order)
    for p, g in zip(parameters, before):
        np.testing.assert_array_equal(p.grad.numpy(), g)


def test_clip_grad_norm_of_what_is_not_finite():
    parameters = with_gradients()
    parameters[0].grad.fill_(math.inf)
    with pytest.raises(RuntimeError, match="inf"):
        nn.utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    assert nn.utils.clip_grad_norm_([fresh(2)], 1.0).item() == 0


def test_clip_grad_value():
    parameters = with_gradients()
    before = [p.grad.numpy().copy() for p in parameters[:2]]
    nn.utils.clip_grad_value_(parameters, 0.3)
    for p, g in zip(parameters, before):
        np.testing.assert_array_equal(
            p.grad.numpy(), np.minimum(np.maximum(g, np.float32(-0.3)), np.float32(0.3))
        )


def test_vectors():
    layer = nn.Linear(2, 3)
    before = {k: v.numpy().copy() for k, v in layer.state_dict().items()}
    vector = nn.utils.parameters_to_vector(layer.parameters())
    np.testing.assert_array_equal(
        vector.detach().numpy(), [*before["weight"].reshape(-1), *before["bias"]]
    )
    nn.utils.vector_to_parameters(vector.detach() * 2, layer.parameters())
    np.testing.assert_array_equal(layer.weight.detach().numpy(), 2 * before["weight"])
    np.testing.assert_array_equal(layer.bias.detach().numpy(), 2 * before["bias"])
    with pytest.raises(ValueError, match=r"9 elements, vec has shape \(5,\)"):
        nn.utils.vector_to_parameters(vector[:5], layer.parameters())


# --- torch ---


@pytest.mark.torch
def test_as_torch():
    torch = pytest.importorskip("torch")
    names = [n for n in vars(torch.nn.init) if n.endswith("_") and not n.startswith("_")]
    assert not [n for n in names if not hasattr(init, n)]
    for name, shape, options in [
        ("dirac_", (4, 2, 3), dict(groups=2)),
        ("dirac_", (3, 5, 2, 3), {}),
        ("dirac_", (2, 2, 3, 3, 4), {}),
        ("eye_", (2, 3), {}),
        ("constant_", (2, 3), dict(val=0.3)),
        ("ones_", (2,), {}),
        ("zeros_", (2,), {}),
    ]:
        expected = getattr(torch.nn.init, name)(torch.empty(shape), **options).numpy()
        np.testing.assert_array_equal(
            getattr(init, name)(fresh(*shape), **options).detach().numpy(), expected
        )
    for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
