"""Ops that pick slices or put values at positions, made of those of `indexing`."""

from collections.abc import Sequence

import numpy as np

from ..arrays import array_module, to_numpy
from ..arrays.device import on_gpu
from ..autograd import Tensor, raw, tensor_of
from ..autograd._types import Operand
from .axes import axis_of, of_scalars
from .indexing import _check_index, _grid, _put, _setitem, getitem, index_select, scatter_add
from .layout import constant
from .shape import reshape

__all__ = [
    "index_add", "index_copy", "index_fill", "repeat_interleave", "scatter", "select", "take",
]  # fmt: skip


def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Operand | None = None,
    *,
    value: Operand | None = None,
    reduce: str | None = None,
) -> Tensor:
    """input with src (a Tensor, or a number) put along `dim` at `index` (int64); reduce="add":
    added.

    Of several values for one place any one is put.
    """
    src = value if src is None else src
    if not input.ndim:
        src = src.reshape((-1,)) if hasattr(raw(src), "dtype") else src
        return reshape(
            scatter(reshape(input, (1,)), dim, index.reshape((-1,)), src, reduce=reduce), ()
        )
    dim = _check_index("scatter", input, dim, index)
    if reduce not in (None, "add"):
        raise ValueError(f"scatter: reduce={reduce!r}; expected None or 'add'")
    where_to = raw(index)
    if hasattr(raw(src), "dtype") and raw(src).ndim:
        src = src[tuple(slice(n) for n in where_to.shape)]
    if reduce:
        if not hasattr(raw(src), "dtype"):
            src = tensor_of(array_module(where_to).full(where_to.shape, src, raw(input).dtype))
        return scatter_add(input, dim, index, src)
    return _put(input, _grid(where_to.copy(), dim), src)


def _along(input, dim, index):
    return (slice(None),) * axis_of(dim, input.ndim) + (raw(index).reshape(-1).copy(),)


@of_scalars
def index_add(
    input: Tensor, dim: int, index: Tensor, source: Operand, *, alpha: float = 1
) -> Tensor:
    """input with the slices of alpha * source added at the positions `index` (1-D) along `dim`."""
    if alpha != 1 and raw(source).dtype != bool:
        kind = raw(source).dtype
        # unsigned ones wrap around
        source = source * (alpha % (1 << 8 * kind.itemsize) if kind.kind == "u" else alpha)
    return input + _setitem(source, _along(input, dim, index), tuple(input.shape))


@of_scalars
def index_copy(input: Tensor, dim: int, index: Tensor, source: Operand) -> Tensor:
    """input with the slices of source put at the positions `index` (1-D) along `dim`."""
    return _put(input, _along(input, dim, index), source)


@of_scalars
def index_fill(input: Tensor, dim: int, index: Tensor, value: Operand) -> Tensor:
    """input with `value` at the positions `index` (1-D) along `dim`."""
    (*dims, places) = _along(input, dim, index)
    places = places + (places < 0) * input.shape[len(dims)]
    # value's gradient counts each place once
    return _put(input, (*dims, array_module(places).unique(places)), value)


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice number `index` of dimension `dim`: a view."""
    return input[(slice(None),) * axis_of(dim, input.ndim) + (index,)]


def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements of the flattened input at `index`, in its shape."""
    return getitem(reshape(input, -1), (raw(index),))


def repeat_interleave(
    input: Tensor,
    repeats: int | Tensor | Sequence[int],
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> Tensor:
    """Each slice along `dim` (None: of the flattened input) `repeats` times in a row; a number, or
    one for each slice.

    output_size : the size of the result along `dim`, which is known anyway
    """
    if dim is None:
        input, dim = reshape(input, -1), 0
    times = to_numpy(raw(repeats)) if hasattr(raw(repeats), "dtype") else repeats
    index = np.repeat(np.arange(input.shape[dim]), times)
    return index_select(input, dim, constant(raw(input), index) if on_gpu(raw(input)) else index)
