"""An op is a card: its formula, what it keeps for backward, its backward rule and its kernels, one
below the other.

    @op(saves=("out",))
    def tanh(x: Tensor) -> Tensor:
        '''y = tanh(x).    dL/dx = dL/dy * (1 - y^2)'''
        return np.tanh(x)

    @tanh.backward
    def _(g, need, y):
        return g * (1 - y * y)

The function under `@op` is the reference: it works on the arrays of either library. `tanh` itself,
called with arrays, computes and records nothing; called with Tensors it returns a Tensor and puts a
`Node` on the tape if one of them requires a gradient. Any argument may be a Tensor; those that are
not are constants. The signature, whose types are those that a caller sees, is the op's.

`@op(saves=..., mixed=..., view=..., floating=...)`

saves   what `backward` receives: "x" an argument, "x.shape" only its shape, "out" the result, any
        other name: the next extra result that the function returns after its result; "*xs",
        "*xs.shape" for a card with `def sum_of(option, *xs)`; "x for y": x, but None where y wants
        no gradient
mixed   arguments may have different dtypes (indices, masks, targets)
view    the result may share memory with the first argument
floating   integers and booleans are taken as float32

`@tanh.backward`          the rule (g, need, *saved): g = dL/d(out) -> dL/d(argument) for each
                          argument that can have a gradient, in order (a tuple if more than one).
                          `need[i]` says whether argument i wants one; None/False else. It is
                          written in ops and operators, so the first-order pass runs it on bare
                          arrays, and `create_graph=True` on Tensors: that records the derivative,
                          which can be differentiated again. Un-broadcasting to the argument's shape
                          is done by the engine, for all ops.
`@tanh.formula`           for fused ops whose rule is a kernel for arrays: the same function written
                          in ops. Derivatives of higher order go through it.
`@tanh.kernel("cpu")`     a faster function of the same arguments and results, saved ones too, for
                          NumPy's float32 and float64 arrays; "cuda": for CuPy's. The first argument
                          decides (`Card.select`).
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import numpy as np

from ..arrays import seam
from ..arrays.device import has_kernels
from ..messages.errors import check_finite, explained, user_line
from .arguments import as_result, bind, convert, wrapped
from .grad_mode import mode
from .tape import Node, next_number, places
from .tensor import Tensor, keep_layout, lay_out, refresh_views
from .views import make_view, shares

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")
F = TypeVar("F", bound=Callable[..., Any])
OPS: dict[str, Any] = {}  # name -> op, of every card: the tests walk it
ndarray = np.ndarray
_new = Tensor.__new__


class Card:
    """What an op consists of: see the module's docstring.

    name : for messages;  names : of its arguments;  defaults : of the last of them
    forward, rule, formula : the reference, and the functions under `@op.backward` and
        `@op.formula`, or None
    kernels : {"cpu": ..., "cuda": ...}, those that there are
    places : where what `saves` names is found (`tape.places`);
    extras : does forward return more than its result?
    """

    __slots__ = (
        "name", "names", "defaults", "forward", "rule", "formula", "kernels", "places", "extras",
        "mixed", "view", "floating",
    )  # fmt: skip

    of_user = False  # is the rule a program of the user's, which calls ops one by one?

    def __init__(self, forward, saves, mixed, view, floating):
        code = forward.__code__
        self.name = forward.__name__.lstrip("_")
        self.names = code.co_varnames[: code.co_argcount]
        self.defaults = forward.__defaults__ or ()
        self.forward = forward
        self.rule = None
        self.formula = None
        self.kernels = {}
        self.places = places(saves, self.names)
        self.extras = any(kind == "extra" for kind, *_ in self.places)
        self.mixed = mixed
        self.view = view
        self.floating = floating

    def select(self, first):
        """The function that computes, for arguments like this first one: the one place where
        kernels are chosen."""
        if first.__class__ is ndarray:
            kernel = self.kernels.get("cpu")
            return self.forward if kernel is None or first.dtype.char not in "fd" else kernel
        return self.kernels.get("cuda", self.forward) if has_kernels(first) else self.forward


if TYPE_CHECKING:

    class Op(Generic[P, R]):
        """An op as type checkers see it; when a program runs it is a function with these
        attributes."""

        card: Card
        __name__: str

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
        # as a method
        def __get__(self: "Op[Concatenate[S, Q], R]", x: S, _: Any = None) -> Callable[Q, R]: ...
        def backward(self, rule: F) -> F: ...
        def formula(self, function: F) -> F: ...
        def kernel(self, device: str) -> Callable[[F], F]: ...


@overload
def op(forward: Callable[P, R]) -> "Op[P, R]": ...
@overload
def op(
    *, saves: tuple[str, ...] = (), mixed: bool = False, view: bool = False, floating: bool = False
) -> "Callable[[Callable[P, R]], Op[P, R]]": ...
def op(
    forward: Any = None, *, saves: tuple[str, ...] = (), mixed: bool = False, view: bool = False,
    floating: bool = False,
) -> Any:  # fmt: skip
    """Make an op of the function that computes it (see the module's docstring)."""

    def make(forward):
        return _make(Card(forward, saves, mixed, view, floating))

    return make if forward is None else make(forward)


def _make(card):
    """The function that is called for an op. Its attributes are the decorators that complete the
    card."""
    name = card.name
    names = card.names
    defaults = card.defaults
    forward = card.forward
    kernels = card.kernels
    extras = card.extras
    saved = card.places
    mixed = card.mixed
    view = card.view
    floating = card.floating
    count, required = len(names), len(names) - len(defaults)

    def call(*inputs, **named):
        if named or len(inputs) < required:
            inputs = bind(card, inputs, named)
        elif len(inputs) < count:
            inputs += defaults[len(inputs) - count :]
        if refresh_views and mode.grad_enabled:
            refresh_views[0](inputs)

        for x in inputs:
            if isinstance(x, Tensor):
                break
        else:  # bare arrays: compute, and that is all
            run = card.select(inputs[0]) if kernels else forward
            return run(*inputs)[0] if extras else run(*inputs)

        # Tensors: their arrays, and where on the tape these came from.
        if view and isinstance(inputs[0], Tensor):
            lay_out(inputs[0])
        record = differ = False
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
                elif x.dtype is not dtype and not mixed:
                    differ = True
            elif x.__class__ is ndarray or isinstance(x, np.generic):
                differ = True
            arrays.append(x)
            edges.append(edge)
        if differ or (floating and dtype.kind != "f"):
            inputs, arrays, dtype = convert(card, inputs, arrays, dtype)

        # Compute.
        run = card.select(arrays[0]) if kernels else forward
        try:
            if seam.execute is seam.plain:
                out = run(*arrays)
            else:
                out = seam.execute(run, *arrays)
        except Exception as error:
            if (arrays := wrapped(error, card, arrays, dtype)) is None:
                raise explained(error, name, names, inputs) from error
            out = seam.execute(run, *arrays)
        extra = ()
        if extras:
            out, *extra = out
        if out.dtype is not dtype or (out.__class__ is not ndarray and isinstance(out, np.generic)):
            out = as_result(card, out, dtype)
        anomaly = mode.anomaly
        if anomaly:
            check_finite(out, f"{name} (forward)", user_line())

        # The result, and its entry on the tape.
        record = record and card.rule is not None and mode.grad_enabled and out.dtype.kind == "f"
        result = _new(Tensor)
        result.array = out
        result._wanted = record
        result.grad = result._node = None
        if view and shares(out, arrays[0]):
            make_view(result, inputs[0], record)
        else:
            result._version = [0]
            if keep_layout:
                keep_layout[0](name, inputs, result)
                out = result.array
        if record:
            node = result._node = Node(call, tuple(edges), out.shape, out.dtype, next_number())
            if saved:
                node.save(saved, inputs, extra, result)
            if anomaly:
                node.line = user_line()
        return result

    call.__name__ = call.__qualname__ = name
    call.__doc__ = forward.__doc__
    call.__module__ = forward.__module__
    call.__wrapped__ = forward  # inspect.signature and help() show its arguments
    call.card = card
    call.backward = _setter(partial(setattr, card, "rule"), f"{name}_backward")
    call.formula = _setter(partial(setattr, card, "formula"), f"{name}_formula")
    call.kernel = lambda device: _setter(partial(kernels.__setitem__, device), f"{name}_{device}")
    OPS[forward.__name__] = call
    return call


def _setter(put, name):
    """The decorator that puts a function on a card. One that is written as `def _` gets a name, for
    tracebacks, profiles and programs."""

    def decorate(function):
        plain = getattr(function, "function", function)
        if getattr(plain, "__name__", "") == "_":
            plain.__name__ = plain.__qualname__ = name
            plain.__code__ = plain.__code__.replace(co_name=name, co_qualname=name)
        put(function)
        return function

    return decorate
