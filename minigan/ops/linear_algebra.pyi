"""Signatures of the ops in linear_algebra.py."""

from typing import NamedTuple

from ..autograd import Tensor

__all__ = ["det", "inverse", "logdet", "pinverse", "slogdet"]

class sign_logabsdet(NamedTuple):
    sign: Tensor
    logabsdet: Tensor

def inv(A: Tensor) -> Tensor: ...
def inverse(A: Tensor) -> Tensor: ...
def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor: ...
def pinv(
    A: Tensor,
    rcond: float | None = None,
    hermitian: bool = False,
    *,
    atol: float | None = None,
    rtol: float | None = None,
) -> Tensor: ...
def pinverse(
    A: Tensor,
    rcond: float | None = None,
    hermitian: bool = False,
    *,
    atol: float | None = None,
    rtol: float | None = None,
) -> Tensor: ...
def det(A: Tensor) -> Tensor: ...
def slogdet(A: Tensor) -> sign_logabsdet: ...
def logdet(A: Tensor) -> Tensor: ...
