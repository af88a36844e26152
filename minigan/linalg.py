"""torch.linalg's names for what minigan has of it."""

from collections import namedtuple

from .ops.contraction import cross as _cross
from .ops.decompositions import cholesky, eigh, eigvalsh, qr, svdvals
from .ops.decompositions import svd as _svd
from .ops.elementary import square
from .ops.joining import stack
from .ops.linear_algebra import det, inv, pinv, slogdet, solve
from .ops.matrices import (
    cond,
    matrix_norm,
    matrix_power,
    matrix_rank,
    multi_dot,
    vecdot,
    vector_norm,
)
from .ops.matrices import lstsq as _lstsq
from .ops.product import matmul
from .ops.shape import diagonal as _diagonal
from .ops.shape import transpose

__all__ = [
    "cholesky", "cond", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "lstsq", "matmul",
    "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet",
    "solve", "svd", "svdvals", "vander", "vecdot", "vector_norm",
]  # fmt: skip

linalg_svd = namedtuple("linalg_svd", ["U", "S", "Vh"])
linalg_lstsq = namedtuple("linalg_lstsq", ["solution", "residuals", "rank", "singular_values"])


def svd(A, full_matrices=True, *, driver=None):
    """(U, S, Vh) with A = U diag(S) Vh: (..., m, k), (..., k), (..., k, n), k = min(m, n).

    full_matrices : U and Vh are bases of the whole space, (..., m, m) and (..., n, n); what they
        have more of is constant
    """
    U, S, V = _svd(A, not full_matrices)
    return linalg_svd(U, S, transpose(V, -2, -1))


def norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """`vector_norm`, or `matrix_norm` where `dim` names two dimensions, or `ord` is given and A is
    a matrix.

    ord, dim None : the root of the sum of the squares of all elements
    """
    if ord is not None and (
        (isinstance(dim, (tuple, list)) and len(dim) == 2) or (dim is None and A.ndim == 2)
    ):
        return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


def lstsq(A, B, rcond=None, *, driver=None):
    """(solution, residuals, rank, singular values): X that minimises |A X - B|, (..., m, n) and
    (..., m, k) -> (..., n, k).

    driver : as in torch; here it decides only what is given: residuals, the sums of the squares of
        A X - B where m > n and all ranks are n (but for "gelsy", the default), and singular values
        ("gelsd", "gelss"). What is not given is empty.
    """
    X, rank, (m, n) = _lstsq(A, B, rcond), matrix_rank(A), A.shape[-2:]
    empty = X.reshape(-1)[:0]
    full = driver not in (None, "gelsy") and m > n and bool((rank == n).all())
    return linalg_lstsq(
        X,
        square(matmul(A, X) - B).sum(-2) if full else empty,
        rank if driver != "gels" else rank.reshape(-1)[:0],
        (svdvals(A) if driver in ("gelsd", "gelss") else empty).detach(),
    )


def cross(input, other, *, dim=-1):
    """The vector products along `dim` of size 3."""
    return _cross(input, other, dim)


def diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """The diagonals of matrices."""
    return _diagonal(A, offset, dim1, dim2)


def vander(x, *, N=None):
    """The powers 0 to N - 1 of each element, in a new last dimension; N: by default x.shape[-1]."""
    x = x if x.ndim else x.reshape(1)
    N = x.shape[-1] if N is None else N
    if N < 2:
        raise ValueError(f"vander: N={N} must be greater than 1")
    x = x if x.is_floating_point() else x.long()
    return stack([x**p for p in range(N)], -1)
