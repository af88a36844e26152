"""Writing into Tensors: `x += y`, `x[index] = y`, and the methods whose names end in _.

A write changes the memory, so all views and `.data` see it, and raises the version that they share:
backward through a value that was saved before is an error. Where nothing requires a gradient, or
under `no_grad`, that is all.

While recording, a write to (or from) what requires a gradient goes on the tape, as in torch: the
new values are computed by the op of the same name (x.mul_(y) by mul), and x's memory and place on
the tape become those of the result. If x is a view, the Tensor that it is a view of becomes
`put(itself, where x lies, result)`. The views of that memory, x among them, do not know yet; they
become views of the new value when they are used next (`writes.refresh`).
"""

import functools
import math
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from ..arrays import address, array_module, seam
from ..autograd import Tensor, raw
from ..autograd._types import Index, Ints, Operand
from ..engine.arguments import wrapped
from ..engine.grad_mode import mode
from ..engine.tensor import refresh_views
from .indexing import (
    _put,
    at,
    bare_index,
    getitem,
    is_basic,
    is_whole,
    whole_numbers_first,
)
from .shape import _numbers
from .writes import (
    exchangeable,
    is_recorded,
    is_sole_owner,
    put_into,
    record,
    refresh,
    refuse_repeated,
    repeats,
    view_chain,
    write,
)

__all__ = ["activated", "assign", "in_place", "inplace_view"]
P = ParamSpec("P")
S = TypeVar("S", bound=Tensor)


def in_place(
    function: Callable[Concatenate[Tensor, P], Any],
    *,
    name: str | None = None,
    plain: Callable[..., None] | None = None,
) -> Callable[Concatenate[S, P], S]:
    """The method that overwrites a Tensor with function(the Tensor, ...).

    name : of the method; default: the function's and _
    plain(array, ...) : does the same to a bare array, faster
    """
    name = name or f"{function.__name__}_"
    is_card = hasattr(function, "card")

    @functools.wraps(function)
    def method(self, *args, **named):
        if is_recorded(self, (*args, *named.values())):

            def compute(old):
                like = [old if a is self else _in_floats(a, self.dtype) for a in args]
                more = {k: _in_floats(a, self.dtype) for k, a in named.items()}
                return function(old, *like, **more)

            return record(self, name, compute, is_card=is_card)
        args, named = [raw(a) for a in args], {k: raw(a) for k, a in named.items()}
        try:
            return bare(self, args, named)
        except OverflowError as error:
            if not is_card or (args := wrapped(error, function.card, args, self.dtype)) is None:
                raise
            return bare(self, args, named)

    def bare(self, args, named):
        if plain is not None:
            refuse_repeated(self.array, name)
            seam.execute(_named, plain, write(self), args, tuple(named.items()))
            return self
        result = seam.execute(_named, function, self.array, args, tuple(named.items()))
        return overwrite(self, name, result)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"As `{name[:-1]}`, into this Tensor itself."
    return method


def activated(function: Callable[..., Tensor], input: Tensor, *options: Any) -> Tensor:
    """function(input, ...) written into input itself: what activations with inplace=True do."""
    if is_recorded(input, ()):
        return record(
            input,
            function.__name__,
            lambda old: function(old, *options),
            is_card=hasattr(function, "card"),
        )
    return overwrite(input, function.__name__, seam.execute(function, input.array, *options))


def _named(function, array, args, named):
    return function(array, *args, **dict(named))


def overwrite(self, name, values):
    """Put an array of the same shape in the place of all values: what every write comes to where
    nothing is recorded."""
    array = self.array
    if values.shape != array.shape:
        raise RuntimeError(
            f"{name}: the result has shape {tuple(values.shape)}, it cannot be written into "
            f"{tuple(array.shape)}"
        )
    if values.dtype.kind == "f" and array.dtype.kind != "f":
        raise RuntimeError(
            f"{name}: the result is {values.dtype}, it cannot be written into {array.dtype}; "
            "convert that with .float()"
        )
    same = values.dtype == array.dtype and exchangeable(self, values)
    if repeats(array):
        if name not in SINGLY:
            refuse_repeated(array, name)
        changed = values != array
        seam.execute(put_into, write(self), changed, values[changed])
        return self
    del array
    if same and is_sole_owner(self):
        self.array = np.asarray(values) if isinstance(values, np.generic) else values
        self._version = [0]
    else:
        seam.execute(put_into, write(self), ..., values)
    return self


def assign(self: Tensor, name: str, index: Any, value: Any) -> Tensor:
    """self[index] = value"""
    recorded = is_recorded(self, (value,))
    index = bare_index(self, index, keep=recorded)
    if (parts := whole_numbers_first(index)) is not None:
        assign(getitem(self, parts[0]), name, parts[1], value)
        return self
    if hasattr(value, "dtype") and value.ndim:
        place = at(self.array, index)
        refuse_repeated(place, name)
        if value.ndim > place.ndim and all(n == 1 for n in value.shape[: value.ndim - place.ndim]):
            value = value.reshape(value.shape[value.ndim - place.ndim :])
    if not recorded:
        seam.execute(put_into, write(self), index, raw(value))
        return self
    # one write into memory, instead of one into each element
    if repeats(self.array) and is_basic(index):
        place = getitem(self, index)
        once = tuple(slice(0, 1) if not step else slice(None) for step in place.array.strides)
        assign(getitem(place, once), name, ..., value)
        return self
    if isinstance(value, Tensor) and value.dtype != self.dtype and value.dtype.kind != "b":
        value = value.to(self.dtype)
    if is_whole(self.array, index):
        index = ...

    def into(array):
        seam.execute(put_into, array, index, raw(value))

    return record(self, name, lambda old: _put(old, index, value), into)


def _in_floats(a, dtype):
    """A Tensor of floats in the dtype that is written; anything else, indices among them, as it
    is."""
    return a.to(dtype) if isinstance(a, Tensor) and a.dtype != dtype and a.dtype.kind == "f" else a


def __setitem__(self: Tensor, index: Index, value: Operand) -> None:
    """self[index] = value: also recorded."""
    if (
        isinstance(value, Tensor)
        and value._version is self._version
        and _is_there(self, index, value)
    ):
        if is_recorded(self, ()):
            view_chain(self, "item assignment")
        return  # the end of x[index] += y, which has already written
    assign(self, "item assignment", index, value)


def _is_there(self, index, value):
    here = at(self.array, bare_index(self, index))
    return (
        here.shape == value.shape
        and address(here) == address(value.array)
        and here.strides == value.array.strides
    )


def copy_(self: S, src: Any, non_blocking: bool = False) -> S:
    """Overwrite with the values of `src` (broadcast; a Tensor, an array or a number; converted to
    this dtype)."""
    if isinstance(src, Tensor) and src.device != self.device:
        src = src.to(self.device)
    return assign(self, "copy_", ..., src)


def fill_(self: S, value: Operand) -> S:
    """Overwrite every element with `value`."""
    return assign(self, "fill_", ..., value)


def fill_diagonal_(self: S, fill_value: Operand, wrap: bool = False) -> S:
    """Overwrite the elements whose indices are all equal.

    wrap : in a matrix with more rows than columns go on, with a row in between, at the first column
    """
    shape = self.shape
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise RuntimeError(
            "fill_diagonal_: expected a matrix, or more dimensions of one size, got shape "
            f"{tuple(shape)}"
        )
    n, columns = min(shape), shape[1]
    if not (wrap and len(shape) == 2):
        return assign(self, "fill_diagonal_", (np.arange(n),) * len(shape), fill_value)
    flat = np.arange(0, math.prod(shape), columns + 1)
    return assign(self, "fill_diagonal_", (flat // columns, flat % columns), fill_value)


def zero_(self: S) -> S:
    """Overwrite every element with 0."""
    return assign(self, "zero_", ..., 0)


def inplace_view(
    function: Callable[Concatenate[Tensor, P], Tensor],
) -> Callable[Concatenate[S, P], S]:
    """The method that makes a Tensor another view of its memory."""
    name = f"{function.__name__}_"

    @functools.wraps(function)
    def method(self, *args, **named):
        if is_recorded(self, ()):
            view_chain(self, name)
        view = function(self, *args, **named)
        if mode.grad_enabled and self._wanted:
            self._node = view._node
            if getattr(self, "_base", None) is None:  # its views become views of the new shape
                self._version[1:] = [view._node.number]
                refresh_views[:] = [refresh]
        self.array, self._base = view.array, getattr(self, "_base", None)
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"As `{name[:-1]}`, of this Tensor itself."
    return method


def resize_(self: S, *sizes: Ints, size: Ints | None = None) -> S:
    """Make it a Tensor of other sizes: the elements that there are stay, in order, further ones are
    uninitialised."""
    if self._wanted:
        raise RuntimeError("resize_ of a tensor that requires grad: use reshape, narrow or cat")
    sizes = _numbers(sizes, size)
    old, n = self.array.reshape(-1), math.prod(sizes)
    if n > old.size:
        array = array_module(old).empty(n, old.dtype)
        array[: old.size] = old
        self.data = array.reshape(sizes)
    else:
        self.array = old[:n].reshape(sizes)
    return self


def resize_as_(self: S, the_template: Tensor) -> S:
    """As `resize_`, to the shape of another."""
    return self.resize_(the_template.shape)


def _scaled(ufunc):
    def run(array, other, alpha=1, *, out=None):
        if hasattr(alpha, "dtype") and alpha.ndim:
            other, alpha = alpha, other  # torch's old add_(number, tensor)
        ufunc(array, other if alpha == 1 else alpha * other, out=array)

    return run


def _into(ufunc):
    def run(array, other):
        ufunc(array, other, out=array)

    return run


def plain_clamp(array, min=None, max=None):
    if min is None and max is None:
        raise ValueError("clamp_ needs min, max or both")
    if min is not None:
        np.maximum(array, min, out=array)
    if max is not None:
        np.minimum(array, max, out=array)


# Those that write single elements, of an expanded tensor too: what stays does not bring back an old
# value.
SINGLY = "index_add_ index_copy_ index_fill_ index_put_ masked_fill_ scatter_ scatter_add_".split()

plain_add = _scaled(np.add)
plain_sub = _scaled(np.subtract)
plain_mul = _into(np.multiply)
plain_div = _into(np.true_divide)
