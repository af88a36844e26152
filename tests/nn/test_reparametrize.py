"""Spectral and weight normalisation: against singular values and loops, gradients, copies, saving,
errors."""

import copy

import fakecuda
import numpy as np
import pytest

from minigan import func, gradcheck, gradgradcheck, manual_seed, nn, optim
from minigan.autograd import tensor_of
from minigan.nn.utils import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm


def layers(dtype=None):
    manual_seed(3)
    return {
        "linear": (nn.Linear(4, 3, dtype=dtype), (5, 4), 0),
        "conv": (nn.Conv2d(2, 3, (2, 3), dtype=dtype), (5, 2, 4, 4), 0),
        "transposed": (nn.ConvTranspose2d(2, 3, (2, 3), dtype=dtype), (5, 2, 3, 3), 1),
    }


KINDS = ["linear", "conv", "transposed"]


def normal(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def values(module):
    return {k: v.numpy().copy() for k, v in module.state_dict().items()}


def as_matrix(w, dim):
    return np.stack([w.take(i, dim).reshape(-1) for i in range(w.shape[dim])])


def unit(x):
    return x / np.sqrt((x * x).sum())


# --- spectral norm ---


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("iterations", [1, 3])
def test_power_iteration(kind, iterations):
    layer, shape, dim = layers(np.float64)[kind]
    optimiser, own = optim.SGD(layer.parameters(), 0.1), layer.weight
    before = layer.weight.detach().numpy().copy()
    assert spectral_norm(layer, n_power_iterations=iterations) is layer
    assert layer.weight_orig is own and [n for n, _ in layer.named_parameters()] == [
        "bias",
        "weight_orig",
    ]
    assert (
        list(layer.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
        and optimiser.param_groups[0]["params"][0] is own
    )
    np.testing.assert_array_equal(layer.weight.numpy(), before)
    matrix, x = as_matrix(before, dim), tensor_of(normal(*shape))
    u, v = layer.weight_u.numpy().copy(), layer.weight_v.numpy().copy()
    np.testing.assert_allclose([u @ u, v @ v], 1)
    for _ in range(3):
        layer(x)
        for _ in range(iterations):
            v = unit(matrix.T @ u)
            u = unit(matrix @ v)
        np.testing.assert_allclose(layer.weight_u.numpy(), u, rtol=1e-10)
        np.testing.assert_allclose(layer.weight_v.numpy(), v, rtol=1e-10)
        np.testing.assert_allclose(
            layer.weight.detach().numpy(), before / (u @ matrix @ v), rtol=1e-10
        )
    plain = layers(np.float64)[kind][0]
    plain.load_state_dict(
        {"weight": layer.weight.detach().numpy(), "bias": layer.bias.detach().numpy()}
    )
    layer.eval()
    for _ in range(2):
        np.testing.assert_allclose(layer(x).detach().numpy(), plain(x).detach().numpy(), rtol=1e-12)
        np.testing.assert_array_equal(layer.weight_u.numpy(), u)
    for _ in range(200):
        layer.train()(x)
    np.testing.assert_allclose(
        np.linalg.norm(as_matrix(layer.weight.detach().numpy(), dim), 2), 1, rtol=1e-6
    )


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_of_the_spectral_norm(kind):
    """u and v are constants: then the derivative is that of W / (u^T W v), to second order."""
    layer, shape, _ = layers(np.float64)[kind]
    spectral_norm(layer).eval()

    def function(x, weight):
        return func.functional_call(layer, {"weight_orig": weight}, x)

    inputs = [
        tensor_of(normal(*shape), True),
        tensor_of(layer.weight_orig.detach().numpy().copy(), True),
    ]
    gradcheck(function, inputs)
    gradgradcheck(function, inputs, directions=1)


def test_gradient_of_the_spectral_norm():
    """Equation 9 of Miyato et al. with their lambda, in training mode, where u and v move on in the
    same forward pass."""
    layer = spectral_norm(nn.Linear(4, 3, bias=False, dtype=np.float64))
    x, g = normal(5, 4), normal(5, 3, seed=1)
    layer(tensor_of(x)).backward(tensor_of(g))
    u, v, w = (layer.state_dict()[f"weight_{k}"].numpy() for k in ("u", "v", "orig"))
    sigma = u @ w @ v
    plain = g.T @ x  # dL/dW of the normalised weight
    expected = (plain - (plain * w / sigma).sum() * np.outer(u, v)) / sigma
    np.testing.assert_allclose(layer.weight_orig.grad.numpy(), expected, rtol=1e-10)


def test_several_forward_passes_before_backward():
    layer = spectral_norm(nn.Linear(4, 3, dtype=np.float64))
    twin, x = copy.deepcopy(layer), normal(5, 4)
    (layer(tensor_of(x)).sum() + (layer(tensor_of(2 * x)) ** 2).sum()).backward()
    twin(tensor_of(x)).sum().backward()
    (twin(tensor_of(2 * x)) ** 2).sum().backward()
    np.testing.assert_allclose(
        layer.weight_orig.grad.numpy(), twin.weight_orig.grad.numpy(), rtol=1e-10
    )
    twin = copy.deepcopy(layer.eval())
    y = layer(tensor_of(x)).sum()
    layer.train()(tensor_of(x))  # writes u and v
    for module, value in ((layer, y), (twin, twin(tensor_of(x)).sum())):
        module.zero_grad()
        value.backward()
    np.testing.assert_array_equal(layer.weight_orig.grad.numpy(), twin.weight_orig.grad.numpy())


def test_sequential_does_not_pass_the_hook_by():
    manual_seed(0)
    net = nn.Sequential(
        spectral_norm(nn.Linear(4, 3)), nn.Tanh(), nn.Linear(3, 2), nn.LeakyReLU(0.2)
    )
    x = normal(5, 4, dtype=np.float32)
    with np.errstate(all="ignore"):
        y = net(tensor_of(x)).detach().numpy()
    p = values(net)
    weight = p["0.weight_orig"] / (p["0.weight_u"] @ p["0.weight_orig"] @ p["0.weight_v"])
    h = np.tanh(x @ weight.T + p["0.bias"]) @ p["2.weight"].T + p["2.bias"]
    np.testing.assert_allclose(y, np.where(h > 0, h, 0.2 * h), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wrap", [spectral_norm, weight_norm])
def test_copies_and_states(wrap):
    """deepcopy after a forward pass (the computed weight is then on a tape), EMA, and saving."""
    layer, x = wrap(nn.Linear(4, 3)), tensor_of(normal(5, 4, dtype=np.float32))
    y = layer(x)
    assert not layer.weight.is_leaf
    twin = copy.deepcopy(layer)
    assert twin.weight.is_leaf and not twin.weight.requires_grad, (
        "a copy does not take the tape along"
    )
    assert list(twin.state_dict()) == list(layer.state_dict())
    for a, b in zip(layer.state_dict().values(), twin.state_dict().values()):
        assert not np.shares_memory(a.numpy(), b.numpy())
    assert not np.shares_memory(twin.weight.numpy(), layer.weight.array)
    y.sum().backward()
    np.testing.assert_array_equal(twin.eval()(x).detach().numpy(), layer.eval()(x).detach().numpy())
    before = values(twin)
    layer.train()
    average = optim.EMA(layer, 0.5)
    optimiser = optim.SGD(layer.parameters(), 1.0)
    for _ in range(2):
        optimiser.step()
        layer(x)
        average.update()
    changed = layer.eval()(x).detach().numpy()
    with average.applied():
        assert not np.allclose(layer(x).detach().numpy(), changed)
    np.testing.assert_array_equal(layer(x).detach().numpy(), changed)
    for k, v in values(twin).items():
        np.testing.assert_array_equal(v, before[k])
    other = wrap(nn.Linear(4, 3)).eval()
    other.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(other(x).detach().numpy(), changed)


@pytest.mark.parametrize(
    "wrap, remove", [(spectral_norm, remove_spectral_norm), (weight_norm, remove_weight_norm)]
)
@pytest.mark.parametrize("kind", KINDS)
def test_removal(wrap, remove, kind):
    layer, shape, _ = layers()[kind]
    x = tensor_of(normal(*shape, dtype=np.float32))
    wrap(layer)(x)
    expected = layer.eval()(x).detach().numpy()
    assert remove(layer) is layer
    assert (
        isinstance(layer.weight, nn.Parameter)
        and sorted(layer.state_dict()) == ["bias", "weight"]
        and not layer._pre_hooks
    )
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="of 'weight' not found in " + type(layer).__name__):
        remove(layer)
    wrap(layer)


def test_errors():
    layer = spectral_norm(nn.Linear(4, 3))
    for wrap in (spectral_norm, weight_norm):
        with pytest.raises(RuntimeError, match="'weight' of Linear is already computed"):
            wrap(layer)
        with pytest.raises(
            ValueError, match=r"Linear has no parameter 'wieght'; it has weight, bias"
        ):
            wrap(nn.Linear(4, 3), "wieght")
    with pytest.raises(ValueError, match="n_power_iterations=0"):
        spectral_norm(nn.Linear(4, 3), n_power_iterations=0)
    with pytest.raises(ValueError, match="has no parameter 'bias'"):
        spectral_norm(nn.Linear(4, 3, bias=False), "bias")


def test_on_a_device_without_syncs():
    layer, x = spectral_norm(nn.Linear(4, 3)), normal(5, 4, dtype=np.float32)
    expected = copy.deepcopy(layer)(tensor_of(x)).detach().numpy()
    for t in [*layer.parameters(), *layer.buffers()]:
        t.data = fakecuda.asarray(t.array)
    fakecuda.syncs = 0
    with fakecuda.installed():
        y = layer(tensor_of(fakecuda.asarray(x)))
        y.sum().backward()
    assert fakecuda.syncs == 0
    np.testing.assert_allclose(y.array.storage, expected, rtol=1e-5, atol=1e-6)


# --- weight norm ---


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dim", [0, 1, None, -1])
def test_weight_norm(kind, dim):
    layer, shape, _ = layers(np.float64)[kind]
    x = tensor_of(normal(*shape))
    expected, w = layer(x).detach().numpy(), layer.weight.detach().numpy().copy()
    weight_norm(layer, dim=dim)
    assert list(layer.state_dict()) == ["bias", "weight_g", "weight_v"]
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-10)
    direction = normal(*w.shape, seed=5)
    layer.load_state_dict({"weight_v": direction}, strict=False)
    layer(x)
    found = layer.weight.detach().numpy()
    for i in range(1 if dim in (None, -1) else w.shape[dim]):
        length, d, f = (a if dim in (None, -1) else a.take(i, dim) for a in (w, direction, found))
        np.testing.assert_allclose(
            f, d / np.sqrt((d**2).sum()) * np.sqrt((length**2).sum()), rtol=1e-10
        )


def test_derivatives_of_the_weight_norm():
    layer = weight_norm(nn.Linear(4, 3, dtype=np.float64))

    def function(x, g, v):
        return func.functional_call(layer, {"weight_g": g, "weight_v": v}, x)

    inputs = [
        tensor_of(a, True) for a in (normal(5, 4), normal(3, 1, seed=1), normal(3, 4, seed=2))
    ]
    gradcheck(function, inputs)
    gradgradcheck(function, inputs, directions=1)


def test_weights_of_recurrent_layers():
    manual_seed(0)
    layer, x = nn.GRU(3, 4), tensor_of(normal(5, 2, 3, dtype=np.float32))
    expected = layer(x)[0].detach().numpy()
    weight_norm(weight_norm(layer, "weight_hh_l0"), "weight_ih_l0")
    np.testing.assert_allclose(layer(x)[0].detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    layer(x)[0].sum().backward()
    assert all(p.grad is not None for p in layer.parameters())
    remove_weight_norm(layer, "weight_hh_l0")
    assert "weight_ih_l0_g" in layer.state_dict() and "weight_hh_l0" in layer.state_dict()


# --- torch ---


@pytest.mark.torch
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "wrap, options",
    [
        ("spectral_norm", {}),
        ("spectral_norm", dict(n_power_iterations=2, dim=1)),
        ("weight_norm", {}),
        ("weight_norm", dict(dim=None)),
    ],
)
@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated")
def test_as_torch(kind, wrap, options):
    torch = pytest.importorskip("torch")
    ours, shape, _ = layers(np.float64)[kind]
    make = {
        "linear": lambda n: n.Linear(4, 3),
        "conv": lambda n: n.Conv2d(2, 3, (2, 3)),
        "transposed": lambda n: n.ConvTranspose2d(2, 3, (2, 3)),
    }
    theirs = make[kind](torch.nn).double()
    getattr(nn.utils, wrap)(ours, **options)
    getattr(torch.nn.utils, wrap)(theirs, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x = normal(*shape)
    for _ in range(3):
        a, b = ours(tensor_of(x)), theirs(torch.tensor(x))
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-12)
    (a * a).sum().backward()
    (b * b).sum().backward()
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters()):
        np.testing.assert_allclose(
            p.grad.numpy(), q.grad.numpy(), rtol=1e-8, atol=1e-10, err_msg=name
        )
    np.testing.assert_allclose(
        ours.eval()(tensor_of(x)).detach().numpy(),
        theirs.eval()(torch.tensor(x)).detach().numpy(),
        rtol=1e-9,
        atol=1e-12,
    )
    for k, v in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[k].numpy(), v.numpy(), rtol=1e-9)
    for n, module in ((nn, ours), (torch.nn, theirs)):
        getattr(n.utils, "remove_" + wrap)(module)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    np.testing.assert_allclose(
        ours.weight.detach().numpy(), theirs.weight.detach().numpy(), rtol=1e-9
    )
