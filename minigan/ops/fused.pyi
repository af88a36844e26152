"""Signatures of the ops in fused.py."""

from ..autograd import Tensor

__all__ = ["linear_activation"]

def linear_activation(input: Tensor, weight: Tensor, bias: Tensor | None, activation: str | None, slope: float = 0.0) -> Tensor: ...
