"""Signatures of the ops in embedding.py."""

from typing import Any

from ..autograd import Tensor

__all__ = ["embedding"]

def pick_rows(weight: Tensor, index: Any, padding_idx: int | None = None) -> Tensor: ...
def add_rows(g: Tensor, index: Any, shape: tuple[int, ...], padding_idx: int | None = None) -> Tensor: ...
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor: ...
