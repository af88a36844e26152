"""Products inside kernels, through NumPy's BLAS and through the substitute for one that cannot be
found."""

import ctypes
import importlib

import numpy as np
import pytest

from minigan.fast.cpu.gemm import NO_TRANS, TRANS, gemm, gemm_address, place, substitute
from minigan.fast.cpu.kernels import kernel


@kernel
def product(address, trans_a, trans_b, m, n, k, a, b, beta, c):
    gemm(
        address,
        trans_a,
        trans_b,
        m,
        n,
        k,
        place(a, 0),
        a.shape[1],
        place(b, 0),
        b.shape[1],
        c.dtype.type(beta),
        place(c, 0),
        c.shape[1],
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(
    "trans_a, trans_b", [(NO_TRANS, NO_TRANS), (NO_TRANS, TRANS), (TRANS, NO_TRANS), (TRANS, TRANS)]
)
@pytest.mark.parametrize("beta", [0.0, 1.0, 0.5])
def test_gemm(dtype, own, trans_a, trans_b, beta):
    """Also of parts of larger arrays: rows that are further apart than they are long."""
    callback = substitute(dtype)
    address = gemm_address(np.dtype(dtype)) if own else ctypes.cast(callback, ctypes.c_void_p).value
    rng = np.random.default_rng(0)
    m, n = 5, 3
    k = 4
    a = rng.standard_normal((m, k) if trans_a == NO_TRANS else (k, m)).astype(dtype)
    b = rng.standard_normal((k, n) if trans_b == NO_TRANS else (n, k)).astype(dtype)
    wide_a, wide_b = (np.pad(x, ((0, 0), (0, 2))) for x in (a, b))
    c = rng.standard_normal((m, n + 1)).astype(dtype)
    expected = (a if trans_a == NO_TRANS else a.T) @ (b if trans_b == NO_TRANS else b.T) + dtype(
        beta
    ) * c[:, :n]
    last = c[:, n].copy()
    product(address, trans_a, trans_b, m, n, k, wide_a, wide_b, beta, c)
    np.testing.assert_allclose(c[:, :n], expected, rtol=1e-5 if dtype == np.float32 else 1e-13)
    np.testing.assert_array_equal(c[:, n], last)


def test_the_blas_is_found():
    """NumPy's wheels carry an OpenBLAS; were it not found, convolutions would be slow without a
    word."""
    config = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    if "openblas" not in config:
        pytest.skip(f"NumPy was built with {config}")
    gemm_address(np.dtype(np.float32))
    assert not importlib.import_module("minigan.fast.cpu.gemm")._kept
