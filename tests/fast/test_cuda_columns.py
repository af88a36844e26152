"""Sums over rows and batch normalisation on CUDA, run on the host: one block or several, every
activation, as the CPU has it."""

import fakecuda
import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.autograd import tensor_of
from minigan.fast.batch_norm_activation import batch_norm_activation
from minigan.fast.cuda import columns as rows
from minigan.fast.linear_activation import linear_activation
from minigan.nn import functional as F
from minigan.ops.normalization import in_training

pytestmark = pytest.mark.skipif(fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER))


@pytest.fixture(params=["one block", "several", "as it is"])
def shared(request, monkeypatch):
    """How rows are shared among blocks."""
    if request.param != "as it is":
        monkeypatch.setattr(rows, "ALONE", 1 << 40 if request.param == "one block" else 2)
        monkeypatch.setattr(rows, "CHUNK", 7)


def both(function, *arrays):
    """Results of function(*Tensors) and gradients for a random cotangent, from the CPU and from the
    kernels."""
    found = []
    for make in (np.asarray, fakecuda.asarray):
        boxes = [tensor_of(make(a.copy()), a.ndim > 0) for a in arrays]
        y, *rest = function(*boxes)
        cotangent = tensor_of(
            make(np.random.default_rng(5).standard_normal(y.shape).astype(y.dtype))
        )
        grads = minigan.grad(y, boxes, cotangent, allow_unused=True)
        found.append(
            [getattr(t.array, "storage", t.array) for t in (y, *rest, *grads) if t is not None]
        )
    return found


def close(found, expected):
    for f, e in zip(found, expected, strict=True):
        assert f.dtype == e.dtype
        scale = max(1.0, float(np.abs(e).max()))
        np.testing.assert_allclose(
            f, e, rtol=0, atol=scale * (2e-5 if e.dtype == np.float32 else 1e-11)
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 5), (40, 33), (1300, 3), (4, 65, 3, 4), (2, 1, 24, 24)])
@pytest.mark.parametrize("slope", [1.0, 0.2, 0.0])
def test_batch_norm_and_a_leaky_relu_are_one_op(shared, dtype, shape, slope):
    rng = np.random.default_rng(0)
    c = shape[1]
    x = (rng.standard_normal(shape) * 2 + 3).astype(dtype)
    w, b = (rng.standard_normal(c).astype(dtype) for _ in range(2))

    def layer(x, w, b):
        make = (lambda a: a) if isinstance(x.array, np.ndarray) else fakecuda.asarray
        mean, var = tensor_of(make(np.zeros(c, dtype))), tensor_of(make(np.ones(c, dtype)))
        y = in_training(batch_norm_activation, x, mean, var, w, b, 0.1, 1e-5, slope)
        assert y.grad_fn.op.__name__ == "batch_norm_activation"
        return y, mean, var

    with fakecuda.with_kernels():
        expected, found = both(layer, x, w, b)
    close(found, expected)


@pytest.mark.parametrize("activation", ["leaky_relu", "tanh", "sigmoid", "softplus"])
def test_rules_and_sums(shared, activation):
    rng = np.random.default_rng(1)
    x, w, b = (rng.standard_normal(s).astype(np.float32) for s in ((700, 6), (35, 6), (35,)))
    with fakecuda.with_kernels():
        expected, found = both(lambda *t: [linear_activation(*t, activation, 0.2)], x, w, b)
        close(found, expected)
        expected, found = both(lambda *t: [F.linear(*t)], x, w, b)
        close(found, expected)


def test_sequential_takes_the_activation_into_batch_norm():
    """As on the CPU: an entry on the tape for both, and infinities do not become NaN in a ReLU."""
    with fakecuda.with_kernels():
        net = nn.Sequential(nn.BatchNorm1d(3), nn.ReLU()).cuda()
        y = net(
            tensor_of(
                fakecuda.asarray(
                    np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
                )
            )
        )
        assert y.grad_fn.op.__name__ == "batch_norm_activation"
        assert (y.array.storage >= 0).all() and (y.array.storage == 0).any()
