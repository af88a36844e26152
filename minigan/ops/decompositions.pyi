"""Signatures of the ops in decompositions.py."""

from typing import NamedTuple

from ..autograd import Tensor

__all__ = ["cholesky", "qr", "svd"]

class eigen(NamedTuple):
    eigenvalues: Tensor
    eigenvectors: Tensor

class usv(NamedTuple):
    U: Tensor
    S: Tensor
    V: Tensor

class factors(NamedTuple):
    Q: Tensor
    R: Tensor

def eigh(A: Tensor, UPLO: str = "L") -> eigen: ...
def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor: ...
def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> usv: ...
def svdvals(A: Tensor) -> Tensor: ...
def cholesky(A: Tensor, upper: bool = False) -> Tensor: ...
def qr(A: Tensor, mode: str | bool = "reduced") -> factors: ...
