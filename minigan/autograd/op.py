"""An op is a card: its formula, what it keeps for backward, its kernels and its backward rule, in one class body.

    @op
    class tanh:
        '''y = tanh(x).    dL/dx = dL/dy * (1 - y^2)'''
        saves = ("out",)
        def forward(x): return np.tanh(x)
        def backward(g, need, y): return g * (1 - y * y)

`@op` turns the card into a function. Called with arrays it computes and records nothing; called with Tensors it returns
a Tensor and puts a `Node` on the tape if one of them requires a gradient. Backward rules are written in ops and operators,
so the first-order pass runs them on bare arrays, and `create_graph=True` on Tensors: that records the derivative, which
can be differentiated again.

The fields of a card:

forward(x, y, option=default)   the reference: works on the arrays of either library. Any argument may be a Tensor; those
                                that are not are constants. Its signature is the op's public one.
cpu                             the same for NumPy's float32 and float64 arrays, with a compiled kernel (optional)
cuda                            the same for CuPy's, with CUDA kernels (optional); chosen by the first argument, as `cpu` is
backward(g, need, *saved)       g = dL/d(out) -> dL/d(argument) for each argument that can have a gradient, in order (a
                                tuple if more than one). `need[i]` says whether argument i wants one; None/False else.
                                Un-broadcasting to the argument's shape is done by the engine, for all ops.
saves = (...)                   what `backward` receives: "x" an argument, "x.shape" only its shape, "out" the result, any
                                other name: the next extra result that forward returns after `out`; "*xs", "*xs.shape" for
                                a card with `def forward(option, *xs)`; "x for y": x, but None where y wants no gradient
formula                         for fused ops whose `backward` is a kernel for arrays: the same function written in ops.
                                Derivatives of higher order go through it.
mixed = True                    arguments may have different dtypes (indices, masks, targets)
view = True                     the result may share memory with the first argument
floating = True                 integers and booleans are taken as float32
"""

import itertools
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import DeviceError, device_of, is_array
from ..backend.cuda import has_kernels
from ..backend.device import memory_left
from ..backend.program import active, told
from .mode import mode
from .tensor import FLOATS, Tensor, stale

OPS: dict[str, Callable[..., Any]] = {}  # name -> op, of every card: the tests walk it
_count = itertools.count(1)
ndarray = np.ndarray
_new = Tensor.__new__
_F32, _F64 = np.dtype("float32"), np.dtype("float64")


class AnomalyError(RuntimeError):
    """A NaN or infinity appeared under `detect_anomaly()`; the message names the op and the line that called it."""


class OpError(RuntimeError, ValueError, TypeError, IndexError):
    """An op could not compute: the message names it, its arguments with shapes, dtypes and devices, and the reason.

    It is all these kinds of error because PyTorch raises RuntimeError where NumPy raises ValueError or TypeError.
    """


class OutOfMemoryError(OpError, MemoryError):
    """An array did not fit into memory: the message says what was asked for, what is free, and what to lower."""


class Node:
    """A tape entry: which op, where its arguments came from, and what it kept.

    edges : for each argument, the Node that made it, the leaf Tensor itself, or None where no gradient is wanted
    number : order of creation; going down the numbers meets every node after all nodes that use its result
    saved : what `backward` needs: arrays, numbers, shapes; None once it was freed
    sources : of each array that came from a Tensor the memory's version, its number then, the argument (-1: the result), the
              Tensor, the place in `saved`. A Tensor that is given other memory later (`.data = ...`) changes nothing in `saved`
    """

    __slots__ = ("op", "edges", "saved", "sources", "number", "shape", "dtype", "line", "holds", "__weakref__")

    def __init__(self, op, edges, shape, dtype, number):
        self.op, self.edges, self.shape, self.dtype, self.number = op, edges, shape, dtype, number
        self.saved = self.sources = ()
        self.line, self.holds = None, False

    def save(self, plan, inputs, extra, out):
        """Keep what the card's `saves` names, as bare arrays; of those that came from Tensors also these and their versions.
        (Not the Tensor of the result: it points back to this node, which would be a cycle.)"""
        saved, sources, edges = [], [], self.edges
        holds = False  # arrays, which are dropped after use; numbers and shapes may stay
        for kind, i, only_for in plan:
            if only_for is not None and edges[only_for] is None:
                x = None
            elif kind == "argument":
                x = inputs[i]
                if isinstance(x, Tensor):
                    version = x._version
                    sources.append((version, version[0], i, x, len(saved)))
                    x = x.array
                elif x.__class__ is ndarray:
                    holds = True
            elif kind == "out":
                x, version = out.array, out._version
                sources.append((version, version[0], -1, None, len(saved)))
            elif kind == "shape":
                x = getattr(inputs[i], "shape", ())
            elif kind == "extra":
                x = extra[i]
                holds = True
            elif kind == "rest shapes":
                x = tuple(y.shape for y in inputs[i:])
            else:  # "rest": all of a variable number of arguments
                x = [y.array if isinstance(y, Tensor) else y for y in inputs[i:]]
                sources.extend(
                    (y._version, y._version[0], i + j, y, len(saved)) for j, y in enumerate(inputs[i:]) if isinstance(y, Tensor)
                )
            saved.append(x)
        self.saved, self.sources, self.holds = saved, sources, holds or bool(sources)

    def unpack(self, as_tensors):
        """What was saved, as arrays, or as Tensors that lead on along the tape."""
        if self.saved is None:
            raise RuntimeError(
                f"backward through {self.op.__name__} a second time: its saved values were freed by the first; "
                "pass retain_graph=True to the first backward or grad"
            )
        for version, number, i, _, _ in self.sources:
            if version[0] != number:
                self._changed(i)
        if not as_tensors:
            return self.saved
        saved = [list(x) if x.__class__ is list else x for x in self.saved]
        rest = len(self.op.names)  # arguments from here on are in a list of their own
        for _, _, i, tensor, slot in self.sources:
            if i < 0:
                saved[slot] = Tensor(saved[slot], True, self)
            elif i < rest:
                saved[slot] = _as_saved(tensor, saved[slot])
            else:
                saved[slot][i - rest] = _as_saved(tensor, saved[slot][i - rest])
        return saved

    def free(self):
        """Drop what was saved."""
        self.saved, self.sources = None, ()

    def part_from_result(self):
        """Take a copy of the result where it was saved: its memory is about to change in a way that is on the tape."""
        for version, number, i, _, slot in self.sources:
            if i < 0 and version[0] == number:
                self.saved[slot] = self.saved[slot].copy()
                self.sources = [s for s in self.sources if s[2] >= 0]
                self.sources.append(([0], 0, -1, None, slot))

    def _changed(self, i):
        what = "its result" if i < 0 else f"its argument {self.op.names[i] if i < len(self.op.names) else i}"
        edge = self.edges[i] if i >= 0 else None
        if isinstance(edge, Tensor):
            what += f" ({getattr(edge, 'name', None) or 'a leaf'} of shape {tuple(edge.shape)})"
        raise RuntimeError(
            f"backward of {self.op.__name__}: {what} was changed in place after the forward pass saved it (an optimiser "
            "step, +=, an assignment to x[...], or a method ending in _); run the forward again, or change it after backward"
        )

    def __repr__(self):
        return f"<{self.op.__name__} #{self.number} {tuple(self.shape)}>"


def _as_saved(tensor, array):
    """A saved argument as a Tensor: itself, or what it was before its memory was exchanged."""
    if tensor.array is array:
        return tensor
    if tensor.requires_grad and tensor._node is None:
        from .primitives import identity

        return Tensor(array, True, Node(identity, (tensor,), array.shape, array.dtype, next(_count)))
    return Tensor(array, tensor.requires_grad, tensor._node)


def op(card: Any) -> Callable[..., Tensor]:
    """Make the function of an op card (see the module's docstring)."""
    name, forward, backward = card.__name__.lstrip("_"), card.forward, getattr(card, "backward", None)
    cpu, cuda, formula = getattr(card, "cpu", forward), getattr(card, "cuda", None), getattr(card, "formula", None)
    compiled = cpu is not forward  # a kernel for NumPy's float32 and float64
    special = compiled or cuda is not None
    mixed, view = getattr(card, "mixed", False), getattr(card, "view", False)
    floating = getattr(card, "floating", False)
    code, defaults = forward.__code__, forward.__defaults__ or ()
    names, count = code.co_varnames[: code.co_argcount], code.co_argcount
    required = count - len(defaults)
    plan = [_place(s, names, card) for s in getattr(card, "saves", ())]
    extras = any(kind == "extra" for kind, *_ in plan)
    plan = [(kind, sum(k == "extra" for k, *_ in plan[:j]) if kind == "extra" else i, only) for j, (kind, i, only) in enumerate(plan)]

    def call(*inputs, **named):
        if named or len(inputs) < required:
            inputs = _bind(name, names, defaults, inputs, named)
        elif len(inputs) < count:
            inputs += defaults[len(inputs) - count :]
        if stale and mode.recording:
            stale[0](inputs)
        for x in inputs:
            if isinstance(x, Tensor):
                break
        else:  # bare arrays: compute, and that is all
            run, first = forward, inputs[0]
            if special:
                if first.__class__ is ndarray:
                    run = cpu if compiled and first.dtype.char in "fd" else forward
                elif cuda is not None and has_kernels(first):
                    run = cuda
            return run(*inputs)[0] if extras else run(*inputs)
        record = blend = bare = False
        dtype = None
        arrays, edges = [], []
        for x in inputs:
            edge = None
            if isinstance(x, Tensor):
                if x.requires_grad:
                    record = True
                    edge = x._node or x
                x = x.array
                if dtype is None:
                    dtype = x.dtype
                elif x.dtype is not dtype:
                    blend = True
            elif x.__class__ is ndarray or isinstance(x, np.generic):
                bare = True
            arrays.append(x)
            edges.append(edge)
        if floating and dtype.kind != "f":
            dtype = _F32
            arrays = [_converted(a, dtype) if hasattr(a, "dtype") else a for a in arrays]
        run = forward
        if special:
            first = arrays[0]
            if first.__class__ is ndarray:
                if compiled and first.dtype.char in "fd":
                    run = cpu
            elif cuda is not None and has_kernels(first):
                run = cuda
        if blend and not mixed:
            inputs, arrays, dtype = _common_dtype(name, inputs, arrays)
        if bare:
            inputs, arrays = _adapt(inputs, arrays, None if mixed else dtype)
        try:
            out = run(*arrays)
        except Exception as error:
            raise _explained(error, name, names, inputs) from error
        whole, extra = out, ()
        if extras:
            out, *extra = out
        if out.__class__ is not ndarray and isinstance(out, np.generic):
            out = np.asarray(out)  # NumPy's ufuncs turn arrays without dimensions into scalars
        result_dtype = out.dtype
        if result_dtype is not dtype and result_dtype is _F64 and not mixed:
            out = out.astype(_F32)  # NumPy makes float64 of integers; the default here is float32
        if active:
            _tell(run, arrays, whole, out, extras)
        anomaly = mode.anomaly
        if anomaly:
            check_finite(out, f"{name} (forward)", _user_line())
        record = record and backward is not None and mode.recording and out.dtype.kind == "f"
        result = _new(Tensor)
        result.array, result.requires_grad, result.grad, result._node = out, record, None, None
        if view and _shares(out, arrays[0]):
            source = inputs[0]
            result._version = source._version
            result._base = source if record or source._node is None else False
        else:
            result._version = [0]
        if record:
            node = result._node = Node(call, tuple(edges), out.shape, out.dtype, next(_count))
            if plan:
                node.save(plan, inputs, extra, result)
            if anomaly:
                node.line = _user_line()
        return result

    call.__name__ = call.__qualname__ = name
    call.__doc__, call.__module__ = card.__doc__, card.__module__
    call.__wrapped__ = forward  # inspect.signature and help() show its arguments
    call.names, call.card, call.backward, call.formula = names, card, backward, formula
    OPS[card.__name__] = call
    return call


def _tell(run, arrays, whole, out, extras):
    """The active recording of what an op computed; out: its result as a Tensor holds it."""
    active[-1].call(run, arrays, whole)
    first = whole[0] if extras else whole
    if first is not out:
        active[-1].call(np.asarray, (first, out.dtype), out)


def _place(saved, names, card):
    """Where a name in `saves` is found: (kind, index, index of the argument for whose gradient alone it is needed)."""
    saved, _, only = saved.partition(" for ")
    only_for = names.index(only) if only else None
    base, _, shape = saved.partition(".")
    if saved == "out":
        return "out", 0, only_for
    if base in names:
        return ("shape" if shape else "argument"), names.index(base), only_for
    if base.startswith("*"):
        return ("rest shapes" if shape else "rest"), len(names), only_for
    return "extra", 0, only_for


def _shares(out, array):
    """Is `out` a view of `array`? (NumPy and CuPy keep the owner of the memory as `base`, not the whole chain.)"""
    return out is array or (out.base is not None and (out.base is array or out.base is array.base))


ALIASES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "input": "x"}


def _bind(name, names, defaults, inputs, named):
    """All arguments in order, from a call with keywords or defaults. axis and keepdims stand for dim and keepdim."""
    values = list(inputs)
    if len(values) > len(names):
        raise TypeError(f"{name}() takes at most {len(names)} arguments ({', '.join(names)}), got {len(values)}")
    named = {k if k in names else ALIASES.get(k, k): v for k, v in named.items()}
    required = len(names) - len(defaults)
    for i in range(len(values), len(names)):
        if names[i] in named:
            values.append(named.pop(names[i]))
        elif i >= required:
            values.append(defaults[i - required])
        else:
            raise TypeError(f"{name}() misses its argument {names[i]!r}; its signature is {name}({', '.join(names)})")
    if named:
        raise TypeError(f"{name}() got an unexpected or repeated argument {next(iter(named))!r}; its arguments are {', '.join(names)}")
    return tuple(values)


def _common_dtype(name, inputs, arrays):
    """Integers and booleans adapt to the floats beside them; two kinds of floats are an error, never a silent change."""
    tensors = [isinstance(x, Tensor) for x in inputs]
    floats = {a.dtype for a, t in zip(arrays, tensors) if t and a.dtype in FLOATS}
    if len(floats) > 1:
        raise OpError(f"{name}: arguments of different dtypes: {_describe(inputs)}; convert one, e.g. with .float() or .to(other.dtype)")
    if not floats:
        return inputs, arrays, np.result_type(*[a for a, t in zip(arrays, tensors) if t])
    (dtype,) = floats
    arrays = [_converted(a, dtype) if t and a.dtype is not dtype else a for a, t in zip(arrays, tensors)]
    return [Tensor(a) if t and x.array is not a else x for x, a, t in zip(inputs, arrays, tensors)], arrays, dtype


def _converted(array, dtype):
    return told(_astype, array, dtype)


def _astype(array, dtype):
    return array.astype(dtype)


def _adapt(inputs, arrays, dtype):
    """NumPy's numbers and arrays beside a Tensor are constants: they take its dtype, as Python's numbers do."""
    for i, x in enumerate(inputs):
        if isinstance(x, np.generic):
            x = x.item()
        elif x.__class__ is ndarray and dtype is not None and dtype.kind == "f" == x.dtype.kind:
            x = x.astype(dtype, copy=False)
        else:
            continue
        inputs, arrays = [*inputs[:i], x, *inputs[i + 1 :]], [*arrays[:i], x, *arrays[i + 1 :]]
    return inputs, arrays


def _describe(inputs):
    def one(x):
        x = x.array if isinstance(x, Tensor) else x
        return f"{x.dtype.name}{list(x.shape)} on {device_of(x)}" if is_array(x) else repr(x)[:60]

    return ", ".join(one(x) for x in inputs)


def _explained(error, name, names, inputs):
    """The error of a kernel, said again with the op and what it was given."""
    if isinstance(error, (OpError, DeviceError)):
        return error
    if isinstance(error, MemoryError):
        what = f"{name}({', '.join(names)}): {error or 'an allocation failed'}{memory_left()}"
        return OutOfMemoryError(f"{what}; given: {_describe(inputs)}; lower the batch size, the size of the pictures or the networks")
    arrays = [x.array if isinstance(x, Tensor) else x for x in inputs]
    devices = sorted({str(device_of(a)) for a in arrays if is_array(a)})
    hint = f"; move one of them: they are on {' and '.join(devices)}" if len(devices) > 1 else ""
    return OpError(f"{name}({', '.join(names)}): {error}; given: {_describe(inputs)}{hint}")


def check_finite(array, what, line):
    """AnomalyError if a floating-point array has a NaN or infinity."""
    if array.dtype in FLOATS and not bool(np.isfinite(array).all()):
        bad = "NaN" if bool(np.isnan(array).any()) else "infinity"
        raise AnomalyError(f"{bad} in the result of {what}, called at {line}")


_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_ENGINE = tuple(os.path.join(_PACKAGE, part, "") for part in ("backend", "autograd", "ops", "nn", "optim"))


def _user_line():
    """file:line of the innermost frame outside the engine: of a network, a game or a script."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(_ENGINE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
