"""Pooling: windows slide over the last one or two dimensions. Their geometry, and average pooling,
where each gives its mean: that is linear, so it is `Taps`. (`max_pooling`: each gives its maximum.)
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import Tensor, raw
from ..autograd._types import Ints
from .arithmetic import fmod
from .layout import constant
from .placement import to
from .reduction import mean
from .taps import apply_taps, taps

_Sizes = int | Sequence[int | None] | None

__all__ = ["adaptive_avg_pool1d", "adaptive_avg_pool2d", "avg_pool1d", "avg_pool2d"]


# --- arguments ---


def numbers(name: str, what: str, value: Any, dims: int, least: int) -> tuple[int, ...]:
    """One number for each of `dims` dimensions, from one number or a sequence; each at least
    `least`."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    values = values * dims if len(values) == 1 else values
    if len(values) != dims or not all(
        isinstance(v, (int, np.integer)) and v >= least for v in values
    ):
        raise ValueError(
            f"{name}: {what}={value!r}, expected "
            f"{'an integer' if dims == 1 else f'one or {dims} integers'} >= {least}"
        )
    return values


def check_dims(name: str, input: Tensor, dims: int) -> None:
    """The input must have `dims` dimensions after N and C, or after C alone."""
    if input.ndim not in (dims + 1, dims + 2):
        layout = "C, " + ("L" if dims == 1 else "H, W" if dims == 2 else "D, H, W")
        raise ValueError(
            f"{name}: expected input (N, {layout}) or ({layout}), got shape {tuple(input.shape)}"
        )


def _geometry(name, input, dims, kernel_size, stride, padding, dilation, ceil_mode):
    """(size, kernel, stride, padding, dilation, number of windows) along each of the last `dims`
    dimensions."""
    check_dims(name, input, dims)
    kernel_size = numbers(name, "kernel_size", kernel_size, dims, 1)
    strides = (
        kernel_size
        if stride is None or stride == () or stride == []
        else numbers(name, "stride", stride, dims, 1)
    )
    padding = numbers(name, "padding", padding, dims, 0)
    dilation = numbers(name, "dilation", dilation, dims, 1)
    found = []
    for n, k, s, p, d in zip(input.shape[-dims:], kernel_size, strides, padding, dilation):
        reach = (k - 1) * d + 1
        if p > reach // 2:
            raise ValueError(
                f"{name}: padding={p} must be at most half of the window, whose size is {reach}"
            )
        count = (n + 2 * p - reach + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (count - 1) * s >= n + p:
            count -= 1  # the last window must start inside the input or the padding before it
        if count < 1:
            raise ValueError(
                f"{name}: a window of size {reach} does not fit into input of shape "
                f"{tuple(input.shape)} with padding {p}"
            )
        found.append((int(n), int(k), int(s), int(p), int(d), int(count)))
    return found


# --- the mean ---


@functools.lru_cache(maxsize=64)
def _windows(n, k, s, p, count, count_include_pad):
    """Windows of k every s positions over n of them with p zeros on both sides: taps that sum them
    up, and their sizes."""
    start = np.arange(count) * s - p
    stop = np.minimum(start + k, n + p)  # in ceil mode the last one may be cut
    low, high = np.maximum(start, 0), np.minimum(stop, n)
    return _window_taps(n, low, high), tuple(
        (stop - start if count_include_pad else high - low).tolist()
    )


@functools.lru_cache(maxsize=64)
def _covering_windows(n, count):
    low, high = _adaptive_windows(n, count)
    return _window_taps(n, low, high), tuple((high - low).tolist())


def _adaptive_windows(n, count):
    """`count` windows that cover n positions: [floor(i n / count), ceil((i + 1) n / count))."""
    i = np.arange(count)
    return i * n // count, -(-(i + 1) * n // count)


def _window_taps(n, low, high):
    output = [o for o, (a, b) in enumerate(zip(low, high)) for _ in range(a, b)]
    source = [i for a, b in zip(low, high) for i in range(a, b)]
    return taps(len(low), n, output, source)


def _means(input, windows, divisor=None):
    """The sums of the windows along the last dimensions, over `divisor`, or over how many elements
    each window has."""
    if raw(input).dtype.char == "e":  # sums of float16 are taken in float32
        return to(_means(to(input, np.float32), windows, divisor), np.float16)
    y = apply_taps(input, *[window_taps for window_taps, _ in windows])
    if divisor is None:
        counts = [sizes if len(set(sizes)) > 1 else sizes[:1] for _, sizes in windows]
        divisor = functools.reduce(np.multiply.outer, map(np.array, counts))
        divisor = (
            divisor.item() if divisor.size == 1 else constant(raw(y), divisor.astype(raw(y).dtype))
        )
    if raw(y).dtype.kind == "f":
        return y / divisor
    return (y - fmod(y, divisor)) // divisor  # integers towards 0


def _avg_pool(
    name,
    input,
    dims,
    kernel_size,
    stride,
    padding,
    ceil_mode,
    count_include_pad,
    divisor_override=None,
):
    geometry = _geometry(name, input, dims, kernel_size, stride, padding, 1, ceil_mode)
    windows = [
        _windows(n, k, s, p, count, bool(count_include_pad)) for n, k, s, p, _, count in geometry
    ]
    return _means(input, windows, divisor_override)


def avg_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The means of windows of input (N, C, L) or (C, L). Arguments as in `avg_pool2d`, one number
    each."""
    return _avg_pool(
        "avg_pool1d", input, 1, kernel_size, stride, padding, ceil_mode, count_include_pad
    )


def avg_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: float | None = None,
) -> Tensor:
    """The means of windows of input (N, C, H, W) or (C, H, W).

    kernel_size, stride, padding : one number, or one for each dimension; stride None: kernel_size
    padding : zeros on both sides, at most half the window; they count as elements if
        count_include_pad
    ceil_mode : windows may reach over the end, as long as they start inside
    divisor_override : divide each sum by this number instead
    """
    if divisor_override == 0:
        raise ValueError("avg_pool2d: divisor_override must not be 0")
    return _avg_pool(
        "avg_pool2d",
        input,
        2,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def _adaptive_sizes(name, input, dims, output_size):
    check_dims(name, input, dims)
    sizes = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * dims
    sizes = (
        tuple(n if m is None else m for m, n in zip(sizes, input.shape[-dims:]))
        if len(sizes) == dims
        else output_size
    )
    return numbers(name, "output_size", sizes, dims, 1)


def adaptive_means(input: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """The means of `sizes` windows that cover the last dimensions."""
    dims = len(sizes)
    if all(m == 1 for m in sizes):
        return mean(input, tuple(range(-dims, 0)), True)
    return _means(
        input, [_covering_windows(int(n), int(m)) for n, m in zip(input.shape[-dims:], sizes)]
    )


def adaptive_avg_pool1d(input: Tensor, output_size: _Sizes) -> Tensor:
    """The means of `output_size` windows that cover input (N, C, L) or (C, L)."""
    return adaptive_means(input, _adaptive_sizes("adaptive_avg_pool1d", input, 1, output_size))


def adaptive_avg_pool2d(input: Tensor, output_size: _Sizes) -> Tensor:
    """The means of windows that cover input (N, C, H, W) or (C, H, W).

    output_size : one number, or two; None keeps the size. Window i of m over n positions is
        [floor(i n / m), ceil((i + 1) n / m)).
    """
    return adaptive_means(input, _adaptive_sizes("adaptive_avg_pool2d", input, 2, output_size))
