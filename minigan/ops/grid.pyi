"""Signatures of the ops in grid.py."""

from collections.abc import Sequence

from ..autograd import Tensor

__all__ = ["affine_grid", "grid_sample"]

def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str | bool = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor: ...
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor: ...
