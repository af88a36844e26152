"""What messages call an op: by the name that its user wrote, which is torch's, not by that of the card that computes it."""

from __future__ import annotations

import os
import re
import sys

# Cards that several functions share, or that have names of their own.
PUBLIC = {
    "extreme": "max or min", "share": "max or min", "argextreme": "argmax or argmin", "put": "x[index] = value",
    "setitem": "x[index] = value", "getitem": "x[index]", "group_norm": "layer_norm, group_norm or instance_norm", "norm2": "norm",
    "bce": "binary_cross_entropy", "bce_logits": "binary_cross_entropy_with_logits",
    "mean_logsigmoid": "binary_cross_entropy_with_logits", "masked_scale": "dropout", "plane_gather": "max_pool",
    "plane_scatter": "max_pool", "pick_rows": "embedding", "add_rows": "embedding", "conv": "conv1d, conv2d or conv3d",
    "conv_transpose": "conv_transpose1d, conv_transpose2d or conv_transpose3d", "conv_weight": "the gradient of a convolution",
    "weight_grad": "the gradient of linear", "linear_activation": "linear", "pad_constant": "pad", "logical": "all or any",
    "convert": "to", "taps": "interpolate or avg_pool", "rnn_steps": "RNN", "lstm_steps": "LSTM", "gru_steps": "GRU",
}  # fmt: skip
OPERATORS = {
    "__getitem__": "x[index]", "__setitem__": "x[index] = value", "getitem": "x[index]", "setitem": "x[index] = value",
    "__matmul__": "matmul", "__rmatmul__": "matmul", "__add__": "add", "__radd__": "add", "__sub__": "sub", "__rsub__": "sub",
    "__mul__": "mul", "__rmul__": "mul", "__truediv__": "div", "__rtruediv__": "div", "__pow__": "pow", "__rpow__": "pow",
    "__mod__": "remainder", "__neg__": "neg", "__iadd__": "add_", "__isub__": "sub_", "__imul__": "mul_", "__itruediv__": "div_",
}  # fmt: skip

_HERE = os.path.dirname(os.path.abspath(__file__))
_PLACES = (_HERE + os.sep, os.path.join(os.path.dirname(_HERE), "ops") + os.sep)
_ENGINE = os.path.join(_HERE, "engine.py")
_NOBODYS = {"call", "called", "explained", "backward", "forward", "formula", "inner", "wrapper", "method", "assign", "write"}


def public(name: str) -> str:
    """The name under which the op `name` is known."""
    if name.endswith("_grad") and name not in PUBLIC:
        return f"the gradient of {public(name[:-5])}"
    return PUBLIC.get(name, name)


def called(name: str) -> str:
    """What the user called that ended in the op `name`: the outermost function of ours that is on the stack, below layers."""
    frame, found = sys._getframe(1), None
    while frame is not None and frame.f_code.co_filename.startswith(_PLACES):
        if frame.f_code.co_filename == _ENGINE:  # a backward rule: nobody called it
            return public(name)
        here = frame.f_code.co_name
        if here in OPERATORS or not (here.startswith(("_", "<")) or here in _NOBODYS):
            found = here
        frame = frame.f_back  # type: ignore[assignment]
    return OPERATORS.get(found, found) if found else public(name)


# --- reasons, which NumPy words for arrays ---


def reason(error: BaseException, shapes: list[tuple[int, ...]]) -> str:
    """What NumPy says, in the words of this library. shapes: of the arguments that are arrays."""
    said = " ".join(str(error).split())
    if "gufunc" in said or (said.startswith("matmul") and "operand" in said):
        if any(not s for s in shapes[:2]):
            return f"shapes {' and '.join(map(str, shapes[:2]))} cannot be multiplied: both need at least one dimension"
        return f"shapes {' and '.join(map(str, shapes[:2]))} cannot be multiplied: the inner sizes differ"
    if said.startswith("a product of") and len(shapes) > 1:
        return f"the last sizes of input {shapes[0]} and weight {shapes[1]} differ"
    if "remapped shapes" in said and len(shapes) > 1:
        return f"shapes {' and '.join(map(str, shapes[:2]))} cannot be multiplied: their batch sizes differ"
    if found := re.search(r"remapped shapes.*requested shape \((.*)\)", said):
        return f"shape {shapes[0] if shapes else ''} cannot be expanded to ({found[1]})"
    if "zero-size array" in said or "empty sequence" in said:
        return "an empty Tensor has no such element; name a dim that has some"
    if found := re.fullmatch(r"operands could not be broadcast together with shapes (.*)", said):
        return f"shapes {' and '.join(re.findall(r'[(][^)]*[)]', found[1]))} cannot be broadcast together"
    if found := re.fullmatch(r"could not broadcast input array from shape (.*) into shape (.*)", said):
        return f"a value of shape {found[1]} cannot be broadcast to the shape {found[2]} of that place"
    if found := re.fullmatch(r"cannot reshape array of size (\d+) into shape (.*)", said):
        return f"{found[1]} elements do not fit into the shape {found[2].replace('newaxis', '-1')}"
    if "concatenation axis must match exactly" in said:
        return f"sizes must agree in all dimensions but the one that is joined: {' and '.join(map(str, shapes))}"
    if "output array is read-only" in said or "assignment destination is read-only" in said:
        return "its memory cannot be written: expand() lets several elements share it, and NumPy's array may be read-only; take a clone()"
    said = re.sub(r"^too many indices for array: array is (\d+)-dimensional, but (\d+) were indexed", r"\2 indices for \1 dimensions", said)
    said = re.sub(r"\baxis (-?\d+) is out of bounds for array of dimension (\d+)", r"dimension \1 is out of range for \2 dimensions", said)
    return re.sub(r"\bfor axis (\d+)", r"for dimension \1", said)
