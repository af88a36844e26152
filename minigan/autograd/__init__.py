"""Reverse-mode automatic differentiation: Tensor, op cards, the tape, backward and grad to any order."""

from .dot import graph
from .engine import backward, grad
from .function import Context, Function
from .gradcheck import GradcheckError, NonSmoothError, gradcheck, gradgradcheck
from .hooks import Handle
from .mode import detect_anomaly, enable_grad, inference_mode, is_grad_enabled, no_grad, set_detect_anomaly, set_grad_enabled
from .errors import AnomalyError, OpError
from .op import OPS, Node, op
from .primitives import expand, identity, sum_to
from .storage import Storage
from .tensor import FLOATS, Size, Tensor, move, raw, tensor_of

__all__ = [
    "FLOATS", "OPS", "AnomalyError", "Context", "Function", "GradcheckError", "Handle", "Node", "NonSmoothError", "OpError", "Size",
    "Storage", "Tensor", "backward", "detect_anomaly", "enable_grad", "expand", "grad", "gradcheck", "gradgradcheck", "graph",
    "identity", "inference_mode", "is_grad_enabled", "move", "no_grad", "op", "raw", "set_detect_anomaly", "set_grad_enabled", "sum_to",
    "tensor_of",
]  # fmt: skip
