"""Rows of a table picked by number, and added back into it."""

from typing import Any

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, op, raw
from .arithmetic import _where as where

__all__ = ["embedding"]


@op(saves=("weight.shape", "index", "padding_idx"), mixed=True)
def pick_rows(weight: Tensor, index: Any, padding_idx: int | None = None) -> Tensor:
    """y = weight[index]: (rows, D), index (...) -> (..., D).    dL/dweight = add_rows of g"""
    return weight.take(index, axis=0)


@pick_rows.backward
def _(g, need, shape, index, padding_idx):
    return add_rows(g, index, shape, padding_idx)


@op(saves=("index", "padding_idx"), mixed=True)
def add_rows(
    g: Tensor,
    index: Any,
    shape: tuple[int, ...],
    padding_idx: int | None = None,
) -> Tensor:
    """y = zeros of `shape` with each g[...] added to row index[...]; row padding_idx stays 0.
    dL/dg = gg[index], there too"""
    xp = array_module(g)
    y = xp.zeros(shape, g.dtype)
    xp.add.at(y, index, g)
    if padding_idx is not None:
        y[padding_idx] = 0
    return y


@add_rows.backward
def _(gg, need, index, padding_idx):
    y = pick_rows(gg, index)
    return y if padding_idx is None else where((index != padding_idx)[..., None], y, 0.0)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of weight (num_embeddings, D) by their numbers, input (...) of integers: (..., D).

    padding_idx : this row gets no gradient; negative ones count from the end
    sparse : accepted, gradients are dense.    max_norm and scale_grad_by_freq are not available
    """
    if max_norm is not None or scale_grad_by_freq:
        raise NotImplementedError("embedding: max_norm and scale_grad_by_freq are not available")
    index, rows = raw(input), weight.shape[0]
    if index.dtype.kind not in "iu":
        raise TypeError(
            f"embedding: input is {index.dtype}, expected row numbers (integers), e.g. input.long()"
        )
    if (
        isinstance(index, np.ndarray)
        and index.size
        and not (0 <= index.min() and index.max() < rows)
    ):
        raise IndexError(
            f"embedding: input ranges over [{index.min()}, {index.max()}], weight has {rows} rows"
        )
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise ValueError(
                f"embedding: padding_idx={padding_idx} is no row of a weight with {rows}"
            )
        padding_idx %= rows
    return pick_rows(weight, input, padding_idx)
