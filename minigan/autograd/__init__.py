"""torch.autograd's names: the engine's, and what a training step does without: hooks, functions
with a derivative of the user's own, a picture of the tape, and what Tensors tell of themselves."""

from ..engine import (
    FLOATS,
    OPS,
    Node,
    Size,
    Tensor,
    backward,
    enable_grad,
    expand,
    grad,
    identity,
    is_grad_enabled,
    no_grad,
    op,
    raw,
    set_grad_enabled,
    sum_to,
    tensor_of,
    zero,
)
from ..messages.errors import AnomalyError, OpError
from . import attributes as attributes, notebook as notebook
from .anomaly import detect_anomaly, inference_mode, set_detect_anomaly
from .drawing import draw_tape
from .function import Context, Function
from .gradcheck import GradcheckError, NonSmoothError, gradcheck, gradgradcheck
from .hooks import Handle
from .storage import Storage

__all__ = [
    "FLOATS", "OPS", "AnomalyError", "Context", "Function", "GradcheckError", "Handle", "Node",
    "NonSmoothError", "OpError", "Size",
    "Storage", "Tensor", "backward", "detect_anomaly", "enable_grad", "expand", "grad", "gradcheck",
    "gradgradcheck", "draw_tape",
    "identity", "inference_mode", "is_grad_enabled", "no_grad", "op", "raw",
    "set_detect_anomaly", "set_grad_enabled", "sum_to",
    "tensor_of", "zero",
]  # fmt: skip
