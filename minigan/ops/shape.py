"""Ops that move, join and cut arrays without computing. Views share memory, and the version
counter, with their source."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, op, raw, tensor_of
from ..autograd._types import Dims, DType, Ints, Shape
from ..engine.primitives import expand as _broadcast
from ..engine.primitives import sum_to
from ..engine.tensor import keep_layout, lay_out, writable
from .arithmetic import _where as where
from .axes import axis_of, of_scalars
from .strides import keep_strides

__all__ = [
    "broadcast_to", "clone", "contiguous", "diagonal", "expand", "expand_as", "flatten", "flip",
    "movedim", "permute", "ravel", "repeat", "reshape", "roll", "squeeze", "swapaxes", "swapdims",
    "t", "tile", "transpose", "tril", "triu", "unflatten", "unsqueeze", "view",
]  # fmt: skip


def _numbers(args, named=None):
    """f(2, 3), f((2, 3)) and f(named=(2, 3)) mean the same."""
    if named is not None:
        return tuple(named) if isinstance(named, (tuple, list)) else (named,)
    return tuple(args[0]) if len(args) == 1 and not isinstance(args[0], (int, np.integer)) else args


@op(saves=("x.shape",), view=True)
def _reshape(x, shape):
    """The same elements in another shape, a view where possible.    dL/dx = g in the old shape"""
    return x.reshape(shape)


@_reshape.backward
def _(g, need, shape):
    return g.reshape(shape)


def reshape(input: Tensor, *sizes: Ints, shape: Ints | None = None) -> Tensor:
    """The elements of `input` in another shape (sizes, or one tuple); one size may be -1. A view
    where possible."""
    return _reshape(input, _numbers(sizes, shape))


def view(input: Tensor, *sizes: Any, size: Ints | None = None, dtype: DType = None) -> Tensor:
    """As `reshape`, but never a copy: RuntimeError where the elements lie in another order
    (`x.t().view(-1)`).

    view(dtype): the same memory read as another dtype, a constant
    """
    dtype = sizes[0] if sizes and isinstance(sizes[0], np.dtype) else dtype
    if dtype is not None:
        return tensor_of(lay_out(input).array.view(dtype), False, None, input._version)
    out = reshape(input, *sizes, shape=size)
    if isinstance(input, Tensor) and out._version is not input._version and out.numel():
        what = f"a tensor of shape {tuple(input.shape)} and strides {input.stride()}"
        raise RuntimeError(
            f"view: {what} cannot be seen in shape {tuple(out.shape)} without a copy: use reshape()"
        )
    return out


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions start_dim to end_dim joined into one (itself where there is one), a view where
    possible."""
    shape, n = input.shape, input.ndim
    if n == 0:
        return reshape(input, (1,))
    a, b = axis_of(start_dim, n), axis_of(end_dim, n)
    if a > b:
        raise ValueError(f"flatten: start_dim={start_dim} comes after end_dim={end_dim}")
    if a == b:
        return input
    return _reshape(input, (*shape[:a], math.prod(shape[a : b + 1]), *shape[b + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension: a view where they lie in order, never itself."""
    return reshape(contiguous(input), -1)


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension `dim` split into `sizes` (one may be -1)."""
    dim = axis_of(dim, input.ndim)
    if -1 in sizes:
        given = math.prod(n for n in sizes if n != -1)
        sizes = [input.shape[dim] // max(given, 1) if n == -1 else n for n in sizes]
    return _reshape(input, (*input.shape[:dim], *sizes, *input.shape[dim + 1 :]))


@op(saves=("dims",), view=True)
def _permute(x, dims):
    """Dimensions in another order (a view).    dL/dx = g in the old order"""
    return x.transpose(dims)


@_permute.backward
def _(g, need, dims):
    return _permute(g, tuple(sorted(range(len(dims)), key=dims.__getitem__)))


def _ordered(input, order):
    """The dimensions in another order. From now on results may lie in memory as their arguments
    do."""
    out = _permute(input, order)
    if not keep_layout and isinstance(out, Tensor) and not out.array.flags.c_contiguous:
        keep_layout.append(keep_strides)
    return out


def _reversed(input):
    return _ordered(input, tuple(range(input.ndim))[::-1])


def permute(input: Tensor, *order: Ints, dims: Ints | None = None) -> Tensor:
    """The dimensions in the order `dims` (numbers, or one tuple): a view."""
    dims, n = _numbers(order, dims), input.ndim
    order = tuple(axis_of(d, n) for d in dims)
    if sorted(order) != list(range(n)):
        raise ValueError(
            f"permute: {dims} is no order of the {n} dimensions of shape {tuple(input.shape)}"
        )
    return _ordered(input, order)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Dimensions dim0 and dim1 exchanged: a view."""
    order = list(range(input.ndim))
    a, b = axis_of(dim0, input.ndim), axis_of(dim1, input.ndim)
    if order:
        order[a], order[b] = b, a
    return _ordered(input, tuple(order))


swapdims = transpose


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """As `transpose`."""
    return transpose(input, axis0, axis1)


def t(input: Tensor) -> Tensor:
    """A matrix transposed; fewer dimensions are left as they are."""
    if input.ndim > 2:
        raise ValueError(f"t: expected at most 2 dimensions, got shape {tuple(input.shape)}")
    return _reversed(input)


def movedim(input: Tensor, source: Ints, destination: Ints) -> Tensor:
    """Dimension(s) `source` moved to `destination`, the others in their order."""
    source, destination = (
        [axis_of(i, input.ndim) for i in (d if isinstance(d, (tuple, list)) else (d,))]
        for d in (source, destination)
    )
    rest = iter(i for i in range(input.ndim) if i not in source)
    target = dict(zip(destination, source))
    if (
        len(source) != len(destination)
        or len(set(source)) != len(source)
        or len(target) != len(source)
    ):
        raise ValueError(
            f"movedim: source {source} and destination {destination} must be equally many "
            "different dimensions"
        )
    order = [target[i] if i in target else next(rest) for i in range(input.ndim)]
    return _ordered(input, tuple(order))


def squeeze(input: Tensor, dim: Dims = None) -> Tensor:
    """Without the dimensions of size 1: all, or those of `dim` (an int or a tuple) that have size
    1."""
    if dim is None:
        drop = set(range(input.ndim))
    else:
        drop = {axis_of(d, input.ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))}
    return _reshape(input, tuple(n for i, n in enumerate(input.shape) if n != 1 or i not in drop))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1 at `dim`."""
    shape = list(input.shape)
    shape.insert(axis_of(dim, input.ndim, extra=1), 1)
    return _reshape(input, tuple(shape))


def expand(input: Tensor, *sizes: Ints, size: Ints | None = None) -> Tensor:
    """Repeated without copying along new and size-1 dimensions up to `sizes`; -1 keeps a size."""
    sizes, old = _numbers(sizes, size), input.shape
    new = len(sizes) - len(old)
    if new < 0:
        raise ValueError(f"expand: {tuple(sizes)} has fewer dimensions than the shape {tuple(old)}")
    return _broadcast(
        input, tuple(old[i - new] if n == -1 and i >= new else n for i, n in enumerate(sizes))
    )


def broadcast_to(input: Tensor, size: Shape) -> Tensor:
    """`input` broadcast to the shape `size` (a view)."""
    return expand(input, *size)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` broadcast to the shape of `other` (a view)."""
    return _broadcast(input, tuple(other.shape))


@op(saves=("x.shape", "times"))
def _repeat(x, times):
    """y = x times[i] times side by side along dimension i.
    dL/dx = the sum of g over the copies"""
    return array_module(x).tile(x, times)


@_repeat.backward
def _(g, need, shape, times):
    parts = _reshape(g, tuple(k for pair in zip(times, shape) for k in pair))
    return _reshape(sum_to(parts, tuple(k for n in shape for k in (1, n))), shape)


def repeat(input: Tensor, *sizes: Ints, repeats: Ints | None = None) -> Tensor:
    """Copies laid side by side, sizes[i] along dimension i; more sizes than dimensions make new
    dimensions in front."""
    sizes = _numbers(sizes, repeats)
    shape = (1,) * (len(sizes) - input.ndim) + tuple(input.shape)
    if len(shape) != len(sizes):
        raise ValueError(f"repeat: {len(sizes)} sizes for {input.ndim} dimensions")
    return _repeat(_reshape(input, shape), tuple(sizes))


def tile(input: Tensor, *sizes: Ints, dims: Ints | None = None) -> Tensor:
    """As `repeat`; missing dimensions in front are not repeated."""
    dims = _numbers(sizes, dims)
    return repeat(input, (1,) * (input.ndim - len(dims)) + tuple(dims))


@op(saves=("dims",))
def _flip(x, dims):
    """Reversed along `dims`.    dL/dx = g reversed likewise"""
    return np.flip(x, dims).copy()


@_flip.backward
def _(g, need, dims):
    return _flip(g, dims)


@of_scalars
def flip(input: Tensor, *order: Ints, dims: Ints | None = None) -> Tensor:
    """Reversed along the dimensions `dims` (numbers, or one tuple; a copy)."""
    return _flip(input, tuple(axis_of(d, input.ndim) for d in _numbers(order, dims)))


@op(saves=("shifts", "dims"))
def _roll(x, shifts, dims):
    """Shifted around along `dims`.    dL/dx = g shifted back"""
    return np.roll(x, shifts, dims)


@_roll.backward
def _(g, need, shifts, dims):
    return _roll(g, tuple(-s for s in shifts) if isinstance(shifts, tuple) else -shifts, dims)


@of_scalars
def roll(input: Tensor, shifts: Ints, dims: Dims = None) -> Tensor:
    """Shifted by `shifts` places along `dims`, what falls off comes back in front; None: over the
    flattened elements."""
    return _roll(input, shifts, dims)


def _triangle(input, diagonal, lower):
    if input.ndim < 2:
        raise ValueError(
            f"{'tril' if lower else 'triu'}: expected at least 2 dimensions, got shape "
            f"{tuple(input.shape)}"
        )
    xp = array_module(raw(input))
    keep = xp.tri(*input.shape[-2:], diagonal if lower else diagonal - 1, dtype=bool)
    return where(keep if lower else ~keep, input, False if raw(input).dtype.kind == "b" else 0)


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of each matrix, 0 above `diagonal`."""
    return _triangle(input, diagonal, lower=True)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of each matrix, 0 below `diagonal`."""
    return _triangle(input, diagonal, lower=False)


@op(saves=("x.shape", "offset", "dim1", "dim2"), view=True)
def _diagonal(x, offset, dim1, dim2):
    """The diagonals of dim1 and dim2 as a last dimension (a view).
    dL/dx = g there, 0 elsewhere"""
    return writable(x.diagonal(offset, dim1, dim2), x)


@_diagonal.backward
def _(g, need, shape, offset, dim1, dim2):
    return _on_diagonal(g, shape, offset, dim1, dim2)


@op(saves=("offset", "dim1", "dim2"))
def _on_diagonal(x, shape, offset, dim1, dim2):
    """y = zeros of `shape` with x on a diagonal.    dL/dx = that diagonal of g"""
    y = array_module(x).zeros(shape, x.dtype)
    _diagonal.card.forward(y, offset, dim1, dim2)[...] = x
    return y


@_on_diagonal.backward
def _(g, need, offset, dim1, dim2):
    return _diagonal(g, offset, dim1, dim2)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The elements with index difference `offset` along dim1 and dim2 as a last dimension: a
    view."""
    dim1, dim2 = axis_of(dim1, input.ndim), axis_of(dim2, input.ndim)
    if dim1 == dim2:
        raise ValueError(f"diagonal: dim1 and dim2 are the same dimension {dim1}")
    return _diagonal(input, offset, dim1, dim2)


# --- copies, types, places ---


@op
def clone(input: Tensor, memory_format: Any = None) -> Tensor:
    """A copy.    dL/dx = g"""
    return input.copy(order="K")


@clone.backward
def _(g, need):
    return g


@op
def _packed(input):
    """A copy in C order.    dL/dx = g"""
    return input.copy(order="C")


@_packed.backward
def _(g, need):
    return g


def owned(out: Tensor, input: Tensor) -> Tensor:
    """`out`, of a function whose result is a copy: copied if it is still a view of `input`."""
    return clone(out) if isinstance(out, Tensor) and out._version is input._version else out


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """The same elements in C order: itself, or a copy."""
    there = input.is_contiguous() if isinstance(input, Tensor) else input.flags.c_contiguous
    return input if there else _packed(input)
