"""What a network computes, as a list of ops on named values, for any number of examples.

The network is run twice, on batches of different size, and every call of an op is noted. Numbers
that differ as the sizes do are multiples of the size (`Batch`); arrays that no op made, and that
are the same in both, are constants. What differs otherwise is computed behind the ops' backs: an
error that says so, not a wrong file.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...arrays import seam
from ...autograd import Tensor, no_grad
from ...engine.op import OPS
from ...nn.functional import check_classes

SIZES = 3, 5  # of the two batches


class ExportError(ValueError):
    """A network cannot be exported: the message names the op, and says why."""


@dataclass(frozen=True)
class Batch:
    """A number that is so many times the number of examples."""

    times: int = 1


@dataclass(eq=False)
class Value:
    """A result or an input: its number, its shape (with `Batch`), its dtype."""

    number: int
    shape: tuple[Any, ...]
    dtype: np.dtype


@dataclass(eq=False)
class Step:
    """A call of an op. args : Values, constants (arrays), numbers, and lists of these"""

    op: str
    args: tuple[Any, ...]
    out: Value


@dataclass
class Graph:
    """inputs : by name;  steps : in order;  out : the result"""

    inputs: dict[str, Value]
    steps: list[Step]
    out: Value
    makers: dict[Value, Step] = field(init=False)

    def __post_init__(self):
        self.makers = {step.out: step for step in self.steps}


def trace(function: Callable[..., Tensor], inputs: Callable[[int], dict[str, Tensor]]) -> Graph:
    """The graph of `function(*inputs(n).values())`, whatever n is.

    function : of Tensors, outside the tape;  inputs : n -> its arguments by name

    ExportError where it is not the same function of each example for every n.
    """
    one, two = (_Heard(function, inputs(n)) for n in SIZES)
    ops = lambda heard: [op for op, _, _ in heard.calls]
    if ops(one) != ops(two):
        differ = next(a or b for a, b in itertools.zip_longest(ops(one), ops(two)) if a != b)
        raise ExportError(
            f"{differ}: it is not called alike for {SIZES[0]} and {SIZES[1]} examples"
        )
    values: dict[int, Value] = {}
    names = dict(zip(one.numbers_of_inputs, one.names))
    for number, (a, b) in enumerate(zip(one.arrays, two.arrays)):
        values[number] = Value(number, _unified(a.shape, b.shape, "an input"), a.dtype)
    steps = []
    for (op, args, made), (_, others, _) in zip(one.calls, two.calls):
        steps.append(Step(op, _args(op, args, others, values), values[made]))
    out = values[one.out]
    if one.out != two.out or not out.shape or out.shape[0] != Batch():
        raise ExportError("the result is not made by an op for each example")
    return _without_dead(Graph({name: values[n] for n, name in names.items()}, steps, out))


class _Heard:
    """What is heard of one run: calls as (op, arguments, number of the result), where arguments
    that are inputs or results are `_Known` numbers."""

    def __init__(self, function, inputs: dict[str, Tensor]):
        self.names = list(inputs)
        self.arrays: list[np.ndarray] = []
        self.known: dict[int, int] = {}  # id of an array -> its number; `kept` keeps ids unique
        self.kept: list[Any] = []
        self.calls: list[tuple[str, tuple, int]] = []
        self.numbers_of_inputs = [self.number(x.array) for x in inputs.values()]
        _learn_names()
        with no_grad(), seam.told(self.hear):
            result = function(*inputs.values())
        if id(result.array) not in self.known:
            raise ExportError("the result is not made by an op")
        self.out = self.known[id(result.array)]

    def number(self, array) -> int:
        self.kept.append(array)
        self.arrays.append(np.asarray(array))
        self.known[id(array)] = len(self.arrays) - 1
        return self.known[id(array)]

    def hear(self, function, args, result) -> None:
        if function is check_classes:  # it computes nothing
            return
        args = tuple(self.argument(a) for a in args)
        result = result[0] if isinstance(result, tuple) else result  # others are for backward
        if all(not _depends(a) for a in args):
            self.kept.append(result)  # a constant made of constants
            return
        self.calls.append((name_of(function), args, self.number(result)))

    def argument(self, x) -> Any:
        if isinstance(x, (list, tuple)) and any(isinstance(y, np.ndarray) for y in x):
            return [self.argument(y) for y in x]
        if isinstance(x, np.ndarray):
            self.kept.append(x)
            number = self.known.get(id(x))
            return np.array(x) if number is None else _Known(number)
        return x


@dataclass(frozen=True)
class _Known:
    number: int


def _depends(x) -> bool:
    """Does an argument depend on inputs?"""
    return any(map(_depends, x)) if isinstance(x, list) else isinstance(x, _Known)


_names: dict[Any, str] = {}


def name_of(function) -> str:
    """The op of which a function is the reference or a kernel; else the function's own name."""
    if function not in _names:
        _learn_names()
        _names.setdefault(function, getattr(function, "__name__", repr(function)).lstrip("_"))
    return _names[function]


def _learn_names() -> None:
    """Of kernels and of what stands for one until it is loaded, with its first call."""
    for name, op in OPS.items():
        for f in (op.card.forward, *op.card.kernels.values()):
            _names[f] = name.lstrip("_")


def _args(op: str, args, others, values: dict[int, Value]) -> tuple[Any, ...]:
    return tuple(_unified(a, b, op, values) for a, b in zip(args, others))


def _unified(a: Any, b: Any, op: str, values: dict[int, Value] | None = None) -> Any:
    """What an argument is for any number of examples, from what it was for each of SIZES."""
    if isinstance(a, _Known) and a == b and values is not None:
        return values[a.number]
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            return a
        sizes = a.shape[:1] + b.shape[:1]
        if op in BROADCASTING and sizes == SIZES and a.shape[1:] == b.shape[1:]:
            if (a == a[:1]).all() and (b == a[:1]).all():
                return a[:1]  # alike for all examples, such as an LSTM's state at the beginning
        raise ExportError(
            f"{op}: one of its arguments, {a.dtype}{list(a.shape)}, is neither a constant nor made "
            "by an op: it is computed from the batch outside of the ops, or depends on its size"
        )
    if isinstance(a, (list, tuple)) and type(a) is type(b) and len(a) == len(b):
        parts = [_unified(x, y, op, values) for x, y in zip(a, b)]
        return parts if isinstance(a, list) else _like(a, parts)
    if isinstance(a, slice) and isinstance(b, slice):
        ends = [_unified(getattr(a, n), getattr(b, n), op) for n in ("start", "stop", "step")]
        return slice(*ends)
    if isinstance(a, (int, np.integer)) and not isinstance(a, bool) and a != b:
        times, rest = divmod(int(a), SIZES[0])
        if rest == 0 and times * SIZES[1] == b:
            return Batch(times)
    if a is b or a == b:
        return a
    raise ExportError(f"{op}: {a!r} for {SIZES[0]} examples is {b!r} for {SIZES[1]}")


def _like(a: tuple, parts: list) -> tuple:
    return type(a)(*parts) if hasattr(a, "_fields") else tuple(parts)


def _values_in(args) -> list[Value]:
    found = []
    for a in args:
        found += _values_in(a) if isinstance(a, list) else [a] if isinstance(a, Value) else []
    return found


def _without_dead(graph: Graph) -> Graph:
    """Without the steps whose results nobody uses."""
    wanted, steps = {graph.out}, []
    for step in reversed(graph.steps):
        if step.out in wanted:
            wanted.update(_values_in(step.args))
            steps.append(step)
    return Graph(graph.inputs, steps[::-1], graph.out)


BROADCASTING = {"add", "sub", "mul", "div", "maximum", "minimum"}
AFFINE = {"add", "sub", "mul"}
PRODUCTS = {"linear": 0, "conv": 0, "conv_transpose": 1}  # the dimension of its weight's outputs


def folded(graph: Graph) -> Graph:
    """The same with what follows a linear layer or a convolution, and is linear in each channel
    (batch normalisation), in its weight and bias."""
    uses: dict[Value, int] = {graph.out: 1}
    for step in graph.steps:
        for value in _values_in(step.args):
            uses[value] = uses.get(value, 0) + 1
    steps: list[Step] = []
    for step in graph.steps:
        made = {s.out: i for i, s in enumerate(steps)}
        for place, other in ((0, 1), (1, 0)):
            x, c = (step.args[place], step.args[other]) if step.op in AFFINE else (None, None)
            at = made.get(x) if isinstance(x, Value) and uses[x] == 1 else None
            if at is None or (place and step.op == "sub"):
                continue
            before = steps[at]
            if before.op in ("reshape", "row_major") and isinstance(before.args[0], Value):
                continue
            if (joined := _joined(before, step, c)) is not None:
                del steps[at]
                steps.append(joined)
                break
        else:
            steps.append(step)
    return Graph(graph.inputs, steps, graph.out)


def _joined(before: Step, step: Step, c: Any) -> Step | None:
    """A product and a step with a number for each of its channels as one product, or None."""
    if before.op not in PRODUCTS or isinstance(c, (Value, list)):
        return None
    if len(step.args) > 2 and step.args[2] != 1:  # alpha
        return None
    x, w, bias, *rest = before.args
    outputs = w.shape[PRODUCTS[before.op]] if isinstance(w, np.ndarray) else 0
    c = np.asarray(c, np.float64)
    flat = np.moveaxis(np.broadcast_to(c, (1,) * (len(before.out.shape) - c.ndim) + c.shape), 1, 0)
    groups = rest[0].groups if rest else 1
    if (
        not outputs
        or flat.size not in (1, outputs)
        or groups != 1
        or before.out.shape[1] != outputs
    ):
        return None
    each = np.broadcast_to(flat.reshape(-1), (outputs,))
    b = np.zeros(outputs) if bias is None else bias.astype(np.float64)
    if step.op == "mul":
        shape = [1] * w.ndim
        shape[PRODUCTS[before.op]] = outputs
        w, b = (w * each.reshape(shape)).astype(w.dtype), b * each
    else:
        b = b + each if step.op == "add" else b - each
    return Step(before.op, (x, w, b.astype(w.dtype), *rest), step.out)
