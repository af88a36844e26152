"""What is wrong with a backward pass: with what it is asked for, or with what a rule gave it."""

from ..machine.cuda import memory_left
from .errors import AnomalyError, OpError, OutOfMemoryError, check_finite
from .names import public


def check_outputs(tensors, gradients):
    """Can gradients flow from these results? `gradients`: those given for them, or None."""
    if len(gradients) != len(tensors):
        raise ValueError(f"{len(tensors)} outputs but {len(gradients)} gradients")
    for i, (t, g) in enumerate(zip(tensors, gradients)):
        if not t.requires_grad:
            raise RuntimeError(
                f"output {i} (shape {tuple(t.shape)}) does not require a gradient: "
                "nothing it was computed from does, or it was made under no_grad"
            )
        if g is None and t.array.size != 1:
            raise RuntimeError(
                f"a gradient is implied only for one element, output {i} has shape "
                f"{tuple(t.shape)}: reduce it with .sum() or .mean(), or pass its gradient"
            )
        if g is not None and (g.shape != t.shape or g.dtype != t.dtype):
            raise ValueError(
                f"the gradient of output {i} is {g.dtype} {tuple(g.shape)}, the output {t.dtype} "
                f"{tuple(t.shape)}"
            )


def check_inputs(tensors):
    """Can gradients arrive at these Tensors?"""
    for i, x in enumerate(tensors):
        if not x.requires_grad:
            raise RuntimeError(
                f"grad: inputs[{i}] (shape {tuple(x.shape)}) does not require a gradient: "
                "call .requires_grad_() on it before the forward pass"
            )


def unused(i, tensor):
    """The error of `grad` where nothing leads from the outputs to inputs[i]."""
    return RuntimeError(
        f"grad: inputs[{i}] (shape {tuple(tensor.shape)}) was not used to compute the outputs; "
        "allow_unused=True gives None for it"
    )


def freed(op):
    """The error of a second backward pass through an entry of this op."""
    return RuntimeError(
        f"backward through {public(op.__name__)} a second time: its saved values "
        "were freed by the first; pass retain_graph=True to the first backward or grad"
    )


def changed_in_place(node, i):
    """The error of a tape entry whose saved argument i (-1: its result) is not what it was."""
    what = "its result"
    if i >= 0:
        names, edge = node.op.card.names, node.edges[i]
        what = f"its argument {names[i] if i < len(names) else i}"
        if hasattr(edge, "array"):  # a leaf
            what += f" ({getattr(edge, 'name', None) or 'a leaf'} of shape {tuple(edge.shape)})"
    return RuntimeError(
        f"backward of {public(node.op.__name__)}: {what} was changed in place after the "
        "forward pass saved it (an optimiser "
        "step, +=, an assignment to x[...], or a method ending in _); run the forward again, "
        "or change it after backward"
    )


def rule_failed(error, node):
    """The error of a backward rule, said again with its op."""
    rule = f"the backward rule of {public(node.op.__name__)}"
    if isinstance(error, AnomalyError):  # of a rule whose own ops are recorded, and so looked at
        where = node.line or "an unknown line"
        return AnomalyError(f"{error}, in {rule}, which was called at {where}")
    if isinstance(error, MemoryError):
        return OutOfMemoryError(f"{rule}: {error}{memory_left()}; lower the batch size")
    return OpError(f"{rule} failed: {type(error).__name__}: {error}")


def no_gradient(node, i):
    """The error of a rule that gave nothing for argument i."""
    return OpError(
        f"the backward rule of {public(node.op.__name__)} gave no gradient for argument {i} "
        f"({node.op.card.names[i : i + 1]}), which needs one"
    )


def wrong_dtype(node, i, given, expected):
    """The error of a rule that gave a gradient of another dtype for argument i."""
    return OpError(
        f"the backward rule of {public(node.op.__name__)} gave a {given} gradient for its "
        f"{expected} argument {i}"
    )


def check_finite_gradient(array, node, i):
    """AnomalyError if the gradient of argument i has a NaN or infinity."""
    where = node.line or "an unknown line: no detect_anomaly() there"
    check_finite(array, f"{public(node.op.__name__)} (backward, argument {i})", where)
