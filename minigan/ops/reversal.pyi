"""Signatures of the ops in reversal.py."""

from ..autograd import Tensor

__all__ = ["gradient_reversal"]

def gradient_reversal(x: Tensor, scale: float = 1.0) -> Tensor: ...
