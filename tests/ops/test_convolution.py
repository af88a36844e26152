"""Convolutions of unusual sizes, and their errors."""

import numpy as np
import pytest

import minigan
import minigan.nn.functional as F


def test_large_images():
    """Sizes beyond Python's limit of recursion."""
    x, w = minigan.ones(1, 1, 5, 2500), minigan.ones(1, 1, 3, 3)
    np.testing.assert_array_equal(F.conv2d(x, w).array, np.full((1, 1, 3, 2498), 9))


@pytest.mark.parametrize("images", [0, 1])
def test_few_images(images):
    x = minigan.ones(images, 2, 8, 8, requires_grad=True)
    w = minigan.ones(3, 2, 4, 4, requires_grad=True)
    y = F.conv2d(x, w, None, 2, 1)
    assert y.shape == (images, 3, 4, 4) and F.conv_transpose2d(y, w, None, 2, 1).shape == x.shape
    y.sum().backward()
    assert w.grad.shape == w.shape and bool((w.grad.array == 0).all()) is (images == 0)


def test_one_example_without_a_batch():
    x, w = minigan.randn(2, 9, 8), minigan.randn(3, 2, 3, 3)
    assert F.conv2d(x, w).shape == (3, 7, 6)
    np.testing.assert_array_equal(F.conv2d(x, w).array, F.conv2d(x[None], w).array[0])
    assert F.conv_transpose2d(F.conv2d(x, w), w).shape == x.shape


@pytest.mark.parametrize(
    "call, words",
    [
        (
            lambda x, w: F.conv2d(x, w[:, :, :, :1].expand(3, 2, 3, 9)),
            ["(5, 5)", "(3, 9)", "stride (1, 1)", "dilation (1, 1)"],
        ),
        (lambda x, w: F.conv2d(x[:, :1], w), ["1 channels", "expects 2"]),
        (lambda x, w: F.conv2d(x, w, None, 0), ["stride=(0, 0)"]),
        (lambda x, w: F.conv2d(x, w, None, 1, -1), ["padding=-1"]),
        (lambda x, w: F.conv2d(x, w, None, 2, "same"), ["'same'", "stride 1"]),
        (lambda x, w: F.conv2d(x, w, None, (1, 2, 3)), ["stride=(1, 2, 3)", "2 of them"]),
        (lambda x, w: F.conv2d(x, w, minigan.ones(2)), ["bias", "(2,)", "3 channels"]),
        (lambda x, w: F.conv2d(x, w, groups=2), ["groups=2"]),
        (lambda x, w: F.conv2d(x[0, 0], w), ["(N, C, H, W)", "(5, 5)"]),
        (lambda x, w: F.conv_transpose2d(x, w), ["2 channels", "expects 3"]),
        (
            lambda x, w: F.conv_transpose2d(x, w.transpose(0, 1), output_padding=1),
            ["output_padding"],
        ),
        (
            lambda x, w: F.conv_transpose2d(x[:, :, :1, :1], w.transpose(0, 1), padding=3),
            ["size (-3, -3)"],
        ),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError) as error:
        call(minigan.ones(1, 2, 5, 5), minigan.ones(3, 2, 3, 3))
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("f8", "f4"), ("f4", "i8")])
@pytest.mark.parametrize("channels", [2, 40])
def test_mixed_dtypes_are_refused(dtypes, channels):
    """Never garbage: a kernel would read the memory of one as the other."""
    x, w = np.ones((8, channels, 12, 12), dtypes[0]), np.ones((channels, channels, 3, 3), dtypes[1])
    for call in (F.conv2d, F.conv_transpose2d):
        with pytest.raises(TypeError, match=f"weight is {np.dtype(dtypes[1])}"):
            call(x, w)
        with pytest.raises(TypeError, match="float32, bias is float64"):
            call(x.astype("f4"), w.astype("f4"), np.ones(channels))


def test_numbers_of_numpy():
    x, w = minigan.randn(1, 4, 6, 6), minigan.randn(4, 2, 3, 3)
    y = F.conv2d(x, w, None, np.int64(2), (np.int32(1), 1), groups=np.int64(2))
    np.testing.assert_array_equal(y.array, F.conv2d(x, w, None, 2, 1, groups=2).array)
    for wrong in (2.0, None, (1.5, 1)):
        with pytest.raises(ValueError, match="stride=.*whole number"):
            F.conv2d(x, w, None, wrong, groups=2)
    with pytest.raises(ValueError, match="spatial size of 0"):
        F.conv2d(minigan.zeros(2, 4, 0, 5), w, None, 1, 2, groups=2)
