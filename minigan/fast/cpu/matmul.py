"""Products of two matrices, by the way that is the fastest for their sizes: our tiles, the BLAS in
our threads, or a loop."""

import numpy as np

from ...machine.threads import num_threads
from . import tiles
from .gemm import NO_TRANS, TRANS, gemm, gemm_address, place
from .kernels import kernel
from .layout import COMPILED, VECTOR, row_major
from .shared_kernel import InPieces, pieces_of
from .tiles import TILE_ROWS, add_bias, multiply_in_threads, needs_packing, tile_readable

__all__ = ["in_cache", "product", "tiled_matmul"]

LEAST = 1 << 17  # multiply-adds below which the BLAS is called: it starts faster
WORK = 1 << 18  # multiply-adds that are worth another thread
# bytes of b that may pass for each tile's rows of `a`; with more the BLAS is called
PANEL = 1 << 19
NOTHING = {d: np.empty(0, d) for d in "fd"}


@kernel
def _few_rows(a, b, c):
    for i in range(a.shape[0]):
        row = c[i]
        row[:] = 0
        for k in range(a.shape[1]):
            factor, other = a[i, k], b[k]
            for j in range(row.size):
                row[j] += factor * other[j]


@kernel
def _few_dots(a, b, c):
    """c = a @ b^T"""
    for i in range(a.shape[0]):
        row = a[i]
        for j in range(b.shape[0]):
            other, total = b[j], row.dtype.type(0)
            for k in range(row.size):
                total += row[k] * other[k]
            c[i, j] = total


def _pays(a, b):
    """Is a @ b computed in tiles?"""
    (m, k), n = a.shape, b.shape[1]
    few = m < TILE_ROWS or n * a.itemsize < VECTOR or m * n * k < LEAST
    return (
        not few
        and min(k, tiles.DEPTH) * n * a.itemsize <= PANEL
        and a.dtype in COMPILED
        and b.dtype == a.dtype
        and tiles.registers()
    )


def in_cache(a, b):
    """Is a @ b computed in tiles, for each row of which all of b passes without leaving the
    cache?"""
    return _pays(a, b) and b.nbytes <= PANEL


@kernel
def _blas_piece(
    piece, pieces, a, a_step, a_trans, lda, b, b_step, b_trans, ldb, c, k, by_rows, address
):  # fmt: skip
    """A piece of c = a @ b: of its rows or columns. a, b: addresses, with bytes to the next row of
    `a`, the next column of b."""
    zero, (m, n) = c.dtype.type(0), c.shape
    size = m if by_rows else n
    low, high = size * piece // pieces, size * (piece + 1) // pieces
    left, right, to = a, b, 0
    if by_rows:
        m, left, to = high - low, a + low * a_step, low * n
    else:
        n, right, to = high - low, b + low * b_step, low
    gemm(address, a_trans, b_trans, m, n, k, left, lda, right, ldb, zero, place(c, to), c.shape[1])


_by_blas = InPieces(_blas_piece, products=True)


def _for_blas(x):
    """(x or a copy of it, does the BLAS read it transposed?, numbers from line to line)"""
    rows, columns = (stride // x.itemsize for stride in x.strides)
    if columns == 1 and rows >= x.shape[1]:
        return x, NO_TRANS, rows
    if rows == 1 and columns >= x.shape[0]:
        return x, TRANS, columns
    return x.copy(), NO_TRANS, x.shape[1]


def _elsewhere(a, b):
    """a @ b by the BLAS, large ones in our threads: its own would wait for a core on which ours
    wait for work. Of few rows by a loop, for which no thread need be woken."""
    work = len(a) * b.size
    compiled = a.dtype in COMPILED and b.dtype == a.dtype
    if len(a) < TILE_ROWS and 0 < work < LEAST and compiled:
        if b.flags.c_contiguous or b.flags.f_contiguous:
            c = np.empty((len(a), b.shape[1]), a.dtype)
            _few_rows(row_major(a), b, c) if b.flags.c_contiguous else _few_dots(
                row_major(a), b.T, c
            )
            return c
    c = None
    pieces, long = pieces_of(work, WORK)
    if pieces > 1 and compiled and a.flags.aligned and b.flags.aligned:
        c = np.empty((len(a), b.shape[1]), a.dtype)
        (a, *left), (b, *right) = _for_blas(a), _for_blas(b)
        given = a.ctypes.data, a.strides[0], *left, b.ctypes.data, b.strides[1], *right
        by_rows = c.shape[0] >= c.shape[1]
        _by_blas(pieces, long, *given, c, b.shape[0], by_rows, gemm_address(c.dtype))
    return np.matmul(a, b) if c is None else c


def product(a, b):
    """a (M, K) @ b (K, N) -> (M, N), laid out row by row; where b is too large for the cache and
    `a` is not, as the transpose of b^T @ a^T."""
    if a.size < b.size and not _pays(a, b) and _pays(b.T, a.T):
        return row_major(tiled_matmul(b.T, a.T).T)
    return tiled_matmul(a, b)


def tiled_matmul(a, b, bias=None, slope=1.0):
    """v = a @ b + bias, and where v < 0, slope v: a (M, K), b (K, N), bias (M,) or None -> (M, N),
    laid out row by row.

    slope : of a leaky ReLU; 1 changes nothing, and without a bias there is none
    """
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"a product of {a.shape} and {b.shape}: the inner sizes differ")
    if not _pays(a, b):
        c = _elsewhere(a, b)
        if bias is not None:
            add_bias(c, bias, slope)
        return c
    (m, k), n = a.shape, b.shape[1]
    a, b = tile_readable(a, b)
    bias = NOTHING[a.dtype.char] if bias is None else np.ascontiguousarray(bias, a.dtype)
    most = max(1, min(m // TILE_ROWS, m * n * k // WORK))
    scratch, c = NOTHING[a.dtype.char], np.empty((m, n), a.dtype)
    if needs_packing(b):
        most = min(most, num_threads())
        scratch = np.empty(most * k * n, a.dtype)
    multiply_in_threads(a.dtype.char, most, a, b, scratch, c, bias, float(slope))
    return c
