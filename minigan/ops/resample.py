"""Images made larger or smaller: interpolation (linear maps along each dimension, see taps.py), and
pixels to channels and back."""

import functools
import math
from collections.abc import Sequence

import numpy as np

from ..autograd import Tensor
from ..autograd._types import Ints
from .pooling import adaptive_means, numbers
from .shape import owned, permute
from .taps import apply_taps, identity_taps, taps

__all__ = ["interpolate", "pixel_shuffle", "pixel_unshuffle"]

# the modes that are not for 1 to 3 dimensions
DIMS = {"linear": (1,), "bilinear": (2,), "trilinear": (3,), "bicubic": (2,)}
MODES = ("nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area")


def _step(n, m, factor, align):
    """How far apart in the input two neighbours in the output are."""
    if align:
        return (n - 1) / (m - 1) if m > 1 else 0.0
    return n / m if factor is None else 1 / factor


@functools.lru_cache(maxsize=64)
def _nearest_taps(n, m, factor, exact):
    # in float32 as in torch: rounding decides which one is taken
    i = np.arange(m, dtype=np.float32)
    step = np.float32(_step(n, m, factor, False))
    return taps(
        m,
        n,
        range(m),
        np.minimum(((i + np.float32(0.5) if exact else i) * step).astype(int), n - 1),
    )


def _positions(n, m, factor, align):
    """Where in the input, in units of its pixels, the centres of the output's pixels are."""
    step = _step(n, m, factor, align)
    return np.arange(m) * step if align else (np.arange(m) + 0.5) * step - 0.5


@functools.lru_cache(maxsize=64)
def _linear_taps(n, m, factor, align):
    at = np.maximum(_positions(n, m, factor, align), 0)
    low = np.minimum(at.astype(int), n - 1)
    share = np.clip(at - low, 0, 1)  # of the neighbour above
    both = np.concatenate([low, np.minimum(low + 1, n - 1)])
    return taps(m, n, np.tile(np.arange(m), 2), both, np.concatenate([1 - share, share]))


@functools.lru_cache(maxsize=64)
def _cubic_taps(n, m, factor, align, a=-0.75):
    """Keys 1981, eq. 4 with a free: a cubic spline through 4 neighbours; those outside are the edge
    elements."""
    at = _positions(n, m, factor, align)
    low = np.floor(at).astype(int)
    source, weight = [], []
    for k in range(-1, 3):
        d = np.abs(at - (low + k))
        near, far = ((a + 2) * d - (a + 3)) * d * d + 1, ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        source.append(np.clip(low + k, 0, n - 1))
        weight.append(np.where(d <= 1, near, far))
    return taps(m, n, np.tile(np.arange(m), 4), np.concatenate(source), np.concatenate(weight))


@functools.lru_cache(maxsize=64)
def _wide_taps(mode, n, m, factor, align):
    """antialias: the weights of neighbours as for an image made larger, stretched over all the
    input pixels that an output pixel covers.

    As Pillow has it: a triangle, or Keys' cubic with a = -1/2; weights add up to 1 at the edges
    too.
    """
    step = _step(n, m, factor, align)
    stretch = max(step, 1.0)
    reach = stretch * (2 if mode == "bicubic" else 1)
    output = []
    source = []
    weight = []
    for o in range(m):
        centre = step * (o + 0.5)
        at = np.arange(max(int(centre - reach + 0.5), 0), min(int(centre + reach + 0.5), n))
        d = np.abs(at - centre + 0.5) / stretch
        if mode == "bicubic":
            w = np.where(
                d < 1,
                (1.5 * d - 2.5) * d * d + 1,
                np.where(d < 2, ((-0.5 * d + 2.5) * d - 4) * d + 2, 0),
            )
        else:
            w = np.maximum(1 - d, 0)
        output += [o] * len(at)
        source += at.tolist()
        weight += (w / w.sum()).tolist()
    return taps(m, n, output, source, weight)


def _taps_of(mode, n, m, factor, align, antialias=False):
    if antialias:
        return _wide_taps(mode, n, m, factor, align)
    if m == n and factor in (None, 1):
        return identity_taps(n)
    if mode in ("nearest", "nearest-exact"):
        return _nearest_taps(n, m, factor, mode == "nearest-exact")
    return (_cubic_taps if mode == "bicubic" else _linear_taps)(n, m, factor, align)


def interpolate(
    input: Tensor,
    size: Ints | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """`input` (N, C, L), (N, C, H, W) or (N, C, D, H, W) resampled to `size`, or by `scale_factor`,
    as torch does.

    size, scale_factor : one number, or one for each dimension after C; give one of the two. The
        size becomes floor(n * factor)
    mode : "nearest", "nearest-exact", "area" (means of windows, adaptive_avg_pool), "linear" (3-D
        input), "bilinear", "bicubic" (4-D) or "trilinear" (5-D)
    align_corners : for the (.)linear and bicubic modes: map the centres of the corner pixels on
        each other, instead of the corners
    antialias : for "bilinear" and "bicubic": an output pixel is a weighted mean of all the input
        pixels that it covers
    recompute_scale_factor : take the pixel distance from the rounded sizes and not from
        scale_factor
    """
    shape, dims = tuple(int(n) for n in input.shape), input.ndim - 2
    if mode not in MODES:
        raise ValueError(
            f"interpolate: mode={mode!r}; expected one of {', '.join(map(repr, MODES))}"
        )
    if dims not in DIMS.get(mode, (1, 2, 3)):
        wanted = " or ".join(str(d + 2) for d in DIMS.get(mode, (1, 2, 3)))
        raise ValueError(
            f"interpolate: mode={mode!r} needs input of {wanted} dimensions (N, C, ...), got "
            f"shape {shape}"
        )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(
            f"interpolate: antialias=True is for mode='bilinear' and 'bicubic', not mode={mode!r}"
        )
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ValueError(f"interpolate: align_corners has no meaning with mode={mode!r}")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give size or scale_factor, and not both")
    factors = [None] * dims
    if size is not None:
        if recompute_scale_factor:
            raise ValueError("interpolate: recompute_scale_factor has no meaning with size")
        sizes = numbers("interpolate", "size", size, dims, 1)
    else:
        factors = (
            list(scale_factor) if isinstance(scale_factor, (tuple, list)) else [scale_factor] * dims
        )
        if len(factors) != dims or not all(f > 0 for f in factors):
            raise ValueError(
                f"interpolate: scale_factor={scale_factor!r}, expected a positive number, or one "
                f"for each of {dims} dimensions"
            )
        sizes = [math.floor(n * f) for n, f in zip(shape[2:], factors)]
        if not all(sizes):
            raise ValueError(
                f"interpolate: scale_factor={scale_factor!r} leaves nothing of input of shape "
                f"{shape}"
            )
        factors = [None] * dims if recompute_scale_factor else [float(f) for f in factors]
    if mode == "area":
        return adaptive_means(input, sizes)
    maps = [
        _taps_of(mode, n, int(m), f, bool(align_corners), bool(antialias))
        for n, m, f in zip(shape[2:], sizes, factors)
    ]
    if input.dtype.kind == "f" or mode.startswith("nearest"):
        return apply_taps(input, *maps)
    if input.dtype != np.uint8:
        raise TypeError(
            f"interpolate: mode={mode!r} is for floats and uint8, input is {input.dtype}: convert "
            "it with .float()"
        )
    # along one dimension after the other, rounded in between: as Pillow and torch do it
    for k in range(dims)[::-1]:
        one = [
            m if i == k else identity_taps(n) for i, (m, n) in enumerate(zip(maps, input.shape[2:]))
        ]
        input = (apply_taps(input.to(np.float32), *one) + 0.5).floor().clamp(0, 255).to(np.uint8)
    return input


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., C r^2, H, W) -> (..., C, H r, W r), r = upscale_factor: channel c r^2 + i r + j becomes
    pixel (i, j) of each block.

    Shi et al. 2016, eq. 4.
    """
    r = upscale_factor
    shape = tuple(input.shape)
    if len(shape) < 3 or r < 1 or shape[-3] % (r * r):
        raise ValueError(
            f"pixel_shuffle: expected input (..., C, H, W), C a multiple of {r}^2, got shape "
            f"{shape}"
        )
    *lead, c, h, w = shape
    n = len(lead)
    x = input.reshape((*lead, c // (r * r), r, r, h, w))
    x = permute(x, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return owned(x.reshape((*lead, c // (r * r), h * r, w * r)), input)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(..., C, H r, W r) -> (..., C r^2, H, W), r = downscale_factor: the reverse of
    `pixel_shuffle`."""
    r = downscale_factor
    shape = tuple(input.shape)
    if len(shape) < 3 or r < 1 or shape[-2] % r or shape[-1] % r:
        raise ValueError(
            f"pixel_unshuffle: expected input (..., C, H, W), H and W multiples of {r}, got shape "
            f"{shape}"
        )
    *lead, c, h, w = shape
    n = len(lead)
    x = input.reshape((*lead, c, h // r, r, w // r, r))
    x = permute(x, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return owned(x.reshape((*lead, c * r * r, h // r, w // r)), input)
