"""A table of a module's layers, output shapes and parameters."""

from typing import Any

import numpy as np

from ..arrays import CPU, default_generator, module_for
from ..autograd import FLOATS, Tensor, no_grad, tensor_of
from .module import Module
from .parameter import as_device
from .utils import evaluating

__all__ = ["Summary", "summary"]


class Summary:
    """What `summary` found. `str()` is the table.

    rows : (path, type, output shape or None if it was not called, own parameters) for each
        submodule
    total_params, trainable_params : numbers of elements, shared parameters once
    """

    def __init__(
        self, name: str, rows: list, total_params: int, trainable_params: int, batch_size: int
    ) -> None:
        self.name = name
        self.rows = rows
        self.batch_size = batch_size
        self.total_params, self.trainable_params = total_params, trainable_params

    def _shape(self, shape):
        if shape is None:
            return "(not used)"
        if isinstance(shape, list):
            return ", ".join(map(self._shape, shape))
        sizes = [str(n) for n in shape]
        if shape[:1] == (self.batch_size,):
            sizes[0] = "N"  # the batch size is not the module's
        return "(" + ", ".join(sizes) + ("," if len(sizes) == 1 else "") + ")"

    def __str__(self):
        table = [("Layer", "Output shape", "Parameters")]
        for path, kind, shape, params in self.rows:
            depth, name = path.count("."), path.rpartition(".")[2]
            table.append(
                (
                    "  " * depth + (f"{name}: {kind}" if name else kind),
                    self._shape(shape),
                    f"{params:,}",
                )
            )
        widths = [max(len(row[i]) for row in table) for i in range(3)]
        lines = [f"{a:<{widths[0]}}   {b:<{widths[1]}}   {c:>{widths[2]}}" for a, b, c in table]
        rule = "-" * len(lines[0])
        total = f"{self.name}: {self.total_params:,} parameters"
        if self.trainable_params != self.total_params:
            total += f", {self.trainable_params:,} of them trainable"
        return "\n".join([lines[0], rule, *lines[1:], rule, total])

    __repr__ = __str__


def summary(module: Module, input_size, batch_size: int = 2, dtypes=None, device=None) -> Summary:
    """The layers of `module` with output shapes and parameters; `print` it, or read
    `.total_params`.

    input_size : shape of one example, such as (100,) or (1, 28, 28); a list of them for several
        inputs
    batch_size : how many examples pass through (shown as N)
    dtypes : of the inputs, one or a list; default: that of the parameters
    device : of the inputs; default: that of the parameters

    One forward pass of zeros in evaluation mode, without a tape: modes, statistics and random state
    stay what they were.
    """
    if not isinstance(module, Module):
        raise TypeError(f"summary: expected a Module, got {type(module).__name__}")
    parameters = list(module.parameters())
    first = next((t for t in [*parameters, *module.buffers()] if t.dtype in FLOATS), None)
    place = as_device(device) if device is not None else first.device if first is not None else CPU
    sizes = (
        [(input_size,)]
        if isinstance(input_size, int)
        else input_size
        if _several(input_size)
        else [input_size]
    )
    usual = first.dtype if first is not None else np.dtype(np.float32)
    dtypes = list(dtypes) if isinstance(dtypes, (list, tuple)) else [dtypes or usual] * len(sizes)
    if len(dtypes) != len(sizes):
        raise ValueError(f"summary: {len(sizes)} input sizes but {len(dtypes)} dtypes")
    inputs = [
        tensor_of(module_for(place).zeros((batch_size, *size), d)) for size, d in zip(sizes, dtypes)
    ]
    shapes: dict[int, Any] = {}
    handles = []
    random = default_generator.get_state()
    try:
        for m in module.modules():
            handles.append(
                m.register_forward_hook(
                    lambda m, _, output: shapes.setdefault(id(m), _shape_of(output)) and None
                )
            )
        with no_grad(), evaluating(module):
            module(*inputs)
    except Exception as error:
        error.add_note(
            f"in summary's forward pass of {type(module).__name__} with inputs of shapes "
            f"{[tuple(x.shape) for x in inputs]}"
        )
        raise
    finally:
        for handle in handles:
            handle.remove()
        default_generator.set_state(random)
    rows = [
        (
            path,
            type(m).__name__,
            shapes.get(id(m)),
            sum(p.numel() for p in m.parameters(recurse=False)),
        )
        for path, m in module.named_modules()
        if path or not module._modules  # the whole has a row of its own only if it has no parts
    ]
    trainable = sum(p.numel() for p in parameters if p.requires_grad)
    return Summary(
        type(module).__name__, rows, sum(p.numel() for p in parameters), trainable, batch_size
    )


def _several(size):
    return len(size) > 0 and not all(isinstance(n, (int, np.integer)) for n in size)


def _shape_of(output):
    """The shape of a Tensor, a list of them for several, None for anything else."""
    if isinstance(output, Tensor):
        return tuple(output.shape)
    if isinstance(output, dict):
        output = list(output.values())
    return [_shape_of(y) for y in output] if isinstance(output, (list, tuple)) else None
