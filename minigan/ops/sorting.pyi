"""Signatures of the ops in sorting.py."""

from ..autograd import Tensor
from .extremes import values_indices

__all__ = ["argsort", "sort", "topk"]

def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> Tensor: ...
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> values_indices: ...
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> values_indices: ...
