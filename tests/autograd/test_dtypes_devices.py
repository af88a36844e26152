"""float32 stays float32; integers have no gradients; mixing kinds or places of arrays is an error
that says so."""

import fakecuda
import numpy as np
import pytest

import minigan
from minigan import OpError, Tensor
from minigan.autograd import tensor_of


def tensor(values, dtype=np.float32, grad=False):
    return tensor_of(np.array(values, dtype), grad)


NUMBERS = [2, 2.5, True, np.float64(2.5), np.float32(2.5), np.int64(2), np.int32(-2)]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: f"{type(n).__name__}")
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("shape", [(), (3,)], ids=["scalar", "vector"])
def test_numbers_adapt(number, dtype, shape):
    x = tensor_of(np.full(shape, 1.5, dtype), True)
    results = [
        x + number,
        number + x,
        x - number,
        number - x,
        x * number,
        number * x,
        x / number,
        number / x,
        x**number,
    ]
    results += [
        minigan.maximum(x, number),
        minigan.where(x > 0, x, number),
        minigan.where(x > 0, number, x),
    ]
    for y in results:
        assert isinstance(y, Tensor) and y.dtype == dtype and y.shape == shape
        (g,) = minigan.grad(y, x, tensor_of(np.full(shape, 0.5, dtype)))
        assert g.dtype == dtype and g.shape == shape


def test_arrays_beside_tensors_are_constants_of_their_dtype():
    """A float64 array beside a float32 Tensor makes neither the result nor the gradient float64."""
    x = tensor([1.0, 2.0, 3.0], grad=True)
    for y in (
        x * np.arange(3.0),
        np.arange(3.0) * x,
        x + np.arange(3.0),
        x - np.arange(3),
        np.ones(3) / x,
    ):
        assert isinstance(y, Tensor) and y.dtype == np.float32
        (g,) = minigan.grad(y, x, tensor([1.0, -1.0, 0.5]))
        assert g.dtype == np.float32


def test_mixed_floats_are_an_error():
    with pytest.raises(
        OpError,
        match=r"mul: arguments of different dtypes: float32\[2\] on cpu, float64\[3, 2\] on "
        r"cpu.*\.to\(",
    ):
        tensor([1.0, 2.0]) * tensor(np.ones((3, 2)), np.float64)


def test_integers_adapt_to_floats():
    y = tensor([1, 2], np.int64) * tensor([0.5, 0.25], grad=True)
    assert y.dtype == np.float32 and y.requires_grad
    assert (tensor([1, 2], np.int64) + tensor([1, 2], np.int32)).dtype == np.int64
    assert (tensor([True, False], bool) * tensor([2.0, 2.0], np.float64)).dtype == np.float64


def test_division_and_functions_of_integers_are_float32():
    i = tensor([1, 2, 4], np.int64)
    assert (i / 2).dtype == np.float32 and (i / i).dtype == np.float32
    assert i.exp().dtype == np.float32 and i.sqrt().dtype == np.float32
    assert (i + 1).dtype == np.int64 and (i * i).dtype == np.int64


def test_integers_have_no_gradients():
    i = tensor([1, 2], np.int64)
    with pytest.raises(
        RuntimeError,
        match="only tensors of floating-point numbers can require gradients, this one is int64",
    ):
        i.requires_grad_()
    x = tensor([1.0, 2.0], grad=True)
    y = x * i
    y.backward(tensor([1.0, 3.0]))
    assert i.grad is None and not i.requires_grad
    np.testing.assert_array_equal(x.grad.array, [1.0, 6.0])


def test_comparisons_are_booleans_without_gradients():
    x = tensor([1.0, 2.0], grad=True)
    for y in (
        x > 1,
        x >= 1,
        x < 1,
        x <= 1,
        x == 1,
        x != 1,
        ~(x > 1),
        (x > 0) & (x < 1),
        (x > 0) | (x < 1),
    ):
        assert y.dtype == bool and not y.requires_grad


def test_comparisons_with_numbers_on_the_left():
    x = tensor([1.0, 2.0])
    assert (1.5 < x).tolist() == [False, True] and (1.5 >= x).tolist() == [True, False]


def test_results_without_dimensions_are_arrays():
    x = tensor(2.0, grad=True)
    y = x * 3.0
    assert isinstance(y.array, np.ndarray) and y.shape == () and y.item() == 6
    y.backward()
    assert isinstance(x.grad.array, np.ndarray)


# --- places ---


def test_mixed_devices_are_an_error():
    x, y = tensor([1.0, 2.0]), tensor_of(fakecuda.asarray(np.ones((3, 2), np.float32)))
    for a, b in ((x, y), (y, x)):
        with pytest.raises(OpError) as error:
            a + b
        message = str(error.value)
        assert (
            "add(input, other" in message
            and "float32[2] on cpu" in message
            and "float32[3, 2] on cuda:0" in message
        )
        assert "move one of them: they are on cpu and cuda:0" in message


def test_the_engine_runs_on_another_library():
    """A perceptron's step, its gradient penalty included, on arrays that refuse to meet NumPy's,
    without one sync."""
    rng = np.random.default_rng(0)
    data = (
        rng.standard_normal((6, 3)),
        rng.standard_normal((4, 3)),
        rng.standard_normal(4),
        rng.standard_normal((1, 4)),
    )

    def step(convert):
        x, w1, b1, w2 = [tensor_of(convert(a.astype(np.float32)), True) for a in data]
        y = minigan.linear(minigan.leaky_relu(minigan.linear(x, w1, b1), 0.2).tanh(), w2)
        (g,) = minigan.grad(y.sum(), x, create_graph=True)
        loss = minigan.softplus(-y).mean() + ((g * g).sum(1).sqrt() - 1).square().mean()
        loss.backward(inputs=[w1, b1, w2])
        with minigan.no_grad():
            for w in (w1, b1, w2):
                w.sub_(w.grad, alpha=0.1)
        return [w1, b1, w2]

    expected = step(lambda a: a)
    fakecuda.syncs = 0
    found = step(fakecuda.asarray)
    assert fakecuda.syncs == 0
    for f, e in zip(found, expected):
        assert str(f.device) == "cuda:0"
        np.testing.assert_allclose(f.array.get(), e.array, rtol=1e-4, atol=1e-6)
