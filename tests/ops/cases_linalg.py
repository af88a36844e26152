"""Cases: linear algebra. Textbook formulas by elimination and by NumPy's other functions;
decompositions by what they do to a matrix.
"""

import math

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, fill, seeds

import minigan.ops as ops
import minigan.ops.decompositions as decompositions
import minigan.ops.linear_algebra as linalg


@st.composite
def regular(draw, vector=None):
    """Stacks of well-conditioned square matrices, then (..., n, k) numbers."""
    n, lead = draw(st.integers(1, 3)), draw(st.sampled_from([(), (2,)]))
    A = fill(draw(seeds), (*lead, n, n), -1.0, 1.0) + 3 * np.eye(n)
    return (A,) if vector is None else (A, fill(draw(seeds), (*lead, n, *vector)))


@st.composite
def tall(draw, wide=True):
    """Matrices of full rank with singular values that are apart."""
    n, m = sorted([draw(st.integers(1, 3)), draw(st.integers(1, 4))])
    rng = np.random.default_rng(draw(seeds))
    U, _ = np.linalg.qr(rng.standard_normal((m, n)))
    V, _ = np.linalg.qr(rng.standard_normal((n, n)))
    A = U * (np.arange(n) + 1 + rng.uniform(0, 0.5, n)) @ V.T
    return (np.ascontiguousarray(A.T if wide and draw(st.booleans()) else A),)


@st.composite
def symmetric(draw):
    """Symmetric positive definite matrices with eigenvalues that are apart."""
    n = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(seeds))
    V, _ = np.linalg.qr(rng.standard_normal((n, n)))
    return (V * (np.arange(n) + 1 + rng.uniform(0, 0.5, n)) @ V.T,)


def eliminated(A, B):
    """Gauss and Jordan's elimination, without pivots: X with A X = B, and det A."""
    A = A.copy()
    B = B.copy()
    det = 1.0
    for i in range(len(A)):
        det *= A[i, i]
        A[i], B[i] = A[i] / A[i, i], B[i] / A[i, i]
        for j in range(len(A)):
            if j != i:
                A[j], B[j] = A[j] - A[j, i] * A[i], B[j] - A[j, i] * B[i]
    return B, det


def stacked(function):
    return lambda A, *more: (
        np.stack([function(*x) for x in zip(A, *more)]) if A.ndim > 2 else function(A, *more)
    )


inverse = stacked(lambda A: eliminated(A, np.eye(len(A)))[0])
determinant = stacked(lambda A: np.asarray(eliminated(A, np.eye(len(A)))[1]))
solved = stacked(lambda A, B: eliminated(A, B)[0])


def sym(x):
    return (x + x.swapaxes(-1, -2)) * 0.5


def roots_of(A):
    """Of a symmetric matrix: A^1/2, from the eigenvalues and eigenvectors."""
    v, V = decompositions.eigh(sym(A))
    return (V * v**0.5) @ V.swapaxes(-1, -2)


def newton_root(A):
    Y, Z = A, np.eye(len(A))  # Denman and Beavers 1976
    for _ in range(30):
        Y, Z = (Y + np.linalg.inv(Z)) / 2, (Z + np.linalg.inv(Y)) / 2
    return Y


def squares(x):
    return np.sort(np.linalg.eigvalsh(x @ x.T if x.shape[0] <= x.shape[1] else x.T @ x))[::-1]


def projections(A):
    """What of the singular vectors does not depend on their signs: u_i u_i^T weighted by i, and the
    same of v.
    """
    U, S, V = decompositions.svd(A)
    weight = ops.cumsum(S * 0 + 1, -1)
    return [(U * weight) @ U.swapaxes(-1, -2), S, (V * weight) @ V.swapaxes(-1, -2)]


def expected_projections(A):
    out = []
    for X in (A @ A.T, A.T @ A):
        v, W = np.linalg.eigh(X)
        k = min(A.shape)
        W = W[:, ::-1][:, :k]
        out.append((W * np.arange(1.0, k + 1)) @ W.T)
    return [out[0], np.sqrt(squares(A)), out[1]]


def gram_schmidt(A):
    Q = []
    for a in A.T[: min(A.shape)]:
        q = a - sum(((a @ p) * p for p in Q), np.zeros(len(a)))
        Q.append(q / math.sqrt(q @ q))
    Q = np.array(Q).T
    return [Q, Q.T @ A]


def signed(A):
    """Q and R with R's diagonal positive."""
    Q, R = decompositions.qr(A)
    s = ops.sign(ops.diagonal(R, 0, -2, -1))
    return [Q * s, s[..., None] * R]


def factor(A):
    L = np.zeros_like(A)
    for i in range(len(A)):
        for j in range(i + 1):
            rest = A[i, j] - sum(L[i, k] * L[j, k] for k in range(j))
            L[i, j] = math.sqrt(rest) if i == j else rest / L[j, j]
    return L


def least(A):
    return (
        np.linalg.inv(A.T @ A) @ A.T if A.shape[0] >= A.shape[1] else A.T @ np.linalg.inv(A @ A.T)
    )


LOOSE = {"tolerance": 5e-4}
CASES = [
    Case("inv", regular(), inverse, call=linalg.inv, **LOOSE),
    Case("det", regular(), determinant, **LOOSE),
    Case(
        "slogdet",
        regular(),
        lambda A: [np.sign(determinant(A)), np.log(np.abs(determinant(A)))],
        op="logabsdet",
        **LOOSE,
    ),
    Case(
        "slogdet:sign",
        regular(),
        lambda A: np.sign(determinant(A)),
        call=lambda A: linalg.slogdet(A).sign,
        op="signdet",
    ),
    Case("logdet", regular(), lambda A: np.log(determinant(A)), op="logabsdet", **LOOSE),
    Case("solve", regular((2,)), solved, call=linalg.solve, **LOOSE),
    Case(
        "solve:vector",
        regular(()).filter(lambda a: a[0].ndim == 2),
        solved,
        call=linalg.solve,
        op="solve",
        **LOOSE,
    ),
    Case(
        "solve:right",
        regular((3,)).map(lambda a: (a[0], a[1].swapaxes(-1, -2).copy())),
        lambda A, B: B @ inverse(A),
        call=lambda A, B: linalg.solve(A, B, left=False),
        op="solve",
        **LOOSE,
    ),
    Case("pinv", tall(), least, call=linalg.pinv, **LOOSE),
    Case("eigh", symmetric(), newton_root, call=roots_of, **LOOSE),
    Case(
        "eigvalsh",
        symmetric(),
        lambda A: np.sort(np.linalg.eigvals(A)),
        call=lambda A: decompositions.eigvalsh(sym(A)),
        op="eigh",
        **LOOSE,
    ),
    Case("svd", tall(), expected_projections, call=projections, **LOOSE),
    Case(
        "svdvals",
        tall(),
        lambda A: np.sqrt(squares(A)),
        call=decompositions.svdvals,
        op="svd",
        **LOOSE,
    ),
    Case(
        "svd:whole",
        tall(),
        lambda A: [np.eye(A.shape[0]), np.eye(A.shape[1])],
        op="complement",
        orders=0,
        call=lambda A: [x @ x.swapaxes(-1, -2) for x in decompositions.svd(A, some=False)[::2]],
    ),
    Case(
        "cholesky",
        symmetric(),
        factor,
        call=lambda A: decompositions.cholesky(sym(A)),
        op="cholesky",
        **LOOSE,
    ),
    Case("qr", tall(), gram_schmidt, call=signed, **LOOSE),
    Case(
        "matrix_power",
        regular().flatmap(lambda a: st.tuples(st.just(a[0]), st.integers(-2, 3))),
        op=None,
        **LOOSE,
        reference=np.linalg.matrix_power,
    ),
]
