"""Signatures of the ops in normalization.py."""

from ..autograd import Tensor

__all__ = ["batch_norm"]

def batch_norm(
    input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None, weight: Tensor | None = None,
    bias: Tensor | None = None, training: bool = False, momentum: float | None = 0.1, eps: float = 1e-05
) -> Tensor: ...
