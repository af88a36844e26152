"""How convolutions on CUDA are computed, run on the host: every way against the plain formula, and
what goes into the products."""

import fakecuda
import numpy as np
import pytest

import minigan
from minigan.autograd import tensor_of
from minigan.fast.cuda import convolution as cuda
from minigan.fast.cuda import cublas
from minigan.machine.precision import precision, rounded
from minigan.ops.convolution import formula
from minigan.ops.convolution.geometry import Geometry

pytestmark = pytest.mark.skipif(fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER))


def geometry(size, kernel, stride, padding=0, dilation=1, extra=0, dims=2):
    out = (size + 2 * padding - dilation * (kernel - 1) - 1 - extra) // stride + 1
    return Geometry(*[(v,) * dims for v in (size, out, kernel, stride, padding, dilation)], 1)


GEOMETRIES = {
    "4x4, stride 2": geometry(8, 4, 2, 1), "5x5, stride 2": geometry(9, 5, 2, 2),
    "3x3": geometry(6, 3, 1, 1), "1x1": geometry(5, 1, 1),
    "whole": geometry(4, 4, 1), "stride and dilation": geometry(13, 3, 2, 1, 3),
    "stride 4, dilation 6": geometry(25, 3, 4, 2, 6),
    "stride beyond kernel": geometry(11, 2, 5), "stride 9": geometry(19, 3, 9),
    "padding beyond kernel": geometry(5, 2, 1, 3),
    "rest": geometry(10, 4, 3, 1, extra=1), "one dimension": geometry(9, 4, 2, 1, dims=1),
    "three": geometry(5, 3, 2, 1, dims=3), "300 taps": geometry(320, 300, 3, 2, dims=1),
}  # fmt: skip


@pytest.fixture(autouse=True)
def kernels():
    before, precision.conv_tf32 = precision.conv_tf32, False
    with fakecuda.with_kernels():
        yield
    precision.conv_tf32 = before


def arrays(g, n, c, o, dtype):
    rng = np.random.default_rng(0)
    return [
        rng.standard_normal(s).astype(dtype)
        for s in ((n, c, *g.size), (o, c, *g.kernel), (n, o, *g.out), (c,), (o,))
    ]


def check(g, n, c, o, dtype):
    x, w, y, b, d = arrays(g, n, c, o, dtype)
    there = {id(a): fakecuda.asarray(a) for a in (x, w, y, b, d)}
    on = lambda a: there[id(a)]
    column = lambda v: v.reshape(-1, *[1] * len(g.size))
    pairs = [
        (cuda.conv(on(x), on(w), on(d), g), formula.conv(x, w, g) + column(d)),
        (cuda.conv_transpose(on(y), on(w), on(b), g), formula.conv_transpose(y, w, g) + column(b)),
        (cuda.conv_transpose(on(y), on(w), None, g), formula.conv_transpose(y, w, g)),
        (cuda.conv_weight(on(x), on(y), g), formula.conv_weight(x, y, g)),
    ]
    for found, expected in pairs:
        assert found.dtype == dtype
        np.testing.assert_allclose(
            found.storage,
            expected,
            rtol=0,
            atol=(2e-5 if dtype == np.float32 else 1e-12) * np.abs(expected).max(),
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("c, o", [(8, 3), (3, 8), (4, 4), (1, 1)])
@pytest.mark.parametrize("name", GEOMETRIES)
def test_every_way(name, c, o, dtype, monkeypatch):
    """With a block for each row, and with blocks of several, of which the last has fewer."""
    check(GEOMETRIES[name], 2, c, o, dtype)
    monkeypatch.setattr(cuda, "BLOCKS", 3)
    check(GEOMETRIES[name], 2, c, o, dtype)


def test_many_positions_of_one_channel_fill_a_block():
    assert cuda._shared(100_000, 1) == ((1053,), (256,), 95)
    assert cuda._shared(10**6, 1)[2] == 256
    check(geometry(700, 3, 1, 1, dims=1), 1, 1, 1, np.float64)


def test_a_gradient_lies_as_its_parameter_does():
    """So that an optimiser need not copy it: weights that were moved lie channel by channel."""
    conv = minigan.nn.Conv2d(4, 3, 3).cuda()
    x = minigan.ones(2, 4, 6, 6, device="cuda")
    for _ in range(2):
        conv(x).sum().backward()
        assert conv.weight.grad.array.strides == conv.weight.array.strides != (144, 36, 12, 4)
    (grad,) = minigan.grad(conv(x).sum(), [conv.weight])
    assert grad.array.strides == conv.weight.array.strides


def test_large_batches_are_taken_in_parts(monkeypatch):
    monkeypatch.setattr(cuda, "MOST", 3000)
    check(GEOMETRIES["4x4, stride 2"], 5, 4, 8, np.float64)
    check(GEOMETRIES["whole"], 50, 4, 8, np.float64)


def bfloat16(x):
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).view(np.float32)


@pytest.mark.parametrize("c, o", [(16, 8), (3, 8), (8, 3)])
@pytest.mark.parametrize("name", ["4x4, stride 2", "3x3", "whole"])
def test_bfloat16_is_rounded_to_before_rows_are_made(name, c, o, monkeypatch):
    """The inputs of all products are rounded, sums are float32; and what is rounded is x, not its
    rows."""
    g = GEOMETRIES[name]
    x, w, y, *_ = arrays(g, 2, c, o, np.float32)
    sizes, to_bfloat16 = [], cublas._to_bfloat16
    monkeypatch.setattr(cublas, "_to_bfloat16", lambda a: sizes.append(a.size) or to_bfloat16(a))
    monkeypatch.setattr(cuda, "halved", cublas.halved)
    on = fakecuda.asarray
    with rounded():
        found = [
            cuda.conv(on(x), on(w), None, g),
            cuda.conv_transpose(on(y), on(w), None, g),
            cuda.conv_weight(on(x), on(y), g),
        ]
    assert sorted(sizes) == sorted([x.size, w.size, y.size, w.size, x.size, y.size])
    x, w, y = (bfloat16(a) for a in (x, w, y))
    for f, e in zip(
        found,
        (formula.conv(x, w, g), formula.conv_transpose(y, w, g), formula.conv_weight(x, y, g)),
    ):
        assert f.dtype == np.float32
        np.testing.assert_allclose(f.storage, e, rtol=0, atol=1e-5 * np.abs(e).max())


def test_one_product_is_no_stack(monkeypatch):
    """cuBLAS is asked for a single product where it is one: a stack of one it does not share among
    multiprocessors."""
    library, called = fakecuda.cublas_library(), []

    def noted(name):
        function = getattr(library, name)
        monkeypatch.setattr(
            library, name, lambda *a: called.append(name) or function(*a), raising=False
        )

    noted("cublasGemmEx")
    noted("cublasGemmStridedBatchedEx")
    a, b = (tensor_of(fakecuda.asarray(np.ones(s, np.float32))) for s in ((2, 3, 4), (2, 4, 5)))
    minigan.matmul(a[0], b[0])
    assert called[0] == "cublasGemmEx"
    called.clear()
    minigan.matmul(a, b)
    assert called == ["cublasGemmStridedBatchedEx"]
