"""Activations with inplace=True write into their input, as torch's do: a skip connection then
carries what they made of it."""

import numpy as np
import pytest

import minigan
import minigan.nn.functional as F
from minigan import nn
from minigan.autograd import tensor_of

MODULES = {
    "ReLU": lambda i: nn.ReLU(i), "ReLU6": lambda i: nn.ReLU6(i),
    "LeakyReLU": lambda i: nn.LeakyReLU(0.2, i),
    "ELU": lambda i: nn.ELU(inplace=i), "SELU": lambda i: nn.SELU(i), "SiLU": lambda i: nn.SiLU(i),
    "Hardtanh": lambda i: nn.Hardtanh(-0.5, 0.5, i), "Mish": lambda i: nn.Mish(i),
    "Hardswish": lambda i: nn.Hardswish(i),
    "Dropout": lambda i: nn.Dropout(0.5, i), "Dropout2d": lambda i: nn.Dropout2d(0.5, i),
    "Dropout3d": lambda i: nn.Dropout3d(0.5, i),
    "AlphaDropout": lambda i: nn.AlphaDropout(0.5, i),
}  # fmt: skip


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
@pytest.mark.parametrize("how", ["recorded", "recorded, seen", "no grad", "no grad, seen"])
def test_the_input_becomes_the_result(make, how):
    x = tensor_of(np.linspace(-2.0, 2.0, 24).reshape(2, 3, 2, 2), True)
    minigan.manual_seed(3)
    plain = make(False)(x * 2.0)
    (expected,) = minigan.grad((plain * plain).sum(), x)
    with minigan.set_grad_enabled("recorded" in how):
        h = x * 2.0
        seen = h.detach() if "seen" in how else None
        minigan.manual_seed(3)
        y = make(True)(h)
    np.testing.assert_array_equal(h.tolist(), plain.tolist())
    np.testing.assert_array_equal(y.tolist(), plain.tolist())
    assert seen is None or seen.tolist() == plain.tolist()
    if "recorded" in how:
        np.testing.assert_allclose(minigan.grad((h * y).sum(), x)[0].tolist(), expected.tolist())


def test_a_skip_connection_around_it():
    """cat([x, f(x)]) with an activation in place first in f: both parts have it."""
    conv = nn.Conv2d(1, 2, 3, padding=1)
    f = nn.Sequential(nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(2, 2, 3, padding=1))
    image = minigan.randn(1, 1, 4, 4)
    h = conv(image)
    out = minigan.cat([h, f(h)], 1)
    again = F.leaky_relu(conv(image), 0.2)
    np.testing.assert_allclose(
        out.tolist(), minigan.cat([again, f[1](again)], 1).tolist(), rtol=1e-6
    )
    out.square().sum().backward()
    first = conv.weight.grad.clone()
    conv.weight.grad = None
    minigan.cat([again, f[1](again)], 1).square().sum().backward()
    np.testing.assert_allclose(first.tolist(), conv.weight.grad.tolist(), rtol=1e-5)


def test_a_leaf_is_refused():
    with pytest.raises(RuntimeError, match="relu would change a leaf that requires grad"):
        F.relu(tensor_of(np.ones(2), True), inplace=True)


def test_memory_that_nothing_else_uses_is_exchanged():
    x = minigan.randn(4, 3, requires_grad=True)
    h = x * 1.0
    address = h.data_ptr()
    assert nn.ReLU(True)(h) is h and h.data_ptr() != address
    view, address = h[0], h.data_ptr()
    h.relu_()
    assert h.data_ptr() == address == view.data_ptr()
    h = x * 1.0
    array, address = h.detach().numpy(), h.data_ptr()
    h.relu_()
    assert h.data_ptr() == address and (array >= 0).all()
