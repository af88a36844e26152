"""Functional steps equal those of the optimizers, and their derivatives those of the whole
procedure."""

import numpy as np
import pytest

from minigan import cat, enable_grad, grad, gradcheck, gradgradcheck
from minigan.autograd import tensor_of
from minigan.optim import SGD, Adam, AdamW, RMSprop
from minigan.optim import functional as F

OPTIONS = [
    (SGD, dict(lr=0.1)), (SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.01)),
    (SGD, dict(lr=0.1, momentum=0.9, dampening=0.3)),
    (SGD, dict(lr=0.1, momentum=0.9, nesterov=True)), (Adam, dict(lr=0.1)),
    (Adam, dict(lr=0.1, betas=(0.5, 0.99), eps=1e-2)),
    (Adam, dict(lr=0.1, weight_decay=0.1, amsgrad=True)), (AdamW, dict(lr=0.1, weight_decay=0.3)),
]  # fmt: skip


def start(seed=0, dtype="float64"):
    rng = np.random.default_rng(seed)
    return [tensor_of(rng.normal(size=s).astype(dtype), True) for s in ((3, 2), (2,), ())]


def gradients(t, dtype="float64"):
    """Of step t; one parameter misses every third."""
    rng = np.random.default_rng(100 + t)
    values = [
        tensor_of(np.array(rng.normal(size=s) * (1 + t)).astype(dtype)) for s in ((3, 2), (2,), ())
    ]
    return [None if (t + i) % 3 == 0 and i == 1 else g for i, g in enumerate(values)]


@pytest.mark.parametrize("kind, options", OPTIONS)
@pytest.mark.parametrize("maximize", [False, True])
def test_the_same_steps(kind, options, maximize):
    """From the start, and from wherever the optimizer is, `follow` does the next steps of the
    optimizer."""
    for before in (0, 1, 4):
        parameters = start()
        optimizer = kind(parameters, maximize=maximize, **options)
        for t in range(before):
            optimizer.step_with(gradients(t))
        step, state = F.follow(optimizer, maximize)
        own = [p.detach().clone() for p in parameters]
        kept = [p.numpy().copy() for p in own]
        for t in range(before, before + 4):
            own, state = step(own, gradients(t), state)
        for p, k in zip(parameters, kept):
            np.testing.assert_array_equal(p.detach().numpy(), k, "the optimizer's parameters stay")
        for t in range(before, before + 4):
            optimizer.step_with(gradients(t))
        for a, b in zip(own, parameters):
            np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-14)


def test_float32_stays():
    for function, options in ((F.sgd, dict(lr=0.1, momentum=0.9)), (F.adam, {})):
        moved, state = function(start(dtype="float32"), gradients(1, "float32"), {}, **options)
        moved, state = function(moved, gradients(2, "float32"), state, **options)
        assert {p.dtype for p in moved} == {np.dtype("float32")}


def unrolled(function, options, steps):
    """The loss after `steps` inner steps on it, as a function of the parameters before and of data
    x."""

    def loss(w, b, x):
        return ((x @ w).tanh() * b - 1).square().mean()

    @enable_grad()
    def after(w, b, x):
        # Finite differences come without requires_grad, which the inner gradients need.
        parameters, state = (
            [p if p.requires_grad else p.detach().requires_grad_() for p in (w, b)],
            {},
        )
        for _ in range(steps):
            slopes = grad(loss(*parameters, x), parameters, create_graph=True)
            parameters, state = function(parameters, slopes, state, **options)
        return loss(*parameters, x)

    return after


@pytest.mark.parametrize(
    "function, options",
    [
        (F.sgd, dict(lr=0.3)), (F.sgd, dict(lr=0.3, momentum=0.8, nesterov=True, weight_decay=0.1)),
        (F.adam, dict(lr=0.1)), (F.adam, dict(lr=0.05, amsgrad=True, weight_decay=0.1)),
        (F.adam, dict(lr=0.1, decoupled_weight_decay=True, weight_decay=0.1)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("steps", [1, 3])
def test_derivatives_through_steps(function, options, steps):
    rng = np.random.default_rng(5)
    inputs = [tensor_of(rng.normal(size=s), True) for s in ((3, 2), (2,), (6, 3))]
    gradcheck(unrolled(function, options, steps), inputs)
    if steps == 1:
        gradgradcheck(unrolled(function, options, steps), inputs, directions=1)


def test_a_parameter_without_influence():
    """Gradients that are exactly 0 (a dead ReLU's) leave Adam's derivative finite."""
    w, x = tensor_of(np.array([1.0, -1.0]), True), tensor_of(np.array([2.0]), True)

    def loss(w):
        return ((w * x).relu() ** 2).sum()

    parameters, state = [w], {}
    for _ in range(2):
        parameters, state = F.adam(
            parameters, grad(loss(*parameters), parameters, create_graph=True), state, lr=0.1
        )
    (slope,) = grad(loss(*parameters), [x])
    assert parameters[0][1].item() == -1 and np.isfinite(slope.numpy()).all() and slope.item() != 0


def test_what_cannot_be_followed():
    with pytest.raises(TypeError, match="RMSprop with 1"):
        F.follow(RMSprop(start()))
    a, b, _ = start()
    with pytest.raises(TypeError, match="2 parameter groups"):
        F.follow(SGD([{"params": [a]}, {"params": [b]}], lr=0.1))


@pytest.mark.parametrize("kind, options", OPTIONS)
@pytest.mark.parametrize("before", [0, 3])
def test_joined(kind, options, before):
    """All parameters as one vector, without those that are frozen: the same numbers."""
    parameters = start()
    parameters[1].requires_grad_(False)
    optimizer = kind(parameters, **options)

    def slopes(t):
        return [g if p.requires_grad else None for g, p in zip(start(seed=50 + t), parameters)]

    for t in range(before):
        optimizer.step_with(slopes(t))
    step, state = F.follow(optimizer, joined=True)
    vector = cat([p.detach().flatten() for p in parameters if p.requires_grad])
    for t in range(before, before + 3):
        (vector,), state = step(
            [vector], [cat([g.flatten() for g in slopes(t) if g is not None])], state
        )
        optimizer.step_with(slopes(t))
    expected = np.concatenate([p.detach().numpy().ravel() for p in parameters if p.requires_grad])
    np.testing.assert_allclose(vector.detach().numpy(), expected, rtol=1e-12, atol=1e-14)


def test_joined_needs_one_number_of_steps():
    parameters = start()
    optimizer = Adam(parameters)
    optimizer.step_with([gradients(0)[0], None, None])
    with pytest.raises(ValueError, match="different numbers of steps"):
        F.follow(optimizer, joined=True)
