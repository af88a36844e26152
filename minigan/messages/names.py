"""What messages call an op: by the name that its user wrote, which is torch's, not by that of the
card that computes it."""

from __future__ import annotations

import os
import sys

# Cards that several functions share, or that have names of their own.
PUBLIC = {
    "extreme": "max or min", "share": "max or min", "argextreme": "argmax or argmin",
    "put": "x[index] = value",
    "setitem": "x[index] = value", "getitem": "x[index]",
    "group_norm": "layer_norm, group_norm or instance_norm", "norm2": "norm",
    "bce": "binary_cross_entropy", "bce_logits": "binary_cross_entropy_with_logits",
    "mean_logsigmoid": "binary_cross_entropy_with_logits", "masked_scale": "dropout",
    "plane_gather": "max_pool",
    "plane_scatter": "max_pool", "pick_rows": "embedding", "add_rows": "embedding",
    "conv": "conv1d, conv2d or conv3d",
    "conv_transpose": "conv_transpose1d, conv_transpose2d or conv_transpose3d",
    "conv_weight": "the gradient of a convolution",
    "conv_activation": "conv1d, conv2d or conv3d",
    "weight_grad": "the gradient of linear", "linear_activation": "linear", "pad_constant": "pad",
    "logical": "all or any",
    "convert": "to", "taps": "interpolate or avg_pool", "rnn_steps": "RNN", "lstm_steps": "LSTM",
    "gru_steps": "GRU",
}  # fmt: skip
OPERATORS = {
    "__getitem__": "x[index]", "__setitem__": "x[index] = value", "getitem": "x[index]",
    "setitem": "x[index] = value",
    "__matmul__": "matmul", "__rmatmul__": "matmul", "__add__": "add", "__radd__": "add",
    "__sub__": "sub", "__rsub__": "sub",
    "__mul__": "mul", "__rmul__": "mul", "__truediv__": "div", "__rtruediv__": "div",
    "__pow__": "pow", "__rpow__": "pow",
    "__mod__": "remainder", "__neg__": "neg", "__iadd__": "add_", "__isub__": "sub_",
    "__imul__": "mul_", "__itruediv__": "div_",
}  # fmt: skip

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# what a call goes through
_BELOW = tuple(os.path.join(_PACKAGE, part, "") for part in ("messages", "engine"))
_PLACES = (*_BELOW, *(os.path.join(_PACKAGE, part, "") for part in ("autograd", "ops")))
_BACKWARD = os.path.join(_PACKAGE, "engine", "backward.py")
_NOBODYS = {
    "call",
    "called",
    "backward",
    "forward",
    "formula",
    "inner",
    "wrapper",
    "method",
    "assign",
    "write",
}


def public(name: str) -> str:
    """The name under which the op `name` is known."""
    if name.endswith("_grad") and name not in PUBLIC:
        return f"the gradient of {public(name[:-5])}"
    return PUBLIC.get(name, name)


def called(name: str) -> str:
    """What the user called that ended in the op `name`: the outermost function of ours that is on
    the stack, below layers."""
    frame, found = sys._getframe(1), None
    while frame is not None and frame.f_code.co_filename.startswith(_PLACES):
        if frame.f_code.co_filename == _BACKWARD:  # a backward rule: nobody called it
            return public(name)
        here = frame.f_code.co_name
        nobodys = (
            here.startswith(("_", "<"))
            or here in _NOBODYS
            or frame.f_code.co_filename.startswith(_BELOW)
        )
        if here in OPERATORS or not nobodys:
            found = here
        frame = frame.f_back  # type: ignore[assignment]
    return OPERATORS.get(found, found) if found else public(name)
