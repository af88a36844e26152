"""Signatures of the ops in quantiles.py."""

from collections.abc import Sequence
from typing import Any

from ..autograd import Tensor
from .extremes import values_indices

__all__ = ["kthvalue", "median", "mode", "msort", "nanmedian", "nanquantile", "quantile"]

def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any: ...
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any: ...
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> values_indices: ...
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> values_indices: ...
def msort(input: Tensor) -> Tensor: ...
def quantile(
    input: Tensor,
    q: float | Sequence[float] | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor: ...
def nanquantile(
    input: Tensor,
    q: float | Sequence[float] | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor: ...
