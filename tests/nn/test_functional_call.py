"""func.functional_call: a module with other parameters."""

import copy

import numpy as np
import pytest

from minigan import func, grad, gradcheck, gradgradcheck, manual_seed, nn
from minigan.autograd import tensor_of


def network():
    manual_seed(2)
    return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))


def other(module, seed=0, dtype=None):
    rng = np.random.default_rng(seed)
    return {
        k: tensor_of(rng.standard_normal(p.shape).astype(dtype or p.dtype), True)
        for k, p in module.named_parameters()
    }


X = tensor_of(np.random.default_rng(9).standard_normal((5, 2)).astype(np.float32))


def test_it_is_the_module_with_these_values():
    module, values = network(), other(network())
    own = dict(module.named_parameters())
    twin = copy.deepcopy(module)
    twin.load_state_dict(values)
    y = func.functional_call(module, values, X)
    np.testing.assert_array_equal(y.detach().numpy(), twin(X).detach().numpy())
    assert all(p is own[k] for k, p in module.named_parameters()) and list(
        module.state_dict()
    ) == list(twin.state_dict())
    y.sum().backward()
    twin(X).sum().backward()
    assert all(p.grad is None for p in own.values())
    for k, p in twin.named_parameters():
        np.testing.assert_array_equal(values[k].grad.numpy(), p.grad.numpy())
    partly = func.functional_call(module, {"2.bias": values["2.bias"]}, (X,))
    np.testing.assert_allclose(
        (partly - module(X)).detach().numpy(), (values["2.bias"] - own["2.bias"]).item(), rtol=1e-4
    )
    split = func.functional_call(
        module,
        [{k: v for k, v in values.items() if k[0] == c} for c in "02"],
        kwargs={"input": X},
        strict=True,
    )
    np.testing.assert_array_equal(split.detach().numpy(), y.detach().numpy())


def test_derivatives():
    module = network().double()
    values, x = other(module), X.double()

    def function(*tensors):
        return func.functional_call(module, dict(zip(values, tensors)), x)

    gradcheck(function, list(values.values()))
    gradgradcheck(function, list(values.values()), directions=1)


def test_through_a_step_of_gradient_descent():
    """The derivative of the loss after a step with respect to the parameters before it: what
    unrolled GANs need."""
    module = network().double()
    values, x = other(module), X.double()

    def after(*tensors):
        p = dict(zip(values, tensors))
        loss = (func.functional_call(module, p, x) ** 2).mean()
        slopes = grad(loss, list(p.values()), create_graph=True)
        moved = {k: v - 0.3 * g for (k, v), g in zip(p.items(), slopes)}
        return (func.functional_call(module, moved, x) ** 2).mean()

    # By hand, one number moved at a time: the inner gradients are plain ones, no graph of a graph.
    found = grad(after(*values.values()), list(values.values()))
    for (name, value), slope in zip(values.items(), found):
        for index in np.ndindex(*value.shape):
            ends = []
            for h in (1e-5, -1e-5):
                array = value.detach().numpy().copy()
                array[index] += h
                ends.append(
                    after(
                        *[tensor_of(array, True) if k == name else v for k, v in values.items()]
                    ).item()
                )
            np.testing.assert_allclose(
                slope.numpy()[index], (ends[0] - ends[1]) / 2e-5, rtol=1e-5, atol=1e-8
            )


def test_an_error_leaves_the_module_as_it_was():
    module = network()
    own = dict(module.named_parameters())
    wrong = {**other(module), "2.weight": tensor_of(np.zeros((1, 4), np.float32))}
    with pytest.raises(ValueError, match="linear"):
        func.functional_call(module, wrong, X)
    assert all(p is own[k] for k, p in module.named_parameters())
    with pytest.raises(KeyError, match="no parameter or buffer '3.weight'"):
        func.functional_call(module, {"0.bias": own["0.bias"], "3.weight": own["0.weight"]}, X)
    with pytest.raises(RuntimeError, match="strict=True.*2.bias"):
        func.functional_call(
            module, {k: v for k, v in own.items() if k != "2.bias"}, X, strict=True
        )
    with pytest.raises(ValueError, match="same parameter"):
        func.functional_call(module, (own, own), X)


def test_buffers():
    module = nn.BatchNorm1d(2)
    given = {"running_mean": tensor_of(np.zeros(2, np.float32))}
    func.functional_call(module, given, X)
    np.testing.assert_allclose(given["running_mean"].numpy(), 0.1 * X.numpy().mean(0), rtol=1e-5)
    assert not module.running_mean.numpy().any() and module.num_batches_tracked.item() == 1
    assert not np.allclose(module.running_var.numpy(), 1), "what is not given is the module's own"


def test_tied_weights():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(2, 2, bias=False)
            self.b = nn.Linear(2, 2, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x))

    module, w = Tied(), tensor_of(np.float32([[1, 2], [3, 4]]))
    expected = X.numpy() @ w.numpy().T @ w.numpy().T
    np.testing.assert_allclose(
        func.functional_call(module, {"a.weight": w}, X).detach().numpy(), expected, rtol=1e-5
    )
    half = X.numpy() @ w.numpy().T @ module.b.weight.detach().numpy().T
    np.testing.assert_allclose(
        func.functional_call(module, {"a.weight": w}, X, tie_weights=False).detach().numpy(),
        half,
        rtol=1e-5,
    )
    with pytest.raises(ValueError, match="different values for 'b.weight'"):
        func.functional_call(module, {"a.weight": w, "b.weight": w + 1}, X)
    assert module.a.weight is module.b.weight


@pytest.mark.torch
def test_as_torch():
    torch = pytest.importorskip("torch")
    ours, values = network(), other(network())
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    state = {k: torch.tensor(v.detach().numpy(), requires_grad=True) for k, v in values.items()}
    a, b = (
        func.functional_call(ours, values, X),
        torch.func.functional_call(theirs, state, torch.tensor(X.numpy())),
    )
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5)
    a.sum().backward()
    b.sum().backward()
    for k, v in values.items():
        np.testing.assert_allclose(v.grad.numpy(), state[k].grad.numpy(), rtol=1e-4, atol=1e-6)
