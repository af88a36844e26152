"""An op is a card: its formula, what it keeps for backward, its backward rule and its kernels, one below the other.

    @op(saves=("out",))
    def tanh(x: Tensor) -> Tensor:
        '''y = tanh(x).    dL/dx = dL/dy * (1 - y^2)'''
        return np.tanh(x)

    @tanh.backward
    def _(g, need, y):
        return g * (1 - y * y)

The function under `@op` is the reference: it works on the arrays of either library. `tanh` itself, called with arrays, computes
and records nothing; called with Tensors it returns a Tensor and puts a `Node` on the tape if one of them requires a gradient. Any
argument may be a Tensor; those that are not are constants. The signature, whose types are those that a caller sees, is the op's.

`@op(saves=..., mixed=..., view=..., floating=...)`

saves   what `backward` receives: "x" an argument, "x.shape" only its shape, "out" the result, any other name: the next extra
        result that the function returns after its result; "*xs", "*xs.shape" for a card with `def sum_of(option, *xs)`;
        "x for y": x, but None where y wants no gradient
mixed   arguments may have different dtypes (indices, masks, targets)
view    the result may share memory with the first argument
floating   integers and booleans are taken as float32

`@tanh.backward`          the rule (g, need, *saved): g = dL/d(out) -> dL/d(argument) for each argument that can have a gradient,
                          in order (a tuple if more than one). `need[i]` says whether argument i wants one; None/False else. It is
                          written in ops and operators, so the first-order pass runs it on bare arrays, and `create_graph=True` on
                          Tensors: that records the derivative, which can be differentiated again. Un-broadcasting to the
                          argument's shape is done by the engine, for all ops.
`@tanh.formula`           for fused ops whose rule is a kernel for arrays: the same function written in ops. Derivatives of higher
                          order go through it.
`@tanh.kernel("cpu")`     a faster function of the same arguments and results, saved ones too, for NumPy's float32 and float64
                          arrays; "cuda": for CuPy's. The first argument decides (`Card.select`).
"""

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

import numpy as np

from ..arrays import seam
from ..arrays.defaults import default
from ..arrays.device import has_kernels
from .errors import OpError, check_finite, describe, explained, user_line
from .mode import mode
from .names import called, public
from .tensor import FLOATS, Tensor, fresh, lay_out, permuted, stale, tensor_of

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
OPS: dict[str, Any] = {}  # name -> op, of every card: the tests walk it
_count = itertools.count(1)
ndarray = np.ndarray
_new = Tensor.__new__
_F64 = np.dtype("float64")


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
                sources.extend((y._version, y._version[0], i + j, y, len(saved)) for j, y in enumerate(inputs[i:]) if isinstance(y, Tensor))
            saved.append(x)
        self.saved, self.sources, self.holds = saved, sources, holds or bool(sources)

    def unpack(self, as_tensors):
        """What was saved, as arrays, or as Tensors that lead on along the tape."""
        if self.saved is None:
            raise RuntimeError(
                f"backward through {public(self.op.__name__)} a second time: its saved values were freed by the first; "
                "pass retain_graph=True to the first backward or grad"
            )
        for version, number, i, _, _ in self.sources:
            if version[0] != number:
                self._changed(i)
        if not as_tensors:
            return self.saved
        saved = [list(x) if x.__class__ is list else x for x in self.saved]
        rest = len(self.op.card.names)  # arguments from here on are in a list of their own
        for _, _, i, tensor, slot in self.sources:
            if i < 0:
                saved[slot] = fresh(saved[slot], True, self)
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
                self.saved[slot] = seam.execute(_copied, self.saved[slot])
                self.sources = [s for s in self.sources if s[2] >= 0]
                self.sources.append(([0], 0, -1, None, slot))

    def _changed(self, i):
        what = "its result" if i < 0 else f"its argument {self.op.card.names[i] if i < len(self.op.card.names) else i}"
        edge = self.edges[i] if i >= 0 else None
        if isinstance(edge, Tensor):
            what += f" ({getattr(edge, 'name', None) or 'a leaf'} of shape {tuple(edge.shape)})"
        raise RuntimeError(
            f"backward of {public(self.op.__name__)}: {what} was changed in place after the forward pass saved it (an optimiser "
            "step, +=, an assignment to x[...], or a method ending in _); run the forward again, or change it after backward"
        )

    def __repr__(self):
        return f"<{self.op.__name__} #{self.number} {tuple(self.shape)}>"


def _as_saved(tensor, array):
    """A saved argument as a Tensor: itself, or what it was before its memory was exchanged."""
    if tensor.array is array:
        return tensor
    if tensor._wanted and tensor._node is None:
        return entry(tensor, array)
    return fresh(array, tensor._wanted, tensor._node)


def entry(tensor, array=None):
    """A Tensor as the result of a tape entry of its own, without a copy.

    array : its values, if they are no longer in its memory
    """
    from .primitives import identity

    own = array is None
    array = tensor.array if own else array
    node = Node(identity, (tensor._node or tensor,), array.shape, array.dtype, next(_count))
    return fresh(array, True, node, tensor._version if own else None)


def _view_of(source, result, record):
    """Make `result` known as a view of `source`, or of what that is a view of: no chain grows."""
    result._version = source._version
    base = getattr(source, "_base", None)
    if not record and source._node is not None:
        base = False
    elif base is None or (source._wanted and source._node is None):  # a leaf has its own gradient
        base = source
    result._base = base
    if source._wanted and not record:  # as in torch it requires a gradient, which goes nowhere
        cut_off(result)


def cut_off(view):
    """Let a view require a gradient that goes nowhere: its base does, but the tape does not know it."""
    from .primitives import cut

    view._wanted, view._node = True, Node(cut, (), view.array.shape, view.array.dtype, next(_count))


class Card:
    """What an op consists of: see the module's docstring.

    name : for messages;  names : of its arguments
    forward, rule, formula : the reference, and the functions under `@op.backward` and `@op.formula`, or None
    kernels : {"cpu": ..., "cuda": ...}, those that there are
    """

    __slots__ = ("name", "names", "defaults", "forward", "rule", "formula", "kernels", "mixed", "view", "floating")

    def __init__(self, forward, mixed, view, floating):
        code = forward.__code__
        self.name, self.names = forward.__name__.lstrip("_"), code.co_varnames[: code.co_argcount]
        self.forward, self.defaults = forward, forward.__defaults__ or ()
        self.rule = self.formula = None
        self.kernels = {}
        self.mixed, self.view, self.floating = mixed, view, floating

    def select(self, first):
        """The function that computes, for arguments like this first one: the one place where kernels are chosen."""
        if first.__class__ is ndarray:
            return self.kernels.get("cpu", self.forward) if first.dtype.char in "fd" else self.forward
        return self.kernels.get("cuda", self.forward) if has_kernels(first) else self.forward


if TYPE_CHECKING:

    class Op(Generic[P, R]):
        """An op as type checkers see it; when a program runs it is a function with these attributes."""

        card: Card
        __name__: str

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
        def backward(self, rule: F) -> F: ...
        def formula(self, function: F) -> F: ...
        def kernel(self, device: str) -> Callable[[F], F]: ...


@overload
def op(forward: Callable[P, R]) -> "Op[P, R]": ...
@overload
def op(
    *, saves: tuple[str, ...] = (), mixed: bool = False, view: bool = False, floating: bool = False
) -> "Callable[[Callable[P, R]], Op[P, R]]": ...
def op(forward: Any = None, *, saves: tuple[str, ...] = (), mixed: bool = False, view: bool = False, floating: bool = False) -> Any:
    """Make an op of the function that computes it (see the module's docstring)."""
    if forward is None:
        return lambda forward: _make(Card(forward, mixed, view, floating), saves)
    return _make(Card(forward, mixed, view, floating), saves)


def _make(card, saves):
    name, names, defaults, forward, kernels = card.name, card.names, card.defaults, card.forward, card.kernels
    mixed, view, floating = card.mixed, card.view, card.floating
    count, required = len(names), len(names) - len(defaults)
    plan = [_place(s, names) for s in saves]
    extras = any(kind == "extra" for kind, *_ in plan)
    plan = [(kind, sum(k == "extra" for k, *_ in plan[:j]) if kind == "extra" else i, only) for j, (kind, i, only) in enumerate(plan)]

    def call(*inputs, **named):
        if named or len(inputs) < required:
            inputs = _bind(name, names, defaults, inputs, named)
        elif len(inputs) < count:
            inputs += defaults[len(inputs) - count :]
        if stale and mode.recording:
            stale[0](inputs)
        if view and isinstance(inputs[0], Tensor):
            lay_out(inputs[0])
        for x in inputs:
            if isinstance(x, Tensor):
                break
        else:  # bare arrays: compute, and that is all
            run = card.select(inputs[0]) if kernels else forward
            return run(*inputs)[0] if extras else run(*inputs)
        record = blend = bare = False
        dtype = None
        arrays, edges = [], []
        for x in inputs:
            edge = None
            if isinstance(x, Tensor):
                if x._wanted:
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
        if blend and not mixed:
            inputs, arrays, dtype = _common_dtype(name, inputs, arrays)
        if bare:
            inputs, arrays = _adapt(inputs, arrays, None if mixed else dtype)
        if floating and dtype.kind != "f":
            dtype = default.dtype
            arrays = [_converted(a, dtype) if hasattr(a, "dtype") else a for a in arrays]
        run = card.select(arrays[0]) if kernels else forward
        try:
            out = seam.execute(run, *arrays)
        except Exception as error:
            raise explained(error, name, names, inputs) from error
        extra = ()
        if extras:
            out, *extra = out
        if out.__class__ is not ndarray and isinstance(out, np.generic):
            out = seam.execute(np.asarray, out)  # NumPy's ufuncs turn arrays without dimensions into scalars
        result_dtype = out.dtype
        if result_dtype is not dtype and result_dtype is _F64 and not mixed:
            out = seam.execute(_astype, out, default.dtype)  # NumPy makes float64 of integers
        anomaly = mode.anomaly
        if anomaly:
            check_finite(out, f"{name} (forward)", user_line())
        record = record and card.rule is not None and mode.recording and out.dtype.kind == "f"
        result = _new(Tensor)
        result.array, result._wanted, result.grad, result._node = out, record, None, None
        if view and _shares(out, arrays[0]):
            _view_of(inputs[0], result, record)
        else:
            result._version = [0]
            if permuted:
                permuted[0](name, inputs, result)
                out = result.array
        if record:
            node = result._node = Node(call, tuple(edges), out.shape, out.dtype, next(_count))
            if plan:
                node.save(plan, inputs, extra, result)
            if anomaly:
                node.line = user_line()
        return result

    call.__name__ = call.__qualname__ = name
    call.__doc__, call.__module__ = forward.__doc__, forward.__module__
    call.__wrapped__ = forward  # inspect.signature and help() show its arguments
    call.card = card
    call.backward, call.formula = _setter(card, "rule", "backward"), _setter(card, "formula", "formula")
    call.kernel = _register(card)
    OPS[forward.__name__] = call
    return call


def _setter(card, field, name):
    """The decorator that puts a function on a card; `name`: its own."""

    def put(function):
        setattr(card, field, _called(function, f"{card.name}_{name}"))
        return function

    return put


def _register(card):
    def kernel(device):
        def put(function):
            card.kernels[device] = _called(function, f"{card.name}_{device}")
            return function

        return put

    return kernel


def _called(function, name):
    """The function; one that is written as `def _` gets a name, for tracebacks, profiles and programs."""
    plain = getattr(function, "function", function)
    if getattr(plain, "__name__", "") == "_":
        plain.__name__ = plain.__qualname__ = name
        plain.__code__ = plain.__code__.replace(co_name=name, co_qualname=name)
    return function


def _copied(x):
    return x.copy()


def _place(saved, names):
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
        raise OpError(
            f"{called(name)}: arguments of different dtypes: {describe(inputs)}; convert one, e.g. with .float() or .to(other.dtype)"
        )
    if not floats:
        return inputs, arrays, np.result_type(*[a for a, t in zip(arrays, tensors) if t])
    (dtype,) = floats
    arrays = [_converted(a, dtype) if t and a.dtype is not dtype else a for a, t in zip(arrays, tensors)]
    return [tensor_of(a) if t and x.array is not a else x for x, a, t in zip(inputs, arrays, tensors)], arrays, dtype


def _converted(array, dtype):
    return seam.execute(_astype, array, dtype)


def _astype(array, dtype):
    return array.astype(dtype, copy=False)


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
