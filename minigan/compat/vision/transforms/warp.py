"""Pictures turned, sheared and seen in perspective: for each output pixel, where in the input its
value is."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....autograd import Tensor, tensor_of
from ....ops import where
from .convert import pil_to_tensor, to_pil_image
from .geometry import as_batch, parse_fill
from .sizes import (
    InterpolationMode,
    as_floats,
    back_to,
    get_dimensions,
    is_tensor,
    mode_of,
    pillow_filter,
)


def inverse_affine_matrix(
    center: Sequence[float],
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Sequence[float],
) -> list[float]:
    """The six numbers that map output pixels to input pixels: (T C R S X C^-1)^-1, where C moves
    the centre to the origin.

    angle, shear : degrees, clockwise; translate : pixels (x, y)
    """
    rot = math.radians(angle)
    sx = math.radians(shear[0])
    sy = math.radians(shear[1])
    (cx, cy), (tx, ty) = center, translate
    a = math.cos(rot - sy) / math.cos(sy)
    b = -math.cos(rot - sy) * math.tan(sx) / math.cos(sy) - math.sin(rot)
    c = math.sin(rot - sy) / math.cos(sy)
    d = -math.sin(rot - sy) * math.tan(sx) / math.cos(sy) + math.cos(rot)
    p = d / scale
    q = -b / scale
    r = -c / scale
    s = a / scale
    return [p, q, p * (-cx - tx) + q * (-cy - ty) + cx, r, s, r * (-cx - tx) + s * (-cy - ty) + cy]


def _base(h: int, w: int, dtype: Any, first: float, last: float) -> np.ndarray:
    """Rows (x, y, 1) of an image's pixels: x from first * w to last * w - 1, each with 1/2 added
    for its centre, y likewise."""
    x, y = (
        np.linspace(first * n + 0.5, last * n - 0.5, n, dtype=np.float32).astype(dtype)
        for n in (w, h)
    )
    return np.stack([np.tile(x, h), np.repeat(y, w), np.ones(h * w, dtype)], 1)


def _float_of(image: Tensor) -> Any:
    return image.dtype if image.dtype in (np.float32, np.float64) else np.dtype(np.float32)


def _sampled(images: Tensor, x: np.ndarray, y: np.ndarray, mode: str) -> tuple[Tensor, Tensor]:
    """The values of `images` (N, C, H, W) at the positions x, y (h, w), in pixels, 0 outside; and
    how much of each is inside, (h, w)."""
    h, w = int(images.shape[-2]), int(images.shape[-1])
    dtype = images.dtype
    if mode == "nearest":
        corners = [(np.rint(x), np.rint(y), np.ones_like(x))]
    else:
        left, top = np.floor(x), np.floor(y)
        right, low = x - left, y - top
        corners = [
            (left + i, top + j, (right if i else 1 - right) * (low if j else 1 - low))
            for j in (0, 1)
            for i in (0, 1)
        ]
    total: Any = 0
    inside: Any = 0
    for i, j, weight in corners:
        weight = np.where((i >= 0) & (i < w) & (j >= 0) & (j < h), weight, 0).astype(dtype)
        rows, columns = (np.clip(k, 0, n - 1).astype(np.int64) for k, n in ((j, h), (i, w)))
        place = tensor_of((rows * w + columns).reshape(-1)).to(images.device)
        values = images.flatten(-2).index_select(-1, place).reshape((*images.shape[:-2], *x.shape))
        share = tensor_of(weight).to(images.device)
        total, inside = total + values * share, inside + share
    return total, inside


def _warped(image: Tensor, grid: np.ndarray, mode: InterpolationMode, fill: Any) -> Tensor:
    """`image` (..., C, H, W) at the positions `grid` (h, w, 2), (x, y) from -1 to 1, the edges,
    with `fill` outside: a grid_sample.

    The arithmetic is torch's to the last digit: where a position is half-way between two pixels,
    rounding says which is nearest.
    """
    if mode.value not in ("nearest", "bilinear"):
        raise ValueError(
            f"interpolation={mode.value!r} is for Pillow pictures; Tensors have nearest and "
            "bilinear"
        )
    channels, height, width = get_dimensions(image)
    if isinstance(fill, (tuple, list)) and len(fill) not in (1, channels):
        raise ValueError(f"fill={fill!r} has {len(fill)} numbers, the image {channels} channels")
    images = as_floats(as_batch(image))
    x, y = (((grid[..., k] + 1) * n - 1) / 2 for k, n in ((0, width), (1, height)))
    out, inside = _sampled(images, x, y, mode.value)
    if fill is not None:
        colour = images.new_tensor(
            list(fill) if isinstance(fill, (tuple, list)) else [float(fill)]
        ).view(-1, 1, 1)
        out = (
            where(inside < 0.5, colour, out)
            if mode.value == "nearest"
            else out * inside + (1 - inside) * colour
        )
    return back_to(image.dtype, out.reshape((*image.shape[:-2], *x.shape)))


def _affine_tensor(
    img: Tensor, matrix: list[float], size: tuple[int, int], mode: InterpolationMode, fill: Any
) -> Tensor:
    """By a matrix for positions in pixels, measured from the middle."""
    _, h, w = get_dimensions(img)
    dtype = _float_of(img)
    theta = np.array(matrix, dtype).reshape(2, 3).T / np.array([0.5 * w, 0.5 * h], dtype)
    return _warped(img, (_base(*size, dtype, -0.5, 0.5) @ theta).reshape(*size, 2), mode, fill)


def _expanded(matrix: list[float], h: int, w: int) -> tuple[int, int]:
    """The (height, width) of a turned image that shows all of it."""
    corners = np.array(
        [[-w / 2, -h / 2, 1], [-w / 2, h / 2, 1], [w / 2, h / 2, 1], [w / 2, -h / 2, 1]], np.float32
    )
    ends = corners @ np.array(matrix, np.float32).reshape(2, 3).T + np.array(
        [w / 2, h / 2], np.float32
    )
    low, high = (
        np.trunc(v / np.float32(1e-4)) * np.float32(1e-4) for v in (ends.min(0), ends.max(0))
    )
    width, height = np.ceil(high) - np.floor(low)
    return int(height), int(width)


def _check_center(center: Any) -> None:
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError(f"center={center!r}: expected a sequence (x, y)")


def rotate(
    img: Any,
    angle: float,
    interpolation: Any = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Any = None,
    fill: Any = None,
) -> Any:
    """Turned by `angle` degrees counterclockwise.

    expand : make the image so large that all of it is seen (turned about its middle)
    center : (x, y) from the upper left corner; default: the middle
    fill : the value of what was outside, one or one a channel; default 0
    """
    mode = mode_of(interpolation)
    if not isinstance(angle, (int, float)):
        raise TypeError(f"rotate: angle={angle!r}: expected a number of degrees")
    _check_center(center)
    if not is_tensor("rotate", img):
        return img.rotate(
            angle, pillow_filter(mode), expand, center, fillcolor=parse_fill(fill, img)
        )
    _, h, w = get_dimensions(img)
    middle = (0.0, 0.0) if center is None else (center[0] - w * 0.5, center[1] - h * 0.5)
    matrix = inverse_affine_matrix(middle, -angle, (0.0, 0.0), 1.0, (0.0, 0.0))
    return _affine_tensor(img, matrix, _expanded(matrix, h, w) if expand else (h, w), mode, fill)


def affine(
    img: Any,
    angle: float,
    translate: Sequence[int],
    scale: float,
    shear: Any,
    interpolation: Any = InterpolationMode.NEAREST,
    fill: Any = None,
    center: Any = None,
) -> Any:
    """Turned by `angle` degrees clockwise, moved by `translate` (x, y), made larger by `scale`,
    sheared by `shear` degrees (x, or x and y).

    center : (x, y) from the upper left corner, what the image is turned about; default: the middle
    fill : the value of what was outside, one or one a channel; default 0
    """
    mode = mode_of(interpolation)
    if not isinstance(angle, (int, float)):
        raise TypeError(f"affine: angle={angle!r}: expected a number of degrees")
    if not isinstance(translate, (list, tuple)):
        raise TypeError(f"affine: translate={translate!r}: expected a sequence (x, y)")
    if len(translate) != 2:
        raise ValueError(f"affine: translate={translate!r}: expected (x, y)")
    if scale <= 0.0:
        raise ValueError(f"affine: scale={scale}: expected a positive number")
    if not isinstance(shear, (numbers.Number, list, tuple)):
        raise TypeError(f"affine: shear={shear!r}: expected a number of degrees, or two")
    shear = (
        [shear, 0.0]
        if isinstance(shear, numbers.Number)
        else [*shear] * (2 if len(shear) == 1 else 1)
    )
    if len(shear) != 2:
        raise ValueError(f"affine: shear={shear!r}: expected a number of degrees, or two")
    _check_center(center)
    _, h, w = get_dimensions(img)
    if not is_tensor("affine", img):
        from PIL import Image

        matrix = inverse_affine_matrix(
            (w * 0.5, h * 0.5) if center is None else center, angle, translate, scale, shear
        )
        return img.transform(
            img.size,
            Image.Transform.AFFINE,
            matrix,
            pillow_filter(mode),
            fillcolor=parse_fill(fill, img),
        )
    middle = (0.0, 0.0) if center is None else (center[0] - w * 0.5, center[1] - h * 0.5)
    return _affine_tensor(
        img, inverse_affine_matrix(middle, angle, translate, scale, shear), (h, w), mode, fill
    )


def _perspective_coefficients(startpoints: Any, endpoints: Any) -> list[float]:
    """The eight numbers of x' = (a x + b y + c) / (g x + h y + 1), y' = (d x + e y + f) / (g x + h
    y + 1), from end points to start."""
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ValueError(
            f"perspective: expected four corners each, got {len(startpoints)} startpoints and "
            f"{len(endpoints)} endpoints"
        )
    rows = []
    for (x, y), (u, v) in zip(endpoints, startpoints):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    found = np.linalg.lstsq(
        np.array(rows, np.float64), np.array(startpoints, np.float64).reshape(8), rcond=None
    )[0]
    return found.astype(np.float32).tolist()


def perspective(
    img: Any,
    startpoints: Any,
    endpoints: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    fill: Any = None,
) -> Any:
    """As seen where the corners `startpoints`, four (x, y), have come to `endpoints`."""
    mode, coefficients = mode_of(interpolation), _perspective_coefficients(startpoints, endpoints)
    if not is_tensor("perspective", img):
        from PIL import Image

        return img.transform(
            img.size,
            Image.Transform.PERSPECTIVE,
            coefficients,
            pillow_filter(mode),
            fillcolor=parse_fill(fill, img),
        )
    _, h, w = get_dimensions(img)
    dtype = _float_of(img)
    above = np.array(coefficients[:6], dtype).reshape(2, 3).T
    below = np.array([*coefficients[6:], 1.0], dtype)
    pixels = _base(h, w, dtype, 0.0, 1.0)
    grid = pixels @ (above / np.array([0.5 * w, 0.5 * h], dtype)) / (pixels @ below)[:, None] - 1
    return _warped(img, grid.reshape(h, w, 2), mode, fill)


def elastic_transform(
    img: Any,
    displacement: Tensor,
    interpolation: Any = InterpolationMode.BILINEAR,
    fill: Any = None,
) -> Any:
    """Each pixel from where `displacement` (1, H, W, 2) says: (x, y), added to its place, in units
    of half the image's size."""
    mode, tensor = mode_of(interpolation), is_tensor("elastic_transform", img)
    _, h, w = get_dimensions(img)
    if not isinstance(displacement, Tensor):
        raise TypeError(
            f"elastic_transform: displacement: expected a Tensor, got {type(displacement).__name__}"
        )
    if tuple(displacement.shape) != (1, h, w, 2):
        raise ValueError(
            f"elastic_transform: displacement: expected shape {(1, h, w, 2)}, got "
            f"{tuple(displacement.shape)}"
        )
    image = img if tensor else pil_to_tensor(img)
    dtype = _float_of(image)
    shift = displacement.detach().cpu().numpy()[0].astype(dtype)
    x, y = (
        np.linspace((1 - n) / n, (n - 1) / n, n, dtype=np.float32).astype(dtype) for n in (w, h)
    )
    grid = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), -1) + shift
    out = _warped(image, grid, mode, fill)
    return out if tensor else to_pil_image(out, img.mode)
