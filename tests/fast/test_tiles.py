"""Products in registers are those of NumPy, whatever the layout, the size and the number of
threads, and touch nothing else."""

import contextlib
import os
import threading
import time

import numpy as np
import pytest

from minigan.fast.cpu import matmul, threads, tiles
from minigan.fast.cpu.gemm import place
from minigan.fast.cpu.kernels import kernel
from minigan.fast.cpu.matmul import tiled_matmul
from minigan.fast.cpu.tiles import tiled_product

SIZES = [
    (6, 300, 100),
    (7, 500, 64),
    (784, 100, 100),
    (100, 128, 65),
    (33, 77, 79),
    (513, 257, 16),
    (12, 1000, 17),
    (50, 64, 333),
]


@pytest.fixture(autouse=True)
def in_registers(monkeypatch):
    """Also where the processor has no AVX-512: the tiles are right there, only not faster than the
    BLAS."""
    monkeypatch.setattr(tiles, "registers", lambda: True)


@contextlib.contextmanager
def threads_of(number):
    """Inside, so many threads work, also on small products."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINIGAN_NUM_THREADS", str(number))
        patch.setattr(matmul, "WORK", 1 << 12)
        threads._pools.clear()
        yield
        for worker in threads._pool(os.getpid())[1]:
            worker.retire()
        threads._pools.clear()


@pytest.fixture(params=[1, 2, 5])
def some_threads(request):
    with threads_of(request.param):
        yield


LAYOUTS = {
    "rows": lambda x: x.copy(),
    "columns": np.asfortranarray,
    "gaps": lambda x: np.repeat(np.repeat(x, 2, 0), 3, 1)[::2, ::3],
    "backwards": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "columns backwards": lambda x: np.asfortranarray(x[:, ::-1])[:, ::-1],
}


@pytest.mark.parametrize("m,k,n", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layouts(m, k, n, dtype, some_threads):
    rng = np.random.default_rng(0)
    a, b, bias = (rng.standard_normal(s).astype(dtype) for s in ((m, k), (k, n), (m,)))
    assert matmul._pays(a, b)
    expected, tolerance = a.astype("float64") @ b.astype("float64"), 2 * np.finfo(dtype).eps * k
    with_bias = expected + bias[:, None]
    for left in LAYOUTS.values():
        for right in LAYOUTS.values():
            c = tiled_matmul(left(a), right(b))
            assert c.dtype == dtype and c.flags.c_contiguous
            np.testing.assert_allclose(c, expected, atol=tolerance)
    np.testing.assert_allclose(tiled_matmul(a, b, bias), with_bias, atol=tolerance)
    leaky = tiled_matmul(a, np.asfortranarray(b), np.repeat(bias, 2)[::2], 0.2)
    np.testing.assert_allclose(
        leaky, np.where(with_bias > 0, with_bias, 0.2 * with_bias), atol=tolerance
    )


def test_constant_and_odd_strides():
    """Rows that are one row, and elements of a record."""
    rng = np.random.default_rng(0)
    one = np.broadcast_to(rng.standard_normal((1, 300), "f"), (40, 300))
    b = rng.standard_normal((300, 70), "f")
    np.testing.assert_allclose(tiled_matmul(one, b), one @ b, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(tiled_matmul(b.T, one.T), b.T @ one.T, rtol=1e-4, atol=1e-4)
    records = np.zeros((40, 300), [("x", "f4"), ("y", "i1")])
    records["x"] = rng.standard_normal((40, 300))
    np.testing.assert_allclose(
        tiled_matmul(records["x"], b), records["x"] @ b, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("m,k,n", [(100, 300, 70), (783, 64, 205), (1000, 600, 64)])
def test_the_same_bits_with_any_number_of_threads(m, k, n):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((m, k), "f"), rng.standard_normal((n, k), "f").T
    results = []
    for number in range(1, 5):
        with threads_of(number):
            results += [tiled_matmul(a, b) for _ in range(5)]
    assert all((r == results[0]).all() for r in results)


def test_nothing_beside_it_is_read_or_written(monkeypatch):
    """The matrices lie in the middle of others, full of NaN, which stay."""
    rng = np.random.default_rng(0)
    for m, k, n in SIZES:
        for turn in (False, True):
            fields = [
                np.full((r + 40, c + 40), np.nan, "f")
                for r, c in ((m, k), (n, k) if turn else (k, n), (m, n))
            ]
            a, b, c = (f[20:-20, 20:-20] for f in fields)
            a[...], b[...] = rng.standard_normal(a.shape), rng.standard_normal(b.shape)
            made = []
            monkeypatch.setattr(
                tiles.np,
                "empty",
                lambda shape, dtype, made=made: made.append(_guarded(shape, dtype)) or made[-1][1],
            )
            result = tiled_matmul(a, b.T if turn else b)
            monkeypatch.undo()
            monkeypatch.setattr(tiles, "registers", lambda: True)
            assert np.isfinite(result).all()
            assert all(np.isnan(f[:20]).all() and np.isnan(f[:, -20:]).all() for f in fields)
            assert made and all(
                np.isnan(whole[:64]).all() and np.isnan(whole[-64:]).all() for whole, _ in made
            )


def _guarded(shape, dtype):
    whole = np.full(int(np.prod(shape)) + 128, np.nan, dtype)
    return whole, whole[64:-64].reshape(shape)


def test_nan_and_infinity_stay_where_they_belong():
    a, b = np.ones((60, 300), "f"), np.ones((300, 64), "f")
    a[7, 5], b[3, 40] = np.inf, np.nan
    c = tiled_matmul(a, b)
    assert np.isnan(c[:, 40]).all() and (np.delete(c[7], 40) == np.inf).all()
    assert (np.delete(np.delete(c, 7, 0), 40, 1) == 300).all()


def test_small_wide_and_other_products_are_the_blas_s():
    def ones(m, k, n, dtype="f", other="f"):
        return np.ones((m, k), dtype), np.ones((k, n), other)

    for a, b in (
        ones(64, 64, 64, "e", "e"),
        ones(64, 64, 64, "f", "d"),
        ones(64, 64, 64, ">f4", ">f4"),
        ones(2, 64, 64, ">f4", ">f4"),
    ):
        assert not matmul._pays(a, b) and (tiled_matmul(a, b) == 64).all()
    for a, b in (ones(4, 512, 512), ones(8, 8, 8), ones(64, 512, 8), ones(600, 600, 600)):
        assert not matmul._pays(a, b)
        for bias in (None, np.arange(len(a), dtype="f") - 300):
            v = np.full((len(a), b.shape[1]), a.shape[1]) + (0 if bias is None else bias[:, None])
            np.testing.assert_allclose(tiled_matmul(a, b, bias, 0.5), np.where(v > 0, v, 0.5 * v))


def test_sizes_that_do_not_fit():
    for m, k, other, n in ((100, 100, 99, 100), (2, 3, 4, 5), (100, 1, 100, 100)):
        with pytest.raises(ValueError, match="inner sizes differ"):
            tiled_matmul(np.ones((m, k), "f"), np.ones((other, n), "f"))


def test_workers_asleep_awake_and_busy(some_threads):
    """Products right after each other, after pauses in which the workers fall asleep, from several
    threads and beside other calls."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((300, 200), "f"), rng.standard_normal((200, 64), "f")
    expected, wrong = tiled_matmul(a, b), []

    def many():
        for i in range(60):
            if not (tiled_matmul(a, b) == expected).all():
                wrong.append(i)
            y = np.zeros(100)
            threads.parallel_chunks(lambda part: part.__iadd__(1), 100, y, min_chunk=10)
            if not (y == 1).all():
                wrong.append(-i)
            time.sleep((0, 0, 0.0005, 0.006)[i % 4])

    users = [threading.Thread(target=many) for _ in range(3)]
    for user in users:
        user.start()
    for user in users:
        user.join(600)
    assert not any(user.is_alive() for user in users) and not wrong


PRODUCTS = [(64, 100, 6272), (6272, 64, 100), (100, 64, 6272), (3, 5000, 700), (700, 900, 3),
         (64, 6272, 1), (600, 800, 700), (5, 70000, 20), (48, 1024, 640)]  # fmt: skip


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("m, k, n", PRODUCTS)
@pytest.mark.parametrize("number", (1, 3))
def test_products_of_any_size_and_layout(number, m, k, n, dtype):
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(dtype) for shape in ((m, k), (k, n)))
    expected = a.astype(float) @ b.astype(float)
    near = 1e-12 if dtype == "float64" else 1e-5
    with threads_of(number):
        for x in (a, np.asfortranarray(a), np.repeat(a, 2, 1)[:, ::2]):
            for y in (b, np.asfortranarray(b), np.repeat(b, 2, 0)[::2]):
                for multiply in (matmul.product, tiled_matmul, matmul._elsewhere):
                    found = multiply(x, y)
                    assert found.dtype == dtype and found.flags.c_contiguous
                    np.testing.assert_allclose(found, expected, 0, near * k**0.5 * 10)


@kernel
def _product(address, a, a_row, a_column, b, c, m, n, k):
    tiled_product(
        address, c.dtype.type(0), c.itemsize, place(a, 0), a_row, a_column, place(b, 0),
        place(c, 0), m, n, k,
    )  # fmt: skip


@pytest.mark.parametrize("m, k, n", [(6, 300, 16), (100, 256, 48), (131, 700, 144)])
def test_tiles_called_by_a_kernel(m, k, n):
    """Columns in panels, `a` in both layouts, rows left over."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype("f") for shape in ((m, k), (k, n)))
    assert tiles.tiles_fit(n, a.dtype) and not tiles.tiles_fit(n + 1, a.dtype)
    expected = a.astype(float) @ b.astype(float)
    address = tiled_product.address(a.dtype)
    for flat, row, column in ((a.ravel(), k, 1), (a.T.ravel(), 1, m)):
        c = np.empty(m * n, "f")
        _product(address, flat, row, column, b.ravel(), c, m, n, k)
        np.testing.assert_allclose(c.reshape(m, n), expected, 0, 1e-4 * k**0.5)
