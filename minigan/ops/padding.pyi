"""Signatures of the ops in padding.py."""

from collections.abc import Sequence

from ..autograd import Tensor

__all__ = ["pad"]

def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor: ...
