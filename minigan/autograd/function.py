"""Functions with a derivative of the user's own, under torch's name: a class with `forward(ctx,
...)` and `backward(ctx, g)`."""

import functools
import math
import weakref
from typing import Any

from ..arrays import array_module, seam
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
        self._results: Any = ()  # what forward gave, and where on the tape it is: `_Results`
        self._constant: tuple[Any, ...] = ()

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
        # A result was saved without its place on the tape, which would be a cycle.
        return tuple(
            t if t is None or t not in self._results else self._results.again(t, self._node())
            for t in self._saved
        )

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """These results have no gradient. (Those of integers need not be named.)"""
        self._constant = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """NotImplementedError: an argument that forward overwrites has no place on the tape."""
        raise NotImplementedError(
            "mark_dirty: a Function cannot write into its arguments; give back a new Tensor"
        )

    def set_materialize_grads(self, value: bool) -> None:
        """Not needed: backward is called with a gradient, or not at all."""


class _Results:
    """What forward gave, and which of it has gradients. Several such results lie in one array: the
    tape entry has one gradient, of which each result has its part."""

    def __init__(self, made, constant):
        self.made = made
        self.with_gradient = [
            isinstance(t, Tensor)
            and t.is_floating_point()
            and not any(t is other for other in constant)
            for t in made
        ]
        self.shapes = [t.shape for t, has in zip(made, self.with_gradient) if has]
        sizes = [math.prod(shape) for shape in self.shapes]
        self.starts = [sum(sizes[:i]) for i in range(len(sizes) + 1)]

    def __contains__(self, t):
        return any(t is other for other in self.made)

    def joined(self):
        """The array that the results with gradients lie in; of one alone its own."""
        found = [lay_out(t).array for t, has in zip(self.made, self.with_gradient) if has]
        return found[0] if len(found) == 1 else seam.execute(_flat, *found)

    def parts(self, joined, others):
        """The parts of `joined` in the places of results with gradients, `others` in the others."""
        cut = iter(
            [joined]
            if len(self.shapes) == 1
            else [
                joined[a:b].view(shape)
                for a, b, shape in zip(self.starts, self.starts[1:], self.shapes)
            ]
        )
        return tuple(next(cut) if has else x for x, has in zip(others, self.with_gradient))

    def again(self, t, node):
        """A saved result as it is on the tape."""
        i = next(i for i, other in enumerate(self.made) if other is t)
        if not self.with_gradient[i]:
            return t
        return self.parts(tensor_of(self.joined(), True, node), self.made)[i]


def _flat(*arrays):
    """The elements of all, one behind the other."""
    return array_module(arrays[0]).concatenate([x.reshape(-1) for x in arrays])


class _Rule:
    """What stands in a tape entry for an op and its card."""

    formula = None
    of_user = True
    card = property(lambda self: self)

    def __init__(self, function, ctx):
        self.function = function
        self.ctx = ctx
        self.names = ()
        self.__name__ = function.__name__

    def rule(self, g, need):
        as_tensors = isinstance(g, Tensor)
        results = self.ctx._results
        zeros = [
            t.new_zeros(t.shape) if isinstance(t, Tensor) and not has else None
            for t, has in zip(results.made, results.with_gradient)
        ]
        gradients = results.parts(g if as_tensors else fresh(g), zeros)
        found = self.function.backward(self.ctx, *gradients)
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
    """Base class: define the static methods `forward(ctx, *arguments)`, which gives a Tensor or a
    tuple of them, and `backward(ctx, *gradients)`, which takes a gradient for each of these and
    gives the gradient of each argument (None for those without); call it by `apply(*arguments)`.

    `forward(*arguments)` and `setup_context(ctx, inputs, output)` may stand for the first, as in
    torch. Results that are no Tensors of floats have no gradient: backward gets zeros, None for
    what is no Tensor.

    backward is written in ops on Tensors, so that its results can be differentiated again (see
    `once_differentiable`).
    """

    @staticmethod
    def forward(*args: Any) -> Any:
        raise NotImplementedError(
            "a Function must define the static method forward(ctx, *arguments)"
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Called with forward's arguments and result where forward takes no `ctx`."""
        raise NotImplementedError

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
            if cls.setup_context is Function.setup_context:
                made = cls.forward(ctx, *args)
            else:
                made = cls.forward(*args)
                cls.setup_context(ctx, args, made)
            several = isinstance(made, (tuple, list))
            parts = [
                x.view_as(x) if isinstance(x, Tensor) and any(x is a for a in args) else x
                for x in (made if several else (made,))
            ]
        if not any(isinstance(x, Tensor) for x in parts):
            raise TypeError(
                f"{cls.__name__}: forward gave {type(made).__name__}, expected a Tensor or a "
                "tuple with Tensors"
            )
        results = ctx._results = _Results(parts, ctx._constant)
        if not (mode.grad_enabled and any(wanted) and results.shapes):
            outs = tuple(_constant(x) for x in parts)
            return outs if several else outs[0]
        edges = tuple((a._node or a) if w else None for a, w in zip(args, wanted))
        joined = results.joined()
        node = Node(_Rule(cls, ctx), edges, joined.shape, joined.dtype, next_number())
        ctx._node = weakref.ref(node)
        alone = parts[results.with_gradient.index(True)] if len(results.shapes) == 1 else None
        out = tensor_of(joined, True, node, None if alone is None else alone._version)
        outs = results.parts(out, [_constant(x) for x in parts])
        return outs if several else outs[0]


def _constant(x):
    """A result without a gradient: a Tensor of its own."""
    return tensor_of(lay_out(x).array, False, None, x._version) if isinstance(x, Tensor) else x


class _Once(Function):
    """A gradient that cannot be differentiated."""

    @staticmethod
    def forward(ctx, gradient, *of):
        return gradient

    @staticmethod
    def backward(ctx, g):
        raise RuntimeError(
            "a second derivative of a Function whose backward is @once_differentiable: write it in "
            "ops on Tensors, without that decorator"
        )


def once_differentiable(fn: Any) -> Any:
    """Decorator of a Function's backward that is not written in ops: it is not recorded, and to
    differentiate its results is an error."""

    @functools.wraps(fn)
    def backward(ctx, *gradients):
        with no_grad():
            found = fn(ctx, *gradients)
        if not (mode.grad_enabled and any(g is not None and g.requires_grad for g in gradients)):
            return found
        found = found if isinstance(found, tuple) else (found,)
        return tuple(None if f is None else _Once.apply(f, *gradients) for f in found)

    return backward
