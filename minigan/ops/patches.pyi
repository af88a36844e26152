"""Signatures of the ops in patches.py."""

from ..autograd import Tensor
from ..autograd._types import Ints

__all__ = ["fold", "unfold"]

def unfold(input: Tensor, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> Tensor: ...
def fold(
    input: Tensor,
    output_size: Ints,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
) -> Tensor: ...
