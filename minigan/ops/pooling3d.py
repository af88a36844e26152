"""Pooling of three dimensions, pooling by norms, and maxima put back where they came from; over the
cards of pooling.py.
"""

import math
from typing import Any

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, raw, tensor_of
from ..autograd._types import Ints
from .arithmetic import _where as where
from .creation import as_tensor
from .max_pooling import _max_windows, found_from, plane_gather, window_argmax
from .pooling import (
    _adaptive_sizes,
    _adaptive_windows,
    _avg_pool,
    _geometry,
    adaptive_means,
    avg_pool1d,
    avg_pool2d,
    numbers,
)
from .scattering import scatter

__all__ = [
    "adaptive_avg_pool3d", "adaptive_max_pool3d", "avg_pool3d", "lp_pool1d", "lp_pool2d",
    "lp_pool3d", "max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip


def avg_pool3d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: float | None = None,
) -> Tensor:
    """The means of windows of input (N, C, D, H, W) or (C, D, H, W). Arguments as in
    `avg_pool2d`.
    """
    if divisor_override == 0:
        raise ValueError("avg_pool3d: divisor_override must not be 0")
    return _avg_pool(
        "avg_pool3d",
        input,
        3,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def adaptive_avg_pool3d(input: Tensor, output_size: Ints) -> Tensor:
    """The means of windows that cover input (N, C, D, H, W) or (C, D, H, W). Arguments as in
    `adaptive_avg_pool2d`.
    """
    return adaptive_means(input, _adaptive_sizes("adaptive_avg_pool3d", input, 3, output_size))


def _max_pool(input, windows, steps, return_indices):
    """The maxima along H and W first, then along D."""
    *lead, depth, height, width = input.shape
    x = found_from(input)
    flat = window_argmax(x, *windows[1:], steps[1:])
    down, across = flat.shape[-2:]
    columns = tuple(range(down * across)), tuple(range(1, down * across + 1))
    best = plane_gather(x, flat).reshape(*lead, depth, down * across)
    starts = array_module(x.array).arange(depth, dtype=np.int32) * np.int32(height * width)
    inside = flat.reshape(best.shape) + tensor_of(starts).reshape(-1, 1)
    at = window_argmax(best, windows[0], columns, (steps[0], 1))
    index = plane_gather(inside, at)
    planes = input.reshape(*lead, depth, height * width)
    y = plane_gather(planes, index if isinstance(input, Tensor) else index.array)
    shape = (*lead, index.shape[-2], down, across)
    y = y.reshape(shape)
    return (y, index.reshape(shape).to(np.int64)) if return_indices else y


def max_pool3d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maxima of windows of input (N, C, D, H, W) or (C, D, H, W). Arguments as in `max_pool2d`;
    positions are (d H + i) W + j.
    """
    geometry = _geometry("max_pool3d", input, 3, kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(
        input,
        [_max_windows("max_pool3d", *g) for g in geometry],
        [g[4] for g in geometry],
        return_indices,
    )


def adaptive_max_pool3d(input: Tensor, output_size: Ints, return_indices: bool = False) -> Any:
    """The maxima of the windows of `adaptive_avg_pool3d`; return_indices as in `max_pool3d`."""
    sizes = _adaptive_sizes("adaptive_max_pool3d", input, 3, output_size)
    windows = [
        tuple(tuple(w.tolist()) for w in _adaptive_windows(n, m))
        for n, m in zip(input.shape[-3:], sizes)
    ]
    return _max_pool(input, windows, (1, 1, 1), return_indices)


# --- maxima put back ---


def _max_unpool(name, dims, input, indices, kernel_size, stride, padding, output_size):
    if input.ndim not in (dims + 1, dims + 2) or tuple(indices.shape) != tuple(input.shape):
        shapes = f"input {tuple(input.shape)} and indices {tuple(indices.shape)}"
        raise ValueError(
            f"{name}: the shapes of {shapes} must be equal, of {dims + 1} or {dims + 2} dimensions"
        )
    kernel = numbers(name, "kernel_size", kernel_size, dims, 1)
    stride = kernel if stride is None else numbers(name, "stride", stride, dims, 1)
    padding = numbers(name, "padding", padding, dims, 0)
    lead, pooled = tuple(input.shape[:-dims]), tuple(input.shape[-dims:])
    usual = [(n - 1) * s - 2 * p + k for n, s, p, k in zip(pooled, stride, padding, kernel)]
    size = usual if output_size is None else list(output_size)[-dims:]
    if len(size) != dims or not all(u - s < n < u + s for n, u, s in zip(size, usual, stride)):
        limit = f"each may differ by less than the stride {stride}"
        raise ValueError(
            f"{name}: output_size={output_size} for windows that cover {usual}: {limit}"
        )
    area = math.prod(size)
    flat = input.reshape(*lead, math.prod(pooled))
    places = indices.reshape(*lead, math.prod(pooled))
    zeros = array_module(raw(input)).zeros((*lead, area), raw(input).dtype)
    zeros = as_tensor(zeros) if isinstance(input, Tensor) else zeros
    return scatter(zeros, -1, places, flat).reshape(*lead, *[int(n) for n in size])


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Ints | None = None,
) -> Tensor:
    """The maxima of `max_pool1d` put back to where they were, zeros elsewhere. Arguments as in
    `max_unpool2d`.
    """
    return _max_unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Ints | None = None,
) -> Tensor:
    """The maxima of `max_pool2d` put back to where they were, zeros elsewhere.

    indices : what the pooling gave with return_indices=True
    kernel_size, stride, padding : those of the pooling;  output_size : of the result, where several
        sizes are pooled to this one
    """
    return _max_unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Ints | None = None,
) -> Tensor:
    """The maxima of `max_pool3d` put back to where they were, zeros elsewhere. Arguments as in
    `max_unpool2d`.
    """
    return _max_unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


# --- norms ---


def _lp_pool(pool, dims, input, norm_type, kernel_size, stride, ceil_mode):
    count = math.prod(numbers("lp_pool", "kernel_size", kernel_size, dims, 1))
    mean = pool(input**norm_type, kernel_size, stride, 0, ceil_mode)
    mean = where(mean == 0, 0.0, mean)  # where the root is infinitely steep the gradient is 0
    return (mean * count) ** (1 / norm_type)


def lp_pool1d(
    input: Tensor,
    norm_type: float,
    kernel_size: Ints,
    stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(sum x^p)^(1/p) of windows of input (N, C, L) or (C, L), p = norm_type. Arguments as in
    `avg_pool1d`.
    """
    return _lp_pool(avg_pool1d, 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor,
    norm_type: float,
    kernel_size: Ints,
    stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(sum x^p)^(1/p) of windows of input (N, C, H, W) or (C, H, W), p = norm_type. Arguments as in
    `avg_pool2d`.
    """
    return _lp_pool(avg_pool2d, 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor,
    norm_type: float,
    kernel_size: Ints,
    stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(sum x^p)^(1/p) of windows of input (N, C, D, H, W) or (C, D, H, W), p = norm_type. Arguments
    as in `avg_pool3d`.
    """
    return _lp_pool(avg_pool3d, 3, input, norm_type, kernel_size, stride, ceil_mode)
