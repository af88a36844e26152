"""Ops that move, join and cut arrays without computing. Views share memory, and the version counter, with their source."""

import builtins
import math

import numpy as np

from ..autograd import Tensor, move, op, raw
from ..autograd.primitives import expand as _broadcast
from ..autograd.primitives import sum_to
from ..autograd.strides import keep_strides
from ..autograd.tensor import permuted, writable
from ..backend import array_module, device, device_of, row_major
from .arithmetic import where
from .axes import axis_of

__all__ = [
    "broadcast_to", "cat", "chunk", "clone", "concat", "contiguous", "diagonal", "expand", "expand_as", "flatten", "flip", "movedim",
    "narrow", "permute", "ravel", "repeat", "reshape", "roll", "split", "squeeze", "stack", "swapaxes", "swapdims", "t", "tile", "to",
    "transpose", "tril", "triu", "unbind", "unflatten", "unsqueeze", "view",
]  # fmt: skip


def _numbers(args):
    """f(2, 3) and f((2, 3)) mean the same."""
    return tuple(args[0]) if len(args) == 1 and not isinstance(args[0], (int, np.integer)) else args


@op
class _reshape:
    """The same elements in another shape, a view where possible.    dL/dx = g in the old shape"""

    saves = ("x.shape",)
    view = True

    def forward(x, shape):
        return x.reshape(shape)

    def backward(g, need, shape):
        return g.reshape(shape)


def reshape(input, *shape):
    """The elements of `input` in another shape (sizes, or one tuple); one size may be -1. A view where possible."""
    return _reshape(input, _numbers(shape))


def view(input, *shape):
    """As `reshape`, but never a copy: RuntimeError where the elements lie in another order (`x.t().view(-1)`)."""
    out = reshape(input, *shape)
    if isinstance(input, Tensor) and out._version is not input._version and out.numel():
        what = f"a tensor of shape {tuple(input.shape)} and strides {input.stride()}"
        raise RuntimeError(f"view: {what} cannot be seen in shape {tuple(out.shape)} without a copy: use reshape()")
    return out


def flatten(input, start_dim=0, end_dim=-1):
    """Dimensions start_dim to end_dim joined into one (itself where there is one), a view where possible."""
    shape, n = input.shape, input.ndim
    if n == 0:
        return reshape(input, (1,))
    a, b = axis_of(start_dim, n), axis_of(end_dim, n)
    if a > b:
        raise ValueError(f"flatten: start_dim={start_dim} comes after end_dim={end_dim}")
    if a == b:
        return input
    return _reshape(input, (*shape[:a], math.prod(shape[a : b + 1]), *shape[b + 1 :]))


def ravel(input):
    """All elements in one dimension: a view where possible, never itself."""
    return reshape(input, -1)


def unflatten(input, dim, sizes):
    """Dimension `dim` split into `sizes` (one may be -1)."""
    dim = axis_of(dim, input.ndim)
    return _reshape(input, (*input.shape[:dim], *sizes, *input.shape[dim + 1 :]))


@op
class _permute:
    """Dimensions in another order (a view).    dL/dx = g in the old order"""

    saves = ("dims",)
    view = True

    def forward(x, dims):
        return x.transpose(dims)

    def backward(g, need, dims):
        return _permute(g, tuple(sorted(range(len(dims)), key=dims.__getitem__)))


def _ordered(input, order):
    """The dimensions in another order. From now on results may lie in memory as their arguments do."""
    out = _permute(input, order)
    if not permuted and isinstance(out, Tensor) and not out.array.flags.c_contiguous:
        permuted.append(keep_strides)
    return out


def _reversed(input):
    return _ordered(input, tuple(range(input.ndim))[::-1])


def permute(input, *dims):
    """The dimensions in the order `dims` (numbers, or one tuple): a view."""
    dims, n = _numbers(dims), input.ndim
    order = tuple(axis_of(d, n) for d in dims)
    if sorted(order) != list(range(n)):
        raise ValueError(f"permute: {dims} is no order of the {n} dimensions of shape {tuple(input.shape)}")
    return _ordered(input, order)


def transpose(input, dim0, dim1):
    """Dimensions dim0 and dim1 exchanged: a view."""
    order = list(range(input.ndim))
    a, b = axis_of(dim0, input.ndim), axis_of(dim1, input.ndim)
    order[a], order[b] = b, a
    return _ordered(input, tuple(order))


swapaxes = swapdims = transpose


def t(input):
    """A matrix transposed; fewer dimensions are left as they are."""
    if input.ndim > 2:
        raise ValueError(f"t: expected at most 2 dimensions, got shape {tuple(input.shape)}")
    return _reversed(input)


def movedim(input, source, destination):
    """Dimension(s) `source` moved to `destination`, the others in their order."""
    source, destination = ([axis_of(i, input.ndim) for i in (d if isinstance(d, (tuple, list)) else (d,))] for d in (source, destination))
    rest = iter(i for i in range(input.ndim) if i not in source)
    target = dict(zip(destination, source))
    if len(source) != len(destination) or len(set(source)) != len(source) or len(target) != len(source):
        raise ValueError(f"movedim: source {source} and destination {destination} must be equally many different dimensions")
    order = [target[i] if i in target else next(rest) for i in range(input.ndim)]
    return _ordered(input, tuple(order))


def squeeze(input, dim=None):
    """Without the dimensions of size 1: all, or those of `dim` (an int or a tuple) that have size 1."""
    if dim is None:
        drop = set(range(input.ndim))
    else:
        drop = {axis_of(d, input.ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))}
    return _reshape(input, tuple(n for i, n in enumerate(input.shape) if n != 1 or i not in drop))


def unsqueeze(input, dim):
    """With a new dimension of size 1 at `dim`."""
    shape = list(input.shape)
    shape.insert(axis_of(dim, input.ndim, extra=1), 1)
    return _reshape(input, tuple(shape))


def expand(input, *sizes):
    """Repeated without copying along new and size-1 dimensions up to `sizes`; -1 keeps a size."""
    sizes, old = _numbers(sizes), input.shape
    new = len(sizes) - len(old)
    if new < 0:
        raise ValueError(f"expand: {tuple(sizes)} has fewer dimensions than the shape {tuple(old)}")
    return _broadcast(input, tuple(old[i - new] if n == -1 and i >= new else n for i, n in enumerate(sizes)))


def broadcast_to(input, shape):
    """`input` broadcast to `shape` (a view)."""
    return expand(input, *shape)


def expand_as(input, other):
    """`input` broadcast to the shape of `other` (a view)."""
    return _broadcast(input, tuple(other.shape))


@op
class _repeat:
    """y = x times[i] times side by side along dimension i.    dL/dx = the sum of g over the copies"""

    saves = ("x.shape", "times")

    def forward(x, times):
        return array_module(x).tile(x, times)

    def backward(g, need, shape, times):
        parts = _reshape(g, tuple(k for pair in zip(times, shape) for k in pair))
        return _reshape(sum_to(parts, tuple(k for n in shape for k in (1, n))), shape)


def repeat(input, *sizes):
    """Copies laid side by side, sizes[i] along dimension i; more sizes than dimensions make new dimensions in front."""
    sizes = _numbers(sizes)
    shape = (1,) * (len(sizes) - input.ndim) + tuple(input.shape)
    if len(shape) != len(sizes):
        raise ValueError(f"repeat: {len(sizes)} sizes for {input.ndim} dimensions")
    return _repeat(_reshape(input, shape), tuple(sizes))


def tile(input, *dims):
    """As `repeat`; missing dimensions in front are not repeated."""
    dims = _numbers(dims)
    return repeat(input, (1,) * (input.ndim - len(dims)) + tuple(dims))


@op
class _flip:
    """Reversed along `dims`.    dL/dx = g reversed likewise"""

    saves = ("dims",)

    def forward(x, dims):
        return np.flip(x, dims).copy()

    def backward(g, need, dims):
        return _flip(g, dims)


def flip(input, *dims):
    """Reversed along the dimensions `dims` (a copy)."""
    return _flip(input, tuple(axis_of(d, input.ndim) for d in _numbers(dims)))


@op
class _roll:
    """Shifted around along `dims`.    dL/dx = g shifted back"""

    saves = ("shifts", "dims")

    def forward(x, shifts, dims):
        return np.roll(x, shifts, dims)

    def backward(g, need, shifts, dims):
        return _roll(g, tuple(-s for s in shifts) if isinstance(shifts, tuple) else -shifts, dims)


def roll(input, shifts, dims=None):
    """Shifted by `shifts` places along `dims`, what falls off comes back in front; None: over the flattened elements."""
    return _roll(input, shifts, dims)


@op
class _cat:
    """Joined along `dim`.    dL/dx_i = the part of g that came from x_i"""

    saves = ("dim", "*tensors.shape")

    def forward(dim, *tensors):
        return array_module(tensors[0]).concatenate([row_major(x) if isinstance(x, np.ndarray) else x for x in tensors], axis=dim)

    def backward(g, need, dim, shapes):
        parts, start = [None], 0
        for shape, wanted in zip(shapes, need[1:]):
            parts.append(wanted and narrow(g, dim, start, shape[dim]))
            start += shape[dim]
        return tuple(parts)


def cat(tensors, dim=0, *, axis=None):
    """Tensors (or arrays) joined along the existing dimension `dim`; their other sizes must agree."""
    tensors, dim = list(tensors), dim if axis is None else axis
    if not tensors:
        raise ValueError("cat: expected at least one tensor")
    return _cat(axis_of(dim, tensors[0].ndim), *tensors)


concat = cat


def stack(tensors, dim=0, *, axis=None):
    """Tensors of one shape joined along a new dimension `dim`."""
    tensors, dim = list(tensors), dim if axis is None else axis
    if len({tuple(x.shape) for x in tensors}) != 1:
        raise ValueError(f"stack: expected at least one tensor and equal shapes, got {[tuple(x.shape) for x in tensors]}")
    return cat([unsqueeze(x, dim) for x in tensors], axis_of(dim, tensors[0].ndim, extra=1))


def narrow(input, dim, start, length):
    """input[..., start : start + length, ...] along `dim`: a view."""
    size = input.shape[dim]
    start = start + size if start < 0 else start
    if length < 0 or start < 0 or start + length > size:
        raise IndexError(f"narrow: start={start}, length={length} is out of range for dimension {dim} of size {size}")
    return input[(slice(None),) * axis_of(dim, input.ndim) + (slice(start, start + length),)]


def split(input, split_size_or_sections, dim=0):
    """Views of consecutive parts along `dim`: of one size (the last may be smaller), or of the sizes in a list."""
    size, k = input.shape[dim], split_size_or_sections
    if isinstance(k, int):
        if k <= 0:
            raise ValueError(f"split: split_size={k}, expected a positive number")
        sections = [min(k, size - start) for start in range(0, size, k)] or [0]
    else:
        sections = list(k)
        if builtins.sum(sections) != size:
            raise ValueError(f"split: sections {sections} do not add up to the size {size} of dimension {dim}")
    starts = [builtins.sum(sections[:i]) for i in range(len(sections))]
    return tuple(narrow(input, dim, a, n) for a, n in zip(starts, sections))


def chunk(input, chunks, dim=0):
    """At most `chunks` views of equal size along `dim` (the last may be smaller)."""
    if chunks <= 0:
        raise ValueError(f"chunk: chunks={chunks}, expected a positive number")
    return split(input, max(1, -(-input.shape[dim] // chunks)), dim)


def unbind(input, dim=0):
    """The slices along `dim`, as a tuple of views."""
    at = (slice(None),) * axis_of(dim, input.ndim)
    return tuple(input[(*at, i)] for i in range(input.shape[dim]))


def _triangle(input, diagonal, lower):
    xp = array_module(raw(input))
    keep = xp.tri(*input.shape[-2:], diagonal if lower else diagonal - 1, dtype=bool)
    return where(keep if lower else ~keep, input, 0.0)


def tril(input, diagonal=0):
    """The lower triangle of each matrix, 0 above `diagonal`."""
    return _triangle(input, diagonal, lower=True)


def triu(input, diagonal=0):
    """The upper triangle of each matrix, 0 below `diagonal`."""
    return _triangle(input, diagonal, lower=False)


@op
class _diagonal:
    """The diagonals of dim1 and dim2 as a last dimension (a view).    dL/dx = g there, 0 elsewhere"""

    saves = ("x.shape", "offset", "dim1", "dim2")
    view = True

    def forward(x, offset, dim1, dim2):
        return writable(x.diagonal(offset, dim1, dim2), x)

    def backward(g, need, shape, offset, dim1, dim2):
        return _on_diagonal(g, shape, offset, dim1, dim2)


@op
class _on_diagonal:
    """y = zeros of `shape` with x on a diagonal.    dL/dx = that diagonal of g"""

    saves = ("offset", "dim1", "dim2")

    def forward(x, shape, offset, dim1, dim2):
        y = array_module(x).zeros(shape, x.dtype)
        _diagonal.card.forward(y, offset, dim1, dim2)[...] = x
        return y

    def backward(g, need, offset, dim1, dim2):
        return _diagonal(g, offset, dim1, dim2)


def diagonal(input, offset=0, dim1=0, dim2=1):
    """The elements with index difference `offset` along dim1 and dim2 as a last dimension: a view."""
    dim1, dim2 = axis_of(dim1, input.ndim), axis_of(dim2, input.ndim)
    if dim1 == dim2:
        raise ValueError(f"diagonal: dim1 and dim2 are the same dimension {dim1}")
    return _diagonal(input, offset, dim1, dim2)


# --- copies, types, places ---


@op
class clone:
    """A copy.    dL/dx = g"""

    def forward(input):
        return input.copy(order="K")

    def backward(g, need):
        return g


@op
class _row_by_row:
    """A copy in C order.    dL/dx = g"""

    def forward(input):
        return input.copy(order="C")

    def backward(g, need):
        return g


def owned(out, input):
    """`out`, of a function whose result is a copy: copied if it is still a view of `input`."""
    return clone(out) if isinstance(out, Tensor) and out._version is input._version else out


def contiguous(input):
    """The same elements in C order: itself, or a copy."""
    there = input.is_contiguous() if isinstance(input, Tensor) else input.flags.c_contiguous
    return input if there else _row_by_row(input)


@op
class _convert:
    """On another device and in another dtype.    dL/dx = g converted back"""

    saves = ("place", "dtype", "old_place", "old_dtype")
    mixed = True

    def forward(x, place, dtype, old_place, old_dtype):
        return move(x, place, dtype, copy=True)

    def backward(g, need, place, dtype, old_place, old_dtype):
        return _convert(g, old_place, old_dtype, place, dtype or old_dtype)


def to(input, *args, dtype=None, device=None, copy=False, non_blocking=False):
    """`input` on another device or in another dtype; itself where nothing changes.

    to(dtype), to(device), to(device, dtype), to(other): dtypes are NumPy's or their names, devices "cpu", "cuda:0", ...
    """
    place, kind = device, dtype
    for a in args:
        if isinstance(a, Tensor):
            place, kind = a.device, a.dtype
        elif isinstance(a, bool):
            pass  # non_blocking, by position
        elif _is_place(a):
            place = a
        elif a is not None:
            kind = a
    place = None if place is None else _place(place)
    kind = None if kind is None else np.dtype(kind)
    here = device_of(raw(input))
    if not copy and (kind is None or kind == input.dtype) and (place is None or place == here):
        return input
    return _convert(input, place, kind, None if place is None else here, input.dtype)


_place = device


def _is_place(a):
    return isinstance(a, _place) or (isinstance(a, str) and a.partition(":")[0] in ("cpu", "cuda"))
