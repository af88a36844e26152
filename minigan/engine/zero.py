"""Gradients that are known to be zero, with which nothing is computed.

What is constant piece by piece has the derivative 0: rounding, signs, and the slope of a leaky
ReLU. A penalty on a network's slope (WGAN-GP, R1) differentiates that slope, and half of its
backward pass, from each activation down to the images, would be sums and products of zeros.
"""

from ..arrays import array_module, seam
from .tensor import raw, tensor_of


class Zero:
    """Stands for a gradient of zeros on its way along the tape.

    module : numpy or cupy, where its numbers would be
    """

    __slots__ = ("module",)

    def __init__(self, module):
        self.module = module

    def numbers(self, like, create_graph):
        """The zeros of a tape entry or a leaf, for who looks at them: a Tensor with
        `create_graph`, else an array."""
        if (leaf := getattr(like, "array", None)) is not None:
            zeros = seam.execute(self.module.zeros_like, leaf)
        else:
            zeros = seam.execute(self.module.zeros, like.shape, like.dtype)
        return tensor_of(zeros) if create_graph else zeros


def zero(g):
    """What a rule gives as the gradient of an argument on which nothing depends. g: the gradient of
    the result."""
    return Zero(array_module(raw(g)))
