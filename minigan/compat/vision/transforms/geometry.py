"""Pictures made larger, smaller, cut, bordered and mirrored."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from ....autograd import OpError, Tensor, tensor_of
from ....nn import functional as nnf
from ....ops import stack
from .sizes import (
    InterpolationMode,
    as_floats,
    back_to,
    get_dimensions,
    is_tensor,
    mode_of,
    pillow_filter,
    size_pair,
    warn,
)

PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


def as_batch(image: Tensor) -> Tensor:
    """(N, C, H, W) of a Tensor (..., H, W): so many images."""
    c, h, w = get_dimensions(image)
    return image.reshape((-1, c, h, w))


def resized_size(size: tuple[int, int], wanted: Any, max_size: int | None) -> tuple[int, int]:
    """The (height, width) that an image of (height, width) `size` gets; `wanted` is (height,
    width), or the length of the shorter side.

    max_size : of the longer side; with wanted=None it gets that length
    """
    h, w = size
    short, long = min(h, w), max(h, w)
    if wanted is not None and not isinstance(wanted, int):
        if len(wanted) not in (1, 2):
            raise ValueError(f"size={wanted!r}: expected one number, or two: (height, width)")
        if len(wanted) == 2:
            if max_size is not None:
                raise ValueError(
                    f"max_size={max_size}: only for a size of one number, got {tuple(wanted)}"
                )
            return int(wanted[0]), int(wanted[1])
        wanted = wanted[0]
    if wanted is None:
        if max_size is None:
            raise ValueError("size=None: give max_size")
        short, long = int(max_size * short / long), max_size
    else:
        short, long = int(wanted), int(wanted * long / short)
        if max_size is not None:
            if max_size <= wanted:
                raise ValueError(
                    f"max_size={max_size} must be larger than size={wanted}, the length of the "
                    "shorter side"
                )
            if long > max_size:
                short, long = int(max_size * short / long), max_size
    return (long, short) if w <= h else (short, long)


def resize(
    img: Any,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """To (height, width), or with one number so that the shorter side has it.

    interpolation : an InterpolationMode or Pillow's number of one; for Tensors nearest,
        nearest-exact, bilinear or bicubic
    max_size : at most so long may the longer side become; the shorter one is then less than `size`
    antialias : average over all pixels that one covers when a Tensor is made smaller (pictures
        always are)
    """
    mode, tensor = mode_of(interpolation), is_tensor("resize", img)
    _, h, w = get_dimensions(img)
    height, width = resized_size((h, w), size, max_size)
    if (height, width) == (h, w):
        return img
    if not tensor:
        if antialias is False:
            warn("resize: pictures of Pillow are always antialiased; antialias=False has no effect")
        return img.resize((width, height), pillow_filter(mode))
    if mode.value not in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        raise ValueError(
            f"resize: interpolation={mode.value!r} is for Pillow pictures; Tensors have nearest, "
            "bilinear, bicubic"
        )
    smooth = mode.value in ("bilinear", "bicubic")
    y = nnf.interpolate(
        as_floats(as_batch(img)),
        (height, width),
        mode=mode.value,
        align_corners=False if smooth else None,
        antialias=bool(antialias) and smooth,
    )
    if mode.value == "bicubic" and img.dtype == np.uint8:
        y = y.clamp(0, 255)
    return back_to(img.dtype, y.reshape((*img.shape[:-2], height, width)))


def _borders(padding: Any) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of one number, two (left and right, top and bottom) or four."""
    if isinstance(padding, (int, np.integer)):
        padding = (padding,)
    if not isinstance(padding, (tuple, list)):
        raise TypeError(f"pad: padding={padding!r}: expected a number or a sequence of 1, 2 or 4")
    if len(padding) not in (1, 2, 4):
        raise ValueError(
            f"pad: padding={padding!r}: expected a number or a sequence of 1, 2 or 4, got "
            f"{len(padding)}"
        )
    left, top, right, bottom = (*padding,) * (4 // len(padding))
    return int(left), int(top), int(right), int(bottom)


def pad(img: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """A border around the image; negative numbers cut.

    padding : one number, (left and right, top and bottom), or (left, top, right, bottom)
    fill : the value of a constant border, one or one a channel
    padding_mode : "constant"; "edge": as the pixels at the edge; "reflect": mirrored at them;
        "symmetric": mirrored with them
    """
    left, top, right, bottom = _borders(padding)
    fill = 0 if fill is None else fill
    if not isinstance(fill, (numbers.Number, tuple, list)):
        raise TypeError(f"pad: fill={fill!r}: expected a number, or one for each channel")
    if padding_mode not in PADDING_MODES:
        raise ValueError(
            f"pad: padding_mode={padding_mode!r}: expected one of "
            f"{', '.join(map(repr, PADDING_MODES))}"
        )
    if not is_tensor("pad", img):
        return _pad_picture(img, (left, top, right, bottom), fill, padding_mode)
    if padding_mode == "constant":
        return _pad_constant(img, (left, right, top, bottom), fill)
    img = img[
        ...,
        max(-top, 0) : img.shape[-2] - max(-bottom, 0),
        max(-left, 0) : img.shape[-1] - max(-right, 0),
    ]
    for dim, before, after in ((-2, top, bottom), (-1, left, right)):
        if max(before, after) > 0:
            places = _mirrored(int(img.shape[dim]), max(before, 0), max(after, 0), padding_mode)
            img = img.index_select(dim, tensor_of(places).to(img.device))
    return img


def _mirrored(n: int, before: int, after: int, mode: str) -> np.ndarray:
    """Which of n pixels stand in a line of before + n + after."""
    if mode == "reflect" and max(before, after) >= n:
        raise OpError(
            f"pad: padding_mode='reflect' can add at most {n - 1} pixels on a side of {n}, asked "
            f"for ({before}, {after})"
        )
    return np.pad(np.arange(n), (before, after), mode)  # type: ignore[call-overload]


def _pad_constant(img: Tensor, borders: tuple[int, int, int, int], fill: Any) -> Tensor:
    if not isinstance(fill, (tuple, list)) or len(fill) == 1:
        return nnf.pad(img, borders, value=fill[0] if isinstance(fill, (tuple, list)) else fill)
    if len(fill) != get_dimensions(img)[0]:
        raise ValueError(
            f"pad: fill={fill!r} has {len(fill)} numbers, the image {get_dimensions(img)[0]} "
            "channels"
        )
    return stack(
        [nnf.pad(img[..., c, :, :], borders, value=value) for c, value in enumerate(fill)], -3
    )


def parse_fill(fill: Any, img: Any) -> Any:
    """As Pillow wants it: a number for one channel, a tuple of integers for several (floats for
    mode F)."""
    fill, channels = 0 if fill is None else fill, len(img.getbands())
    if isinstance(fill, (int, float)) and channels > 1:
        fill = (fill,) * channels
    if isinstance(fill, (list, tuple)):
        if len(fill) not in (1, channels):
            raise ValueError(
                f"fill={fill!r} has {len(fill)} numbers, the picture {channels} channels"
            )
        fill = tuple(fill) * (channels // len(fill))
    if img.mode == "F":
        return fill
    return tuple(int(x) for x in fill) if isinstance(fill, tuple) else int(fill)


def _pad_picture(img: Any, borders: tuple[int, int, int, int], fill: Any, mode: str) -> Any:
    from PIL import Image, ImageOps

    left, top, right, bottom = borders
    palette = img.getpalette() if img.mode == "P" else None
    if mode == "constant":
        padded = ImageOps.expand(img, borders, parse_fill(fill, img))
    else:
        img = img.crop(
            (max(-left, 0), max(-top, 0), img.width - max(-right, 0), img.height - max(-bottom, 0))
        )
        array = np.asarray(img)
        around = ((max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0)), (0, 0))
        padded = Image.fromarray(np.pad(array, around[: array.ndim], mode))  # type: ignore[call-overload]
    if palette is not None:
        padded.putpalette(palette)
    return padded


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """The part of (height, width) whose upper left corner is at (top, left); what lies outside is
    0."""
    if not is_tensor("crop", img):
        return img.crop((left, top, left + width, top + height))
    h, w = int(img.shape[-2]), int(img.shape[-1])
    bottom, right = top + height, left + width
    inside = img[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if top >= 0 and left >= 0 and bottom <= h and right <= w:
        return inside
    before_x, before_y = max(-left + min(0, right), 0), max(-top + min(0, bottom), 0)
    return nnf.pad(
        inside, (before_x, max(right - max(w, left), 0), before_y, max(bottom - max(h, top), 0))
    )


def center_crop(img: Any, output_size: Any) -> Any:
    """The middle (height, width) of an image; a smaller one gets a black border."""
    (_, h, w), (height, width) = get_dimensions(img), size_pair("output_size", output_size)
    if width > w or height > h:
        x, y = max(width - w, 0), max(height - h, 0)
        img = pad(img, (x // 2, y // 2, (x + 1) // 2, (y + 1) // 2))
        _, h, w = get_dimensions(img)
        if (height, width) == (h, w):
            return img
    return crop(img, round((h - height) / 2.0), round((w - width) / 2.0), height, width)


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """`crop`, then `resize`."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def _flipped(name: str, img: Any, dim: int) -> Any:
    if is_tensor(name, img):
        return img.flip(dim)
    from PIL import Image

    return img.transpose(
        Image.Transpose.FLIP_LEFT_RIGHT if dim == -1 else Image.Transpose.FLIP_TOP_BOTTOM
    )


def hflip(img: Any) -> Any:
    """Left and right exchanged."""
    return _flipped("hflip", img, -1)


def vflip(img: Any) -> Any:
    """Up and down exchanged."""
    return _flipped("vflip", img, -2)


def five_crop(img: Any, size: Any) -> tuple[Any, Any, Any, Any, Any]:
    """The parts of (height, width) in the corners (upper left, upper right, lower left, lower
    right) and the middle."""
    (_, h, w), (height, width) = get_dimensions(img), size_pair("size", size)
    if width > w or height > h:
        raise ValueError(
            f"five_crop: size=({height}, {width}) is larger than the image, ({h}, {w})"
        )
    corners = [
        crop(img, top, left, height, width) for top in (0, h - height) for left in (0, w - width)
    ]
    return corners[0], corners[1], corners[2], corners[3], center_crop(img, (height, width))


def ten_crop(img: Any, size: Any, vertical_flip: bool = False) -> tuple[Any, ...]:
    """`five_crop` of the image and of the mirrored image."""
    return five_crop(img, size) + five_crop(vflip(img) if vertical_flip else hflip(img), size)
