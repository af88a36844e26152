"""Functions of pictures, of Pillow or as Tensors (C, H, W), to compose what a data set does with its images.

What is random is drawn from minigan's generator.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd import Tensor, tensor_of
from ..backend import default_generator
from ..backend.elsewhere import complete as _complete

__all__ = [
    "CenterCrop", "Compose", "Grayscale", "InterpolationMode", "Lambda", "Normalize", "PILToTensor", "RandomApply", "RandomCrop",
    "RandomHorizontalFlip", "RandomVerticalFlip", "Resize", "ToPILImage", "ToTensor",
]  # fmt: skip
_complete(__name__)


class InterpolationMode(enum.Enum):
    """How `Resize` finds the values between pixels: Pillow's filters."""

    NEAREST = 0
    LANCZOS = 1
    BILINEAR = 2
    BICUBIC = 3
    BOX = 4
    HAMMING = 5


def _pair(size: Any) -> tuple[int, int]:
    """(height, width) of one number or two."""
    if isinstance(size, int):
        return size, size
    return (int(size[0]), int(size[-1]))


def _size(image: Any) -> tuple[int, int]:
    return (image.shape[-2], image.shape[-1]) if isinstance(image, Tensor) else (image.height, image.width)


def _cut(image: Any, top: int, left: int, height: int, width: int) -> Any:
    """A part of an image; what lies outside is 0."""
    if not isinstance(image, Tensor):
        return image.crop((left, top, left + width, top + height))
    h, w = _size(image)
    if top >= 0 and left >= 0 and top + height <= h and left + width <= w:
        return image[..., top : top + height, left : left + width]
    out = image.new_zeros(*image.shape[:-2], height, width)
    a, b, c, d = max(top, 0), min(top + height, h), max(left, 0), min(left + width, w)
    out[..., a - top : b - top, c - left : d - left] = image[..., a:b, c:d]
    return out


def _chance(p: float) -> bool:
    return bool(default_generator.uniform((1,))[0] < p)


class _Transform:
    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


class Compose(_Transform):
    """One transform after the other."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]):
        self.transforms = transforms

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image


class Lambda(_Transform):
    """Any function."""

    def __init__(self, lambd: Callable[[Any], Any]):
        self.lambd = lambd

    def __call__(self, image: Any) -> Any:
        return self.lambd(image)


class RandomApply(_Transform):
    """All of these transforms with probability p, else none."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5):
        self.transforms, self.p = transforms, p

    def __call__(self, image: Any) -> Any:
        if _chance(self.p):
            for transform in self.transforms:
                image = transform(image)
        return image


class PILToTensor(_Transform):
    """A picture as a Tensor (C, H, W) of its values: uint8, for 16 and 32 bits int32, for floats float32."""

    def __call__(self, image: Any) -> Tensor:
        if image.mode in ("1", "P", "CMYK", "YCbCr", "HSV", "LAB"):
            image = image.convert("L" if image.mode == "1" else "RGB")
        array = np.array(image)
        if array.dtype == np.uint16:
            array = array.astype(np.int32)
        array = array[:, :, None] if array.ndim == 2 else array
        return tensor_of(np.ascontiguousarray(array.transpose(2, 0, 1)))


class ToTensor(_Transform):
    """A picture, or an array (H, W, C) or (H, W), as a float32 Tensor (C, H, W); bytes become [0, 1], other numbers stay."""

    def __call__(self, image: Any) -> Tensor:
        if isinstance(image, np.ndarray):
            image = image[:, :, None] if image.ndim == 2 else image
            pixels = tensor_of(np.ascontiguousarray(image.transpose(2, 0, 1)))
        else:
            pixels = PILToTensor()(image)
        return pixels.float() / 255 if pixels.dtype == np.uint8 else pixels


class ToPILImage(_Transform):
    """A Tensor (C, H, W), floats in [0, 1] or bytes, or such an array (H, W, C), as a picture."""

    def __init__(self, mode: str | None = None):
        self.mode = mode

    def __call__(self, image: Any) -> Any:
        from PIL import Image

        if isinstance(image, Tensor):
            image = image.detach().cpu().array
            image = image.transpose(1, 2, 0) if image.ndim == 3 else image
        if image.dtype.kind == "f":
            image = (image * 255).astype(np.uint8)
        picture = Image.fromarray(image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image)
        return picture if self.mode is None else picture.convert(self.mode)


class Normalize(_Transform):
    """(x - mean) / std, for each channel of a Tensor (..., C, H, W)."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False):
        self.mean, self.std, self.inplace = mean, std, inplace

    def __call__(self, image: Tensor) -> Tensor:
        if not isinstance(image, Tensor) or not image.is_floating_point():
            kind = getattr(image, "dtype", type(image).__name__)
            raise TypeError(f"Normalize: expected a Tensor of floats, got {kind}; put ToTensor() before")
        mean, std = (image.new_tensor(list(v) if isinstance(v, (list, tuple)) else [v]).view(-1, 1, 1) for v in (self.mean, self.std))
        if (std == 0).any():
            raise ValueError(f"Normalize: std={self.std} has a 0")
        return image.sub_(mean).div_(std) if self.inplace else (image - mean) / std


class Resize(_Transform):
    """To (height, width), or with one number so that the shorter side has it. A picture, or a Tensor of bytes or of floats.

    interpolation : an InterpolationMode or Pillow's number of one; downscaling averages over the pixels it covers
    """

    def __init__(
        self, size: Any, interpolation: Any = InterpolationMode.BILINEAR, max_size: int | None = None, antialias: bool | None = True
    ):  # fmt: skip
        self.size, self.interpolation, self.max_size = size, interpolation, max_size

    def __call__(self, image: Any) -> Any:
        from PIL import Image

        h, w = _size(image)
        if isinstance(self.size, int) or len(self.size) == 1:
            side = self.size if isinstance(self.size, int) else self.size[0]
            height, width = (side, int(side * w / h)) if h <= w else (int(side * h / w), side)
            if self.max_size is not None and max(height, width) > self.max_size:
                short = int(self.max_size * min(height, width) / max(height, width))
                height, width = (short, self.max_size) if h <= w else (self.max_size, short)
        else:
            height, width = self.size
        if (height, width) == (h, w):
            return image
        way = Image.Resampling(getattr(self.interpolation, "value", self.interpolation))
        if not isinstance(image, Tensor):
            return image.resize((width, height), way)
        planes = image.detach().cpu().array.reshape(-1, h, w)
        resized = np.stack([np.asarray(Image.fromarray(p.astype(np.float32)).resize((width, height), way)) for p in planes])
        if image.dtype == np.uint8:
            resized = np.clip(np.rint(resized), 0, 255)
        return tensor_of(resized.reshape(*image.shape[:-2], height, width).astype(image.dtype, copy=False)).to(image.device)


class CenterCrop(_Transform):
    """The middle (height, width) of an image; a smaller one gets a black border."""

    def __init__(self, size: Any):
        self.size = size

    def __call__(self, image: Any) -> Any:
        (h, w), (height, width) = _size(image), _pair(self.size)
        top, left = (round(spare / 2) if spare >= 0 else -(-spare // 2) for spare in (h - height, w - width))
        return _cut(image, top, left, height, width)


class RandomCrop(_Transform):
    """A part of (height, width) at a random place; `padding` black pixels are first put around the image."""

    def __init__(self, size: Any, padding: int | None = None, pad_if_needed: bool = False):
        self.size, self.padding, self.pad_if_needed = size, padding, pad_if_needed

    def __call__(self, image: Any) -> Any:
        (h, w), (height, width), pad = _size(image), _pair(self.size), self.padding or 0
        spare = [h + 2 * pad - height, w + 2 * pad - width]
        if min(spare) < 0 and not self.pad_if_needed:
            raise ValueError(f"RandomCrop: ({height}, {width}) does not fit into an image of ({h}, {w}) with padding {pad}")
        top, left = (int(default_generator.integers(min(s, 0), max(s, 0) + 1, (1,))[0]) - pad for s in spare)
        return _cut(image, top, left, height, width)


class RandomHorizontalFlip(_Transform):
    """Left and right exchanged with probability p."""

    def __init__(self, p: float = 0.5):
        self.p = p

    def __call__(self, image: Any) -> Any:
        return _flipped(image, -1) if _chance(self.p) else image


class RandomVerticalFlip(_Transform):
    """Up and down exchanged with probability p."""

    def __init__(self, p: float = 0.5):
        self.p = p

    def __call__(self, image: Any) -> Any:
        return _flipped(image, -2) if _chance(self.p) else image


def _flipped(image: Any, dim: int) -> Any:
    if isinstance(image, Tensor):
        return image.flip(dim)
    from PIL import Image

    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT if dim == -1 else Image.Transpose.FLIP_TOP_BOTTOM)


class Grayscale(_Transform):
    """Grey: 0.299 R + 0.587 G + 0.114 B (ITU-R 601), as one channel or three equal ones."""

    def __init__(self, num_output_channels: int = 1):
        self.num_output_channels = num_output_channels

    def __call__(self, image: Any) -> Any:
        if not isinstance(image, Tensor):
            grey = image.convert("L")
            return grey if self.num_output_channels == 1 else grey.convert("RGB")
        if image.shape[-3] == 3:
            red, green, blue = (image[..., c : c + 1, :, :].float() for c in range(3))
            image = (red * 0.2989 + green * 0.587 + blue * 0.114).to(image.dtype)
        return image if self.num_output_channels == 1 else image.repeat(*[1] * (image.ndim - 3), 3, 1, 1)
