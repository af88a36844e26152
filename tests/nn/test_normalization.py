"""Instance, layer and group normalisation as layers."""

import numpy as np
import pytest

from minigan import grad, nn, summary
from minigan.autograd import tensor_of
from minigan.nn import functional as F


def normal(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def normalised(x, axes, eps=1e-5):
    x = x.astype(np.float64)
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


SHAPES = [
    (nn.InstanceNorm1d, (4, 3, 5)),
    (nn.InstanceNorm2d, (4, 3, 2, 5)),
    (nn.InstanceNorm3d, (2, 3, 2, 3, 2)),
]


@pytest.mark.parametrize("kind, shape", SHAPES)
def test_instance_norm(kind, shape):
    layer, x = kind(3), normal(*shape) * 3 + 1
    assert list(layer.state_dict()) == [] and not list(layer.parameters())
    expected = normalised(x, tuple(range(2, x.ndim)))
    for mode in (True, False):
        np.testing.assert_allclose(
            layer.train(mode)(tensor_of(x)).numpy(), expected, rtol=1e-4, atol=1e-5
        )
    np.testing.assert_allclose(layer(tensor_of(x[1])).numpy(), expected[1], rtol=1e-4, atol=1e-5)
    layer = kind(3, affine=True)
    weight, bias = normal(3, seed=1), normal(3, seed=2)
    layer.load_state_dict({"weight": weight, "bias": bias})
    per_channel = (1, 3, *(1,) * (x.ndim - 2))
    expected = expected * weight.reshape(per_channel) + bias.reshape(per_channel)
    np.testing.assert_allclose(layer(tensor_of(x)).detach().numpy(), expected, rtol=1e-4, atol=1e-5)
    assert layer.per_example


def test_instance_norm_with_running_statistics():
    layer = nn.InstanceNorm2d(3, momentum=0.3, track_running_stats=True)
    assert list(layer.state_dict()) == ["running_mean", "running_var", "num_batches_tracked"]
    assert not layer.per_example and layer.eval().per_example
    layer.train()
    mean, var = np.zeros(3), np.ones(3)
    for seed in range(3):
        x = normal(4, 3, 2, 5, seed=seed) * 3 + 1
        np.testing.assert_allclose(
            layer(tensor_of(x)).numpy(), normalised(x, (2, 3)), rtol=1e-4, atol=1e-5
        )
        mean += 0.3 * (x.mean((2, 3)).mean(0) - mean)
        var += 0.3 * (x.var((2, 3), ddof=1).mean(0) - var)
        np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(layer.running_var.numpy(), var, rtol=1e-4)
    x = normal(1, 3, 1, 1)
    expected = (x - mean.reshape(1, 3, 1, 1)) / np.sqrt(var.reshape(1, 3, 1, 1) + 1e-5)
    np.testing.assert_allclose(layer.eval()(tensor_of(x)).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_layer_and_group_norm():
    x = normal(4, 6, 2, 5) * 3 + 1
    layer = nn.LayerNorm([6, 2, 5])
    assert {k: v.shape for k, v in layer.state_dict().items()} == {
        "weight": (6, 2, 5),
        "bias": (6, 2, 5),
    }
    np.testing.assert_allclose(
        layer(tensor_of(x)).detach().numpy(), normalised(x, (1, 2, 3)), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        nn.LayerNorm(5)(tensor_of(x)).detach().numpy(), normalised(x, (3,)), rtol=1e-4, atol=1e-5
    )
    assert list(nn.LayerNorm(5, bias=False).state_dict()) == ["weight"] and not list(
        nn.LayerNorm(5, elementwise_affine=False).parameters()
    )
    layer = nn.GroupNorm(3, 6)
    weight, bias = normal(6, seed=1), normal(6, seed=2)
    layer.load_state_dict({"weight": weight, "bias": bias})
    expected = normalised(x.reshape(4, 3, 2, 2, 5), (2, 3, 4)).reshape(x.shape) * weight.reshape(
        1, 6, 1, 1
    ) + bias.reshape(1, 6, 1, 1)
    np.testing.assert_allclose(layer(tensor_of(x)).detach().numpy(), expected, rtol=1e-4, atol=1e-5)
    assert layer.per_example and nn.LayerNorm(5).per_example


@pytest.mark.parametrize("eps", [1e-5, 1e-12])
@pytest.mark.parametrize("value", [0.1, 12345.678, 3e8, 1e12])
def test_rows_of_equal_numbers_become_zero(value, eps):
    """Whatever the number: nothing is left of a rounded mean, and no variance is less than 0."""
    for n in (7, 64, 1000, 5000):
        x = tensor_of(np.full((3, n), value, np.float32))
        assert not F.layer_norm(x, (n,), eps=eps).numpy().any()
        assert not F.group_norm(x.reshape(3, n, 1), 1, eps=eps).numpy().any()
        assert not F.instance_norm(x.reshape(1, 3, n), eps=eps).numpy().any()


@pytest.mark.parametrize("middle", [0, 1e2, 1e4, 1e6])
def test_layers_far_from_zero(middle):
    x = (np.random.default_rng(0).normal(size=(20, 700)) + middle).astype(np.float32)
    wide = x.astype(np.float64)
    expected = (wide - wide.mean(1, keepdims=True)) / wide.std(1, keepdims=True)
    y = F.layer_norm(tensor_of(x), (700,), eps=0).numpy()
    np.testing.assert_allclose(y, expected, 1e-5, 2e-6)


@pytest.mark.parametrize("layer, shape", [
    (nn.BatchNorm1d(3), (0, 3)), (nn.BatchNorm2d(3, affine=False), (0, 3, 2, 2)),
    (nn.BatchNorm2d(3), (2, 3, 0, 2)),
    (nn.InstanceNorm1d(3, affine=True, track_running_stats=True), (0, 3, 5)),
    (nn.InstanceNorm2d(3), (2, 3, 0, 2)),
    (nn.LayerNorm(3), (0, 3)), (nn.LayerNorm([3, 2], bias=False), (0, 4, 3, 2)),
    (nn.GroupNorm(3, 6), (0, 6, 2)),
    (nn.GroupNorm(1, 2, affine=False), (2, 2, 0)),
])  # fmt: skip
@pytest.mark.parametrize("training", [True, False])
def test_empty_batches(layer, shape, training):
    """An empty result, gradients of zero, running statistics as they were: as in torch."""
    layer.zero_grad()
    before = {k: v.numpy().copy() for k, v in layer.state_dict().items() if k.startswith("running")}
    x = tensor_of(np.zeros(shape, np.float32), requires_grad=True)
    y = layer.train(training)(x)
    assert y.shape == shape and y.requires_grad
    y.sum().backward()
    assert x.grad.shape == shape and all(
        p.grad.shape == p.shape and not p.grad.numpy().any() for p in layer.parameters()
    )
    for name, value in before.items():
        np.testing.assert_array_equal(layer.state_dict()[name].numpy(), value)


def test_errors():
    with pytest.raises(
        ValueError,
        match=r"InstanceNorm2d\(3\): expected 3-D \(C, H, W\) or 4-D .* input, got 2 dimensions: "
        r"shape \(4, 3\)",
    ):
        nn.InstanceNorm2d(3)(tensor_of(normal(4, 3)))
    with pytest.raises(
        ValueError, match=r"InstanceNorm2d\(3\): the input has 4 channels \(shape \(2, 4, 5, 5\)\)"
    ):
        nn.InstanceNorm2d(3)(tensor_of(normal(2, 4, 5, 5)))
    with pytest.raises(ValueError, match="more than 1 value per channel and example"):
        nn.InstanceNorm2d(3)(tensor_of(normal(2, 3, 1, 1)))
    with pytest.raises(
        ValueError, match=r"normalized_shape=\(4,\) is not the end of the input's shape \(2, 3\)"
    ):
        nn.LayerNorm(4)(tensor_of(normal(2, 3)))
    with pytest.raises(ValueError, match="num_channels=4 must be divisible by num_groups=3"):
        nn.GroupNorm(3, 4)
    with pytest.raises(ValueError, match="4 channels cannot be divided into num_groups=3"):
        F.group_norm(tensor_of(normal(2, 4, 3)), 3)
    with pytest.raises(
        ValueError, match=r"group_norm: weight has shape \(3,\), the input has 4 channels"
    ):
        F.group_norm(tensor_of(normal(2, 4, 3)), 2, tensor_of(normal(3)))
    with pytest.raises(
        ValueError, match=r"layer_norm: bias has shape \(1,\), expected normalized_shape=\(3,\)"
    ):
        F.layer_norm(tensor_of(normal(2, 3)), 3, None, tensor_of(normal(1)))


FAR = [(0, 1), (100, 1), (1e4, 1), (1e4, 0.1), (1, 1e-3)]
KINDS = {
    "batch": lambda x, w: F.batch_norm(x, None, None, w, None, True, eps=1e-12),
    "instance": lambda x, w: F.instance_norm(x, weight=w, eps=1e-12),
    "group": lambda x, w: F.group_norm(x, 2, w, eps=1e-12),
    "layer": lambda x, w: F.layer_norm(x, x.shape[1:], eps=1e-12) * w.reshape((1, -1, 1, 1)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mean, std", FAR)
def test_float32_far_from_zero(kind, mean, std):
    """Means thousands of times the deviation: float32 computes what float64 computes from the same
    numbers."""
    x = (normal(4, 6, 16, 16) * std + mean).astype(np.float32)
    w = normal(6, seed=1)
    g = normal(4, 6, 16, 16, seed=2)
    found = []
    for dtype in (np.float32, np.float64):
        a, b = tensor_of(x.astype(dtype), True), tensor_of(w.astype(dtype), True)
        y = KINDS[kind](a, b)
        found.append(
            [y.detach().numpy(), *[v.numpy() for v in grad(y, [a, b], tensor_of(g.astype(dtype)))]]
        )
    for single, double in zip(*found):
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, double, rtol=0, atol=2e-6 * np.abs(double).max())


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (0, 2, 3, 1)])
def test_large_arrays_in_any_layout(order):
    """Many values are worked on by several threads; channel by channel, as results of products lie,
    too."""
    x = normal(40, 24, 16, 17)
    back = np.argsort(order)
    a, b = (
        tensor_of(x, True),
        tensor_of(np.ascontiguousarray(x.transpose(order)).transpose(back), True),
    )
    for layer in (
        nn.BatchNorm2d(24),
        nn.InstanceNorm2d(24, affine=True),
        nn.GroupNorm(4, 24),
        nn.LayerNorm([24, 16, 17]),
    ):
        y, z = layer(a), layer(b)
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-4, atol=1e-5)
        (da,), (db,) = grad((y**3).sum(), [a]), grad((z**3).sum(), [b])
        np.testing.assert_allclose(da.numpy(), db.numpy(), rtol=1e-4, atol=1e-4)


def test_nan_stays():
    x = normal(2, 3, 4, 4)
    x[0, 1, 2, 2] = np.nan
    y = nn.InstanceNorm2d(3)(tensor_of(x)).numpy()
    assert np.isnan(y[0, 1]).all() and np.isfinite(y).sum() == 5 * 16


def test_summary():
    net = nn.Sequential(
        nn.InstanceNorm2d(4, affine=True),
        nn.GroupNorm(2, 4),
        nn.LayerNorm([4, 3, 3]),
        nn.Dropout2d(),
    )
    found = summary(net, (4, 3, 3))
    assert [row[2] for row in found.rows] == [(2, 4, 3, 3)] * 4 and found.total_params == 8 + 8 + 72


@pytest.mark.torch
@pytest.mark.parametrize(
    "call, shape",
    [
        ("InstanceNorm1d(6)", (4, 6, 5)),
        ("InstanceNorm1d(6)", (6, 5)),
        ("InstanceNorm2d(6, affine=True, track_running_stats=True)", (4, 6, 5, 3)),
        ("InstanceNorm2d(6, 0.1, 0.3, True, True, bias=False)", (4, 6, 5, 3)),
        ("InstanceNorm3d(6, track_running_stats=True, momentum=None)", (4, 6, 2, 3, 2)),
        ("LayerNorm(3)", (4, 6, 3)),
        ("LayerNorm((6, 3), 0.1, bias=False)", (4, 6, 3)),
        ("LayerNorm((6, 3), elementwise_affine=False)", (4, 6, 3)),
        ("GroupNorm(3, 6)", (4, 6, 5, 3)),
        ("GroupNorm(1, 6, affine=False)", (4, 6)),
        ("GroupNorm(2, 6, bias=False)", (4, 6, 5)),
    ],
)
def test_like_torch(call, shape):
    torch = pytest.importorskip("torch")
    ours, theirs = eval("nn." + call).double(), eval("torch.nn." + call, {"torch": torch}).double()
    assert repr(ours) == repr(theirs)
    state = {
        k: v.numpy() + (normal(*v.shape, dtype=np.float64) / 4 if v.ndim else 0)
        for k, v in theirs.state_dict().items()
    }
    state = {k: np.abs(v) if "var" in k else v for k, v in state.items()}
    ours.load_state_dict(state)
    theirs.load_state_dict({k: torch.from_numpy(np.asarray(v)) for k, v in state.items()})
    for mode in (True, False):
        ours.train(mode), theirs.train(mode)
        x, u = normal(*shape, dtype=np.float64) + 2, normal(*shape, seed=3, dtype=np.float64)
        a, b = tensor_of(x, True), torch.from_numpy(x).requires_grad_()
        y, z = ours(a), theirs(b)
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-8, atol=1e-10)
        y.backward(tensor_of(u)), z.backward(torch.from_numpy(u))
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-7, atol=1e-9)
        for p, q in zip(ours.parameters(), theirs.parameters()):
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-7, atol=1e-9)
        for k, v in ours.state_dict().items():
            np.testing.assert_allclose(
                v.numpy(), theirs.state_dict()[k].numpy(), rtol=1e-9, err_msg=k
            )


def test_a_batch_norm_of_ones_own():
    class OfAny(nn.batchnorm._BatchNorm):
        def _check_input_dim(self, input):
            if input.dim() < 2:
                raise ValueError("expected a batch of vectors")

    x = tensor_of(normal(4, 3, 2, 2, 1))
    layer = OfAny(3)
    assert (layer(x) == nn.BatchNorm3d(3)(x)).all()
    with pytest.raises(ValueError, match="expected a batch of vectors"):
        layer(x[:, 0, 0, 0, 0])
