"""What torch warns of and does all the same: once-a-place `UserWarning`s, and torch's values."""

import warnings

import numpy as np
import pytest

import minigan
import minigan.nn.functional as F
from minigan import nn, optim
from minigan.autograd import Function

X = minigan.tensor([[1.0, 2.0, 4.0], [0.0, -1.0, 3.0]])
T = minigan.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize(
    "shape, dim",
    [((), 0), ((4,), 0), ((2, 3), 1), ((2, 3, 2), 0), ((2, 3, 2, 2), 1), ((1, 2, 1, 2, 2), 1)],
)
def test_softmax_without_a_dimension(name, shape, dim):
    x = minigan.arange(float(np.prod(shape))).reshape(shape)
    module = {"softmax": nn.Softmax, "log_softmax": nn.LogSoftmax, "softmin": nn.Softmin}[name]
    for call in (getattr(F, name), module()):
        with pytest.warns(UserWarning, match=f"Implicit dimension choice for {name}"):
            found = call(x)
        assert minigan.equal(found, getattr(F, name)(x, dim))


@pytest.mark.parametrize("old, reduction", [
    ({"size_average": True}, "mean"), ({"size_average": False}, "sum"), ({"reduce": False}, "none"),
    ({"reduce": True}, "mean"),
    ({"size_average": False, "reduce": True}, "sum"),
    ({"size_average": True, "reduce": False}, "none"),
])  # fmt: skip
def test_size_average_and_reduce(old, reduction):
    classes = minigan.tensor([2, 0])
    signs = T * 2 - 1
    elementwise = {
        "mse_loss": (X, T), "l1_loss": (X, T), "smooth_l1_loss": (X, T),
        "binary_cross_entropy": (X.sigmoid(), T),
        "binary_cross_entropy_with_logits": (X, T), "kl_div": (X, T),
        "hinge_embedding_loss": (X, signs), "soft_margin_loss": (X, signs),
        "margin_ranking_loss": (X, T, signs), "cross_entropy": (X, classes),
        "nll_loss": (X, classes),
    }  # fmt: skip
    for name, arguments in elementwise.items():
        with pytest.warns(
            UserWarning,
            match="size_average and reduce args will be deprecated, please use "
            f"reduction='{reduction}'",
        ):
            found = getattr(F, name)(*arguments, **old)
        assert minigan.equal(found, getattr(F, name)(*arguments, reduction=reduction)), name
    modules = [
        nn.MSELoss,
        nn.L1Loss,
        nn.SmoothL1Loss,
        nn.BCELoss,
        nn.BCEWithLogitsLoss,
        nn.KLDivLoss,
        nn.HingeEmbeddingLoss,
    ]
    for kind in (
        *modules,
        nn.SoftMarginLoss,
        nn.MarginRankingLoss,
        nn.CrossEntropyLoss,
        nn.NLLLoss,
    ):
        with pytest.warns(UserWarning, match="size_average and reduce"):
            assert kind(**old).reduction == reduction


def test_old_arguments_by_position():
    w = minigan.tensor([1.0, 2.0, 3.0])
    with pytest.warns(UserWarning, match="size_average"):
        assert F.mse_loss(X, T, False).item() == F.mse_loss(X, T, reduction="sum").item()
    with pytest.warns(UserWarning, match="size_average"):
        assert minigan.equal(F.cross_entropy(X, minigan.tensor([2, 0]), w, None, 2, False),
            minigan.tensor([0.0, F.cross_entropy(
            X[1:], minigan.tensor([0]), w, reduction="sum").item()]))  # fmt: skip
    with pytest.warns(UserWarning, match="size_average"):
        assert nn.BCELoss(None, False).reduction == "sum"
    with pytest.warns(UserWarning, match="size_average"):
        assert nn.MSELoss(False).reduction == "sum"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (
            nn.MSELoss("sum").reduction == "sum"
            and nn.MSELoss(None, None, "none").reduction == "none"
        )
        assert F.mse_loss(X, T, None, None, "sum").item() == F.mse_loss(X, T, "sum").item() == 21.0
        assert (
            nn.CrossEntropyLoss(w, None, 1).ignore_index == 1
            and nn.NLLLoss(None, None, 3).ignore_index == 3
        )


def test_a_target_that_broadcasts():
    x, t = minigan.tensor([[3.0]], requires_grad=True), minigan.tensor([1.0])
    for loss, value, slope in (
        (F.mse_loss, 4.0, 4.0),
        (F.l1_loss, 2.0, 1.0),
        (F.smooth_l1_loss, 1.5, 1.0),
        (F.huber_loss, 1.5, 1.0),
    ):
        with pytest.warns(UserWarning, match="different to the input size"):
            y = loss(x, t)
        assert y.item() == value and minigan.grad(y, x)[0].tolist() == [[slope]]
    with pytest.warns(UserWarning, match="different to the input size"):
        # 16 differences, as torch
        assert nn.MSELoss()(minigan.arange(4.0)[:, None], minigan.arange(4.0)).item() == 2.5
    for loss in (F.kl_div, F.hinge_embedding_loss, F.soft_margin_loss):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert loss(x, t, reduction="none").shape == (1, 1)


def test_the_warning_comes_once_a_place():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            F.softmax(X)
            F.mse_loss(X[:1, :1], T[0, :1])
    assert [w.category for w in caught] == [UserWarning, UserWarning] and {
        w.filename for w in caught
    } == {__file__}


# p and q after three steps of an optimiser of [p, q, p] for sum p^2 + sum q^3, both 1 at first: of
# PyTorch 2.13
TWICE = {
    "SGD": (0.2160000205, 0.4612572789), "Adam": (0.4123364091, 0.7041537166),
    "AdamW": (0.4080117047, 0.7015196681),
    "RMSprop": (-0.0256716311, 0.0), "Adagrad": (0.6617183685, 0.7892398238),
}  # fmt: skip


@pytest.mark.parametrize("size", [3, 20000])
@pytest.mark.parametrize("name", TWICE)
def test_a_parameter_given_twice(name, size):
    p_after, q_after = TWICE[name]
    p, q = minigan.ones(size, requires_grad=True), minigan.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="appears twice in its parameter group"):
        optimizer = getattr(optim, name)([p, q, p], lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        ((p * p).sum() + (q * q * q).sum()).backward()
        optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), p_after, rtol=2e-6)
    np.testing.assert_allclose(q.detach().numpy(), q_after, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    "options, p_after, buffer",
    [
        (dict(momentum=0.9), [-0.7046999, 1.4093999], [2.8169997, -5.6339993]),
        (
            dict(momentum=0.9, nesterov=True, weight_decay=0.1),
            [-0.3898995, 0.7797990],
            [0.7814316, -1.5628631],
        ),
        (dict(momentum=0.5, dampening=0.3), [0.024, -0.048], [0.944, -1.888]),
    ],
)
def test_momentum_of_a_parameter_given_twice(options, p_after, buffer):
    """Its first step is twice a first step: PyTorch's values."""
    p, q = minigan.tensor([1.0, -2.0], requires_grad=True), minigan.ones(1, requires_grad=True)
    with pytest.warns(UserWarning, match="appears twice in its parameter group"):
        optimizer = optim.SGD([p, q, p], lr=0.1, **options)
    for _ in range(3):
        optimizer.zero_grad()
        ((p * p).sum() + (q * q).sum()).backward()
        optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), p_after, rtol=2e-6)
    np.testing.assert_allclose(optimizer.state[p]["momentum_buffer"].numpy(), buffer, rtol=2e-6)


def test_a_backward_with_more_nones_than_arguments():
    class Double(Function):
        @staticmethod
        def forward(ctx, x, factor):
            return x * factor

        @staticmethod
        def backward(ctx, g):
            return g * 2, None, None, None

    x = minigan.ones(2, requires_grad=True)
    Double.apply(x, 2).sum().backward()
    assert x.grad.tolist() == [2, 2]

    class Wrong(Double):
        @staticmethod
        def backward(ctx, g):
            return g, None, g

    with pytest.raises(ValueError, match="3 gradients for 2 arguments"):
        Wrong.apply(x, 2).sum().backward()
