"""What losses have in common: reductions, shapes that broadcast, torch's old arguments."""

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, TypeVar

from ..messages import warn
from .compose import broadcast_tensors

__all__: list[str] = []  # no ops

F = TypeVar("F", bound=Callable[..., Any])
REDUCTIONS = ("mean", "sum", "none")


def _check(name, input, target, reduction, allowed=REDUCTIONS):
    if not hasattr(target, "shape"):
        raise TypeError(
            f"{name}: target must be a Tensor of shape {tuple(input.shape)}, not {target!r}: use "
            "full_like(input, value)"
        )
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(
            f"{name}: input has shape {tuple(input.shape)}, target {tuple(target.shape)}; they "
            "must be equal: reshape one of them, e.g. target.view_as(input) or input.squeeze(1)"
        )
    _check_reduction(name, reduction, allowed)


def _common_shape(name, input, target, reduction, aloud=True):
    """Input and target in the shape to which they broadcast, with torch's warning where it is not
    that of both."""
    if hasattr(target, "shape") and tuple(input.shape) != tuple(target.shape):
        if aloud:
            sizes = (
                f"a target size ({tuple(target.shape)}) that is different to the input size "
                f"({tuple(input.shape)})"
            )
            warn(
                f"{name}: using {sizes}. They are broadcast, which is seldom meant: give both one "
                "shape"
            )
        input, target = broadcast_tensors(input, target)
    _check(name, input, target, reduction)
    return input, target


def legacy_reduction(size_average=None, reduce=None):
    """The `reduction` that torch's old arguments mean: the mean, size_average=False the sum,
    reduce=False each element's loss."""
    reduce = reduce is None or reduce
    found = "none" if not reduce else "mean" if size_average is None or size_average else "sum"
    warn(
        f"size_average and reduce args will be deprecated, please use reduction={found!r} instead."
    )
    return found


def _reduced(before: str) -> Callable[[F], F]:
    """Decorator: a loss also takes torch's old arguments size_average and reduce: by name, or by
    position before `before`."""

    def decorate(loss):
        signature = inspect.signature(loss)
        order = list(signature.parameters)
        order.insert(order.index(before), "size_average")
        order.insert(order.index("reduction"), "reduce")
        place = order.index("size_average")

        @functools.wraps(loss)
        def call(*args, size_average=None, reduce=None, **named):
            if len(args) > place and (args[place] is None or isinstance(args[place], bool)):
                named.update(zip(order, args))
                size_average, reduce = named.pop("size_average"), named.pop("reduce", reduce)
                args = ()
            if size_average is not None or reduce is not None:
                named["reduction"] = legacy_reduction(size_average, reduce)
            return loss(*args, **named)

        old = [
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=None)
            for n in ("size_average", "reduce")
        ]
        call.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *old])
        return call

    return decorate


def _check_reduction(name, reduction, allowed=REDUCTIONS):
    if reduction not in allowed:
        raise ValueError(
            f"{name}: reduction={reduction!r}; expected one of {', '.join(map(repr, allowed))}"
        )


def _reduce(values, reduction):
    if reduction == "none":
        return values
    return values.sum() if reduction == "sum" else values.mean()


def _each(g, x, reduction):
    """The gradient that every element of the loss receives, given that of the reduced loss."""
    return g / max(math.prod(x.shape), 1) if reduction == "mean" else g


def _distance(loss, weight, reduction):
    """Reduced; the mean with a weight is over the sum of the weights."""
    if weight is None:
        return _reduce(loss, reduction)
    if tuple(weight.shape) != tuple(loss.shape):
        raise ValueError(
            f"weight has shape {tuple(weight.shape)}, the input {tuple(loss.shape)}; they must be "
            "equal"
        )
    return (
        (loss * weight).sum() / weight.sum()
        if reduction == "mean"
        else _reduce(loss * weight, reduction)
    )
