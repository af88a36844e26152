"""Spectral normalisation as the repositories of SNGAN, SAGAN and BigGAN write it themselves:
parameters that are taken out, put back as buffers, and set anew before each forward pass."""

import numpy as np
import pytest

import minigan as torch
from minigan import Tensor, nn
from minigan.nn import Parameter

W = np.array([[0.5, -1.0, 2.0], [1.0, 0.3, -0.4]], np.float32)


def l2normalize(v, eps=1e-12):
    return v / (v.norm() + eps)


class SpectralNorm(nn.Module):
    """The wrapper: parameters _u, _v and _bar, and the old name set to a Tensor."""

    def __init__(self, module, name="weight", power_iterations=1):
        super().__init__()
        self.module = module
        self.name = name
        self.power_iterations = power_iterations
        w = getattr(self.module, self.name)
        height, width = w.data.shape[0], w.view(w.data.shape[0], -1).data.shape[1]
        u = Parameter(w.data.new(height).normal_(0, 1), requires_grad=False)
        v = Parameter(w.data.new(width).normal_(0, 1), requires_grad=False)
        u.data = l2normalize(u.data)
        v.data = l2normalize(v.data)
        w_bar = Parameter(w.data)
        del self.module._parameters[self.name]
        self.module.register_parameter(self.name + "_u", u)
        self.module.register_parameter(self.name + "_v", v)
        self.module.register_parameter(self.name + "_bar", w_bar)

    def forward(self, *args):
        u = getattr(self.module, self.name + "_u")
        v = getattr(self.module, self.name + "_v")
        w = getattr(self.module, self.name + "_bar")
        height = w.data.shape[0]
        for _ in range(self.power_iterations):
            v.data = l2normalize(torch.mv(torch.t(w.view(height, -1).data), u.data))
            u.data = l2normalize(torch.mv(w.view(height, -1).data, v.data))
        sigma = u.dot(w.view(height, -1).mv(v))
        setattr(self.module, self.name, w / sigma.expand_as(w))
        return self.module.forward(*args)


class Hook:
    """The forward pre-hook: the weight, a Parameter, and u become buffers that are set anew."""

    def __call__(self, module, inputs):
        weight, u = module.weight_orig, module.weight_u
        with torch.no_grad():
            v = l2normalize(torch.mv(weight.t(), u))
            u = l2normalize(torch.mv(weight, v))
        module.weight = weight / torch.dot(u, torch.mv(weight, v))
        module.weight_u = u

    @staticmethod
    def apply(module):
        weight = module._parameters["weight"]
        u = Parameter(l2normalize(torch.ones(len(weight))), requires_grad=False)
        del module._parameters["weight"]
        module.register_parameter("weight_orig", weight)
        module.register_buffer("weight", weight)
        module.register_buffer("weight_u", u)
        module.register_forward_pre_hook(Hook())
        return module


def layer():
    linear = nn.Linear(3, 2, bias=False)
    linear.weight.data.copy_(torch.from_numpy(W))
    return linear


@pytest.mark.parametrize("wrap", [SpectralNorm, Hook.apply])
def test_values_and_gradients(wrap):
    net, x = wrap(layer()), torch.eye(3)
    for _ in range(40):
        y = net(x)
    first, *_ = np.linalg.svd(W.astype(float), compute_uv=True)[1]
    np.testing.assert_allclose(y.detach().numpy(), W.T / first, rtol=1e-5)
    (y**3).sum().backward()
    a, sigma, b = np.linalg.svd(W.astype(float), full_matrices=False)
    g = 3 * (W / first) ** 2
    # d sigma / dW = u v^T
    expected = g / first - (g * W).sum() / first**2 * np.outer(a[:, 0], b[0])
    own = dict(net.named_parameters())
    own = own["module.weight_bar" if wrap is SpectralNorm else "weight_orig"]
    np.testing.assert_allclose(own.grad.numpy(), expected, rtol=1e-4, atol=1e-6)
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], 0.1)
    optimizer.step()
    assert not np.allclose(net(x).detach().numpy(), y.detach().numpy())


def test_a_parameter_as_a_buffer():
    net = Hook.apply(layer())
    assert [n for n, _ in net.named_parameters()] == ["weight_orig"]
    assert [n for n, _ in net.named_buffers()] == ["weight", "weight_u"]
    assert list(net.state_dict()) == ["weight_orig", "weight", "weight_u"]
    net(torch.eye(3))
    assert [n for n, _ in net.named_buffers()] == ["weight", "weight_u"] and not isinstance(
        net.weight, Parameter
    )


def test_what_may_become_what():
    """As torch: a name belongs to a parameter, a submodule or a buffer until it is deleted, or
    takes the place of another kind."""
    net = nn.Linear(3, 2)
    for register, error in [
        (lambda: net.register_buffer("weight", torch.ones(2)), "'weight' already exists"),
        (lambda: net.register_buffer("forward", torch.ones(2)), "'forward' already exists"),
        (lambda: net.add_module("weight", nn.ReLU()), "'weight' already exists"),
    ]:
        with pytest.raises(KeyError, match=error):
            register()
    net.plain = torch.ones(2)
    with pytest.raises(KeyError, match="'plain' already exists"):
        net.register_buffer("plain", torch.ones(2))
    with pytest.raises(TypeError, match="cannot become Identity, it is a parameter"):
        net.bias = nn.Identity()
    net.register_buffer("state", torch.ones(2))
    with pytest.raises(KeyError, match="'state' already exists"):
        net.register_parameter("state", Parameter(torch.ones(2)))
    net.state = None
    net.state = torch.zeros(1)
    assert list(net.state_dict()) == ["weight", "bias", "state"]
    net.state = Parameter(torch.ones(1))
    assert [n for n, _ in net.named_parameters()] == [
        "weight",
        "bias",
        "state",
    ] and not net._buffers
    net.register_buffer("other", torch.ones(1))
    net.other = nn.Identity()
    assert list(net._modules) == ["other"] and not net._buffers
    net.other = Parameter(torch.ones(1))
    assert not net._modules and list(net._parameters) == ["weight", "bias", "state", "other"]
    net.bias = None
    del net.weight
    net.weight = torch.ones(2, 3)
    assert net(torch.ones(1, 3)).tolist() == [[3.0, 3.0]] and list(net.state_dict()) == [
        "state",
        "other",
    ]
    del net.weight
    with pytest.raises(AttributeError):
        net.weight  # noqa: B018
    with pytest.raises(AttributeError):
        del net.weight
    net._buffers["late"] = torch.ones(1)
    assert list(net.state_dict())[-1] == "late" and isinstance(net.late, Tensor)
