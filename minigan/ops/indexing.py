"""Picking elements, and putting them back: each op's gradient is the other."""

from typing import Literal, overload

import numpy as np

from ..arrays import array_module, seam
from ..arrays.device import on_gpu
from ..autograd import Tensor, expand, op, raw, tensor_of, zero
from ..autograd._types import Index, Operand
from ..engine.grad_mode import mode
from .arithmetic import _where
from .axes import axis_of, of_scalars
from .layout import constant
from .shape import flatten, reshape

__all__ = [
    "gather", "getitem", "index_put", "index_select", "masked_fill", "masked_select", "nonzero",
    "scatter_add", "take_along_dim", "where",
]  # fmt: skip


def bare_index(x, index, keep=False):
    """The index of x with arrays for Tensors, and lists as arrays, whole numbers where x is. Bytes
    are a mask, as in torch. keep: those that the tape keeps are copies, as who changes an index
    after the forward pass must not change the gradient."""
    if isinstance(index, tuple):
        return tuple(
            [bare_index(x, list(i) if isinstance(i, (tuple, range)) else i, keep) for i in index]
        )
    if isinstance(index, list) and index:
        index = np.array([raw(i) for i in index])
    if index.__class__ is np.ndarray and index.dtype.kind == "f":
        # as in torch, which takes an array of floats for indices (not a Tensor of them)
        return index.astype(np.int64)
    index = raw(index)
    if isinstance(index, np.ndarray) and index.dtype.kind == "i" and index.ndim and on_gpu(raw(x)):
        return constant(raw(x), index)
    kind = getattr(index, "dtype", None)
    if kind == np.uint8:
        return index != 0
    # as in torch: what it picks is a view
    if kind is not None and kind.kind in "iu" and not index.ndim:
        return seam.execute(int, index)
    return index.copy() if keep and hasattr(index, "dtype") else index


def whole_numbers_first(index):
    """An index as two, of which the second applies to what the first picks: torch takes whole
    numbers first. None where that is the same: NumPy takes a number for one of the index arrays,
    and puts their dimensions in front where something stands between them."""
    if index.__class__ is not tuple:
        return None
    for part in index:
        if part.__class__ not in _BASIC:
            break
    else:
        return None
    numbers = [i for i, part in enumerate(index) if _is_whole_number(part)]
    arrays = [i for i, part in enumerate(index) if getattr(part, "ndim", 0)]
    both = numbers + arrays
    if not numbers or not arrays or max(both) - min(both) == len(both) - 1:
        return None
    first = []
    for i, part in enumerate(index):
        if i in numbers or part is ...:
            first.append(part)
        elif part is not None:
            mask = i in arrays and part.dtype.kind == "b"
            first += [slice(None)] * (part.ndim if mask else 1)
    return tuple(first), tuple([part for i, part in enumerate(index) if i not in numbers])


_BASIC = {int, slice, type(None), type(...)}


def _is_whole_number(part):
    return isinstance(part, (int, np.integer)) and not isinstance(part, bool)


def at(array, index):
    """array[index], an array: NumPy would make a number of a single element."""
    here = array[index]
    if isinstance(here, np.generic):
        here = array[(*index, ...) if isinstance(index, tuple) else (index, ...)]
    return here


def is_whole(array, index):
    """Does the index, `...` or slices, pick everything as it is? Then array[index] = value leaves
    nothing of the array."""
    parts = index if isinstance(index, tuple) else (index,)
    others = [i for i in parts if not isinstance(i, slice)]
    fits = len(others) < 2 and len(parts) - len(others) <= array.ndim
    return fits and all(i is ... for i in others) and array[index].shape == array.shape


def is_basic(index):
    """Only integers, slices, None and ...: then every element is picked at most once, and the
    result is a view."""
    return not any(
        hasattr(i, "dtype") and not isinstance(i, np.generic)
        for i in (index if isinstance(index, tuple) else (index,))
    )


@op(saves=("x.shape", "index"), view=True)
def _getitem(x, index):
    """y = x[index].
    dL/dx = g at the index, 0 elsewhere; what was picked several times gets the sum"""
    return at(x, index)


@_getitem.backward
def _(g, need, shape, index):
    return _setitem(g, index, shape)


@op(saves=("index",))
def _setitem(x, index, shape):
    """y = zeros of `shape` with x added at `index`.    dL/dx = g[index]"""
    xp = array_module(x)
    y = xp.zeros(shape, x.dtype)
    if is_basic(index):
        y[index] = x
    else:
        xp.add.at(y, index, x)
    return y


@_setitem.backward
def _(g, need, index):
    return _getitem(g, index)


def getitem(input: Tensor, index: Index) -> Tensor:
    """input[index]: integers, slices, None, ..., boolean masks, integer arrays or Tensors, lists.

    Integers are taken first, as in torch: x[0, :, array] is x[0][:, array].
    """
    if index.__class__ is not int and index.__class__ is not slice:
        index = bare_index(
            input, index, mode.grad_enabled and getattr(input, "requires_grad", False)
        )
        if (parts := whole_numbers_first(index)) is not None:
            return _getitem(_getitem(input, parts[0]), parts[1])
    return _getitem(input, index)


@op(saves=("index", "value.shape"), mixed=True)
def _put(input, index, value):
    """y = input with `value` (broadcast) at `index`.
    dL/dinput = g, but 0 at the index; dL/dvalue = g[index]

    index as in `getitem`; positions that it names several times get any one of the values.
    """
    y = input.copy()
    y[index] = value
    return y


@_put.backward
def _(g, need, index, shape):
    picked = need[2] and getitem(g, index)
    if need[2] and len(shape) > picked.ndim:  # leading dimensions of size 1
        picked = picked.reshape((1,) * (len(shape) - picked.ndim) + tuple(picked.shape))
    return need[0] and (zero(g) if index is ... else _put(g, index, 0.0)), None, picked


def index_put(input: Tensor, indices: Index, values: Operand, accumulate: bool = False) -> Tensor:
    """input with `values` (broadcast) at `indices`, a tuple as in input[indices]; accumulate: added
    to what is there.

    Without accumulate a position that is named several times gets any one of its values.
    """
    indices = bare_index(input, indices, keep=True)
    if not accumulate:
        return _put(input, indices, values)
    return input + _setitem(
        expand(values, getitem(input, indices).shape), indices, tuple(input.shape)
    )


@op(saves=("x.shape", "axis", "index"), mixed=True)
def _gather(x, axis, index):
    """y[..., i, ...] = x[..., index[..., i, ...], ...] along an axis.
    dL/dx = scatter_add of g"""
    return x[_grid(index, axis)]


@_gather.backward
def _(g, need, shape, axis, index):
    return _scatter(g, axis, index, shape)


@op(saves=("axis", "index"), mixed=True)
def _scatter(x, axis, index, shape):
    """y = zeros of `shape` with x added along an axis at `index`.
    dL/dx = g gathered at the index"""
    return _setitem(x, _grid(index, axis), shape)


@_scatter.backward
def _(g, need, axis, index):
    return _gather(g, axis, index)


def _grid(index, axis):
    """Index arrays that pick `index` along `axis` and the own position along all others."""
    xp = array_module(index)
    own = [
        xp.arange(n).reshape((-1,) + (1,) * (index.ndim - 1 - i)) for i, n in enumerate(index.shape)
    ]
    return tuple(index if i == axis else xp.broadcast_to(a, index.shape) for i, a in enumerate(own))


def _check_index(name, input, dim, index):
    dim = axis_of(dim, input.ndim)
    bare = raw(index)
    if bare.dtype.kind not in "iu":
        raise TypeError(f"{name}: index is {bare.dtype}, expected integers")
    if bare.ndim != input.ndim:
        raise ValueError(
            f"{name}: index has shape {tuple(bare.shape)}, expected {input.ndim} dimensions as "
            f"the input {tuple(input.shape)}"
        )
    if (
        isinstance(bare, np.ndarray)
        and bare.size
        and not (0 <= bare.min() and bare.max() < input.shape[dim])
    ):
        raise IndexError(
            f"{name}: index ranges over [{bare.min()}, {bare.max()}], dimension {dim} has size "
            f"{input.shape[dim]}"
        )
    return dim


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """Elements picked along `dim`: index (int64) has the result's shape, its other sizes at most
    those of the input.

    sparse_grad : without effect; gradients are dense
    """
    if not raw(index).size:  # of any shape, as in torch
        return getitem(reshape(input, -1), (raw(index).astype(np.int64),))
    if not input.ndim or not index.ndim:
        input = input if input.ndim else reshape(input, (1,))
        return reshape(gather(input, dim, reshape(index, -1)), tuple(index.shape))
    return _gather(input, _check_index("gather", input, dim, index), index)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """As `gather`, but input and indices broadcast along the other dimensions; None: positions in
    the flattened input."""
    if dim is None:
        return gather(flatten(input), 0, flatten(indices))
    dim = axis_of(dim, input.ndim)
    indices = _where(indices < 0, indices + input.shape[dim], indices)
    others = np.broadcast_shapes(
        *[(*x.shape[:dim], 1, *x.shape[dim + 1 :]) for x in (input, indices)]
    )
    input, indices = [
        expand(x, (*others[:dim], x.shape[dim], *others[dim + 1 :])) for x in (input, indices)
    ]
    return gather(input, dim, indices)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Operand) -> Tensor:
    """input with src added along `dim` at `index` (int64, the shape of src); repeated positions add
    up."""
    if not input.ndim:
        return reshape(
            scatter_add(reshape(input, (1,)), dim, index.reshape(-1), src.reshape(-1)), ()
        )
    dim = _check_index("scatter_add", input, dim, index)
    return input + _scatter(
        src[tuple(slice(n) for n in index.shape)], dim, index, tuple(input.shape)
    )


@of_scalars
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of `input` at the integer positions `index` (1-D) along `dim`."""
    index = raw(index)
    if index.ndim > 1 or index.dtype.kind not in "iu":
        raise ValueError(
            f"index_select: index is {index.dtype} {tuple(index.shape)}, expected a vector of "
            "integers"
        )
    return _getitem(input, (slice(None),) * axis_of(dim, input.ndim) + (index.reshape(-1),))


def masked_fill(input: Tensor, mask: Tensor, value: Operand) -> Tensor:
    """`input` with `value` (a number, or a Tensor of one element) wherever the boolean `mask`
    (broadcast) is true."""
    kind = raw(input).dtype
    if kind.kind != "f":
        value = raw(value).astype(kind) if hasattr(raw(value), "dtype") else kind.type(value)
    return _where(mask, value, input)


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements of `input` where `mask` (booleans) is true, in one dimension; the two
    broadcast."""
    shape = np.broadcast_shapes(input.shape, mask.shape)
    return getitem(expand(input, shape), expand(mask, shape))


@overload
def nonzero(input: Tensor, as_tuple: Literal[False] = False) -> Tensor: ...
@overload
def nonzero(input: Tensor, as_tuple: Literal[True]) -> tuple[Tensor, ...]: ...
def nonzero(input, as_tuple=False):
    """The positions of the non-zero elements: int64 (n, ndim), or one vector per dimension."""
    array = raw(input)
    if not array.ndim:  # a truth: one position with no numbers, or none
        return (
            tensor_of(np.zeros((int(bool(array)), 0), np.int64))
            if not as_tuple
            else nonzero(input.reshape((1,)), True)
        )
    found = array.nonzero()
    if as_tuple:
        return tuple(tensor_of(i) for i in found)
    return tensor_of(array_module(found[0]).stack(found, axis=1))


@overload
def where(condition: Tensor) -> tuple[Tensor, ...]: ...
@overload
def where(condition: Operand, input: Operand, other: Operand) -> Tensor: ...
def where(condition, input=None, other=None):
    """input where condition, else other; of a condition alone the positions where it holds, one
    vector per dimension."""
    return (
        nonzero(condition, True)
        if input is None and other is None
        else _where(condition, input, other)
    )
