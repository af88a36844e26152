"""Max pooling: the maximum of each window.

It is an element of the input: a kernel finds where, and a gather takes it. Its derivative adds into
the same places, whose derivative gathers from them.
"""

import functools
import itertools
import math
from typing import Any, Literal, overload

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, op, tensor_of
from ..autograd._types import Ints
from .pooling import _adaptive_sizes, _adaptive_windows, _geometry, _Sizes

__all__ = ["adaptive_max_pool1d", "adaptive_max_pool2d", "max_pool1d", "max_pool2d"]


def _flat(planes):
    """Each plane as one row. (NumPy finds no -1 where there are no elements.)"""
    return planes.reshape(math.prod(planes.shape[:-2]), planes.shape[-2] * planes.shape[-1])


@op(saves=("x.shape", "index"), mixed=True)
def plane_gather(x: Tensor, index: Any) -> Tensor:
    """y = the elements of each plane of x (..., H, W) at `index` (..., h, w), positions i W + j.
    dL/dx = plane_scatter of g"""
    flat = np.take_along_axis(_flat(x), _flat(index), -1)
    return flat.reshape(index.shape)


@plane_gather.backward
def _(g, need, shape, index):
    return plane_scatter(g, index, shape)


@op(saves=("index",), mixed=True)
def plane_scatter(g: Tensor, index: Any, shape: tuple[int, ...]) -> Tensor:
    """y = zeros of `shape` (..., H, W) with g (..., h, w) added at `index` of each plane.
    dL/dg = plane_gather of gg"""
    xp = array_module(g)
    planes = math.prod(shape[:-2])
    y = xp.zeros((planes, shape[-2] * shape[-1]), g.dtype)
    xp.add.at(y, (xp.arange(planes)[:, None], _flat(index)), _flat(g))
    return y.reshape(shape)


@plane_scatter.backward
def _(gg, need, index):
    return plane_gather(gg, index)


@functools.lru_cache(maxsize=64)
def _elements(first, stop, step):
    """(most, windows): the positions of each window's elements; short windows have their last
    element again."""
    first, stop = np.array(first), np.array(stop)
    most = -(-int((stop - first).max()) // step)
    return np.minimum(
        first + np.arange(most)[:, None] * step, first + (stop - 1 - first) // step * step
    ).astype(np.uint32)


@op
def window_argmax(x, rows, columns, steps):
    """Where in its plane the maximum of each window of x (..., H, W) is (the first of equals):
    int32 (..., windows down, windows across).

    rows, columns : the first position of each window, and the end behind its last; steps : between
        positions
    """
    xp, places = array_module(x), _places(rows, columns, steps)
    best = index = None
    for i, j in itertools.product(*places):
        v = x[..., xp.asarray(i)[:, None], xp.asarray(j)]
        at = xp.asarray((i[:, None] * x.shape[-1] + j).astype(np.int32))
        if index is None:
            best, index = v, xp.broadcast_to(at, v.shape)
        else:
            better = (v > best) | (v != v)
            best, index = xp.where(better, v, best), xp.where(better, at, index)
    return index


def _places(rows, columns, steps):
    return [_elements(*w, s) for w, s in zip((rows, columns), steps)]


@functools.lru_cache(maxsize=64)
def _max_windows(name, n, k, s, p, d, count):
    """The first position inside the input of each window, and the end behind its last."""
    start = np.arange(count) * s - p
    low = start + -(-np.maximum(-start, 0) // d) * d
    high = np.minimum(start + (k - 1) * d + 1, n)
    if (low >= high).any():
        raise ValueError(
            f"{name}: with dilation={d} and padding={p} a window over {n} positions has no "
            "element inside the input"
        )
    return tuple(low.tolist()), tuple(high.tolist())


def found_from(input):
    """The Tensor, outside the tape, in which places are looked for: what ops find of it is their
    result, so that a replayed step finds it anew."""
    return input.detach() if isinstance(input, Tensor) else tensor_of(input)


def _max_pool(input, windows, steps, return_indices):
    shape = tuple(input.shape)
    if len(windows) == 1:  # a row is a plane of height 1
        input = input.reshape((*shape[:-1], 1, shape[-1]))
        windows = [((0,), (1,)), *windows]
        steps = (1, *steps)
        dims = 1
    else:
        dims = 2
    index = window_argmax(found_from(input), *windows, steps)
    y = plane_gather(input, index if isinstance(input, Tensor) else index.array)
    if dims == 1:
        y, index = y.reshape((*shape[:-1], y.shape[-1])), index.reshape((*shape[:-1], y.shape[-1]))
    return (y, index.to(np.int64)) if return_indices else y


def _sliding_max(
    name, input, dims, kernel_size, stride, padding, dilation, ceil_mode, return_indices
):
    geometry = _geometry(name, input, dims, kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(
        input, [_max_windows(name, *g) for g in geometry], [g[4] for g in geometry], return_indices
    )


@overload
def max_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def max_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    *,
    return_indices: bool,
) -> Tensor | tuple[Tensor, Tensor]: ...
def max_pool1d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The maxima of windows of input (N, C, L) or (C, L). Arguments as in `max_pool2d`, one number
    each."""
    return _sliding_max(
        "max_pool1d", input, 1, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


@overload
def max_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def max_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    *,
    return_indices: bool,
) -> Tensor | tuple[Tensor, Tensor]: ...
def max_pool2d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The maxima of windows of input (N, C, H, W) or (C, H, W).

    kernel_size, stride, padding, dilation : one number, or one for each dimension; stride None:
        kernel_size
    padding : positions without a value on both sides, at most half the window
    dilation : distance between the elements of a window
    ceil_mode : windows may reach over the end, as long as they start inside
    return_indices : also give the positions of the maxima in their planes, i W + j (int64); of
        equal ones the first
    """
    return _sliding_max(
        "max_pool2d", input, 2, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def _adaptive_max(name, input, dims, output_size, return_indices):
    sizes = _adaptive_sizes(name, input, dims, output_size)
    windows = [
        tuple(tuple(w.tolist()) for w in _adaptive_windows(n, m))
        for n, m in zip(input.shape[-dims:], sizes)
    ]
    return _max_pool(input, windows, (1,) * dims, return_indices)


@overload
def adaptive_max_pool1d(
    input: Tensor, output_size: _Sizes, return_indices: Literal[False] = False
) -> Tensor: ...
@overload
def adaptive_max_pool1d(
    input: Tensor, output_size: _Sizes, return_indices: Literal[True]
) -> tuple[Tensor, Tensor]: ...
@overload
def adaptive_max_pool1d(
    input: Tensor, output_size: _Sizes, return_indices: bool
) -> Tensor | tuple[Tensor, Tensor]: ...
def adaptive_max_pool1d(input, output_size, return_indices=False):
    """The maxima of `output_size` windows that cover input (N, C, L) or (C, L); return_indices as
    in `max_pool2d`."""
    return _adaptive_max("adaptive_max_pool1d", input, 1, output_size, return_indices)


@overload
def adaptive_max_pool2d(
    input: Tensor, output_size: _Sizes, return_indices: Literal[False] = False
) -> Tensor: ...
@overload
def adaptive_max_pool2d(
    input: Tensor, output_size: _Sizes, return_indices: Literal[True]
) -> tuple[Tensor, Tensor]: ...
@overload
def adaptive_max_pool2d(
    input: Tensor, output_size: _Sizes, return_indices: bool
) -> Tensor | tuple[Tensor, Tensor]: ...
def adaptive_max_pool2d(input, output_size, return_indices=False):
    """The maxima of the windows of `adaptive_avg_pool2d`; return_indices as in `max_pool2d`."""
    return _adaptive_max("adaptive_max_pool2d", input, 2, output_size, return_indices)
