"""Ways to resample, sizes, and which kind of picture it is: what the functions of pictures
share."""

from __future__ import annotations

import enum
import warnings
from typing import Any

import numpy as np

from ....autograd import Tensor


class InterpolationMode(enum.Enum):
    """How the values between pixels are found."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


_PILLOW = {
    "nearest": 0,
    "nearest-exact": 0,
    "lanczos": 1,
    "bilinear": 2,
    "bicubic": 3,
    "box": 4,
    "hamming": 5,
}
_NAMES = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]


def mode_of(interpolation: Any) -> InterpolationMode:
    """The mode of Pillow's number, or itself."""
    if isinstance(interpolation, int) and 0 <= interpolation < len(_NAMES):
        return InterpolationMode(_NAMES[interpolation])
    if not isinstance(interpolation, InterpolationMode):
        raise TypeError(
            f"interpolation={interpolation!r}: expected an InterpolationMode, or Pillow's number "
            "of one"
        )
    return interpolation


def pillow_filter(interpolation: InterpolationMode) -> Any:
    from PIL import Image

    return Image.Resampling(_PILLOW[interpolation.value])


def is_tensor(name: str, image: Any) -> bool:
    """True for a Tensor (..., H, W), False for a picture of Pillow; TypeError for anything else."""
    if isinstance(image, Tensor):
        if image.ndim < 2:
            raise TypeError(
                f"{name}: a Tensor (..., C, H, W) was expected, got shape {tuple(image.shape)}"
            )
        return True
    from PIL import Image

    if not isinstance(image, Image.Image):
        hint = "; put ToTensor() or ToPILImage() before" if isinstance(image, np.ndarray) else ""
        raise TypeError(
            f"{name}: expected a Pillow picture or a Tensor, got {type(image).__name__}{hint}"
        )
    return False


def get_dimensions(img: Any) -> list[int]:
    """[channels, height, width]."""
    if is_tensor("get_dimensions", img):
        return [int(img.shape[-3]) if img.ndim > 2 else 1, int(img.shape[-2]), int(img.shape[-1])]
    return [len(img.getbands()), img.height, img.width]


def get_image_size(img: Any) -> list[int]:
    """[width, height]."""
    return get_dimensions(img)[:0:-1]


def get_image_num_channels(img: Any) -> int:
    """The number of channels."""
    return get_dimensions(img)[0]


def size_pair(name: str, size: Any) -> tuple[int, int]:
    """(height, width) of one number or two."""
    if isinstance(size, (int, float, np.integer)):
        return int(size), int(size)
    if len(size) == 1:
        return int(size[0]), int(size[0])
    if len(size) != 2:
        raise ValueError(f"{name}={size!r}: expected one number, or two: (height, width)")
    return int(size[0]), int(size[1])


def check_channels(name: str, image: Tensor, permitted: tuple[int, ...] = (1, 3)) -> int:
    channels = int(image.shape[-3]) if image.ndim > 2 else 1
    if channels not in permitted:
        wanted = f"a Tensor (..., C, H, W) of {' or '.join(map(str, permitted))} channels"
        raise TypeError(f"{name}: expected {wanted}, got shape {tuple(image.shape)}")
    return channels


def limit_of(dtype: Any) -> float:
    """The value of white: 1 for floats, the largest for integers."""
    dtype = np.dtype(dtype)
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0


def as_floats(image: Tensor) -> Tensor:
    """float32, unless it is float32 or float64."""
    return image if image.dtype in (np.float32, np.float64) else image.float()


def back_to(dtype: Any, image: Tensor) -> Tensor:
    """In the dtype it had, integers rounded."""
    dtype = np.dtype(dtype)
    if image.dtype == dtype:
        return image
    return (image.round() if dtype.kind in "iu" else image).to(dtype)


def warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=3)
