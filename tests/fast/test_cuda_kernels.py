"""CUDA kernels without a GPU: every case of the table computed by the kernels, which are compiled
for the host."""

import fakecuda
import numpy as np
import pytest
from ops.table import CASES
from ops.test_ops import boxed, close, for_every, gradients, laid_out, second_gradients, twice

import minigan
from minigan.autograd import tensor_of
from minigan.machine.precision import precision
from minigan.nn import functional as F

pytestmark = pytest.mark.skipif(fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER))


def on_device(how):
    return lambda a: fakecuda.asarray(a) if how is None else fakecuda.DeviceArray(laid_out(a, how))


@for_every(CASES, 4)
def test_kernels(case, args, seed):
    """The CPU's results and gradients, from arguments in any memory layout, and no value
    fetched."""
    expected, _, grads, _ = gradients(case, boxed(case, args), seed)
    how = seed % 5 if seed % 5 < 4 else None
    with fakecuda.with_kernels():
        boxes = boxed(case, args, on_device(how))
        fakecuda.syncs = 0
        outputs, _, found, _ = gradients(case, boxes, seed, on_device(how))
        assert fakecuda.syncs == 0
    for y, e in zip([*outputs, *found], [*expected, *grads]):
        if e is not None:
            assert isinstance(y.array, fakecuda.DeviceArray)
            close(y.array.storage, e.array, 1e-11, 1e-12)


@for_every(CASES, 2)
def test_kernels_in_float32(case, args, seed):
    """The same kernels for float32, products in full precision."""
    tf32, precision.conv_tf32 = precision.conv_tf32, False
    try:
        check_float32(case, args, seed)
    finally:
        precision.conv_tf32 = tf32


def check_float32(case, args, seed):
    single = [
        a.astype(np.float32) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
        for a in args
    ]
    expected, _, grads, _ = gradients(case, boxed(case, single), seed)
    with fakecuda.with_kernels():
        outputs, _, found, _ = gradients(
            case, boxed(case, single, fakecuda.asarray), seed, fakecuda.asarray
        )
    for y, e in zip([*outputs, *found], [*expected, *grads]):
        if e is not None:
            assert y.dtype == e.dtype
            close(y.array.storage, e.array, 10 * case.tolerance, 10 * case.tolerance)


@for_every(twice, 1)
def test_second_order(case, args, seed):
    """Second derivatives by the kernels are the CPU's."""
    expected = second_gradients(case, boxed(case, args), seed)
    with fakecuda.with_kernels():
        found = second_gradients(case, boxed(case, args, fakecuda.asarray), seed, fakecuda.asarray)
    for f, e in zip(found, expected, strict=True):
        close(f.array.storage, e.array, 1e-8, 1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_repeated_places_are_added_in_one_order(dtype, monkeypatch):
    """The CPU's numbers to the bit: gradients of rows, of elements, and along an axis, which places
    of an index name many times."""

    def refuse(*args):
        raise AssertionError("atomic additions")

    rng = np.random.default_rng(0)
    x, few = rng.standard_normal((40, 5, 3)).astype(dtype), rng.integers(0, 4, (40,))
    g = rng.standard_normal((4, 40, 3)).astype(dtype)
    along = rng.integers(0, 5, (4, 40, 3))
    cases = {
        "rows": (x, lambda t, i: t[i], few),
        "negative rows": (x, lambda t, i: t[i - 4], few),
        "columns": (x[:5], lambda t, i: t[:, i], few),
        "pairs": (x, lambda t, i: t[i, i], few),
        "gather": (g[:, :5], lambda t, i: minigan.gather(t, 1, i), along),
        "embedding": (x[:4, 0], lambda t, i: F.embedding(i, t), few),
        "a list": (x, lambda t, i: t[[1, 1, 2, 1]], few),
        "lists": (x, lambda t, i: t[[1, 1, 2], :, [0, 0, 1]], few),
        "an array of the host": (x, lambda t, i: t[:, np.array([4, 4, 0])], few),
        "a mask": (x, lambda t, i: t[i > 1], few),
        "many": (x, lambda t, i: t[:, i][:, :, i % 3], few),
    }
    for name, (values, function, index) in cases.items():

        def gradient(make, values=values, function=function, index=index):
            t = tensor_of(make(values), True)
            y = function(t, tensor_of(make(index)))
            y.backward(
                tensor_of(make(np.random.default_rng(1).standard_normal(y.shape).astype(dtype)))
            )
            return t.grad.array

        expected = gradient(np.asarray)
        with fakecuda.with_kernels() as xp:
            monkeypatch.setattr(type(xp.add), "at", refuse)
            found = gradient(fakecuda.asarray).storage
        assert np.abs(expected).max() > 0
        np.testing.assert_array_equal(found, expected, err_msg=name)


def test_arrays_on_two_gpus_are_an_error():
    """A kernel is not given an array of another GPU."""
    with fakecuda.with_kernels():
        a, b = (tensor_of(fakecuda.asarray(np.ones(3, np.float32), place=k)) for k in (0, 1))
        with pytest.raises(minigan.OpError, match="cuda:0 and cuda:1.*move one of them"):
            minigan.ops.activation.tanh_grad(a, b)
