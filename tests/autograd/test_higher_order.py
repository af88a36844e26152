"""Derivatives of derivatives."""

import math

import numpy as np
import pytest

import minigan
from minigan.autograd import tensor_of


def test_fourth_derivative_of_a_power():
    x = tensor_of(np.array([1.5, -0.7, 2.0]), True)
    y = x * x * x * x * x
    expected = [5 * x.array**4, 20 * x.array**3, 60 * x.array**2, 120 * x.array, np.full(3, 120.0)]
    for e in expected:
        (y,) = minigan.grad(y.sum(), x, create_graph=True)
        np.testing.assert_allclose(y.array, e, rtol=1e-12)


@pytest.mark.parametrize("name, derivatives", [
    ("sin", [np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin, np.cos]),
    ("exp", [np.exp] * 5),
    ("log", [lambda x, n=n: (-1) ** (n - 1) * math.factorial(n - 1) / x**n for n in range(1, 6)]),
    ("reciprocal", [lambda x, n=n: (-1) ** n * math.factorial(n) / x ** (n + 1) for n in range(1,
                6)]),
    ("tanh", [
        lambda x: 1 - np.tanh(x) ** 2,
        lambda x: -2 * np.tanh(x) * (1 - np.tanh(x) ** 2),
        lambda x: (1 - np.tanh(x) ** 2) * (6 * np.tanh(x) ** 2 - 2),
    ]),
])  # fmt: skip
def test_chains_of_derivatives(name, derivatives):
    x = tensor_of(np.array([0.4, 0.9, 1.7]), True)
    y = getattr(x, name)()
    for d in derivatives:
        (y,) = minigan.grad(y.sum(), x, create_graph=True)
        np.testing.assert_allclose(y.array, d(x.array), rtol=1e-9)


def test_mixed_partials_in_every_order():
    def f(x, y):
        return (x * x * y * y * y).sum() + (x * y).sin().sum()

    a, b = np.array([0.5, 1.2]), np.array([-0.3, 0.8])
    x, y = tensor_of(a, True), tensor_of(b, True)
    expected = 12 * a * b - 2 * a * np.sin(a * b) - a * a * b * np.cos(a * b)  # d3/dx dy2
    for order in ([x, y, y], [y, x, y], [y, y, x]):
        g = f(x, y)
        for v in order:
            (g,) = minigan.grad(g.sum(), v, create_graph=True)
        np.testing.assert_allclose(g.array, expected, rtol=1e-10)


def test_derivative_with_respect_to_the_cotangent():
    """g = u * cos x is linear in u: its derivative in the direction of v is v * cos x."""
    x, u = tensor_of(np.array([0.3, 1.1]), True), tensor_of(np.array([2.0, -1.0]), True)
    (g,) = minigan.grad(x.sin(), x, u, create_graph=True)
    v = np.array([0.7, 0.2])
    gu, gx = minigan.grad(g, [u, x], tensor_of(v))
    np.testing.assert_allclose(gu.array, v * np.cos(x.array))
    np.testing.assert_allclose(gx.array, -v * u.array * np.sin(x.array))


class Net:
    """A small perceptron with tanh, weights as one list."""

    def __init__(self, seed=0, sizes=(3, 5, 4, 1)):
        rng = np.random.default_rng(seed)
        self.weights = [
            tensor_of(rng.standard_normal((o, i)) / np.sqrt(i), True)
            for i, o in zip(sizes, sizes[1:])
        ]
        self.biases = [tensor_of(rng.standard_normal(o) * 0.1, True) for o in sizes[1:]]
        self.parameters = [*self.weights, *self.biases]

    def __call__(self, x):
        for i, (w, b) in enumerate(zip(self.weights, self.biases)):
            x = minigan.linear(x, w, b)
            if i < len(self.weights) - 1:
                x = x.tanh()
        return x


def along(parameters, directions, value, h):
    """Central difference of `value()` when all parameters move along `directions`."""
    starts = [p.array for p in parameters]

    def at(t):
        for p, s, d in zip(parameters, starts, directions):
            p.data = s + t * d
        return value()

    difference = (at(h) - at(-h)) / (2 * h)
    for p, s in zip(parameters, starts):
        p.data = s
    return difference


def test_hessian_vector_product():
    """H v of a perceptron's loss: the derivative of its gradient along v."""
    net, rng = Net(), np.random.default_rng(1)
    x = tensor_of(rng.standard_normal((6, 3)))
    v = [rng.standard_normal(p.shape) for p in net.parameters]

    def gradient(create_graph=False):
        y = net(x)
        return minigan.grad((y * y).sum(), net.parameters, create_graph=create_graph)

    products = minigan.grad(gradient(True), net.parameters, [tensor_of(d) for d in v])
    for i, product in enumerate(products):
        numeric = along(net.parameters, v, lambda: gradient()[i].array, 1e-5)
        np.testing.assert_allclose(product.array, numeric, rtol=1e-6, atol=1e-7)


def test_gradient_penalty_of_a_linear_critic():
    """D(x) = w x: the gradient with respect to x is w everywhere, so the penalty is (|w| - 1)^2."""
    w = tensor_of(np.array([[0.6, -1.2, 2.0]]), True)
    x = tensor_of(np.random.default_rng(0).standard_normal((4, 3)), True)
    (g,) = minigan.grad(minigan.linear(x, w).sum(), x, create_graph=True)
    penalty = (((g * g).sum(1).sqrt() - 1) ** 2).mean()
    norm = np.linalg.norm(w.array)
    np.testing.assert_allclose(penalty.item(), (norm - 1) ** 2)
    penalty.backward()
    np.testing.assert_allclose(w.grad.array, 2 * (norm - 1) * w.array / norm)


def test_gradient_penalty_of_a_perceptron():
    """Its gradient with respect to the weights, against differences of the penalty, which takes a
    backward pass itself."""
    net, rng = Net(2), np.random.default_rng(3)
    x = tensor_of(rng.standard_normal((5, 3)), True)

    def penalty(create_graph):
        (g,) = minigan.grad(net(x).sum(), x, create_graph=create_graph)
        return (((g * g).sum(1).sqrt() - 1) ** 2).mean()

    found = minigan.grad(penalty(True), net.parameters, allow_unused=True)
    assert found[-1] is None  # the last bias does not change the slope
    v = [rng.standard_normal(p.shape) for p in net.parameters]
    total = sum((g.array * d).sum() for g, d in zip(found, v) if g is not None)
    np.testing.assert_allclose(
        total, along(net.parameters, v, lambda: penalty(False).item(), 1e-5), rtol=1e-7
    )


def test_gradient_through_a_step_of_descent():
    """An unrolled step, w' = w - lr dL/dw, differentiated with respect to lr and the start."""
    w, lr = tensor_of(np.array([1.0, -2.0]), True), tensor_of(np.array(0.1), True)
    (g,) = minigan.grad((w * w * w).sum(), w, create_graph=True)
    after = w - lr * g
    loss = (after * after).sum()
    gw, glr = minigan.grad(loss, [w, lr])
    a = w.array
    new = a - 0.1 * 3 * a * a
    np.testing.assert_allclose(gw.array, 2 * new * (1 - 0.1 * 6 * a))
    np.testing.assert_allclose(glr.item(), (2 * new * -3 * a * a).sum())


def test_backward_with_create_graph():
    x = tensor_of(np.array([2.0]), True)
    (x * x * x).backward(create_graph=True)
    g, x.grad = x.grad, None
    assert g.requires_grad
    g.backward()
    assert x.grad.item() == 12


def test_gradient_of_a_constant_slope_does_not_require_grad():
    x = tensor_of(np.array([2.0]), True)
    (g,) = minigan.grad(x * 3.0, x, create_graph=True)
    assert g.item() == 3 and not g.requires_grad
