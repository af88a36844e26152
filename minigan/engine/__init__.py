"""The engine: Tensor, op cards, the tape, backward and grad to any order. Read it in this order:

    grad_mode    is the tape recording?
    tensor       an array, and the tape entry that made it
    tape         an entry: which op, from what, and what it kept
    op           the card of an op, and what a call of it does (arguments, views: its rarer parts)
    primitives   the first cards: broadcasting, and its adjoint
    zero         gradients that are known to be zero
    backward     the walk down the tape

What torch has beside that, and `gradcheck`, is in `minigan.autograd`; the ops are `minigan.ops`.
"""

from .backward import backward, grad
from .grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .op import OPS, op
from .primitives import expand, identity, sum_to
from .tape import Node
from .tensor import FLOATS, Size, Tensor, raw, tensor_of
from .zero import zero

__all__ = [
    "FLOATS", "OPS", "Node", "Size", "Tensor", "backward", "enable_grad", "expand", "grad",
    "identity", "is_grad_enabled", "no_grad", "op", "raw", "set_grad_enabled", "sum_to",
    "tensor_of", "zero",
]  # fmt: skip
