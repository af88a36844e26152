"""Convolutional layers: shapes, padding modes, initialisation, texts, errors. What they compute is
tested with the ops."""

import math

import numpy as np
import pytest

import minigan
import minigan.nn.functional as F
from minigan import nn


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular", "zeros"])
@pytest.mark.parametrize("padding", [(2, 1), "same"])
def test_padding_modes(mode, padding):
    """What stands outside is what F.pad puts there; 'same' of an even kernel has the odd column
    behind."""
    layer = nn.Conv2d(2, 3, (3, 4), padding=padding, padding_mode=mode).double()
    x = minigan.randn(2, 2, 6, 7, dtype=np.float64, requires_grad=True)
    both = (1, 1, 2, 2) if padding != "same" else (1, 2, 1, 1)
    expected = F.conv2d(
        F.pad(x, both, "constant" if mode == "zeros" else mode), layer.weight, layer.bias
    )
    np.testing.assert_allclose(layer(x).detach().numpy(), expected.detach().numpy(), rtol=1e-12)
    assert minigan.autograd.gradcheck(layer, [x])


@pytest.mark.parametrize("cls", [nn.Conv2d, nn.ConvTranspose2d])
def test_initialisation(cls):
    """U(-k, k) with k = 1 / sqrt(numbers that make one output), as torch computes it for either
    layer."""
    minigan.manual_seed(0)
    layer = cls(16, 32, 3)
    bound = 1 / math.sqrt(math.prod(layer.weight.shape[1:]))
    for p in layer.parameters():
        values = p.detach().numpy()
        assert (
            np.abs(values).max() <= bound
            and np.abs(values).max() > 0.8 * bound
            and abs(values.mean()) < 0.2 * bound
        )


def test_output_size():
    """Several inputs of a convolution with stride 2 give one size of output: its transpose can be
    told which."""
    layer = nn.ConvTranspose2d(3, 2, 3, 2, 1)
    x = minigan.randn(1, 3, 4, 4)
    assert layer(x).shape == (1, 2, 7, 7)
    assert (
        layer(x, output_size=(8, 7)).shape
        == (1, 2, 8, 7)
        == layer(x, output_size=minigan.zeros(1, 2, 8, 7).shape).shape
    )
    with pytest.raises(ValueError, match=r"output_size=\(9, 9\).*\(7, 7\)"):
        layer(x, output_size=(9, 9))


def test_texts():
    assert (
        repr(nn.Conv2d(3, 8, 4, 2, 1, bias=False))
        == "Conv2d(3, 8, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1), bias=False)"
    )
    assert repr(nn.ConvTranspose1d(4, 8, 3, 2, 1, 1, groups=2)) == (
        "ConvTranspose1d(4, 8, kernel_size=(3,), stride=(2,), padding=(1,), output_padding=(1,), "
        "groups=2)"
    )
    assert repr(nn.Conv2d(3, 3, 3, padding="same", dilation=2, padding_mode="reflect")) == (
        "Conv2d(3, 3, kernel_size=(3, 3), stride=(1, 1), padding=same, dilation=(2, 2), "
        "padding_mode=reflect)"
    )


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), ["groups=2", "in_channels=3"]),
        (lambda: nn.Conv2d(3, 4, (3, 3, 3)), ["kernel_size=(3, 3, 3)", "2 of them"]),
        (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), ["'mirror'", "reflect"]),
        (lambda: nn.Conv2d(3, 4, 3, 2, padding="same"), ["'same'", "stride"]),
        (lambda: nn.ConvTranspose2d(3, 4, 3, padding="same"), ["padding='same'"]),
        (lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"), ["padding_mode='reflect'"]),
    ],
)
def test_errors(make, words):
    with pytest.raises(ValueError) as error:
        make()
    assert all(word in str(error.value) for word in words), str(error.value)


def test_a_layer_that_computes_its_weight():
    class Half(nn.Conv2d):
        def forward(self, input):
            return self._conv_forward(input, self.weight / 2, None)

    layer = Half(2, 3, 3, 2, 1, padding_mode="reflect")
    x = minigan.randn(1, 2, 5, 6)
    same = nn.Conv2d(2, 3, 3, 2, 1, padding_mode="reflect", bias=False)
    same.load_state_dict({"weight": layer.weight.detach() / 2})
    assert minigan.equal(layer(x), same(x))
