"""Functions with a derivative of the user's own, under torch's name: a class with `forward(ctx,
...)` and `backward(ctx, g)`."""

import weakref
from typing import Any

from ..engine.grad_mode import mode, no_grad
from ..engine.tape import Node, next_number
from ..engine.tensor import Tensor, fresh, lay_out, raw, tensor_of


class Context:
    """What forward leaves for backward: `save_for_backward(*tensors)` -> `saved_tensors`, and any
    attributes.

    needs_input_grad : for each argument of forward, does it require a gradient?
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]):
        self.needs_input_grad = needs_input_grad
        self._saved: tuple[Any, ...] = ()
        self._versions: list[int] = []
        self._node: Any = None  # weakly: the tape entry holds this
        self._result: Any = None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep arguments or the result; changing them in place before backward is then an error."""
        self._saved = tensors
        self._versions = [0 if t is None else t._version[0] for t in tensors]

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was saved."""
        for t, version in zip(self._saved, self._versions):
            if t is not None and t._version[0] != version:
                raise RuntimeError(
                    f"a saved tensor of shape {tuple(t.shape)} was changed in place after the "
                    "forward pass"
                )
        # The result was saved without its place on the tape, which would be a cycle.
        return tuple(
            tensor_of(t.array, True, self._node()) if t is self._result else t for t in self._saved
        )

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Not needed: only the result of floats has a gradient."""

    def set_materialize_grads(self, value: bool) -> None:
        """Not needed: backward is called with a gradient, or not at all."""


class _Rule:
    """What stands in a tape entry for an op and its card."""

    formula = None
    card = property(lambda self: self)

    def __init__(self, function, ctx):
        self.function = function
        self.ctx = ctx
        self.names = ()
        self.__name__ = function.__name__

    def rule(self, g, need):
        as_tensors = isinstance(g, Tensor)
        found = self.function.backward(self.ctx, g if as_tensors else fresh(g))
        found = found if isinstance(found, tuple) else (found,)
        if len(found) > len(need) and all(f is None for f in found[len(need) :]):
            found = found[: len(need)]  # torch lets further ones be None
        if len(found) != len(need):
            raise ValueError(
                f"backward gave {len(found)} gradients for {len(need)} arguments of forward; None "
                "for those without one"
            )
        missing = [n and f is None for n, f in zip(need, found)]
        if any(missing):
            raise ValueError(
                f"backward gave None for argument {missing.index(True)}, which requires a "
                "gradient; give zeros_like(it)"
            )
        return tuple((f if as_tensors else raw(f)) if n else None for n, f in zip(need, found))


class Function:
    """Base class: define the static methods `forward(ctx, *arguments)`, which gives one Tensor, and
    `backward(ctx, gradient)`, which gives the gradient of each argument (None for those without);
    call it by `apply(*arguments)`.

    backward is written in ops on Tensors, so that its results can be differentiated again.
    NotImplementedError for functions with several results.
    """

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        raise NotImplementedError(
            "a Function must define the static method forward(ctx, *arguments)"
        )

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise NotImplementedError(
            "a Function must define the static method backward(ctx, gradient)"
        )

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """forward(ctx, *args), recorded."""
        wanted = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        ctx = Context(wanted)
        with no_grad():
            made = cls.forward(ctx, *args)
            made = made.view_as(made) if any(made is a for a in args) else made
        if not isinstance(made, Tensor):
            raise NotImplementedError(
                f"{cls.__name__}: forward gave {type(made).__name__}; minigan has Functions of "
                "one resulting Tensor"
            )
        record = mode.grad_enabled and any(wanted) and made.is_floating_point()
        out = tensor_of(lay_out(made).array, record, None, made._version)
        if record:
            edges = tuple((a._node or a) if w else None for a, w in zip(args, wanted))
            out._node = node = Node(
                _Rule(cls, ctx), edges, made.array.shape, made.array.dtype, next_number()
            )
            ctx._node = weakref.ref(node)
            ctx._result = made
        return out
