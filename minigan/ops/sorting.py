"""Orders: sorting, the k largest. The values are gathered, so their gradients go back to where they
came from.
"""

import numpy as np

from ..autograd import Tensor, op
from .axes import axis_of, of_scalars
from .extremes import values_indices
from .indexing import gather
from .joining import narrow

__all__ = ["argsort", "sort", "topk"]


@op
def _argsort(x, axis, descending):
    """The indices that sort along an axis"""
    if descending:  # stable also in this direction: sort the reversed order and turn it round
        return np.flip(
            x.shape[axis] - 1 - np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis
        )
    return np.argsort(x, axis=axis, kind="stable")


@of_scalars
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The indices (int64) that sort along `dim`; equal elements keep their order."""
    return _argsort(input, axis_of(dim, input.ndim), descending)


@of_scalars
def sort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True
) -> values_indices:
    """(values, indices) sorted along `dim`."""
    index = argsort(input, dim, descending)
    return values_indices(gather(input, dim, index), index)


@of_scalars
def topk(
    input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> values_indices:
    """(values, indices) of the k largest (or smallest) elements along `dim`, best first."""
    if not 0 <= k <= input.shape[dim]:
        raise ValueError(f"topk: k={k} for dimension {dim} of size {input.shape[dim]}")
    index = narrow(argsort(input, dim, largest), dim, 0, k)
    return values_indices(gather(input, dim, index), index)
