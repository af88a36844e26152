"""Layers from papers on adversarial training, against loops over their formulas, and their
derivatives."""

import math

import fakecuda
import numpy as np
import pytest

from minigan import func, grad, gradcheck, gradgradcheck, manual_seed, nn
from minigan.autograd import tensor_of


def normal(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def arrays(module):
    return {k: v.numpy() for k, v in module.state_dict().items()}


def test_maxout():
    layer, x = nn.Maxout(4, 3, 5, dtype=np.float64), normal(2, 6, 4)
    p, expected = arrays(layer), np.empty((2, 6, 3))
    for i, j, o in np.ndindex(expected.shape):
        expected[i, j, o] = max(
            p["weight"][o * 5 + k] @ x[i, j] + p["bias"][o * 5 + k] for k in range(5)
        )
    np.testing.assert_allclose(layer(tensor_of(x)).detach().numpy(), expected, rtol=1e-12)
    assert list(nn.Maxout(4, 3, 5, bias=False).state_dict()) == ["weight"]
    assert repr(layer) == "Maxout(in_features=4, out_features=3, bias=True, pieces=5)"
    # no Linear, whose activation could be taken into its op
    sequence = nn.Sequential(layer, nn.Tanh())
    np.testing.assert_allclose(
        sequence(tensor_of(x)).detach().numpy(), np.tanh(expected), rtol=1e-12
    )
    with pytest.raises(ValueError, match="pieces=0"):
        nn.Maxout(2, 2, 0)


def test_minibatch_discrimination():
    layer, x = nn.MinibatchDiscrimination(4, 3, 2, dtype=np.float64), normal(5, 4)
    t = arrays(layer)["T"]
    assert t.shape == (4, 3, 2)
    expected = np.zeros((5, 7))
    expected[:, :4] = x
    for i in range(5):
        for b in range(3):
            for j in range(5):
                expected[i, 4 + b] += math.exp(
                    -sum(abs(x[i] @ t[:, b, c] - x[j] @ t[:, b, c]) for c in range(2))
                )
    np.testing.assert_allclose(layer(tensor_of(x)).detach().numpy(), expected, rtol=1e-10)
    same = layer(tensor_of(np.ones((5, 4)))).detach().numpy()
    np.testing.assert_allclose(same[:, 4:], 5)  # equal examples are as close as can be
    with pytest.raises(ValueError, match=r"expected \(N, 4\), got shape \(5, 4, 1, 1\): flatten"):
        layer(tensor_of(normal(5, 4, 1, 1)))
    manual_seed(0)
    assert abs(arrays(nn.MinibatchDiscrimination(100, 30, 5))["T"].std() / 0.1 - 1) < 0.05


@pytest.mark.parametrize(
    "shape, group, parts",
    [((6, 4, 2, 3), 3, 1), ((6, 4, 2, 3), 2, 2), ((3, 2, 2, 2), 4, 1), ((6, 4), None, 1)],
)
def test_minibatch_standard_deviation(shape, group, parts):
    x = normal(*shape)
    layer = nn.MinibatchStdDev(group, parts)
    n = shape[0]
    c = shape[1]
    size = min(group or shape[0], shape[0])
    expected = np.empty((n, c + parts, *shape[2:]))
    expected[:, :c] = x
    for i in range(n):
        together = [j for j in range(n) if j % (n // size) == i % (n // size)]
        assert len(together) == size
        for part in range(parts):
            some = x[together, part * c // parts : (part + 1) * c // parts]
            variance = ((some - some.mean(0)) ** 2).sum(0) / size
            expected[i, c + part] = np.sqrt(variance + 1e-8).mean()
    np.testing.assert_allclose(layer(tensor_of(x)).detach().numpy(), expected, rtol=1e-10)
    with pytest.raises(ValueError, match=r"group_size=4 must divide the batch.*\(6, 2\)"):
        nn.MinibatchStdDev(4)(tensor_of(normal(6, 2)))


@pytest.mark.parametrize("shape", [(3, 4), (2, 5, 2, 3)])
def test_pixel_norm(shape):
    x = normal(*shape)
    y = nn.PixelNorm()(tensor_of(x)).numpy()
    for index in np.ndindex(shape):
        pixel = x[(index[0], slice(None), *index[2:])]
        assert abs(y[index] - x[index] / math.sqrt((pixel**2).sum() / shape[1] + 1e-8)) < 1e-12
    assert not nn.PixelNorm()(tensor_of(np.zeros((1, 2)))).numpy().any()


# --- equalized learning rate ---


def equalized(**options):
    options = dict(gain=1.5, lrmul=0.5, dtype=np.float64, **options)
    return {
        "linear": (nn.EqualizedLinear(6, 5, **options), nn.Linear(6, 5), (4, 6), 6),
        "conv": (nn.EqualizedConv2d(4, 6, 3, 2, 1, groups=2, **options),
            nn.Conv2d(4, 6, 3, 2, 1, groups=2), (2, 4, 5, 5), 18),
        "transposed": (
            nn.EqualizedConvTranspose2d(4, 6, (4, 3), 2, 1, 1, **options),
            nn.ConvTranspose2d(4, 6, (4, 3), 2, 1, 1), (2, 4, 3, 3), 48,
        ),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["linear", "conv", "transposed"])
def test_equalized(kind):
    layer, plain, shape, fan_in = equalized()[kind]
    assert not layer.bias.detach().numpy().any()
    layer.load_state_dict({"bias": normal(*layer.bias.shape, seed=1)}, strict=False)
    p = arrays(layer)
    plain.double().load_state_dict(
        {"weight": p["weight"] * (1.5 / math.sqrt(fan_in) * 0.5), "bias": p["bias"] * 0.5}
    )
    x = tensor_of(normal(*shape))
    np.testing.assert_allclose(
        layer(x).detach().numpy(), plain(x).detach().numpy(), rtol=1e-10, atol=1e-12
    )
    assert list(equalized(bias=False)[kind][0].state_dict()) == ["weight"]
    assert equalized(bias=False)[kind][0](x).shape == layer(x).shape
    assert repr(layer).endswith("gain=1.5, lrmul=0.5)")


def test_equalized_weights_start_as_standard_normal_numbers():
    manual_seed(0)
    assert abs(arrays(nn.EqualizedLinear(100, 300))["weight"].std() - 1) < 0.02
    assert abs(arrays(nn.EqualizedConv2d(30, 40, 5, lrmul=0.1))["weight"].std() - 10) < 0.2
    y = nn.EqualizedLinear(400, 500)(tensor_of(normal(100, 400, dtype=np.float32))).detach().numpy()
    assert abs(y.std() - math.sqrt(2)) < 0.05, "He's constant by default"
    assert nn.EqualizedConvTranspose2d(8, 4, 4, 2, 1)(
        tensor_of(normal(2, 8, 3, 3, dtype=np.float32))
    ).shape == (2, 4, 6, 6)


# --- others ---


@pytest.mark.parametrize("kind", ["A", "B"])
def test_masked_convolution(kind):
    """Which input pixels does an output pixel depend on? Those before it in reading order, and with
    B itself."""
    layer = nn.MaskedConv2d(kind, 2, 3, 3, dtype=np.float64)
    x = tensor_of(normal(1, 2, 5, 6), True)
    y = layer(x)
    assert y.shape == (1, 3, 5, 6) and list(layer.state_dict()) == ["weight", "bias"]
    for row, column in [(0, 0), (2, 3), (4, 5), (3, 0)]:
        (g,) = grad(y[0, :, row, column].sum(), x, retain_graph=True)
        seen = {(int(i), int(j)) for i, j in zip(*np.nonzero(np.abs(g.numpy()[0]).sum(0)))}
        near = {
            (i, j) for i in range(5) for j in range(6) if abs(i - row) <= 1 and abs(j - column) <= 1
        }
        assert seen == {
            (i, j)
            for i, j in near
            if (i, j) < (row, column) or (kind == "B" and (i, j) == (row, column))
        }
    (w,) = grad((y * y).sum(), layer.weight)
    assert not w.numpy()[:, :, 2].any() and w.numpy()[:, :, 0].all(), (
        "what is masked does not learn"
    )
    assert nn.MaskedConv2d(kind, 1, 1, 5, dilation=2, stride=1)(
        tensor_of(normal(1, 1, 9, 9, dtype=np.float32))
    ).shape == (1, 1, 9, 9)
    with pytest.raises(ValueError, match="mask_type='C'"):
        nn.MaskedConv2d("C", 1, 1, 3)
    with pytest.raises(ValueError, match=r"\(4, 4\) has no centre"):
        nn.MaskedConv2d("A", 1, 1, 4)


def test_gaussian_noise():
    manual_seed(0)
    layer, x = nn.GaussianNoise(0.3), tensor_of(np.full((200, 100), 2, np.float32))
    noise = layer(x).numpy() - 2
    assert (
        noise.dtype == np.float32 and abs(noise.std() / 0.3 - 1) < 0.02 and abs(noise.mean()) < 0.01
    )
    assert not np.array_equal(layer(x).numpy() - 2, noise)
    assert layer.eval()(x) is x and nn.GaussianNoise(0.0)(x) is x
    (g,) = grad(layer.train()(x.requires_grad_()).sum(), x)
    assert (g.numpy() == 1).all()
    with pytest.raises(ValueError, match="std=-1"):
        nn.GaussianNoise(-1)


def test_gradient_reversal():
    """A gradient through it is that without it times -lambda, and so are its derivatives."""
    x, w = tensor_of(normal(4, 3), True), tensor_of(normal(3, 2, seed=1), True)
    layer = nn.GradientReversal(0.7)
    np.testing.assert_array_equal(layer(x).detach().numpy(), x.detach().numpy())

    def slopes(through):
        h = (x * x) @ w
        loss = ((layer(h) if through else h) ** 3).sum()
        g = grad(loss, [x, w], create_graph=True)
        return g, [
            grad((g[0] * tensor_of(normal(4, 3, seed=2))).sum(), t, retain_graph=True)[0]
            for t in (x, w)
        ]

    (first, _), (plain, _) = slopes(True), slopes(False)
    for a, b in zip(first, plain):
        np.testing.assert_allclose(a.detach().numpy(), -0.7 * b.detach().numpy(), rtol=1e-12)
    # Of second order: d/dg of the rule is -lambda again, so the cotangent that enters it comes out
    # reversed.
    y, g = layer(x), tensor_of(normal(4, 3, seed=3), True)
    (back,) = grad(y, x, g, create_graph=True)
    assert back.requires_grad
    (again,) = grad(back, g, tensor_of(np.ones((4, 3))))
    np.testing.assert_allclose(again.numpy(), -0.7)


SMOOTH = {
    "maxout": (lambda: nn.Maxout(3, 2, 2, dtype=np.float64), (4, 3)),
    "discrimination": (lambda: nn.MinibatchDiscrimination(3, 2, 2, dtype=np.float64), (4, 3)),
    "standard deviation": (lambda: nn.MinibatchStdDev(2), (4, 3, 2, 2)),
    "pixel norm": (lambda: nn.PixelNorm(), (4, 3, 2, 2)),
    "equalized linear": (lambda: nn.EqualizedLinear(3, 2, lrmul=0.5, dtype=np.float64), (4, 3)),
    "equalized convolution": (
        lambda: nn.EqualizedConv2d(2, 3, 3, padding=1, dtype=np.float64),
        (2, 2, 3, 3),
    ),
    "equalized transposed": (
        lambda: nn.EqualizedConvTranspose2d(2, 3, 2, 2, dtype=np.float64),
        (2, 2, 2, 3),
    ),
    "masked": (lambda: nn.MaskedConv2d("A", 2, 3, 3, dtype=np.float64), (2, 2, 3, 3)),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives(name):
    manual_seed(1)
    make, shape = SMOOTH[name]
    layer = make()
    names = [k for k, _ in layer.named_parameters()]

    def function(x, *parameters):
        return func.functional_call(layer, dict(zip(names, parameters)), x)

    inputs = [
        tensor_of(normal(*shape), True),
        *[tensor_of(p.detach().numpy().copy(), True) for p in layer.parameters()],
    ]
    gradcheck(function, inputs)
    gradgradcheck(function, inputs, directions=1)


@pytest.mark.parametrize("name", SMOOTH)
def test_other_library(name):
    """On arrays that refuse to meet NumPy's: the same numbers, none fetched."""
    manual_seed(1)
    make, shape = SMOOTH[name]
    layer, x = make(), normal(*shape)
    expected = layer(tensor_of(x)).detach().numpy()
    for t in [*layer.parameters(), *layer.buffers()]:
        t.data = fakecuda.asarray(t.array)
    fakecuda.syncs = 0
    with fakecuda.installed():
        y = layer(tensor_of(fakecuda.asarray(x), True))
        y.sum().backward()
    assert fakecuda.syncs == 0
    np.testing.assert_allclose(y.array.storage, expected, rtol=1e-10, atol=1e-12)
