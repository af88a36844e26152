"""The functions of `transforms.functional`, and the newer names."""

from __future__ import annotations

from typing import Any

import numpy as np

from .....autograd import Tensor, tensor_of
from .....ops import randn_like
from ...tv_tensors import Image
from ..functional import __all__ as _names
from ..functional import convert_image_dtype as convert_image_dtype
from ..functional import (
    elastic_transform,
    get_dimensions,
    get_image_num_channels,
    hflip,
    pil_to_tensor,
    rgb_to_grayscale,
    vflip,
)
from ..sizes import as_floats, limit_of

horizontal_flip, vertical_flip = hflip, vflip
elastic = elastic_transform
get_num_channels = get_image_num_channels


def get_size(inpt: Any) -> list[int]:
    """[height, width]."""
    return get_dimensions(inpt)[1:]


def to_image(inpt: Any) -> Image:
    """A picture, an array (H, W, C) or a Tensor as an `Image` (C, H, W), values and dtype
    unchanged."""
    if isinstance(inpt, np.ndarray):
        return Image(tensor_of(np.ascontiguousarray(np.atleast_3d(inpt).transpose(2, 0, 1))))
    return Image(inpt if isinstance(inpt, Tensor) else pil_to_tensor(inpt))


def to_dtype(inpt: Tensor, dtype: Any = np.float32, scale: bool = False) -> Tensor:
    """In another dtype; with scale=True so that white stays white."""
    return convert_image_dtype(inpt, dtype) if scale else inpt.to(dtype)


def to_grayscale(inpt: Any, num_output_channels: int = 1) -> Any:
    """As `rgb_to_grayscale`."""
    return rgb_to_grayscale(inpt, num_output_channels)


def grayscale_to_rgb(image: Any) -> Any:
    """Grey as three equal channels; others stay."""
    if isinstance(image, Tensor):
        return rgb_to_grayscale(image, 3) if image.shape[-3] == 1 else image
    return image if image.mode == "RGB" else image.convert("RGB")


def gaussian_noise(
    inpt: Tensor, mean: float = 0.0, sigma: float = 0.1, clip: bool = True
) -> Tensor:
    """With normal noise added; mean, sigma in units of white."""
    if sigma < 0:
        raise ValueError(f"gaussian_noise: sigma={sigma}: expected a number of at least 0")
    if not inpt.is_floating_point() and inpt.dtype != np.uint8:
        raise ValueError(f"gaussian_noise: expected a Tensor of floats or uint8, got {inpt.dtype}")
    white, x = limit_of(inpt.dtype), as_floats(inpt)
    noisy = x + (randn_like(x) * sigma + mean) * white
    return (noisy.clamp(0, white) if clip else noisy).to(inpt.dtype)


__all__ = [
    *_names, "elastic", "gaussian_noise", "get_num_channels", "get_size", "grayscale_to_rgb",
    "horizontal_flip", "to_dtype", "to_image", "vertical_flip",
]  # fmt: skip
