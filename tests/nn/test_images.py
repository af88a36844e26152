"""Layers of images: what they refuse, what they show, and that they are where torch programs look
for them."""

import numpy as np
import pytest

from minigan import nn, summary
from minigan.autograd import tensor_of
from minigan.nn import functional as F


def image(*shape):
    return tensor_of(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))


ERRORS = {
    "max_pool2d(x, 5)": r"max_pool2d: a window of size 5 does not fit into input of shape \(1, 2, "
    r"4, 4\)",
    "max_pool2d(x, 2, padding=2)": r"padding=2 must be at most half of the window, whose size is 2",
    "max_pool2d(x, 0)": r"kernel_size=0, expected one or 2 integers >= 1",
    "max_pool2d(x, (1, 2, 3))": r"kernel_size=\(1, 2, 3\), expected one or 2 integers",
    "max_pool1d(x, 2)": r"max_pool1d: expected input \(N, C, L\) or \(C, L\), got shape \(1, 2, "
    r"4, 4\)",
    "avg_pool2d(x, 2, divisor_override=0)": "divisor_override must not be 0",
    "avg_pool2d(x, 2, stride=-1)": "stride=-1, expected",
    "adaptive_avg_pool2d(x, 0)": r"output_size=\(0, 0\), expected",
    "adaptive_avg_pool2d(x, (1, 2, 3))": r"output_size=\(1, 2, 3\), expected",
    "pad(x, (4, 0), 'reflect')": r"needs input of 2 or 3 dimensions, got shape \(1, 2, 4, 4\)",
    "pad(x, (4, 0, 0, 0), 'reflect')": r"mode='reflect' can add at most 3 positions on a side of "
    r"a dimension of size 4, asked for \(4, 0\)",
    "pad(x, (5, 0, 0, 0), 'circular')": r"mode='circular' can add at most 4",
    "pad(x, (1, 1), 'mirror')": r"mode='mirror'; expected one of 'constant', 'reflect'",
    "pad(x, (1, 1, 1, 1), 'reflect', 2.0)": "value=2.0 has no meaning with mode='reflect'",
    "pad(x, (1,))": r"must be two numbers for each padded dimension",
    "pad(x, (-3, -2))": r"nothing is left of a dimension of size 4 after padding by \(-3, -2\)",
    "interpolate(x)": "give size or scale_factor",
    "interpolate(x, 3, 2)": "give size or scale_factor, and not both",
    "interpolate(x, scale_factor=0.2)": r"scale_factor=0.2 leaves nothing of input of shape \(1, "
    r"2, 4, 4\)",
    "interpolate(x, scale_factor=(1, 2, 3))": "expected a positive number, or one for each of 2 "
    "dimensions",
    "interpolate(x, 3, mode='linear')": r"mode='linear' needs input of 3 dimensions \(N, C, "
    r"...\), got shape \(1, 2, 4, 4\)",
    "interpolate(x, 3, mode='cubic')": "mode='cubic'; expected one of 'nearest'",
    "interpolate(x, 3, align_corners=True)": "align_corners has no meaning with mode='nearest'",
    "interpolate(x, (3, 4, 5))": r"size=\(3, 4, 5\), expected one or 2 integers",
    "pixel_shuffle(x, 2)": r"C a multiple of 2\^2, got shape \(1, 2, 4, 4\)",
    "pixel_unshuffle(x, 3)": r"H and W multiples of 3, got shape \(1, 2, 4, 4\)",
}


@pytest.mark.parametrize("call", ERRORS)
def test_errors(call):
    with pytest.raises(ValueError, match=ERRORS[call]):
        eval("F." + call, {"F": F, "x": image(1, 2, 4, 4)})


def test_a_window_of_padding_only_is_refused():
    with pytest.raises(
        ValueError, match="a window over 2 positions has no element inside the input"
    ):
        F.max_pool1d(image(1, 1, 2), 2, 1, padding=2, dilation=3)


def test_errors_of_modules():
    with pytest.raises(
        ValueError, match=r"ReflectionPad2d: padding=\(1, 2\), expected one integer or 4"
    ):
        nn.ReflectionPad2d((1, 2))
    with pytest.raises(
        ValueError, match=r"ZeroPad2d: expected input of 3 or 4 dimensions, got shape \(2, 3\)"
    ):
        nn.ZeroPad2d(1)(image(2, 3))


def test_pooling_by_hand():
    x = image(1, 1, 4, 4)
    y, at = F.max_pool2d(x, 2, return_indices=True)
    assert y.numpy().tolist() == [[[[5, 7], [13, 15]]]] and at.numpy().tolist() == [
        [[[5, 7], [13, 15]]]
    ]
    assert F.avg_pool2d(x, 2).numpy().tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]
    assert F.avg_pool2d(x, 2, 4, 1).numpy().tolist() == [[[[0, 0.75], [3, 3.75]]]]
    assert F.avg_pool2d(x, 2, 4, 1, count_include_pad=False).numpy().tolist() == [
        [[[0, 3], [12, 15]]]
    ]
    assert F.avg_pool2d(x, 3).numpy().shape == (1, 1, 1, 1)
    np.testing.assert_allclose(
        F.avg_pool2d(x, 3, ceil_mode=True).numpy(), [[[[5, 7], [13, 15]]]], rtol=1e-6
    )
    assert F.adaptive_avg_pool2d(x, 1).numpy().tolist() == [[[[7.5]]]]


def test_padding_by_hand():
    x = image(1, 1, 3)
    assert F.pad(x, (2, 1)).numpy().tolist() == [[[0, 0, 0, 1, 2, 0]]]
    assert F.pad(x, (2, -1), value=7).numpy().tolist() == [[[7, 7, 0, 1]]]
    assert F.pad(x, (2, 1), "reflect").numpy().tolist() == [[[2, 1, 0, 1, 2, 1]]]
    assert F.pad(x, (2, 1), "replicate").numpy().tolist() == [[[0, 0, 0, 1, 2, 2]]]
    assert F.pad(x, (2, 1), "circular").numpy().tolist() == [[[1, 2, 0, 1, 2, 0]]]
    # cut, then from the other side of what is left
    assert F.pad(x, (-1, 1), "circular").numpy().tolist() == [[[1, 2, 1]]]
    assert F.pad(x, (2, -1), "circular").numpy().tolist() == [[[0, 1, 0, 1]]]


def test_resampling_by_hand():
    x = image(1, 1, 3)
    assert F.interpolate(x, scale_factor=2).numpy().tolist() == [[[0, 0, 1, 1, 2, 2]]]
    assert F.interpolate(x, 6, mode="linear").numpy().tolist() == [[[0, 0.25, 0.75, 1.25, 1.75, 2]]]
    assert F.interpolate(x, 5, mode="linear", align_corners=True).numpy().tolist() == [
        [[0, 0.5, 1, 1.5, 2]]
    ]
    assert F.pixel_shuffle(image(4, 1, 2), 2).numpy().tolist() == [[[0, 2, 1, 3], [4, 6, 5, 7]]]


def test_infinities_stay_where_they_are():
    """A window beside an infinity does not become NaN."""
    x = np.zeros((1, 1, 5, 5), np.float32)
    x[0, 0, 0, 0] = np.inf
    y = F.avg_pool2d(tensor_of(x), 3, 2, 1).numpy()
    assert y[0, 0, 0, 0] == np.inf and np.isfinite(y).sum() == 8
    assert np.isinf(F.pad(tensor_of(x), (1, 1, 1, 1), "reflect").numpy()).sum() == 1


def test_other_dtypes():
    x = tensor_of(np.arange(16).reshape(1, 1, 4, 4).astype(np.float16))
    for y in (
        F.max_pool2d(x, 2),
        F.avg_pool2d(x, 2),
        F.interpolate(x, scale_factor=2),
        F.pad(x, (1, 1, 1, 1), "reflect"),
        F.pad(x, (1, 1)),
    ):
        assert y.dtype == np.float16
    assert F.max_pool2d(x, 2).numpy().tolist() == [[[[5, 7], [13, 15]]]]


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (0, 2, 3, 1)])
def test_large_arrays_in_any_layout(order):
    """Many planes are worked on by several threads, and any layout gives the same."""
    x = np.random.default_rng(0).standard_normal((40, 24, 30, 32)).astype(np.float32)
    back = np.argsort(order)
    a, b = (
        tensor_of(x, requires_grad=True),
        tensor_of(np.ascontiguousarray(x.transpose(order)).transpose(back), requires_grad=True),
    )
    for layer in (
        nn.MaxPool2d(3, 2, 1),
        nn.AvgPool2d(2),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.ReflectionPad2d(1),
    ):
        y, z = layer(a), layer(b)
        np.testing.assert_array_equal(y.detach().numpy(), z.detach().numpy())
        a.grad = b.grad = None
        (y * y).sum().backward(), (z * z).sum().backward()
        np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())


def test_empty_batches():
    x = tensor_of(np.zeros((0, 4, 6, 6), np.float32), requires_grad=True)
    for call in (
        "MaxPool2d(2)",
        "AvgPool2d(2)",
        "Upsample(scale_factor=2)",
        "ReflectionPad2d(1)",
        "ZeroPad2d(1)",
        "PixelShuffle(2)",
    ):
        y = eval("nn." + call)(x)
        assert y.shape == (0, *eval("nn." + call)(image(1, 4, 6, 6)).shape[1:])
        y.sum().backward()
        assert x.grad.shape == (0, 4, 6, 6)


def test_summary_and_per_example():
    net = nn.Sequential(
        nn.ZeroPad2d(1),
        nn.MaxPool2d(2),
        nn.Upsample(scale_factor=2),
        nn.PixelUnshuffle(2),
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(12, 2, 1),
        nn.ConvTranspose2d(2, 12, 1),
    )
    shapes = [row[2] for row in summary(net, (3, 6, 6)).rows]
    first, last = [(2, 3, 8, 8), (2, 3, 4, 4), (2, 3, 8, 8), (2, 12, 4, 4)], [(2, 12, 1, 1)]
    assert shapes == [*first, *last, (2, 2, 1, 1), *last]
    assert net.per_example


def test_integers():
    """The values are torch's: uint8 is rounded along each dimension, means of int64 towards 0."""
    x = tensor_of((np.arange(9) * 25).astype(np.uint8).reshape(1, 1, 3, 3))
    y = F.interpolate(x, (2, 5), mode="bilinear")
    assert y.dtype == np.uint8 and y.tolist() == [
        [[[19, 29, 44, 59, 69], [131, 141, 156, 171, 181]]]
    ]
    assert F.interpolate(x, (2, 5), mode="bicubic").tolist() == [
        [[[14, 22, 39, 56, 66], [134, 144, 161, 178, 188]]]
    ]
    assert F.interpolate(x, (1, 2)).tolist() == [[[[0, 25]]]]
    with pytest.raises(TypeError, match="is for floats and uint8, input is int64: convert it"):
        F.interpolate(x.long(), (2, 5), mode="bilinear")
    z = tensor_of(np.arange(-6, 10).reshape(1, 1, 4, 4))
    assert (
        F.avg_pool2d(z, 2).tolist() == [[[[-3, -1], [4, 6]]]]
        and F.avg_pool2d(z, 2).dtype == np.int64
    )
    assert F.avg_pool2d(z, 2, divisor_override=3).tolist() == [[[[-4, -2], [6, 8]]]]
    assert F.avg_pool1d(tensor_of(np.array([[6, 6, 6]])), 3).tolist() == [[6]]
