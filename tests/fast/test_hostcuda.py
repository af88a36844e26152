"""The stand-in for a GPU itself: barriers, shared memory, and the mistakes that it must find."""

import fakecuda
import hostcuda
import numpy as np
import pytest

from minigan.fast.cuda import Source
from minigan.fast.cuda.source import SOURCES

pytestmark = pytest.mark.skipif(fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER))

CODE = """
extern "C" __global__ void turn(const REAL* x, REAL* y) {
    __shared__ REAL tile[64];
    tile[threadIdx.x] = x[blockIdx.x * 64 + threadIdx.x];
    __syncthreads();
    y[blockIdx.x * 64 + threadIdx.x] = tile[63 - threadIdx.x];
}

extern "C" __global__ void total(const REAL* x, REAL* y, i64 n) {
    const double sum = block_sum(threadIdx.x < n ? (double)x[threadIdx.x] : 0);
    if (threadIdx.x == 7) *y = (REAL)sum;
}

extern "C" __global__ void __launch_bounds__(1024) twice(
        const REAL* __restrict__ x, REAL* __restrict__ y, i64 n) {
    if (threadIdx.x < n) y[threadIdx.x] = 2 * x[threadIdx.x];
}

extern "C" __global__ void torn(REAL* y) {
    if (threadIdx.x < 3) __syncthreads();
    y[threadIdx.x] = 1;
}
"""


@pytest.fixture(scope="module")
def source():
    yield Source("test", CODE)
    del SOURCES["test"]


def on(values, dtype=np.float32):
    return fakecuda.asarray(np.array(values, dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_barriers(source, dtype):
    x, y = on(np.arange(192), dtype), on(np.zeros(192), dtype)
    source.launch("turn", x, (3,), (64,), x, y)
    np.testing.assert_array_equal(y.storage, np.arange(192).reshape(3, 64)[:, ::-1].reshape(-1))
    out = on([0], dtype)
    for threads in (256, 32):
        source.launch("total", x, (1,), (threads,), x, out, 20)
        assert out.storage[0] == 190


def test_qualifiers_are_no_part_of_a_type(source):
    """__restrict__ and __launch_bounds__ are understood, and an argument of another dtype is found
    all the same."""
    assert hostcuda.kernels(source.text("f"))["twice"] == ["const REAL*", "REAL*", "i64"]
    x, y = on(np.arange(8)), on(np.zeros(8))
    source.launch("twice", x, (1,), (8,), x, y, 8)
    np.testing.assert_array_equal(y.storage, 2 * np.arange(8))
    with pytest.raises(TypeError, match="float64, the kernel takes const REAL"):
        source.launch("twice", x, (1,), (8,), on([0], np.float64), y, 1)


def test_what_is_found(source):
    x = on(np.zeros(8))
    with pytest.raises(RuntimeError, match="do not all come to a barrier"):
        source.launch("torn", x, (1,), (8,), x)
    with pytest.raises(TypeError, match="takes 3 arguments"):
        source.launch("total", x, (1,), (32,), x, x)
    with pytest.raises(TypeError, match="no array on the device"):
        source.launch("total", x, (1,), (32,), x, np.zeros(1, np.float32), 1)
    with pytest.raises(TypeError, match="the kernel takes i64"):
        source.launch("total", x, (1,), (32,), x, x, 1.0)
    with pytest.raises(TypeError, match="float64, the kernel takes REAL"):
        source.launch("total", x, (1,), (32,), x, on([0], np.float64), 1)
    with pytest.raises(TypeError, match="gaps in memory"):
        source.launch("total", x, (1,), (32,), x[::2], x, 1)
    with pytest.raises(ValueError, match="a GPU takes no grid"):
        source.launch("total", x, (1, 70000), (32,), x, x, 1)
    with pytest.raises(TypeError, match="cuda:0 and cuda:1"):
        source.launch(
            "total", x, (1,), (32,), x, fakecuda.asarray(np.zeros(1, np.float32), place=1), 1
        )
