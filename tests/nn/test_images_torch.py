"""Layers of images as torch's: representations, outputs, indices and gradients."""

import numpy as np
import pytest

from minigan import nn
from minigan.autograd import tensor_of

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

# layer -> shapes that it takes
LAYERS = {
    "MaxPool1d(3, 2, 1)": [(2, 3, 8), (3, 7)],
    "MaxPool2d(2)": [(2, 3, 8, 7), (3, 4, 4)],
    "MaxPool2d((3, 2), stride=(2, 1), padding=(1, 0), ceil_mode=True)": [(2, 3, 8, 7)],
    "MaxPool2d(3, dilation=2, padding=1)": [(2, 3, 8, 7)],
    "AvgPool1d(3, 2, 1)": [(2, 3, 8), (3, 7)],
    "AvgPool2d(2)": [(2, 3, 8, 7)],
    "AvgPool2d(3, 2, 1, ceil_mode=True)": [(2, 3, 8, 7)],
    "AvgPool2d(3, 2, 1, True, False)": [(2, 3, 8, 7)],
    "AvgPool2d((3, 2), 2, (1, 0), divisor_override=5)": [(2, 3, 8, 7)],
    "AdaptiveAvgPool1d(3)": [(2, 3, 8), (3, 7)],
    "AdaptiveAvgPool2d(1)": [(2, 3, 8, 7)],
    "AdaptiveAvgPool2d((None, 3))": [(2, 3, 8, 7)],
    "AdaptiveMaxPool1d(3)": [(2, 3, 8)],
    "AdaptiveMaxPool2d((5, 9))": [(2, 3, 8, 7)],
    "ZeroPad1d(2)": [(2, 3, 4)],
    "ZeroPad2d((1, -1, 2, 0))": [(2, 3, 4, 5), (3, 4, 5)],
    "ZeroPad3d(1)": [(1, 2, 2, 3, 2)],
    "ConstantPad1d(1, 3.5)": [(2, 3, 4)],
    "ConstantPad2d((1, -1, 2, 0), 2)": [(2, 3, 4, 5)],
    "ConstantPad3d((1, 2, 3, 4, -1, 0), -1.0)": [(1, 2, 2, 3, 2)],
    "ReflectionPad1d(3)": [(2, 3, 4)],
    "ReflectionPad2d((3, 1, 2, 0))": [(2, 3, 4, 5), (3, 4, 5)],
    "ReplicationPad1d((5, 0))": [(2, 3, 4)],
    "ReplicationPad2d((3, 1, -2, 6))": [(2, 3, 4, 5)],
    "Upsample(scale_factor=2)": [(2, 3, 4), (2, 3, 4, 5), (1, 2, 3, 2, 2)],
    "Upsample((5, 7), mode='bilinear')": [(2, 3, 4, 5)],
    "Upsample(scale_factor=(1.7, 0.6), mode='bilinear')": [(2, 3, 4, 5)],
    "Upsample(scale_factor=2, mode='bilinear', align_corners=True)": [(2, 3, 4, 5)],
    "Upsample(scale_factor=1.7, mode='nearest')": [(2, 3, 4, 15)],
    "Upsample(scale_factor=1.7, mode='bilinear', recompute_scale_factor=True)": [(2, 3, 4, 15)],
    "Upsample(9, mode='linear')": [(2, 3, 4)],
    "Upsample(scale_factor=2, mode='trilinear')": [(1, 2, 3, 2, 2)],
    "Upsample(scale_factor=2.5, mode='bicubic')": [(2, 3, 4, 5)],
    "Upsample(7, mode='bicubic', align_corners=True)": [(2, 3, 4, 5)],
    "UpsamplingNearest2d(scale_factor=2)": [(2, 3, 4, 5)],
    "UpsamplingNearest2d((5, 6))": [(2, 3, 4, 5)],
    "UpsamplingBilinear2d(scale_factor=2)": [(2, 3, 4, 5)],
    "PixelShuffle(2)": [(2, 12, 3, 4), (4, 3, 4)],
    "PixelUnshuffle(3)": [(2, 2, 6, 9)],
}


@pytest.mark.parametrize("call", LAYERS)
def test_like_torch(call):
    ours, theirs = eval("nn." + call), eval("torch.nn." + call)
    assert repr(ours) == repr(theirs)
    for shape in LAYERS[call]:
        rng = np.random.default_rng(0)
        x = rng.standard_normal(shape)
        a, b = tensor_of(x, requires_grad=True), torch.from_numpy(x).requires_grad_()
        y, z = ours(a), theirs(b)
        assert y.shape == tuple(z.shape)
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-10, atol=1e-12)
        u = rng.standard_normal(y.shape)
        y.backward(tensor_of(u))
        z.backward(torch.from_numpy(u))
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        "MaxPool1d(3, 2, 1, return_indices=True)",
        "MaxPool2d(3, 2, 1, 2, True, True)",
        "AdaptiveMaxPool2d(3, True)",
    ],
)
@pytest.mark.parametrize("ties", [False, True])
def test_indices_like_torch(call, ties):
    x = np.random.default_rng(1).standard_normal((2, 3, 9) if "1d" in call else (2, 3, 9, 8))
    x = x.round() if ties else x
    (y, i), (z, j) = eval("nn." + call)(tensor_of(x)), eval("torch.nn." + call)(torch.from_numpy(x))
    np.testing.assert_array_equal(y.numpy(), z.numpy())
    assert i.dtype == np.int64
    np.testing.assert_array_equal(i.numpy(), j.numpy())


def test_nan_wins_like_in_torch():
    x = np.random.default_rng(1).standard_normal((1, 1, 6, 6))
    x[0, 0, 2, 3] = np.nan
    y, z = nn.MaxPool2d(3, 1)(tensor_of(x)), torch.nn.MaxPool2d(3, 1)(torch.from_numpy(x))
    assert np.isnan(y.numpy()).sum() == 9
    np.testing.assert_array_equal(y.numpy(), z.numpy())


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 12, 31, 64])
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_nearest_picks_what_torch_picks(n, mode):
    """Also where the position falls on the border of two pixels but for rounding."""
    x = np.arange(n, dtype=np.float32).reshape(1, 1, n)
    for m in (1, 2, 3, 5, 6, 9, 13, 28, 63, 128):
        ours, theirs = (
            f(t, m, mode=mode)
            for f, t in (
                (nn.functional.interpolate, tensor_of(x)),
                (torch.nn.functional.interpolate, torch.from_numpy(x)),
            )
        )
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    for factor in (1.1, 1.3, 2.0, 2.2, 3.3, 0.7, 1 / 3, 7):
        if int(n * factor):
            ours, theirs = (
                f(t, scale_factor=factor, mode=mode)
                for f, t in (
                    (nn.functional.interpolate, tensor_of(x)),
                    (torch.nn.functional.interpolate, torch.from_numpy(x)),
                )
            )
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
