"""Inverses, systems of equations and determinants of matrices and stacks of matrices, by LAPACK
(NumPy) or cuSOLVER (CuPy). `minigan.linalg` has torch's names.
"""

from collections import namedtuple

import numpy as np

from ..autograd import Tensor, op, raw
from .arithmetic import _where as where
from .product import matmul
from .shape import reshape, transpose, unsqueeze

__all__ = ["det", "inverse", "logdet", "pinverse", "slogdet"]  # torch's; others: minigan.linalg


def _t(x):
    return transpose(x, -2, -1)


def _square(name, x):
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(
            f"{name}: expected square matrices (..., n, n), got shape {tuple(x.shape)}"
        )
    _real(name, x)


def _real(name, x):
    if x.ndim < 2:
        raise ValueError(f"{name}: expected matrices (..., m, n), got shape {tuple(x.shape)}")
    if raw(x).dtype.kind != "f":
        raise TypeError(
            f"{name}: expected floating-point matrices, they are {raw(x).dtype}: convert them "
            "with .float()"
        )


# --- inverses and systems ---


@op(saves=("out",))
def _inv(A):
    """y = A^-1.    dL/dA = -y^T g y^T"""
    return np.linalg.inv(A)


@_inv.backward
def _(g, need, y):
    return -matmul(matmul(_t(y), g), _t(y))


def inv(A: Tensor) -> Tensor:
    """The inverse of square matrices (..., n, n)."""
    _square("inv", A)
    return _inv(A)


inverse = inv


@op(saves=("A", "out"))
def _solve(A, B):
    """y with A y = B, matrices.    dL/dB = A^-T g,  dL/dA = -(dL/dB) y^T"""
    return np.linalg.solve(A, B)


@_solve.backward
def _(g, need, A, y):
    gB = _solve(_t(A), g)
    return need[0] and -matmul(gB, _t(y)), gB


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A X = B (left=False: X A = B): A (..., n, n), B (..., n, k), or (n,) or (..., n) as
    vectors.
    """
    _square("solve", A)
    vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and tuple(B.shape) == tuple(A.shape[:-1]))
    if not left:
        return B @ inv(A) if vector else _t(solve(_t(A), _t(B)))
    if not vector:
        return _solve(A, B)
    y = _solve(A, unsqueeze(B, -1))
    return reshape(y, tuple(y.shape[:-1]))


def tolerances(A, atol, rtol):
    """(atol, rtol), below which singular values count as 0: numbers, or arrays (..., 1), in A's
    dtype.

    Default: atol 0, and rtol max(m, n) eps, but 0 where atol is positive.
    """
    kind = raw(A).dtype
    column = lambda t: raw(t).astype(kind)[..., None] if hasattr(raw(t), "dtype") else t
    atol = 0.0 if atol is None else column(atol)
    rtol = (
        (atol <= 0) * (max(A.shape[-2:]) * float(np.finfo(kind).eps))
        if rtol is None
        else column(rtol)
    )
    return atol, rtol


@op(saves=("A", "out"))
def _pinv(A, atol, rtol, hermitian):
    """y = A^+, Moore and Penrose's inverse.

    dL/dA = -y^T g y^T + (1 - A y) g^T y y^T + y^T y g^T (1 - y A).    Golub and Pereyra 1973, eq.
    4.12
    """
    A = np.tril(A) + np.tril(A, -1).swapaxes(-1, -2) if hermitian else A
    U, S, Vh = np.linalg.svd(A, full_matrices=False)
    kept = S > np.maximum(atol, rtol * S[..., :1])
    inverse = np.where(kept, 1 / np.where(kept, S, 1), 0).astype(A.dtype)
    return np.matmul((U * inverse[..., None, :]), Vh).swapaxes(-1, -2)


@_pinv.backward
def _(g, need, A, y):
    gt, yt = _t(g), _t(y)
    right, left = matmul(matmul(gt, y), yt), matmul(matmul(yt, y), gt)
    return (
        matmul(matmul(yt, g), -yt)
        + (right - matmul(matmul(A, y), right))
        + (left - matmul(matmul(left, y), A))
    )


def pinv(
    A: Tensor,
    rcond: Tensor | float | None = None,
    hermitian: bool = False,
    *,
    atol: Tensor | float | None = None,
    rtol: Tensor | float | None = None,
) -> Tensor:
    """Moore and Penrose's inverse of (..., m, n).

    rtol, atol : singular values count as 0 up to atol, or rtol times the largest (default: max(m,
        n) eps, 0 with atol); numbers or Tensors (...); rcond is rtol
    hermitian : the matrices are symmetric, and their lower triangles are read
    """
    _real("pinv", A)
    return _pinv(A, *tolerances(A, atol, rcond if rtol is None else rtol), hermitian)


pinverse = pinv


# --- determinants ---


@op(saves=("A", "out"))
def _det(A):
    """y = det A.    dL/dA = g y A^-T"""
    return np.linalg.det(A)


@_det.backward
def _(g, need, A, y):
    return (g * y)[..., None, None] * _t(_inv(A))


def det(A: Tensor) -> Tensor:
    """The determinants of square matrices. Those of singular ones have no gradient here (torch
    gives them one).
    """
    _square("det", A)
    return _det(A)


@op(saves=("A",))
def _logabsdet(A):
    """y = log |det A|.    dL/dA = g A^-T"""
    return np.linalg.slogdet(A)[1]


@_logabsdet.backward
def _(g, need, A):
    return g[..., None, None] * _t(_inv(A))


@op(saves=("A",))
def _signdet(A):
    """The sign of det A.    dL/dA = 0"""
    return np.linalg.slogdet(A)[0]


@_signdet.backward
def _(g, need, A):
    return A * 0


sign_logabsdet = namedtuple("slogdet", ["sign", "logabsdet"])


def slogdet(A: Tensor) -> sign_logabsdet:
    """(sign, log of the absolute value) of the determinants of square matrices."""
    _square("slogdet", A)
    return sign_logabsdet(_signdet(A), _logabsdet(A))


def logdet(A: Tensor) -> Tensor:
    """The logarithms of the determinants of square matrices: NaN where one is negative."""
    sign, size = slogdet(A)
    return where(sign < 0, float("nan"), size)
