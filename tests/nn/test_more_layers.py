"""Embedding, dropout of channels, distances, bilinear products, and the rest of the activations."""

import math

import numpy as np
import pytest

from minigan import Tensor, grad, gradgradcheck, manual_seed, nn
from minigan.autograd import tensor_of
from minigan.nn import functional as F


def normal(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def test_embedding():
    manual_seed(0)
    layer = nn.Embedding(200, 50)
    weight = layer.weight.detach().numpy()
    assert list(layer.state_dict()) == ["weight"] and weight.shape == (200, 50)
    assert abs(weight.mean()) < 0.03 and abs(weight.std() - 1) < 0.03
    index = np.array([[3, 3, 199], [0, 5, 3]])
    y = layer(tensor_of(index))
    np.testing.assert_array_equal(y.detach().numpy(), weight[index])
    g = normal(2, 3, 50)
    y.backward(tensor_of(g))
    expected = np.zeros_like(weight)
    for at, i in np.ndenumerate(index):
        expected[i] += g[at]
    np.testing.assert_allclose(layer.weight.grad.numpy(), expected, rtol=1e-6)
    assert layer(tensor_of(np.int32(7))).shape == (50,)


@pytest.mark.parametrize("padding", [2, -2])
def test_embedding_padding(padding):
    """The row of padding_idx starts as 0 and has no gradient, of first and second order."""
    layer = nn.Embedding(4, 3, padding_idx=padding, dtype=np.float64)
    assert layer.padding_idx == 2 and not layer.weight[2].detach().numpy().any()
    assert layer.weight[[0, 1, 3]].detach().numpy().all()
    y = layer(tensor_of(np.array([2, 0, 2, 2, 1])))
    g = tensor_of(np.ones((5, 3)), True)
    (dw,) = grad(y, layer.weight, g, create_graph=True)
    assert dw.detach().numpy()[:, 0].tolist() == [1, 1, 0, 0]
    (dg,) = grad((dw * 3).sum(), g)
    assert dg.numpy()[:, 0].tolist() == [0, 3, 0, 0, 3]


def test_embedding_from_pretrained():
    table = normal(4, 3)
    layer = nn.Embedding.from_pretrained(tensor_of(table), padding_idx=0)
    assert not layer.weight.requires_grad and layer.padding_idx == 0
    np.testing.assert_array_equal(layer(tensor_of(np.array([0, 3]))).numpy(), table[[0, 3]])
    assert nn.Embedding.from_pretrained(tensor_of(table), freeze=False).weight.requires_grad
    assert nn.Embedding(4, 3, _weight=tensor_of(table)).weight.requires_grad


def test_embedding_errors():
    layer = nn.Embedding(4, 3)
    with pytest.raises(IndexError, match=r"input ranges over \[1, 4\], weight has 4 rows"):
        layer(tensor_of(np.array([1, 4])))
    with pytest.raises(IndexError, match=r"\[-1, 0\]"):
        layer(tensor_of(np.array([-1, 0])))
    with pytest.raises(TypeError, match="input is float32, expected row numbers"):
        layer(tensor_of(np.float32([1])))
    with pytest.raises(ValueError, match="padding_idx=4 is no row of 4"):
        nn.Embedding(4, 3, padding_idx=4)
    with pytest.raises(ValueError, match=r"_weight has shape \(2, 3\), expected \(4, 3\)"):
        nn.Embedding(4, 3, _weight=tensor_of(normal(2, 3)))
    with pytest.raises(NotImplementedError, match="max_norm"):
        nn.Embedding(4, 3, max_norm=1.0)
    with pytest.raises(ValueError, match=r"expected embeddings \(rows, D\), got shape \(3,\)"):
        nn.Embedding.from_pretrained(tensor_of(normal(3)))


@pytest.mark.parametrize("kind, shape", [("1d", (40, 50, 3)), ("1d", (50, 3)), ("2d", (40, 50, 3,
    2)), ("2d", (40, 50, 3)),
                                         ("3d", (40, 50, 2, 1, 3)),
                                         ("3d", (50, 2, 1, 3))])  # fmt: skip
def test_dropout_of_channels(kind, shape):
    manual_seed(0)
    layer = getattr(nn, f"Dropout{kind}")(0.25)
    x = tensor_of(np.ones(shape, np.float32), requires_grad=True)
    y = layer(x)
    channels = y.detach().numpy().reshape(2000 if shape[0] == 40 else 50, -1)
    assert (channels == channels[:, :1]).all()
    np.testing.assert_allclose(np.unique(channels), [0, 4 / 3], rtol=1e-6)
    if shape[0] == 40:
        assert abs((channels[:, 0] == 0).mean() - 0.25) < 0.03
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())
    assert layer.eval()(x) is x and repr(layer) == f"Dropout{kind}(p=0.25, inplace=False)"


def test_dropout_errors():
    with pytest.raises(ValueError, match="Dropout2d: p=-1"):
        nn.Dropout2d(-1)
    with pytest.raises(
        ValueError, match=r"dropout2d: expected input of 3 or 4 dimensions, got shape \(2, 3\)"
    ):
        F.dropout2d(tensor_of(normal(2, 3)))
    with pytest.raises(ValueError, match="dropout1d: p=2"):
        F.dropout1d(tensor_of(normal(2, 3)), 2)
    with pytest.raises(ValueError, match="p=2 is no probability"):
        F.alpha_dropout(tensor_of(normal(2, 3)), 2, True)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_alpha_dropout_keeps_mean_and_variance(p):
    manual_seed(0)
    x = normal(500, 400, dtype=np.float64)
    layer = nn.AlphaDropout(p)
    y = layer(tensor_of(x)).numpy()
    assert abs(y.mean()) < 0.02 and abs(y.var() - 1) < 0.03
    values, counts = np.unique(y, return_counts=True)
    low = values[counts.argmax()]  # where x was dropped
    dropped = y == low
    assert abs(dropped.mean() - p) < 0.01
    # y = a x + b elsewhere, and a low' + b where dropped, low' = -1.7581 the limit of SELU
    a, b = np.polyfit(x[~dropped], y[~dropped], 1)
    np.testing.assert_allclose(a * -1.7580993408473766 + b, low, rtol=1e-6)
    assert layer.eval()(tensor_of(x)).numpy() is not None and np.array_equal(
        layer(tensor_of(x)).numpy(), x
    )
    assert not nn.AlphaDropout(1.0)(tensor_of(x)).numpy().any()


def test_distances():
    a, b = normal(4, 5, dtype=np.float64), normal(4, 5, seed=1, dtype=np.float64)
    cosine = [
        sum(x * y for x, y in zip(u, v)) / math.sqrt(sum(x * x for x in u) * sum(y * y for y in v))
        for u, v in zip(a, b)
    ]
    np.testing.assert_allclose(nn.CosineSimilarity()(tensor_of(a), tensor_of(b)).numpy(), cosine)
    np.testing.assert_allclose(
        nn.CosineSimilarity(dim=-1)(tensor_of(a[0]), tensor_of(b)).numpy()[0], cosine[0]
    )
    assert F.cosine_similarity(tensor_of(a[:, None]), tensor_of(b), dim=-1).shape == (4, 4)
    assert (
        not F.cosine_similarity(tensor_of(np.zeros((2, 3))), tensor_of(np.ones((2, 3))))
        .numpy()
        .any()
    )
    distance = [math.sqrt(sum((x - y + 1e-6) ** 2 for x, y in zip(u, v))) for u, v in zip(a, b)]
    np.testing.assert_allclose(nn.PairwiseDistance()(tensor_of(a), tensor_of(b)).numpy(), distance)
    assert nn.PairwiseDistance(1, keepdim=True)(tensor_of(a), tensor_of(b)).shape == (4, 1)


def test_bilinear():
    manual_seed(0)
    layer = nn.Bilinear(16, 30, 40)
    assert {k: v.shape for k, v in layer.state_dict().items()} == {
        "weight": (40, 16, 30),
        "bias": (40,),
    }
    for v in layer.state_dict().values():
        assert 0.9 / 4 < np.abs(v.numpy()).max() <= 1 / 4
    x, y = normal(2, 3, 16), normal(2, 3, 30)
    expected = (
        np.einsum("bci,oij,bcj->bco", x, layer.weight.detach().numpy(), y)
        + layer.bias.detach().numpy()
    )
    np.testing.assert_allclose(
        layer(tensor_of(x), tensor_of(y)).detach().numpy(), expected, rtol=1e-3, atol=1e-4
    )
    with pytest.raises(
        ValueError,
        match=r"inputs of shapes \(2, 3, 16\) and \(2, 3, 16\) do not fit a weight of shape \(40, "
        r"16, 30\)",
    ):
        layer(tensor_of(x), tensor_of(x))


def test_activations():
    x = normal(2, 4, 3, 5, dtype=np.float64)
    e = np.exp(x)
    np.testing.assert_allclose(nn.Softmax2d()(tensor_of(x)).numpy(), e / e.sum(1, keepdims=True))
    np.testing.assert_allclose(
        nn.Softmax2d()(tensor_of(x[0])).numpy(), (e / e.sum(1, keepdims=True))[0]
    )
    np.testing.assert_allclose(
        nn.Softmin(1)(tensor_of(x)).numpy(), 1 / e / (1 / e).sum(1, keepdims=True)
    )
    np.testing.assert_allclose(nn.GLU(1)(tensor_of(x)).numpy(), x[:, :2] / (1 + np.exp(-x[:, 2:])))
    np.testing.assert_allclose(nn.Mish()(tensor_of(x)).numpy(), x * np.tanh(np.log1p(e)))
    np.testing.assert_allclose(
        nn.Hardswish()(tensor_of(x * 4)).numpy(), x * 4 * np.clip(x * 4 + 3, 0, 6) / 6
    )
    with pytest.raises(
        ValueError,
        match=r"glu: dimension -1 of the input must be even to be halved, its shape is \(2, 4, 3, "
        r"5\)",
    ):
        nn.GLU()(tensor_of(x))
    with pytest.raises(ValueError, match="Softmax2d: expected input"):
        nn.Softmax2d()(tensor_of(x[0, 0]))
    assert nn.GLU(1).per_example and not nn.GLU(0).per_example


CALLS = [
    "Embedding(5, 3)", "Embedding(5, 3, padding_idx=1)", "Embedding(5, 3, padding_idx=-1)",
    "Embedding(5, 3, sparse=True)",
    "Dropout1d(0.3)", "Dropout2d()", "Dropout3d()", "AlphaDropout(0.1)", "CosineSimilarity()",
    "PairwiseDistance(1)", "Bilinear(2, 3, 4)",
    "Bilinear(2, 3, 4, bias=False)", "GLU()", "GLU(1)", "Mish()", "Hardswish()", "Softmin(1)",
    "Softmax2d()",
]  # fmt: skip


@pytest.mark.torch
@pytest.mark.parametrize("call", CALLS)
def test_reprs_and_states_like_torch(call):
    torch = pytest.importorskip("torch")
    ours, theirs = eval("nn." + call), eval("torch.nn." + call, {"torch": torch})
    assert repr(ours) == repr(theirs)
    assert {k: tuple(v.shape) for k, v in ours.state_dict().items()} == {
        k: tuple(v.shape) for k, v in theirs.state_dict().items()
    }


@pytest.mark.torch
def test_embedding_and_cosine_like_torch():
    torch = pytest.importorskip("torch")
    table = normal(6, 3, dtype=np.float64)
    index = np.array([[1, 5, 1], [2, 0, 5]])
    g = normal(2, 3, 3, seed=1, dtype=np.float64)
    for padding in (None, 1, -1):
        a, b = tensor_of(table, True), torch.from_numpy(table).requires_grad_()
        y = F.embedding(tensor_of(index), a, padding)
        z = torch.nn.functional.embedding(torch.from_numpy(index), b, padding)
        np.testing.assert_array_equal(y.detach().numpy(), z.detach().numpy())
        y.backward(tensor_of(g)), z.backward(torch.from_numpy(g))
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-12)
    for eps in (1e-8, 10.0):  # with 10 all norms are less than eps
        x1, x2 = table[None, :3], g
        y = F.cosine_similarity(tensor_of(x1), tensor_of(x2), dim=-1, eps=eps)
        z = torch.nn.functional.cosine_similarity(
            torch.from_numpy(x1), torch.from_numpy(x2), dim=-1, eps=eps
        )
        np.testing.assert_allclose(y.numpy(), z.numpy(), rtol=1e-12)


def test_prelu_of_numbers():
    """A 0-d input, a 0-d weight: torch's values."""
    w, x = Tensor([0.25], requires_grad=True), tensor_of(np.float32(-2.0), requires_grad=True)
    y = nn.functional.prelu(x, w)
    y.backward()
    assert y.shape == () and (y.item(), x.grad.item(), w.grad.tolist()) == (-0.5, 0.25, [-2.0])
    w, x = (
        tensor_of(np.float32(0.25), requires_grad=True),
        Tensor([[-2.0, 1.0], [-3.0, 4.0]], requires_grad=True),
    )
    y = nn.functional.prelu(x, w)
    y.sum().backward()
    assert (
        y.tolist() == [[-0.5, 1.0], [-0.75, 4.0]]
        and x.grad.tolist() == [[0.25, 1.0], [0.25, 1.0]]
        and w.grad.item() == -5.0
    )
    assert gradgradcheck(
        nn.functional.prelu,
        (
            tensor_of(np.float64(-1.3), requires_grad=True),
            tensor_of(np.array([0.3]), requires_grad=True),
        ),
    )
