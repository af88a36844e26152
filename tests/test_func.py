"""Functions of functions: their derivatives, of every order and of trees, and vmap."""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.autograd import tensor_of
from minigan.func import (
    functional_call,
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    vjp,
    vmap,
)

RNG = np.random.default_rng(0)
A = RNG.standard_normal((2, 3))
X = np.array([0.5, -1.0, 2.0])


def tensor(array):
    return tensor_of(np.array(array, np.float64))


def near(found, expected):
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-12)


def cubes(x):
    return x.pow(3).sum()


def test_gradients_of_every_order():
    x = tensor(X)
    near(grad(cubes)(x), 3 * X**2)
    near(grad(lambda x: grad(cubes)(x).sum())(x), 6 * X)
    near(grad(lambda x: grad(lambda x: grad(cubes)(x).sum())(x).sum())(x), [6, 6, 6])
    near(hessian(cubes)(x), np.diag(6 * X))
    found, value = grad_and_value(cubes)(x)
    near(value, (X**3).sum())
    assert not found.requires_grad and not value.requires_grad and not x.requires_grad
    with minigan.no_grad():
        near(grad(cubes)(x), 3 * X**2)
        near(hessian(cubes)(x), np.diag(6 * X))
        near(jacrev(lambda x: x * x)(x), np.diag(2 * X))
        near(jvp(lambda x: x * x, (x,), (x,))[1], 2 * X**2)


def test_arguments_and_more_results():
    x, y = tensor(X), tensor(X + 1)
    of_x, of_y = grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(x, y)
    near(of_x, X + 1)
    near(of_y, X)
    near(grad(lambda x, y, k: (x * y).sum() * k, argnums=1)(x, y, k=2), 2 * X)
    found, aux = grad(lambda x: (cubes(x), {"twice": x * 2}), has_aux=True)(x)
    near(found, 3 * X**2)
    near(aux["twice"], 2 * X)
    assert not aux["twice"].requires_grad
    found = grad(lambda p: (p["w"] ** 2).sum() + 3 * p["b"][0])({"w": x, "b": [y[0], "a name"]})
    near(found["w"], 2 * X)
    near(found["b"][0], 3)
    assert found["b"][1] == "a name"
    near(grad(lambda x, y: x.sum(), argnums=1)(x, y), [0, 0, 0])
    with pytest.raises(RuntimeError, match=r"one element, got shape \(3,\)"):
        grad(lambda x: x)(x)


def test_the_result_is_differentiable_where_something_else_requires_a_gradient():
    layer = nn.Linear(3, 1).double()
    x = tensor(X)
    g = grad(lambda x: layer(x).exp().sum())(x)  # D's gradient at a real example
    assert g.requires_grad
    (g**2).sum().backward()
    w, b = layer.weight.detach().numpy(), layer.bias.item()
    e = np.exp(w @ X + b)[0]
    near(layer.weight.grad, 2 * e**2 * w + 2 * e**2 * (w**2).sum() * X)
    x = tensor(X).requires_grad_()
    grad(cubes)(x).sum().backward()
    near(x.grad, 6 * X)
    with minigan.no_grad():
        assert not grad(lambda x: layer(x).sum())(tensor(X)).requires_grad


def test_jacobians_and_products():
    x = tensor(X)
    linear = lambda x: tensor(A) @ x
    near(jacrev(linear)(x), A)
    near(jacfwd(linear)(x), A)
    value, pull = vjp(linear, x)
    near(value, A @ X)
    near(pull(tensor([1.0, -1.0]))[0], A[0] - A[1])
    value, pushed = jvp(linear, (x,), (tensor([1.0, 0.0, 2.0]),))
    near(value, A @ X)
    near(pushed, A @ [1, 0, 2])
    found = jacrev(lambda x: ({"y": x * 2}, x.sum()))(x)
    near(found[0]["y"], 2 * np.eye(3))
    near(found[1], [1, 1, 1])
    value, pull = vjp(lambda p: {"y": p["a"] * 2}, {"a": x})
    near(pull({"y": x})[0]["a"], 2 * X)
    found, aux = jacrev(lambda x: (x * x, x), has_aux=True)(x)
    near(found, np.diag(2 * X))
    near(aux, X)


def test_vmap():
    rows, x = tensor(A), tensor(X)
    near(vmap(cubes)(rows), (A**3).sum(1))
    near(vmap(cubes, in_dims=1)(rows), (A**3).sum(0))
    near(vmap(lambda a, b: a @ b, in_dims=(0, None))(rows, x), A @ X)
    near(vmap(lambda a: a * 2, out_dims=1)(rows), 2 * A.T)
    near(vmap(vmap(minigan.sin))(rows), np.sin(A))
    found = vmap(lambda p, k: (p["a"], {"s": p["a"].sum() * k}), in_dims=({"a": 1}, None))(
        {"a": rows}, 3
    )
    near(found[0], A.T)
    near(found[1]["s"], 3 * A.sum(0))
    with pytest.raises(ValueError, match=r"one size .* got \[2, 3\]"):
        vmap(lambda a, b: a)(rows, x)
    with pytest.raises(ValueError, match="2 entries for 1 arguments"):
        vmap(cubes, in_dims=(0, 0))(rows)
    with pytest.raises(TypeError, match="must give Tensors, got float"):
        vmap(lambda a: 1.0)(rows)


def test_a_gradient_for_each_example():
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    images, targets = tensor(RNG.standard_normal((5, 3))), tensor(RNG.standard_normal((5, 1)))
    parameters = {k: p.detach() for k, p in net.named_parameters()}

    def loss(parameters, image, target):
        made = functional_call(net, parameters, (image[None],))
        return nn.functional.mse_loss(made, target[None])

    found = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, images, targets)
    for i in range(5):
        net.zero_grad()
        nn.functional.mse_loss(net(images[i : i + 1]), targets[i : i + 1]).backward()
        for name, p in net.named_parameters():
            near(found[name][i], p.grad.numpy())
