"""The dimensions that a reduction goes over, and how a CPU kernel sees them."""

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


def axis_of(dim, ndim, extra=0):
    """A dimension counted from the front; IndexError if there is none such."""
    n = max(ndim + extra, 1)
    if not -n <= dim < n:
        raise IndexError(f"dimension {dim} is out of range for {ndim} dimensions")
    return int(dim) % n


def axes_of(dim, ndim):
    """`dim` (None: all, an int, or several) as a tuple counted from the front."""
    if dim is None:
        return tuple(range(ndim))
    if not isinstance(dim, (tuple, list)):
        return (axis_of(dim, ndim),) if ndim else (axis_of(dim, 0),)[:0]
    axes = tuple([axis_of(d, ndim) for d in dim or range(ndim)])
    if len(set(axes)) != len(axes):
        raise ValueError(f"dim={dim} names a dimension twice")
    return axes if ndim else ()


def needed_axis(name, dim, axis, ndim):
    """The one dimension of an op that must be told it."""
    dim = dim if axis is None else axis
    if dim is None:
        raise TypeError(f"{name} misses its argument 'dim': along which dimension?")
    return axis_of(dim, ndim)


def of_scalars(function: F) -> F:
    """Decorator: an input without dimensions counts as a vector of one element, and the results
    have no dimensions again."""

    @functools.wraps(function)
    def call(input, *args, **named):
        if input.ndim:
            return function(input, *args, **named)
        found = function(input.reshape((1,)), *args, **named)
        if isinstance(found, tuple):
            return type(found)(*[y.reshape(()) for y in found])
        return found.reshape(())

    return call


def kept(shape, axes):
    """`shape` with size 1 at `axes`."""
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def count(shape, axes):
    """How many elements go into one result."""
    return math.prod(shape[i] for i in axes)


class Groups:
    """A NumPy array as its elements lie in memory: C-contiguous (outer, group, inner), a group
    being the elements along `axes`.

    x is copied only where it has gaps, or where something else lies between its axes.
    """

    def __init__(self, x, axes):
        order = sorted(range(x.ndim), key=lambda i: -x.strides[i])
        first = min(map(order.index, axes), default=0)
        if (
            set(order[first : first + len(axes)]) != set(axes)
            or not x.transpose(order).flags.c_contiguous
        ):
            order = [i for i in range(x.ndim) if i not in axes] + list(axes)
            first = x.ndim - len(axes)
        self.order = order
        self.axes = axes
        self.cut = (first, first + len(axes))
        self.shape = x.shape
        self.x = self.view(x)

    def view(self, a):
        """Another array of x's shape, or one with size 1 at the axes, in the same way."""
        a = a.transpose(self.order)
        first, last = self.cut
        outer, group, inner = (
            math.prod(s) for s in (a.shape[:first], a.shape[first:last], a.shape[last:])
        )
        return np.ascontiguousarray(a).reshape(outer, group, inner)

    def back(self, a, keepdim=True):
        """A result (outer, group or 1, inner) in the shape of x, or in x's with size 1
        (keepdim=False: none) at the axes."""
        shape = self.shape if a.shape == self.x.shape else kept(self.shape, self.axes)
        a = a.reshape([shape[i] for i in self.order]).transpose(np.argsort(self.order))
        return a if keepdim else a.reshape([n for i, n in enumerate(shape) if i not in self.axes])
