"""Jacobians, Hessians and products with them: against matrices that are known."""

import numpy as np
import pytest

import minigan
from minigan.autograd import tensor_of
from minigan.ops.derivatives import hessian, hvp, jacobian, jvp, vhp, vjp

RNG = np.random.default_rng(0)
A = RNG.standard_normal((2, 3))
H = RNG.standard_normal((3, 3))
H = H + H.T


def tensor(array):
    return tensor_of(np.array(array, np.float64))


def linear(x):
    return tensor(A) @ x


def quadratic(x):
    return (x * (tensor(H) @ x)).sum() / 2 + x.pow(3).sum()


X = np.array([0.5, -1.0, 2.0])
V = np.array([1.0, 2.0, -1.0])
HESSIAN = H + np.diag(6 * X)


def near(found, expected):
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-12)


def test_of_one_tensor():
    x, v, w = tensor(X), tensor(V), tensor([3.0, -2.0])
    near(jacobian(linear, x), A)
    near(hessian(quadratic, x), HESSIAN)
    y, found = vjp(linear, x, w)
    near(y, A @ X)
    near(found, w.numpy() @ A)
    y, found = jvp(linear, x, v)
    near(y, A @ X)
    near(found, A @ V)
    for product in (hvp, vhp):
        y, found = product(quadratic, x, v)
        near(y, quadratic(x).numpy())
        near(found, HESSIAN @ V)
        assert not y.requires_grad and not found.requires_grad
    assert not jacobian(linear, x).requires_grad and not x.requires_grad


def test_of_several_tensors():
    x, y = tensor(X), tensor([1.0, 4.0])

    def function(x, y):
        return x[:2] * y, x.sum()

    (xx, xy), (sx, sy) = jacobian(function, (x, y))
    near(xx, [[1, 0, 0], [0, 4, 0]])
    near(xy, [[0.5, 0], [0, -1]])
    near(sx, [1, 1, 1])
    near(sy, [0, 0])
    (_, _), (a, b) = jvp(function, (x, y), (tensor(V), tensor([1.0, 1.0])))
    near(a, [1 + 0.5, 2 * 4 - 1])
    near(b, 2)
    _, (gx, gy) = vjp(function, (x, y), (tensor([1.0, 1.0]), tensor(2.0)))
    near(gx, [1 + 2, 4 + 2, 2])
    near(gy, [0.5, -1])
    (hxx, hxy), (hyx, hyy) = hessian(lambda x, y: (x[:2] * y).sum(), (x, y))
    near(hxx, np.zeros((3, 3)))
    near(hxy, [[1, 0], [0, 1], [0, 0]])
    near(hyx, hxy.numpy().T)
    near(hyy, np.zeros((2, 2)))


def test_they_can_be_differentiated():
    x = tensor(X).requires_grad_()
    (g,) = minigan.grad(jacobian(lambda x: x**3, x, create_graph=True).sum(), x)
    near(g, 6 * X)
    _, found = hvp(lambda x: x.pow(4).sum(), x, tensor(V), create_graph=True)
    (g,) = minigan.grad(found.sum(), x)
    near(g, 24 * X * V)
    _, found = jvp(lambda x: x**3, x, tensor(V), create_graph=True)
    (g,) = minigan.grad(found.sum(), x)
    near(g, 6 * X * V)


def test_without_recording():
    x = tensor(X).requires_grad_()
    with minigan.no_grad():
        near(jacobian(lambda x: x**3, x), np.diag(3 * X**2))
        near(hessian(quadratic, x), HESSIAN)
        near(vjp(linear, x, tensor([1.0, 1.0]))[1], A.sum(0))
        near(jvp(linear, x, tensor(V))[1], A @ V)
        near(hvp(quadratic, x, tensor(V))[1], HESSIAN @ V)
    assert x.grad is None


def test_what_does_not_depend():
    x = tensor(X)
    near(jacobian(lambda x: tensor([1.0, 2.0]), x), np.zeros((2, 3)))
    near(hessian(lambda x: x.sum(), x), np.zeros((3, 3)))
    near(jvp(lambda x: tensor([1.0, 2.0]), x, tensor(V))[1], [0, 0])
    for call in (jacobian, jvp):
        with pytest.raises(RuntimeError, match="does not depend"):
            call(lambda x: tensor([1.0]), tensor([1.0]), strict=True)
    assert jacobian(lambda x: x[:0], x).shape == (0, 3)


def test_errors():
    x = tensor(X)
    with pytest.raises(RuntimeError, match="the result is one element"):
        hessian(linear, x)
    with pytest.raises(RuntimeError, match="may be omitted only where the result is one element"):
        vjp(linear, x)
    with pytest.raises(RuntimeError, match=r"v has shapes \[\(2,\)\], the input \[\(3,\)\]"):
        jvp(linear, x, tensor([1.0, 2.0]))
