"""Linear algebra of matrices and stacks of matrices, by LAPACK (NumPy) or cuSOLVER (CuPy). `minigan.linalg` has torch's names.

A card has one result: a decomposition is one array with its factors below each other, which the functions cut. The formulas of the
derivatives are those of Giles 2008, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation".
"""

from collections import namedtuple

import numpy as np

from ..autograd import op, raw
from ..backend import array_module
from .arithmetic import where
from .product import matmul
from .shape import cat, narrow, reshape, transpose, tril, unsqueeze

__all__ = ["cholesky", "det", "inverse", "logdet", "pinverse", "qr", "slogdet", "svd"]  # torch's; the others are in minigan.linalg


def _t(x):
    return transpose(x, -2, -1)


def _square(name, x):
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"{name}: expected square matrices (..., n, n), got shape {tuple(x.shape)}")
    _real(name, x)


def _real(name, x):
    if x.ndim < 2:
        raise ValueError(f"{name}: expected matrices (..., m, n), got shape {tuple(x.shape)}")
    if raw(x).dtype.kind != "f":
        raise TypeError(f"{name}: expected floating-point matrices, they are {raw(x).dtype}: convert them with .float()")


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


# --- inverses and systems ---


@op
class _inv:
    """y = A^-1.    dL/dA = -y^T g y^T"""

    saves = ("out",)

    def forward(A):
        return np.linalg.inv(A)

    def backward(g, need, y):
        return -matmul(matmul(_t(y), g), _t(y))


def inv(A):
    """The inverse of square matrices (..., n, n)."""
    _square("inv", A)
    return _inv(A)


inverse = inv


@op
class _solve:
    """y with A y = B, matrices.    dL/dB = A^-T g,  dL/dA = -(dL/dB) y^T"""

    saves = ("A", "out")

    def forward(A, B):
        return np.linalg.solve(A, B)

    def backward(g, need, A, y):
        gB = _solve(_t(A), g)
        return need[0] and -matmul(gB, _t(y)), gB


def solve(A, B, *, left=True):
    """X with A X = B (left=False: X A = B): A (..., n, n), B (..., n, k), or (n,) or (..., n) as vectors."""
    _square("solve", A)
    vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and tuple(B.shape) == tuple(A.shape[:-1]))
    if not left:
        return B @ inv(A) if vector else _t(solve(_t(A), _t(B)))
    if not vector:
        return _solve(A, B)
    y = _solve(A, unsqueeze(B, -1))
    return reshape(y, tuple(y.shape[:-1]))


@op
class _pinv:
    """y = A^+, Moore and Penrose's inverse.

    dL/dA = -y^T g y^T + (1 - A y) g^T y y^T + y^T y g^T (1 - y A).    Golub and Pereyra 1973, eq. 4.12
    """

    saves = ("A", "out")

    def forward(A, rcond):
        return np.linalg.pinv(A, rcond)

    def backward(g, need, A, y):
        gt, yt = _t(g), _t(y)
        right, left = matmul(matmul(gt, y), yt), matmul(matmul(yt, y), gt)
        return matmul(matmul(yt, g), -yt) + (right - matmul(matmul(A, y), right)) + (left - matmul(matmul(left, y), A))


def pinv(A, rcond=None, hermitian=False, *, atol=None, rtol=None):
    """Moore and Penrose's inverse of (..., m, n): singular values below rtol times the largest count as 0 (default: max(m, n) eps).
    hermitian: the matrices are symmetric, and their lower triangles are read."""
    _real("pinv", A)
    A = tril(A) + _t(tril(A, -1)) if hermitian else A
    if atol is not None:
        raise NotImplementedError("pinv: atol is not available: use rtol, a share of the largest singular value")
    rtol = rcond if rtol is None else rtol
    return _pinv(A, max(A.shape[-2:]) * float(np.finfo(raw(A).dtype).eps) if rtol is None else rtol)


pinverse = pinv


# --- determinants ---


@op
class _det:
    """y = det A.    dL/dA = g y A^-T"""

    saves = ("A", "out")

    def forward(A):
        return np.linalg.det(A)

    def backward(g, need, A, y):
        return (g * y)[..., None, None] * _t(_inv(A))


def det(A):
    """The determinants of square matrices. Those of singular ones have no gradient here (torch gives them one)."""
    _square("det", A)
    return _det(A)


@op
class _logabsdet:
    """y = log |det A|.    dL/dA = g A^-T"""

    saves = ("A",)

    def forward(A):
        return np.linalg.slogdet(A)[1]

    def backward(g, need, A):
        return g[..., None, None] * _t(_inv(A))


@op
class _signdet:
    """The sign of det A.    dL/dA = 0"""

    saves = ("A",)

    def forward(A):
        return np.linalg.slogdet(A)[0]

    def backward(g, need, A):
        return A * 0


sign_logabsdet = namedtuple("slogdet", ["sign", "logabsdet"])


def slogdet(A):
    """(sign, log of the absolute value) of the determinants of square matrices."""
    _square("slogdet", A)
    return sign_logabsdet(_signdet(A), _logabsdet(A))


def logdet(A):
    """The logarithms of the determinants of square matrices: NaN where one is negative."""
    sign, size = slogdet(A)
    return where(sign < 0, float("nan"), size)


# --- decompositions ---


@op
class _eigh:
    """Row 0: the eigenvalues v of symmetric matrices, ascending; below: the eigenvectors V, as columns. Reads one triangle of A.

    dL/dA = V (diag(gv) + (V^T gV) / (v_j - v_i)) V^T, and the mean of that and its transpose, as A is symmetric
    """

    saves = ("out",)

    def forward(A, UPLO):
        values, vectors = np.linalg.eigh(A, UPLO)
        return array_module(A).concatenate([values[..., None, :], vectors], -2)

    def backward(g, need, y):
        n = y.shape[-1]
        v, V = y[..., 0, :], _rows(y, 1, n)
        inner = _diagonals(g[..., 0, :]) + matmul(_t(V), _rows(g, 1, n)) * _reciprocal_gaps(v)
        gA = matmul(matmul(V, inner), _t(V))
        return (gA + _t(gA)) * 0.5


eigen = namedtuple("eigh", ["eigenvalues", "eigenvectors"])


def eigh(A, UPLO="L"):
    """(eigenvalues, ascending, (..., n); eigenvectors as columns, (..., n, n)) of symmetric matrices.

    UPLO : which triangle is read, "L" or "U".    The sign of an eigenvector is arbitrary: no function of it should depend on that.
    """
    _square("eigh", A)
    if UPLO not in ("L", "U"):
        raise ValueError(f"eigh: UPLO={UPLO!r}; expected 'L' or 'U'")
    both = _eigh(A, UPLO)
    return eigen(both[..., 0, :], _rows(both, 1, A.shape[-1]))


def eigvalsh(A, UPLO="L"):
    """The eigenvalues of symmetric matrices, ascending."""
    return eigh(A, UPLO).eigenvalues


@op
class _svd:
    """U (m, k), S (1, k) and V (n, k) below each other, with A = U diag(S) V^T and k = min(m, n).

    With F = 1 / (S_j^2 - S_i^2):  dL/dA = U (diag(gS) + sym(F U^T gU) S + S sym(F V^T gV)) V^T
                                           + (1 - U U^T) gU S^-1 V^T + U S^-1 gV^T (1 - V V^T),   sym(X) = X + X^T
    """

    saves = ("out", "A.shape")

    def forward(A):
        U, S, Vh = np.linalg.svd(A, full_matrices=False)
        return array_module(A).concatenate([U, S[..., None, :], Vh.swapaxes(-1, -2)], -2)

    def backward(g, need, y, shape):
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
class _bases:
    """The left (or right) singular vectors with those of the value 0 that are not unique: a basis of the whole space.    No derivative"""

    def forward(A, left):
        U, _, Vh = np.linalg.svd(A)
        return U if left else Vh.swapaxes(-1, -2)

    def backward(g, need):
        raise NotImplementedError("svd: bases of the whole space are not unique, so they have no derivative: pass full_matrices=False")


usv = namedtuple("svd", ["U", "S", "V"])


def svd(input, some=True, compute_uv=True):
    """(U, S, V) with input = U diag(S) V^T, S descending: (..., m, k), (..., k), (..., n, k), k = min(m, n). (`linalg.svd` gives V^T.)

    some=False : U and V are bases of the whole space, (..., m, m) and (..., n, n), without a derivative where m is not n
    """
    _real("svd", input)
    m, n = input.shape[-2:]
    y = _svd(input)
    if some or m == n:
        U, V = _rows(y, 0, m), _rows(y, m + 1, n)
    else:
        U, V = _bases(input, True), _bases(input, False)
    return usv(U, y[..., m, :], V) if compute_uv else usv(U * 0, y[..., m, :], V * 0)


def svdvals(A):
    """The singular values of matrices, descending."""
    return svd(A).S


@op
class _cholesky:
    """L, lower triangular, with A = L L^T.    dL/dA = sym(L^-T P L^-1) / 2, P the lower triangle of L^T g with half its diagonal

    Murray 2016, eq. 10. Reads the lower triangle of A.
    """

    saves = ("out",)

    def forward(A):
        return np.linalg.cholesky(A)

    def backward(g, need, L):
        P = matmul(_t(L), g)
        P = (tril(P) + tril(P, -1)) * 0.5
        S = _solve(_t(L), _t(_solve(_t(L), _t(P))))
        return (S + _t(S)) * 0.5


def cholesky(A, upper=False):
    """Lower triangular L with A = L L^T, for symmetric positive definite matrices; upper: L^T."""
    _square("cholesky", A)
    L = _cholesky(A)
    return _t(L) if upper else L


@op
class _qr:
    """Q (m, k) and R^T (n, k) below each other, with A = Q R and k = min(m, n).

    For m >= n:  dL/dA = (gQ + Q sym(tril(M))) R^-T, M = R gR^T - gQ^T Q, and sym(tril(M)) its lower triangle, mirrored.
    For m < n the first m columns are such a matrix, X = Q R, and the others are Y = Q V: gY = Q gV, and gQ gets Y gV^T.
    """

    saves = ("out", "A")

    def forward(A):
        Q, R = np.linalg.qr(A)
        return array_module(A).concatenate([Q, R.swapaxes(-1, -2)], -2)

    def backward(g, need, y, A):
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


def qr(A, mode="reduced"):
    """(Q, R) with A = Q R: orthonormal columns (..., m, k) and upper triangular (..., k, n), k = min(m, n). mode: only "reduced"."""
    _real("qr", A)
    if mode not in ("reduced", True):
        raise NotImplementedError(f"qr: mode={mode!r} is not available, only 'reduced'")
    y, (m, n) = _qr(A), A.shape[-2:]
    return factors(_rows(y, 0, m), _t(_rows(y, m, n)))
