"""Decompositions of matrices and stacks of them: eigenvalues, singular values, Cholesky's, and QR.

A card has one result: a decomposition is one array with its factors below each other, which the
functions cut. The formulas of the derivatives are those of Giles 2008, "Collected matrix derivative
results for forward and reverse mode algorithmic differentiation".
"""

from collections import namedtuple

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, op, raw
from .arithmetic import _where as where
from .joining import cat, narrow
from .linear_algebra import _real, _solve, _square, _t
from .product import matmul
from .shape import tril, unsqueeze

__all__ = ["cholesky", "qr", "svd"]  # torch's; others: minigan.linalg


def _rows(x, first, count):
    return narrow(x, -2, first, count)


def _reciprocal_gaps(values):
    """1 / (v_j - v_i), and 0 where they are equal (no derivative is defined there)."""
    gaps = unsqueeze(values, -2) - unsqueeze(values, -1)
    equal = gaps == 0
    return where(equal, 0.0, 1 / where(equal, 1.0, gaps))


def _diagonals(values):
    """Matrices with these on their diagonals."""
    n = values.shape[-1]
    array = raw(values)
    return unsqueeze(values, -1) * array_module(array).eye(n, dtype=array.dtype)


@op(saves=("out",))
def _eigh(A, UPLO):
    """Row 0: the eigenvalues v of symmetric matrices, ascending; below: the eigenvectors V, as
    columns. Reads one triangle of A.

    dL/dA = V (diag(gv) + (V^T gV) / (v_j - v_i)) V^T, and the mean of that and its transpose, as A
    is symmetric
    """
    values, vectors = np.linalg.eigh(A, UPLO)
    return array_module(A).concatenate([values[..., None, :], vectors], -2)


@_eigh.backward
def _(g, need, y):
    n = y.shape[-1]
    v, V = y[..., 0, :], _rows(y, 1, n)
    inner = _diagonals(g[..., 0, :]) + matmul(_t(V), _rows(g, 1, n)) * _reciprocal_gaps(v)
    gA = matmul(matmul(V, inner), _t(V))
    return (gA + _t(gA)) * 0.5


eigen = namedtuple("eigh", ["eigenvalues", "eigenvectors"])


def eigh(A: Tensor, UPLO: str = "L") -> eigen:
    """(eigenvalues, ascending, (..., n); eigenvectors as columns, (..., n, n)) of symmetric
    matrices.

    UPLO : which triangle is read, "L" or "U".    The sign of an eigenvector is arbitrary: no
        function of it should depend on that.
    """
    _square("eigh", A)
    if UPLO not in ("L", "U"):
        raise ValueError(f"eigh: UPLO={UPLO!r}; expected 'L' or 'U'")
    both = _eigh(A, UPLO)
    return eigen(both[..., 0, :], _rows(both, 1, A.shape[-1]))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric matrices, ascending."""
    return eigh(A, UPLO).eigenvalues


@op(saves=("out", "A.shape"))
def _svd(A):
    """U (m, k), S (1, k) and V (n, k) below each other, with A = U diag(S) V^T and k = min(m, n).

    With F = 1 / (S_j^2 - S_i^2):  dL/dA = U (diag(gS) + sym(F U^T gU) S + S sym(F V^T gV)) V^T
                                           + (1 - U U^T) gU S^-1 V^T + U S^-1 gV^T (1 - V V^T),
                                           sym(X) = X + X^T
    """
    U, S, Vh = np.linalg.svd(A, full_matrices=False)
    return array_module(A).concatenate([U, S[..., None, :], Vh.swapaxes(-1, -2)], -2)


@_svd.backward
def _(g, need, y, shape):
    m, n = shape[-2:]
    (U, S, V), (gU, gS, gV) = [(_rows(x, 0, m), x[..., m, :], _rows(x, m + 1, n)) for x in (y, g)]
    F = _reciprocal_gaps(S * S)
    column, row = unsqueeze(S, -1), unsqueeze(S, -2)
    both = [F * matmul(_t(X), gX) for X, gX in ((U, gU), (V, gV))]
    inner = _diagonals(gS) + (both[0] + _t(both[0])) * row + (both[1] + _t(both[1])) * column
    gA = matmul(matmul(U, inner), _t(V))
    if m > n:
        rest = gU / row
        gA = gA + matmul(rest - matmul(U, matmul(_t(U), rest)), _t(V))
    if n > m:
        rest = gV / row
        gA = gA + matmul(U, _t(rest - matmul(V, matmul(_t(V), rest))))
    return gA


@op
def _complement(A, left):
    """Further left (or right) singular vectors, which make those of `_svd` a basis of the whole
    space. They are not unique: constants."""
    U, S, Vh = np.linalg.svd(A)
    return U[..., S.shape[-1] :] if left else Vh.swapaxes(-1, -2)[..., S.shape[-1] :]


usv = namedtuple("svd", ["U", "S", "V"])


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> usv:
    """(U, S, V) with input = U diag(S) V^T, S descending: (..., m, k), (..., k), (..., n, k), k =
    min(m, n). (`linalg.svd` gives V^T.)

    some=False : U and V are bases of the whole space, (..., m, m) and (..., n, n); what they have
    more of is constant
    """
    _real("svd", input)
    m, n = input.shape[-2:]
    y = _svd(input)
    U, V = _rows(y, 0, m), _rows(y, m + 1, n)
    if not some and m > n:
        U = cat([U, _complement(input, True)], -1)
    if not some and n > m:
        V = cat([V, _complement(input, False)], -1)
    return usv(U, y[..., m, :], V) if compute_uv else usv(U * 0, y[..., m, :], V * 0)


def svdvals(A: Tensor) -> Tensor:
    """The singular values of matrices, descending."""
    return svd(A).S


@op(saves=("out",))
def _cholesky(A):
    """L, lower triangular, with A = L L^T.    dL/dA = sym(L^-T P L^-1) / 2, P the lower triangle of
    L^T g with half its diagonal

    Murray 2016, eq. 10. Reads the lower triangle of A.
    """
    return np.linalg.cholesky(A)


@_cholesky.backward
def _(g, need, L):
    P = matmul(_t(L), g)
    P = (tril(P) + tril(P, -1)) * 0.5
    S = _solve(_t(L), _t(_solve(_t(L), _t(P))))
    return (S + _t(S)) * 0.5


def cholesky(A: Tensor, upper: bool = False) -> Tensor:
    """Lower triangular L with A = L L^T, for symmetric positive definite matrices; upper: L^T."""
    _square("cholesky", A)
    L = _cholesky(A)
    return _t(L) if upper else L


@op(saves=("out", "A"))
def _qr(A):
    """Q (m, k) and R^T (n, k) below each other, with A = Q R and k = min(m, n).

    For m >= n:  dL/dA = (gQ + Q sym(tril(M))) R^-T, M = R gR^T - gQ^T Q, and sym(tril(M)) its lower
    triangle, mirrored.
    For m < n the first m columns are such a matrix, X = Q R, and the others are Y = Q V: gY = Q gV,
    and gQ gets Y gV^T.
    """
    Q, R = np.linalg.qr(A)
    return array_module(A).concatenate([Q, R.swapaxes(-1, -2)], -2)


@_qr.backward
def _(g, need, y, A):
    m, n = A.shape[-2:]
    k = min(m, n)
    (Q, Rt), (gQ, gRt) = [(_rows(x, 0, m), _rows(x, m, k)) for x in (y, g)]
    gVt = _rows(g, m + k, n - k)
    if m < n:
        gQ = gQ + matmul(narrow(A, -1, k, n - k), gVt)
    M = matmul(_t(Rt), gRt) - matmul(_t(gQ), Q)
    mirrored = tril(M) + _t(tril(M, -1))
    gX = _t(_solve(_t(Rt), _t(gQ + matmul(Q, mirrored))))
    return cat([gX, matmul(Q, _t(gVt))], gX.ndim - 1) if m < n else gX


factors = namedtuple("qr", ["Q", "R"])


def qr(A: Tensor, mode: str | bool = "reduced") -> factors:
    """(Q, R) with A = Q R: orthonormal columns (..., m, k) and upper triangular (..., k, n), k =
    min(m, n). mode: only "reduced".
    """
    _real("qr", A)
    if mode not in ("reduced", True):
        raise NotImplementedError(f"qr: mode={mode!r} is not available, only 'reduced'")
    y, (m, n) = _qr(A), A.shape[-2:]
    return factors(_rows(y, 0, m), _t(_rows(y, m, n)))
