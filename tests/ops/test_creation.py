"""Tensors from nothing and from data."""

import numpy as np
import pytest

import minigan
from minigan import Tensor
from minigan.autograd import tensor_of


@pytest.mark.parametrize("data, dtype", [
    (1.5, np.float32), (2, np.int64), (True, np.bool_), ([1.0, 2.0], np.float32),
    ([1, 2], np.int64), ([[1, 2.5]], np.float32),
    ([True, False], np.bool_), ([], np.float32), (np.ones(2), np.float64),
    (np.float64(2.0), np.float64), (np.arange(3), np.int64),
    (np.ones(2, np.float16), np.float16), (np.arange(2, dtype=np.uint8), np.uint8),
])  # fmt: skip
def test_tensor_dtypes(data, dtype):
    x = minigan.tensor(data)
    assert (
        isinstance(x, Tensor)
        and x.dtype == dtype
        and x.tolist() == np.asarray(data).tolist()
        and not x.requires_grad
    )


def test_tensor_copies_and_as_tensor_does_not():
    a = np.zeros(3)
    assert not np.shares_memory(minigan.tensor(a).array, a)
    assert not np.shares_memory(minigan.tensor(tensor_of(a)).array, a)
    assert minigan.as_tensor(a).array is a and minigan.from_numpy(a).array is a
    t = tensor_of(a)
    assert minigan.as_tensor(t) is t
    assert minigan.as_tensor(a, dtype=np.float32).dtype == np.float32


def test_tensor_options():
    x = minigan.tensor([1, 2], dtype=np.float64, requires_grad=True)
    assert x.dtype == np.float64 and x.requires_grad and x.is_leaf
    with pytest.raises(
        RuntimeError, match="only tensors of floating-point numbers can require gradients"
    ):
        minigan.tensor([1, 2], requires_grad=True)
    with pytest.raises(TypeError, match="cannot make numbers of str"):
        minigan.tensor("text")
    with pytest.raises(TypeError, match="from_numpy: expected a numpy.ndarray, got list"):
        minigan.from_numpy([1.0])


@pytest.mark.parametrize("name, value", [("zeros", 0), ("ones", 1)])
def test_filled(name, value):
    make, like = getattr(minigan, name), getattr(minigan, f"{name}_like")
    for x in (make(2, 3), make((2, 3)), make([2, 3])):
        assert x.shape == (2, 3) and x.dtype == np.float32 and (x.array == value).all()
    assert make(()).shape == () and make(0, 4).shape == (0, 4)
    assert make(2, dtype=np.int64).dtype == np.int64 and make(2, requires_grad=True).requires_grad
    y = like(minigan.full((2, 1), 7.0, dtype=np.float64))
    assert y.shape == (2, 1) and y.dtype == np.float64 and (y.array == value).all()
    assert like(y, dtype=np.float32).dtype == np.float32


def test_full_follows_its_value():
    assert minigan.full((2,), 3).dtype == np.int64 and minigan.full((2,), 3.0).dtype == np.float32
    assert (
        minigan.full((2,), True).dtype == np.bool_
        and minigan.full((2, 2), 0.5, dtype=np.float64).tolist() == [[0.5, 0.5]] * 2
    )
    assert minigan.full_like(minigan.zeros(2, 3), 2).tolist() == [[2.0] * 3] * 2


def test_empty_has_the_asked_for_shape():
    assert (
        minigan.empty(2, 3).shape == (2, 3)
        and minigan.empty_like(minigan.zeros(4, dtype=np.float64)).dtype == np.float64
    )


@pytest.mark.parametrize("args, expected, dtype", [
    ((4,), [0, 1, 2, 3], np.int64), ((1, 4), [1, 2, 3], np.int64),
    ((1, 10, 4), [1, 5, 9], np.int64), ((3, 0, -1), [3, 2, 1], np.int64),
    ((2.0,), [0.0, 1.0], np.float32), ((0, 1, 0.25), [0.0, 0.25, 0.5, 0.75], np.float32),
])  # fmt: skip
def test_arange(args, expected, dtype):
    x = minigan.arange(*args)
    assert x.tolist() == expected and x.dtype == dtype


def test_linspace_and_eye():
    x = minigan.linspace(-1, 1, 5)
    assert x.tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0] and x.dtype == np.float32
    assert minigan.eye(2).tolist() == [[1.0, 0.0], [0.0, 1.0]] and minigan.eye(2, 3).shape == (2, 3)


def test_methods_that_make_tensors():
    x = minigan.ones(2, dtype=np.float64)
    assert (
        x.new_zeros(3).dtype == np.float64
        and x.new_ones(1, 2).shape == (1, 2)
        and x.new_tensor([1, 2]).dtype == np.float64
    )
