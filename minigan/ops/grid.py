"""Sampling at points: an image is read wherever a grid says, between its pixels (Jaderberg et al.
2015, "Spatial transformer networks").

The value at a point is a sum over the pixels around it, each times a weight for each dimension.
Pixels are gathered, weights are arithmetic with the grid, so that all derivatives are those of
these ops.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, raw
from .activation import hardtanh
from .arithmetic import _where as where
from .arithmetic import clamp, floor, remainder, round
from .max_pooling import plane_gather
from .placement import to
from .product import matmul
from .shape import expand

__all__ = ["affine_grid", "grid_sample"]

MODES, PADDINGS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")


def _reflected(x, low, high):
    """Positions outside mirrored at low and high."""
    if low == high:
        return x * 0
    span = high - low
    x = x - low
    x = where(x < 0, -x, x)
    flips = floor(x / span)
    rest = x - flips * span
    return where(remainder(flips, 2) == 0, rest, span - rest) + low


def _inside(x, n, padding_mode, align_corners):
    """Positions as the padding sees them: all inside [0, n - 1], but for "zeros"."""
    if padding_mode == "zeros":
        return x
    if padding_mode == "reflection":
        x = _reflected(x, 0.0, n - 1.0) if align_corners else _reflected(x, -0.5, n - 0.5)
    return hardtanh(x, 0.0, n - 1.0)


def _cubic(t, a=-0.75):
    """The weights of the four pixels around a point that is t behind the second: Keys 1981, eq. 4
    with a free.
    """
    near = lambda d: ((d * (a + 2) - (a + 3)) * d) * d + 1
    far = lambda d: ((d * a - 5 * a) * d + 8 * a) * d - 4 * a
    return far(t + 1), near(t), near(1 - t), far(2 - t)


def _taps(x, n, mode, padding_mode, align_corners):
    """[(positions of pixels, their weights)] along a dimension of n pixels, at the points x (N,
    points).
    """
    if mode == "bicubic":
        first = floor(x)
        found = [
            (_inside(first + (k - 1), n, padding_mode, align_corners), w)
            for k, w in enumerate(_cubic(x - first))
        ]
    else:
        x = _inside(x, n, padding_mode, align_corners)
        first = round(x) if mode == "nearest" else floor(x)
        share = x - first
        found = (
            [(first, first * 0 + 1)]
            if mode == "nearest"
            else [(first, 1 - share), (first + 1, share)]
        )
    taps = []
    for at, weight in found:
        there = (at >= 0) & (at <= n - 1)
        taps.append(
            (to(clamp(where(there, at, 0.0), 0, n - 1), np.int32), where(there, weight, 0.0))
        )
    return taps


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str | bool = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """input (N, C, H, W) at the points of grid (N, h, w, 2) -> (N, C, h, w); or (N, C, D, H, W),
    (N, d, h, w, 3) -> (N, C, d, h, w).

    grid : points (x, y) or (x, y, z) in [-1, 1]: from the left, upper, front edge of the input to
        the others
    mode : "bilinear" (in 5-D trilinear), "nearest", or "bicubic" (4-D)
    padding_mode : what is outside: "zeros", "border" (the edge pixels), or "reflection" (mirrored
        at the edge)
    align_corners : -1 and 1 are the centres of the edge pixels, not their outer edges (the default)
    """
    shape, dims = tuple(int(n) for n in input.shape), input.ndim - 2
    if mode not in MODES or padding_mode not in PADDINGS:
        known = f"{', '.join(map(repr, MODES))}; {', '.join(map(repr, PADDINGS))}"
        raise ValueError(
            f"grid_sample: mode={mode!r}, padding_mode={padding_mode!r}; expected one of {known}"
        )
    if (
        dims not in (2, 3)
        or grid.ndim != dims + 2
        or grid.shape[-1] != dims
        or grid.shape[0] != shape[0]
    ):
        raise ValueError(
            f"grid_sample: expected input (N, C, H, W) and grid (N, h, w, 2), or (N, C, D, H, "
            f"W) and (N, d, h, w, 3), got shapes {shape} and {tuple(grid.shape)}"
        )
    if mode == "bicubic" and dims != 2:
        raise ValueError(f"grid_sample: mode='bicubic' needs input (N, C, H, W), got shape {shape}")
    if min(shape[1:]) < 1:
        raise ValueError(f"grid_sample: input of shape {shape} has no pixels")
    batch, channels, *sizes = shape
    points = math.prod(grid.shape[1:-1])
    taps = []
    for k, n in enumerate(sizes):  # the grid's last number belongs to the first size
        x = grid[..., dims - 1 - k].reshape(batch, points)
        x = (x + 1) * ((n - 1) / 2) if align_corners else (x + 1) * (n / 2) - 0.5
        taps.append(_taps(x, n, mode, padding_mode, bool(align_corners)))
    planes = input.reshape(batch, channels, 1, math.prod(sizes))
    total = 0
    for corner in itertools.product(*taps):
        index, weight = corner[0]
        for (i, w), n in zip(corner[1:], sizes[1:]):
            index, weight = index * n + i, weight * w
        index = expand(index.reshape(batch, 1, 1, points), (batch, channels, 1, points))
        total = plane_gather(planes, index)[:, :, 0] * weight.reshape(batch, 1, points) + total
    return total.reshape(batch, channels, *grid.shape[1:-1])


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The grid for `grid_sample` that an affine map makes: theta (N, 2, 3) and size (N, C, H, W) ->
    (N, H, W, 2); or theta (N, 3, 4) and size (N, C, D, H, W) -> (N, D, H, W, 3).

    align_corners : as in `grid_sample`
    """
    size = tuple(int(n) for n in size)
    dims = len(size) - 2
    if dims not in (2, 3) or tuple(theta.shape) != (size[0], dims, dims + 1) or min(size) < 1:
        raise ValueError(
            f"affine_grid: expected theta (N, 2, 3) and size (N, C, H, W), or (N, 3, 4) and (N, "
            f"C, D, H, W), all positive, got theta of shape {tuple(theta.shape)}, size={size}"
        )
    array = raw(theta)
    xp = array_module(array)  # made there: a captured step cannot send what is made here
    lines = [xp.linspace(-1, 1, n) if n > 1 else xp.zeros(1) for n in size[2:]]
    if not align_corners:
        lines = [line * ((n - 1) / n) for line, n in zip(lines, size[2:])]
    grid = xp.stack([*xp.meshgrid(*lines, indexing="ij")[::-1], xp.ones(size[2:])], -1)
    base = grid.reshape(1, -1, dims + 1).astype(array.dtype)
    return matmul(base, theta.swapaxes(1, 2)).reshape(size[0], *size[2:], dims)
