"""The engine: Tensor, op cards, the tape, backward and grad to any order. Read it in this order:

    grad_mode    is the tape recording?
    tensor       an array, and the tape entry that made it
    tape         an entry: which op, from what, and what it kept
    op           the card of an op, and what a call of it does (arguments, views: its rarer parts)
    primitives   the first cards: broadcasting, and its adjoint
    backward     the walk down the tape
    gradcheck    derivatives held against finite differences

What torch has beside that is in `minigan.autograd`; the ops are `minigan.ops`.
"""

from .backward import backward, grad
from .grad_mode import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)
from .gradcheck import GradcheckError, NonSmoothError, gradcheck, gradgradcheck
from .op import OPS, op
from .primitives import expand, identity, sum_to
from .tape import Node
from .tensor import FLOATS, Size, Tensor, move, raw, tensor_of

__all__ = [
    "FLOATS", "OPS", "GradcheckError", "Node", "NonSmoothError", "Size", "Tensor", "backward", "detect_anomaly", "enable_grad",
    "expand", "grad", "gradcheck", "gradgradcheck", "identity", "inference_mode", "is_grad_enabled", "move", "no_grad", "op", "raw",
    "set_detect_anomaly", "set_grad_enabled", "sum_to", "tensor_of",
]  # fmt: skip
