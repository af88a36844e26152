"""More ways to join, cut and place: names of torch that are a line or two of `shape` and
`indexing`.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import array_module, to_device
from ..arrays import device as as_device
from ..autograd import Size, Tensor, raw
from ..autograd._types import DType
from .arithmetic import _where as where
from .axes import axis_of
from .compose import broadcast_tensors, meshgrid, vstack
from .creation import as_tensor
from .indexing import _put, _setitem, getitem, nonzero
from .joining import cat, narrow, split, stack
from .placement import to
from .shape import movedim, permute, reshape, unsqueeze

__all__ = [
    "argwhere", "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "broadcast_shapes",
    "bucketize", "cartesian_prod", "column_stack", "combinations", "concatenate", "diag_embed",
    "diagflat", "diagonal_scatter", "dsplit", "dstack", "hsplit", "isin", "masked_scatter",
    "moveaxis", "row_stack", "searchsorted", "select_scatter", "slice_scatter",
    "split_with_sizes", "tensor_split", "tril_indices", "triu_indices", "unique_consecutive",
    "vander", "vsplit",
]  # fmt: skip

concatenate = cat
moveaxis = movedim
row_stack = vstack
split_with_sizes = split


def _several(tensors):
    return tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors


def _atleast(tensors, lift):
    listed = _several(tensors)
    found = tuple(lift(x) for x in listed)
    return found if listed is not tensors or len(found) > 1 else found[0]


def atleast_1d(*tensors: Any) -> Any:
    """With at least one dimension: a Tensor, or each of several."""
    return _atleast(tensors, lambda x: x if x.ndim else reshape(x, (1,)))


def atleast_2d(*tensors: Any) -> Any:
    """With at least two dimensions: a vector becomes a row."""
    return _atleast(tensors, lambda x: x if x.ndim > 1 else reshape(x, (1, -1)))


def atleast_3d(*tensors: Any) -> Any:
    """With at least three dimensions: a vector of n becomes (1, n, 1), a matrix gets a last
    dimension.
    """
    return _atleast(
        tensors,
        lambda x: x if x.ndim > 2 else unsqueeze(x, -1) if x.ndim == 2 else reshape(x, (1, -1, 1)),
    )


def dstack(tensors: Any) -> Tensor:
    """Joined along the third dimension."""
    return cat(atleast_3d(list(tensors)), 2)


def column_stack(tensors: Any) -> Tensor:
    """Joined along dimension 1, vectors and numbers as columns."""
    return cat([x if x.ndim > 1 else reshape(x, (-1, 1)) for x in tensors], 1)


def block_diag(*tensors: Any) -> Tensor:
    """The matrix with these matrices (vectors as rows) along its diagonal."""
    blocks = atleast_2d(list(tensors))
    shape = tuple(sum(b.shape[i] for b in blocks) for i in (0, 1))
    found = []
    row = 0
    column = 0
    for b in blocks:
        rows, columns = b.shape
        found.append(_setitem(b, (slice(row, row + rows), slice(column, column + columns)), shape))
        row, column = row + rows, column + columns
    return sum(found[1:], found[0])


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices, in the new dimensions dim1 and dim2, with the last dimension of the input on their
    diagonal `offset`.
    """
    n = input.shape[-1] + abs(offset)
    rows = np.arange(input.shape[-1]) + max(0, -offset)
    lead = tuple(input.shape[:-1])
    index = (*(slice(None),) * len(lead), rows, rows + offset)
    y, ndim = _setitem(input, index, (*lead, n, n)), input.ndim + 1
    return movedim(y, (ndim - 2, ndim - 1), (axis_of(dim1, ndim), axis_of(dim2, ndim)))


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with all elements of the input on its diagonal."""
    return diag_embed(reshape(input, (-1,)), offset)


def tensor_split(
    input: Tensor,
    indices_or_sections: int | Sequence[int],
    dim: int = 0,
) -> tuple[Tensor, ...]:
    """Views of parts along `dim`: of n parts the first ones are longer by one; or cut at the
    indices of a list.
    """
    axis = axis_of(dim, input.ndim)
    size, cuts = input.shape[axis], raw(indices_or_sections)
    cuts = cuts.tolist() if hasattr(cuts, "tolist") else cuts
    if isinstance(cuts, int):
        if cuts < 1:
            raise ValueError(f"tensor_split: {cuts} sections, expected a positive number")
        few, more = divmod(size, cuts)
        ends = list(itertools.accumulate(few + (i < more) for i in range(cuts)))[:-1]
    else:
        ends = [slice(0, c).indices(size)[1] for c in cuts]
    edges = [0, *ends, size]
    return tuple(narrow(input, axis, a, max(0, b - a)) for a, b in itertools.pairwise(edges))


def _split_equally(name, input, parts, dim):
    if isinstance(parts, int) and input.shape[dim] % parts:
        raise ValueError(
            f"{name}: dimension {dim} of shape {tuple(input.shape)} cannot be cut into {parts} "
            "equal parts"
        )
    return tensor_split(input, parts, dim)


def hsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 1 (of a vector: 0) into equal parts, or at indices."""
    return _split_equally("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1)


def vsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 0 into equal parts, or at indices."""
    return _split_equally("vsplit", input, indices_or_sections, 0)


def dsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 2 into equal parts, or at indices."""
    return _split_equally("dsplit", input, indices_or_sections, 2)


def windows(input: Tensor, dimension: Any, size: Sequence[int], step: int) -> Tensor:
    """The windows of `size` elements every `step` along a dimension, each as a new last dimension.
    Tensor.unfold.
    (A copy; torch's is a view.)"""
    if not input.ndim:
        return reshape(input, (1,))[:size]
    axis = axis_of(dimension, input.ndim)
    n = input.shape[axis]
    if not 0 <= size <= n or step < 1:
        raise ValueError(f"unfold: size={size}, step={step} for dimension {dimension} of size {n}")
    index = np.arange(0, n - size + 1, step)[:, None] + np.arange(size)
    y = getitem(input, (slice(None),) * axis + (index,))
    return movedim(y, axis + 1, -1)


def broadcast_shapes(*shapes: Any) -> Size:
    """The common shape of arrays of these shapes."""
    return Size(np.broadcast_shapes(*[(s,) if isinstance(s, int) else tuple(s) for s in shapes]))


def cartesian_prod(*tensors: Any) -> Tensor:
    """All combinations of one element of each vector, as rows."""
    if len(tensors) == 1:
        return tensors[0]
    return stack([reshape(g, (-1,)) for g in meshgrid(*tensors)], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All combinations of r elements of a vector, as rows."""
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.array(list(choose(range(input.shape[0]), r)), np.int64).reshape(-1, r)
    return getitem(input, (places,))


def vander(x: Tensor | None, N: int | None = None, increasing: bool = False) -> Tensor:
    """The rows of powers of each element: x^(N-1) ... 1, or 1 ... x^(N-1)."""
    n = x.shape[0] if N is None else N
    x = x if raw(x).dtype.kind == "f" else to(x, np.int64)
    powers = range(n) if increasing else range(n - 1, -1, -1)
    return stack([x**p for p in powers], 1)


# --- placing ---


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """`input` with the elements of source, in order, where `mask` (booleans, broadcast) is true."""
    input, mask = broadcast_tensors(input, mask)
    there = raw(mask)
    if isinstance(there, np.ndarray) and math.prod(source.shape) < there.sum():
        raise ValueError(
            f"masked_scatter: source has {math.prod(source.shape)} elements, the mask is true at "
            f"{there.sum()} places"
        )
    # which element of source is for this place, or the one before
    place = array_module(there).cumsum(there).reshape(there.shape) - 1
    return where(mask, getitem(reshape(source, (-1,)), (np.maximum(place, 0),)), input)


def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """`input` with src at input[start:end:step] of dimension `dim`."""
    return _put(input, (slice(None),) * axis_of(dim, input.ndim) + (slice(start, end, step),), src)


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """`input` with src at number `index` of dimension `dim`."""
    return _put(input, (slice(None),) * axis_of(dim, input.ndim) + (index,), src)


def diagonal_scatter(
    input: Tensor,
    src: Tensor,
    offset: int = 0,
    dim1: int = 0,
    dim2: int = 1,
) -> Tensor:
    """`input` with src on a diagonal."""
    order = [
        i
        for i in range(input.ndim)
        if i not in (axis_of(dim1, input.ndim), axis_of(dim2, input.ndim))
    ]
    order += [axis_of(dim1, input.ndim), axis_of(dim2, input.ndim)]
    i = np.arange(src.shape[-1])
    moved = _put(
        permute(input, tuple(order)), (Ellipsis, i - min(offset, 0), i + max(offset, 0)), src
    )
    return permute(moved, tuple(int(i) for i in np.argsort(order)))


# --- positions, without gradients ---


def argwhere(input: Tensor) -> Tensor:
    """The positions of the non-zero elements, as rows."""
    return nonzero(input) if input.ndim else as_tensor(np.zeros((int(bool(input)), 0), np.int64))


def _triangle_indices(lower, row, col, offset, dtype, device):
    keep = np.tri(row, col, offset if lower else offset - 1, dtype=bool)
    found = np.stack(np.nonzero(keep if lower else ~keep)).astype(dtype)
    return as_tensor(to_device(found, as_device(device or "cpu")))


def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DType = np.int64,
    device: Any = None,
) -> Tensor:
    """(2, n): the rows and the columns of the lower triangle of a row x col matrix."""
    return _triangle_indices(True, row, col, offset, dtype, device)


def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DType = np.int64,
    device: Any = None,
) -> Tensor:
    """(2, n): the rows and the columns of the upper triangle of a row x col matrix."""
    return _triangle_indices(False, row, col, offset, dtype, device)


def searchsorted(
    sorted_sequence: Tensor,
    input: Tensor,
    *,
    out_int32: Any = False,
    right: bool = False,
    side: Any = None,
    sorter: Any = None,
) -> Tensor:
    """Where each element of the input would have to be put into the sorted sequence (int64), before
    equal ones, or behind (right).

    sorted_sequence : a vector, or (..., n) with the leading sizes of the input; sorter: the indices
        that sort it
    """
    kind = np.int32 if out_int32 else np.int64
    edges, values = raw(sorted_sequence), raw(input)
    xp = array_module(edges)
    edges = edges if sorter is None else xp.take_along_axis(edges, raw(sorter), -1)
    side = side or ("right" if right else "left")
    if not hasattr(values, "dtype"):
        values = xp.asarray(np.asarray(values))
    if edges.ndim == 1:
        return as_tensor(
            xp.searchsorted(edges, values.reshape(-1), side).astype(kind).reshape(values.shape)
        )
    if edges.shape[:-1] != values.shape[:-1]:
        raise ValueError(
            f"searchsorted: leading sizes of {edges.shape} and {values.shape} must be equal"
        )
    before = (
        edges[..., None, :] <= values[..., None]
        if side == "right"
        else edges[..., None, :] < values[..., None]
    )
    return as_tensor(before.sum(-1).astype(kind))


def bucketize(
    input: Tensor,
    boundaries: Tensor,
    *,
    out_int32: Any = False,
    right: bool = False,
) -> Tensor:
    """The number of the interval between `boundaries` (sorted) that each element lies in."""
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def isin(elements: Any, test_elements: Any, *, invert: Any = False) -> Tensor:
    """Is each element among the others?"""
    other = raw(test_elements)
    other = other.reshape(-1) if hasattr(other, "dtype") else other
    hit = (raw(elements)[..., None] == other).any(-1)
    return as_tensor(~hit if invert else hit)


def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The first of each run of equal elements; also, which run each element is in, and how long
    each is.
    """
    x = raw(input)
    xp = array_module(x)
    axis = 0 if dim is None else axis_of(dim, x.ndim)
    lines = x.reshape(-1) if dim is None else xp.moveaxis(x, axis, 0)
    flat = lines.reshape(len(lines), math.prod(lines.shape[1:]))
    fresh = xp.ones(len(lines), bool)
    fresh[1:] = (flat[1:] != flat[:-1]).any(1)
    found = [as_tensor(lines[fresh] if dim is None else xp.moveaxis(lines[fresh], 0, axis))]
    run = xp.cumsum(fresh) - 1
    if return_inverse:
        found.append(as_tensor(run.reshape(x.shape) if dim is None else run))
    if return_counts:
        found.append(as_tensor(xp.bincount(run)))
    return tuple(found) if len(found) > 1 else found[0]
