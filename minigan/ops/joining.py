"""Ops that join arrays, and cut them into parts. The parts are views."""

import builtins
from collections.abc import Iterable

import numpy as np

from ..autograd import Tensor, op, raw
from ..autograd._types import Ints
from ..engine.tensor import row_major
from .axes import axis_of
from .layout import join
from .placement import to
from .shape import unsqueeze

__all__ = ["cat", "chunk", "concat", "narrow", "split", "stack", "unbind"]


@op(saves=("dim", "*tensors.shape"))
def _cat(dim, *tensors):
    """Joined along `dim`.    dL/dx_i = the part of g that came from x_i"""
    return join([row_major(x) if isinstance(x, np.ndarray) else x for x in tensors], dim)


@_cat.backward
def _(g, need, dim, shapes):
    parts, start = [None], 0
    for shape, wanted in zip(shapes, need[1:]):
        parts.append(wanted and narrow(g, dim, start, shape[dim]))
        start += shape[dim]
    return tuple(parts)


def cat(tensors: Iterable[Tensor], dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Tensors (or arrays) joined along the existing dimension `dim`; their other sizes must
    agree."""
    tensors, dim = list(tensors), dim if axis is None else axis
    if not tensors:
        raise ValueError("cat: expected at least one tensor")
    full = [x for x in tensors if tuple(x.shape) != (0,)]
    if full and len(full) < len(tensors):  # vectors without elements fit to anything, as in torch
        floats = [raw(x).dtype for x in tensors if raw(x).dtype.kind == "f"]
        tensors = [to(x, floats[0]) if floats and raw(x).dtype.kind != "f" else x for x in full]
    return _cat(axis_of(dim, tensors[0].ndim), *tensors)


concat = cat


def stack(tensors: Iterable[Tensor], dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Tensors of one shape joined along a new dimension `dim`."""
    tensors, dim = list(tensors), dim if axis is None else axis
    if len({tuple(x.shape) for x in tensors}) != 1:
        raise ValueError(
            "stack: expected at least one tensor and equal shapes, got "
            f"{[tuple(x.shape) for x in tensors]}"
        )
    return cat([unsqueeze(x, dim) for x in tensors], axis_of(dim, tensors[0].ndim, extra=1))


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """input[..., start : start + length, ...] along `dim`: a view."""
    size = input.shape[dim]
    start = start + size if start < 0 else start
    if length < 0 or start < 0 or start + length > size:
        raise IndexError(
            f"narrow: start={start}, length={length} is out of range for dimension {dim} of size "
            f"{size}"
        )
    return input[(slice(None),) * axis_of(dim, input.ndim) + (slice(start, start + length),)]


def split(
    input: Tensor,
    split_size_or_sections: Ints | None = None,
    dim: int = 0,
    *,
    split_size: Ints | None = None,
) -> tuple[Tensor, ...]:
    """Views of consecutive parts along `dim`: of one size (the last may be smaller), or of the
    sizes in a list."""
    size, k = input.shape[dim], split_size_or_sections if split_size is None else split_size
    if isinstance(k, int):
        if k <= 0:
            raise ValueError(f"split: split_size={k}, expected a positive number")
        sections = [min(k, size - start) for start in range(0, size, k)] or [0]
    else:
        sections = list(k)
        if builtins.sum(sections) != size:
            raise ValueError(
                f"split: sections {sections} do not add up to the size {size} of dimension {dim}"
            )
    starts = [builtins.sum(sections[:i]) for i in range(len(sections))]
    return tuple(narrow(input, dim, a, n) for a, n in zip(starts, sections))


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` views of equal size along `dim` (the last may be smaller); of nothing so
    many."""
    if chunks <= 0:
        raise ValueError(f"chunk: chunks={chunks}, expected a positive number")
    if not input.shape[dim]:
        return tuple(narrow(input, dim, 0, 0) for _ in range(chunks))
    return split(input, max(1, -(-input.shape[dim] // chunks)), dim)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`, as a tuple of views."""
    at = (slice(None),) * axis_of(dim, input.ndim)
    return tuple(input[(*at, i)] for i in range(input.shape[dim]))
