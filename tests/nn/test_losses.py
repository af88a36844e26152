"""Losses against their formulas, one number after the other. Their gradients are in the table of
tests/ops."""

import math

import numpy as np
import pytest

from minigan import Tensor, grad, nn
from minigan.autograd import tensor_of
from minigan.nn import functional as F

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4)) * 2
T = RNG.standard_normal((3, 4))
P = RNG.uniform(0.05, 0.95, (3, 4))
Q = RNG.uniform(0, 1, (3, 4))
SIGN = np.where(T > 0, 1.0, -1.0)


def log_sigmoid(v):
    return -math.log(1 + math.exp(-v))


def cases():
    yield nn.MSELoss, {}, X, T, lambda x, t: (x - t) ** 2
    yield nn.L1Loss, {}, X, T, lambda x, t: abs(x - t)
    yield (
        nn.SmoothL1Loss,
        {"beta": 0.7},
        X,
        T,
        lambda x, t: (x - t) ** 2 / 1.4 if abs(x - t) < 0.7 else abs(x - t) - 0.35,
    )
    yield nn.SmoothL1Loss, {"beta": 0.0}, X, T, lambda x, t: abs(x - t)
    yield (
        nn.HuberLoss,
        {"delta": 0.7},
        X,
        T,
        lambda x, t: (x - t) ** 2 / 2 if abs(x - t) <= 0.7 else 0.7 * (abs(x - t) - 0.35),
    )
    yield nn.BCELoss, {}, P, Q, lambda x, t: -(t * math.log(x) + (1 - t) * math.log(1 - x))
    yield (
        nn.BCEWithLogitsLoss,
        {},
        X,
        Q,
        lambda x, t: -(t * log_sigmoid(x) + (1 - t) * log_sigmoid(-x)),
    )
    yield nn.KLDivLoss, {}, X, Q, lambda x, t: t * (math.log(t) - x)
    yield nn.KLDivLoss, {"log_target": True}, X, T, lambda x, t: math.exp(t) * (t - x)
    yield (
        nn.HingeEmbeddingLoss,
        {"margin": 0.5},
        X,
        SIGN,
        lambda x, t: x if t == 1 else max(0, 0.5 - x),
    )
    yield nn.SoftMarginLoss, {}, X, SIGN, lambda x, t: math.log(1 + math.exp(-t * x))


def expect(values, reduction):
    return {"mean": np.sum(values) / np.size(values), "sum": np.sum(values), "none": values}[
        reduction
    ]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("kind, options, x, t, formula", list(cases()))
def test_elementwise(kind, options, x, t, formula, reduction):
    values = np.array([[formula(float(a), float(b)) for a, b in zip(*rows)] for rows in zip(x, t)])
    loss = kind(reduction=reduction, **options)(tensor_of(x), tensor_of(t))
    np.testing.assert_allclose(loss.numpy(), expect(values, reduction), rtol=1e-10)
    single = kind(reduction=reduction, **options)(
        tensor_of(x.astype(np.float32)), tensor_of(t.astype(np.float32))
    )
    assert single.dtype == np.float32
    np.testing.assert_allclose(single.numpy(), expect(values, reduction), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_weights_of_binary_cross_entropy(reduction):
    w, p = RNG.uniform(0.5, 2, (4,)), RNG.uniform(0.5, 3, (4,))
    plain = -(Q * np.log(P) + (1 - Q) * np.log(1 - P)) * w
    found = nn.BCELoss(tensor_of(w), reduction)(tensor_of(P), tensor_of(Q)).numpy()
    np.testing.assert_allclose(found, expect(plain, reduction), rtol=1e-10)
    s = 1 / (1 + np.exp(-X))
    both = -(p * Q * np.log(s) + (1 - Q) * np.log(1 - s)) * w
    loss = nn.BCEWithLogitsLoss(tensor_of(w), reduction=reduction, pos_weight=tensor_of(p))(
        tensor_of(X), tensor_of(Q)
    )
    np.testing.assert_allclose(loss.numpy(), expect(both, reduction), rtol=1e-10)
    with pytest.raises(ValueError, match="does not broadcast|broadcast"):
        F.binary_cross_entropy(tensor_of(P), tensor_of(Q), tensor_of(np.ones((2, 3, 4))))


def test_margin_ranking():
    y = np.maximum(0, 0.3 - SIGN * (X - T))
    np.testing.assert_allclose(
        nn.MarginRankingLoss(0.3, "none")(tensor_of(X), tensor_of(T), tensor_of(SIGN)).numpy(),
        y,
        rtol=1e-10,
    )


def test_margin_ranking_broadcasts():
    a = Tensor([[1.0, 2.0], [3.0, 4.0]])
    b = Tensor([[2.0], [1.0]])
    y = Tensor([[1.0, -1.0]])
    assert F.margin_ranking_loss(a, b, y, 0.5, reduction="none").tolist() == [
        [1.5, 0.5],
        [0.0, 3.5],
    ]
    with pytest.raises(ValueError, match=r"have shapes \(2, 2\), \(2,\), \(1, 2\): they need"):
        F.margin_ranking_loss(a, Tensor([2.0, 1.0]), y)


def test_kl_div_of_targets_that_want_gradients():
    """The values are torch's."""
    t = tensor_of(np.array([[0.25, 0.75]]), requires_grad=True)
    x = tensor_of(np.array([[-2.0, -0.5]]), requires_grad=True)
    gx, gt = grad(F.kl_div(x, t, reduction="sum"), [x, t], create_graph=True)
    np.testing.assert_allclose(gx.detach().numpy(), [[-0.25, -0.75]])
    np.testing.assert_allclose(gt.detach().numpy(), [[1.6137, 1.2123]], atol=5e-5)
    second = grad((gx * gx).sum() + (gt * gt).sum(), [x, t])
    np.testing.assert_allclose(second[0].numpy(), [[-3.2274, -2.4246]], atol=5e-5)
    np.testing.assert_allclose(second[1].numpy(), [[13.4096, 4.7328]], atol=5e-5)
    with np.errstate(invalid="ignore"):
        assert np.isnan(F.kl_div(x.detach(), -t.detach(), reduction="none").numpy()).all(), (
            "no probabilities"
        )


def test_batchmean_of_one_number():
    assert F.kl_div(
        tensor_of(np.float32(-1.0)), tensor_of(np.float32(0.5)), reduction="batchmean"
    ).item() == pytest.approx(0.1534, abs=5e-5)


def test_batchmean():
    value = np.sum(Q * (np.log(Q) - X)) / 3
    np.testing.assert_allclose(
        F.kl_div(tensor_of(X), tensor_of(Q), reduction="batchmean").numpy(), value, rtol=1e-10
    )
    zero = F.kl_div(tensor_of(X), tensor_of(np.zeros((3, 4))), reduction="none")
    assert not zero.numpy().any(), "0 log 0 is 0"


def test_extreme_values():
    """Probabilities of exactly 0 and 1, and logits far out, in float32: finite, with useful
    gradients, no warnings."""
    x = tensor_of(np.float32([0, 1, 0, 1]), requires_grad=True)
    with np.errstate(all="raise"):
        loss = F.binary_cross_entropy(x, tensor_of(np.float32([0, 1, 1, 0])), reduction="none")
        (g,) = grad(loss.sum(), [x])
    np.testing.assert_allclose(loss.detach().numpy(), [0, 0, 100, 100], rtol=1e-6)
    assert np.isfinite(g.numpy()).all() and g.numpy()[2] < 0 < g.numpy()[3]
    z = tensor_of(np.float32([-500, 500, -500, 500]), requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(
        z, tensor_of(np.float32([0, 1, 1, 0])), reduction="none"
    )
    np.testing.assert_allclose(loss.detach().numpy(), [0, 0, 500, 500], rtol=1e-6)
    (g,) = grad(
        F.binary_cross_entropy_with_logits(z, tensor_of(np.float32([0, 1, 1, 0])), reduction="sum"),
        [z],
    )
    np.testing.assert_allclose(g.numpy(), [0, 0, -1, 1], atol=1e-6)


def softmax_loss(x, weights=None):
    """log softmax of (N, C) rows."""
    return np.array(
        [
            [v - max(r) - math.log(sum(math.exp(u - max(r)) for u in r)) for v in r]
            for r in x.tolist()
        ]
    )


CLASS_OPTIONS = [
    {},
    {"weight": True},
    {"ignore_index": 2},
    {"label_smoothing": 0.3},
    {"weight": True, "ignore_index": 1, "label_smoothing": 0.1},
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("options", CLASS_OPTIONS)
@pytest.mark.parametrize("extra", [(), (2, 3)])
def test_cross_entropy_of_class_numbers(options, reduction, extra):
    c = 4
    x, t = RNG.standard_normal((5, c, *extra)) * 3, RNG.integers(0, c, (5, *extra))
    w = RNG.uniform(0.5, 2, c) if options.get("weight") else np.ones(c)
    ignored, e = options.get("ignore_index", -100), options.get("label_smoothing", 0.0)
    logp = softmax_loss(np.moveaxis(x, 1, -1).reshape(-1, c))
    losses, total = [], 0.0
    for row, k in zip(logp, t.reshape(-1)):
        losses.append(
            0.0
            if k == ignored
            else -sum(w[j] * row[j] * ((1 - e) * (j == k) + e / c) for j in range(c))
        )
        total += 0.0 if k == ignored else w[k]
    losses = np.reshape(losses, t.shape)
    expected = {"none": losses, "sum": losses.sum(), "mean": losses.sum() / total}[reduction]
    given = {**options, "weight": tensor_of(w) if "weight" in options else None}
    np.testing.assert_allclose(
        nn.CrossEntropyLoss(reduction=reduction, **given)(tensor_of(x), tensor_of(t)).numpy(),
        expected,
        rtol=1e-9,
    )
    if not e:
        logs = np.moveaxis(logp.reshape(5, *extra, c), -1, 1)
        given.pop("label_smoothing", None)
        np.testing.assert_allclose(
            nn.NLLLoss(reduction=reduction, **given)(tensor_of(logs), tensor_of(t)).numpy(),
            expected,
            rtol=1e-9,
        )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("e", [0.0, 0.2])
def test_cross_entropy_of_probabilities(reduction, e):
    t = Q / Q.sum(1, keepdims=True)
    w = RNG.uniform(0.5, 2, 4)
    losses = -(softmax_loss(X) * w * (t * (1 - e) + e / 4)).sum(1)
    loss = F.cross_entropy(
        tensor_of(X), tensor_of(t), tensor_of(w), reduction=reduction, label_smoothing=e
    )
    np.testing.assert_allclose(loss.numpy(), expect(losses, reduction), rtol=1e-9)


def test_one_sample_without_a_batch():
    expected = -softmax_loss(X[:1])[0, 2]
    np.testing.assert_allclose(
        F.cross_entropy(tensor_of(X[0]), tensor_of(np.array(2))).numpy(), expected, rtol=1e-9
    )


def test_shapes_must_agree():
    a, b = tensor_of(np.zeros((4, 1))), tensor_of(np.zeros(4))
    distances = [F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss]
    entropies = [F.binary_cross_entropy, F.binary_cross_entropy_with_logits]
    for loss in (*distances, *entropies, F.kl_div, F.hinge_embedding_loss, F.soft_margin_loss):
        if loss in entropies:
            with pytest.raises(
                ValueError, match=rf"{loss.__name__}.*input has shape \(4, 1\), target \(4,\)"
            ):
                loss(a, b)
        if loss in distances:
            with pytest.warns(
                UserWarning, match=rf"{loss.__name__}: using a target size \(\(4,\)\)"
            ):
                assert loss(a, b, reduction="none").shape == (4, 4)
        with pytest.raises(TypeError, match="target must be a Tensor"):
            loss(a, 1.0)
        with pytest.raises(ValueError, match="reduction='average'"):
            loss(a, a, reduction="average")


def test_errors_of_class_losses():
    x = tensor_of(np.zeros((3, 4)))
    with pytest.raises(ValueError, match=r"target must have shape \(3,\), it has \(4,\)"):
        F.cross_entropy(x, tensor_of(np.zeros(4, np.int64)))
    with pytest.raises(IndexError, match="from 0 to 4, input has classes 0 to 3"):
        F.cross_entropy(x, tensor_of(np.array([0, 4, 1])))
    with pytest.raises(TypeError, match="class numbers"):
        F.nll_loss(x, tensor_of(np.zeros(3)))
    with pytest.raises(ValueError, match="one for each class"):
        F.nll_loss(x, tensor_of(np.zeros(3, np.int64)), tensor_of(np.ones(3)))
    with pytest.raises(
        ValueError, match=r"in \[0, 1\].*from -1 to 2.*binary_cross_entropy_with_logits"
    ):
        F.binary_cross_entropy(tensor_of(np.array([-1.0, 2.0])), tensor_of(np.zeros(2)))


def test_one_hot():
    y = F.one_hot(tensor_of(np.array([[0, 2], [1, 0]])), 4)
    assert y.dtype == np.int64 and y.shape == (2, 2, 4)
    assert [np.flatnonzero(row).tolist() for row in y.numpy().reshape(-1, 4)] == [
        [0],
        [2],
        [1],
        [0],
    ]
    assert F.one_hot(tensor_of(np.array([0, 2]))).shape == (2, 3)
    with pytest.raises(ValueError, match="from 0 to 2, num_classes is 2"):
        F.one_hot(tensor_of(np.array([0, 2])), 2)


def test_normalize_and_cosine_similarity():
    y = F.normalize(tensor_of(X)).numpy()
    np.testing.assert_allclose(y, X / np.sqrt((X * X).sum(1, keepdims=True)), rtol=1e-10)
    assert not F.normalize(tensor_of(np.zeros((2, 3)))).numpy().any()
    cosine = [
        sum(a * b for a, b in zip(u, v)) / math.dist(u, u * 0) / math.dist(v, v * 0)
        for u, v in zip(X, T)
    ]
    np.testing.assert_allclose(
        F.cosine_similarity(tensor_of(X), tensor_of(T)).numpy(), cosine, rtol=1e-10
    )
