"""Layers against their formulas, written with loops or plain NumPy."""

import math

import numpy as np
import pytest

from minigan import manual_seed, nn
from minigan.autograd import tensor_of


def normal(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# --- Linear and shapes ---


def test_linear():
    layer = nn.Linear(3, 2)
    x = normal(4, 5, 3)
    w = layer.weight.detach().numpy()
    b = layer.bias.detach().numpy()
    expected = [
        [[sum(x[i, j, k] * w[o, k] for k in range(3)) + b[o] for o in range(2)] for j in range(5)]
        for i in range(4)
    ]
    np.testing.assert_allclose(layer(tensor_of(x)).detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    bare = nn.Linear(3, 2, bias=False)
    assert bare.bias is None and list(bare.state_dict()) == ["weight"]
    np.testing.assert_allclose(
        bare(tensor_of(x)).detach().numpy(),
        x @ bare.weight.detach().numpy().T,
        rtol=1e-5,
        atol=1e-6,
    )
    assert nn.Linear(3, 2, dtype=np.float64).weight.dtype == np.float64
    with pytest.raises(TypeError, match="floating-point"):
        nn.Linear(3, 2, dtype=np.int64)


def test_linear_starts_as_in_torch():
    manual_seed(3)
    layer = nn.Linear(100, 2000)
    w = layer.weight.detach().numpy()
    b = layer.bias.detach().numpy()
    k = 0.1
    for v, tolerance in ((w, 0.01), (b, 0.1)):
        assert np.abs(v).max() <= k and np.abs(v).max() > 0.99 * k
        assert abs(v.std() / (k / math.sqrt(3)) - 1) < tolerance and abs(v.mean()) < tolerance * k
    manual_seed(3)
    np.testing.assert_array_equal(nn.Linear(100, 2000).weight.detach().numpy(), w)
    assert not np.array_equal(nn.Linear(100, 2000).weight.detach().numpy(), w)


def test_flatten_unflatten_identity():
    x = tensor_of(normal(2, 3, 4, 5))
    assert (
        nn.Flatten()(x).shape == (2, 60)
        and nn.Flatten(0, 1)(x).shape == (6, 4, 5)
        and nn.Flatten(2)(x).shape == (2, 3, 20)
    )
    y = nn.Unflatten(1, (3, 4, 5))(nn.Flatten()(x))
    np.testing.assert_array_equal(y.numpy(), x.numpy())
    assert nn.Unflatten(-1, (5, -1))(nn.Flatten()(x)).shape == (2, 5, 12)
    assert nn.Identity(7, unused=True)(x) is x


# --- batch normalisation ---


def naive_statistics(x):
    """Mean, biased and unbiased variance of each channel, one number after the other, in
    float64."""
    x = np.moveaxis(x.astype(np.float64), 1, 0).reshape(x.shape[1], -1)
    means = []
    biased = []
    unbiased = []
    for row in x:
        mean = sum(row) / len(row)
        total = sum((v - mean) ** 2 for v in row)
        means.append(mean)
        biased.append(total / len(row))
        unbiased.append(total / (len(row) - 1))
    return np.array(means), np.array(biased), np.array(unbiased)


def normalised(x, mean, var, weight, bias, eps):
    shape = (1, -1) + (1,) * (x.ndim - 2)
    mean, var, weight, bias = (np.reshape(v, shape) for v in (mean, var, weight, bias))
    return (x - mean) / np.sqrt(var + eps) * weight + bias


SHAPES = [
    (nn.BatchNorm1d, (6, 3)),
    (nn.BatchNorm1d, (6, 3, 5)),
    (nn.BatchNorm2d, (4, 3, 2, 5)),
    (nn.BatchNorm3d, (2, 3, 2, 3, 2)),
]


@pytest.mark.parametrize("kind, shape", SHAPES)
@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm(kind, shape, momentum, affine):
    layer = kind(3, 0.8, momentum, affine)
    weight, bias = np.ones(3), np.zeros(3)
    if affine:
        weight, bias = normal(3, seed=1), normal(3, seed=2)
        weight[1] = 0
        layer.load_state_dict({"weight": weight, "bias": bias}, strict=False)
    else:
        assert list(layer.state_dict()) == ["running_mean", "running_var", "num_batches_tracked"]
    running_mean, running_var = np.zeros(3), np.ones(3)
    for step in range(1, 4):
        x = normal(*shape, seed=step) * 3 + 1
        mean, biased, unbiased = naive_statistics(x)
        y = layer(tensor_of(x)).detach().numpy()
        np.testing.assert_allclose(
            y, normalised(x, mean, biased, weight, bias, 0.8), rtol=1e-4, atol=1e-5
        )
        share = 1 / step if momentum is None else momentum
        running_mean += share * (mean - running_mean)
        running_var += share * (unbiased - running_var)
        np.testing.assert_allclose(layer.running_mean.numpy(), running_mean, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(layer.running_var.numpy(), running_var, rtol=1e-5, atol=1e-6)
        assert layer.num_batches_tracked.item() == step
    layer.eval()
    x = normal(*shape, seed=9)
    y = layer(tensor_of(x)).detach().numpy()
    np.testing.assert_allclose(
        y, normalised(x, running_mean, running_var, weight, bias, 0.8), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(layer.running_mean.numpy(), running_mean, rtol=1e-5, atol=1e-6)
    assert layer.num_batches_tracked.item() == 3
    layer.reset_running_stats()
    assert layer.running_var.numpy().tolist() == [1, 1, 1] and layer.num_batches_tracked.item() == 0


def test_batch_norm_without_running_statistics():
    layer = nn.BatchNorm1d(3, track_running_stats=False)
    assert list(layer.state_dict()) == ["weight", "bias"]
    x = normal(6, 3) * 2 - 1
    mean, biased, _ = naive_statistics(x)
    expected = normalised(x, mean, biased, np.ones(3), np.zeros(3), 1e-5)
    for mode in (True, False):
        np.testing.assert_allclose(
            layer.train(mode)(tensor_of(x)).detach().numpy(), expected, rtol=1e-4, atol=1e-5
        )


def test_batch_norm_errors():
    with pytest.raises(
        ValueError,
        match=r"BatchNorm1d\(3\): expected 2-D .* or 3-D \(N, C, L\) input, got .* shape \(1, 3, "
        r"2, 2\)",
    ):
        nn.BatchNorm1d(3)(tensor_of(normal(1, 3, 2, 2)))
    with pytest.raises(ValueError, match=r"BatchNorm2d\(3\): expected 4-D"):
        nn.BatchNorm2d(3)(tensor_of(normal(4, 3)))
    with pytest.raises(ValueError, match="more than 1 value per channel when training"):
        nn.BatchNorm1d(3)(tensor_of(normal(1, 3)))
    with pytest.raises(ValueError, match=r"has shape \(3,\), the input has 4 channels"):
        nn.BatchNorm1d(3)(tensor_of(normal(5, 4)))
    assert nn.BatchNorm1d(3).eval()(tensor_of(normal(1, 3))).shape == (1, 3)


# --- activations and dropout ---

SCALAR = {
    "ReLU()": lambda v: max(v, 0),
    "ReLU6()": lambda v: min(max(v, 0), 6),
    "LeakyReLU(0.2)": lambda v: v if v > 0 else 0.2 * v,
    "LeakyReLU(0.2, inplace=True)": lambda v: v if v > 0 else 0.2 * v,
    "ELU(0.5)": lambda v: v if v > 0 else 0.5 * (math.exp(v) - 1),
    "SELU()": lambda v: (
        1.0507009873554805 * (v if v > 0 else 1.6732632423543772 * (math.exp(v) - 1))
    ),
    "GELU()": lambda v: v * 0.5 * (1 + math.erf(v / math.sqrt(2))),
    "GELU('tanh')": lambda v: (
        v * 0.5 * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3)))
    ),
    "SiLU()": lambda v: v / (1 + math.exp(-v)),
    "Softplus(2.0)": lambda v: math.log(1 + math.exp(2 * v)) / 2,
    "Softsign()": lambda v: v / (1 + abs(v)),
    "Sigmoid()": lambda v: 1 / (1 + math.exp(-v)),
    "LogSigmoid()": lambda v: -math.log(1 + math.exp(-v)),
    "Tanh()": math.tanh,
    "Hardtanh(-0.5, 0.7)": lambda v: min(max(v, -0.5), 0.7),
    "PReLU()": lambda v: v if v > 0 else 0.25 * v,
}


@pytest.mark.parametrize("call", SCALAR)
def test_activation(call):
    x = normal(4, 5, dtype=np.float64) * 4
    layer = eval("nn." + call).double()
    expected = np.array([[SCALAR[call](v) for v in row] for row in x])
    np.testing.assert_allclose(
        layer(tensor_of(x)).detach().numpy(), expected, rtol=1e-10, atol=1e-12
    )
    assert layer.per_example


def test_softmax():
    x = normal(4, 5, dtype=np.float64) * 10 + 1000
    shifted = [[math.exp(v - max(row)) for v in row] for row in x]
    expected = np.array([[v / sum(row) for v in row] for row in shifted])
    np.testing.assert_allclose(nn.Softmax(1)(tensor_of(x)).numpy(), expected, rtol=1e-10)
    np.testing.assert_allclose(
        nn.LogSoftmax(dim=-1)(tensor_of(x)).numpy(), np.log(expected), rtol=1e-9
    )
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax"):
        np.testing.assert_allclose(nn.Softmax()(tensor_of(x)).numpy(), expected, rtol=1e-10)


def test_prelu_per_channel():
    layer = nn.PReLU(3)
    layer.load_state_dict({"weight": np.float32([0.1, 0.2, 0.3])})
    x = -np.ones((2, 3, 2), np.float32)
    np.testing.assert_allclose(
        layer(tensor_of(x)).detach().numpy()[0, :, 0], [-0.1, -0.2, -0.3], rtol=1e-6
    )


def test_dropout():
    manual_seed(0)
    layer, x = nn.Dropout(0.25), np.ones((200, 100), np.float32)
    y = layer(tensor_of(x)).numpy()
    np.testing.assert_allclose(np.unique(y), [0, 4 / 3], rtol=1e-6)
    assert abs((y == 0).mean() - 0.25) < 0.02
    assert not np.array_equal(layer(tensor_of(x)).numpy(), y)
    np.testing.assert_array_equal(layer.eval()(tensor_of(x)).numpy(), x)
    assert not nn.Dropout(1.0)(tensor_of(x)).numpy().any()
    np.testing.assert_array_equal(nn.Dropout(0.0)(tensor_of(x)).numpy(), x)
    with pytest.raises(ValueError, match="p=1.5"):
        nn.Dropout(1.5)
