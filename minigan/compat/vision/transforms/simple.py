"""Transforms without chance."""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ....autograd import Tensor
from . import functional as F
from .base import Transform, described, listed
from .geometry import PADDING_MODES
from .sizes import InterpolationMode, mode_of, size_pair


class Compose:
    """One transform after the other."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]):
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return listed(self)


class ToTensor:
    """A picture, or an array (H, W, C) or (H, W), as a float32 Tensor (C, H, W); bytes become [0,
    1], other numbers stay."""

    def __call__(self, pic: Any) -> Tensor:
        return F.to_tensor(pic)

    def __repr__(self) -> str:
        return described(self, ())


class PILToTensor:
    """A picture as a Tensor (C, H, W) of its values: uint8, for 16 and 32 bits int32, for floats
    float32."""

    def __call__(self, pic: Any) -> Tensor:
        return F.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return described(self, ())


class ConvertImageDtype(Transform):
    """A Tensor in another dtype, scaled so that white stays white."""

    shown = ("dtype",)

    def __init__(self, dtype: Any):
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        return F.convert_image_dtype(image, self.dtype)


class ToPILImage:
    """A Tensor (C, H, W), floats in [0, 1] or bytes, or such an array (H, W, C), as a picture.

    mode : Pillow's; default: by the channels
    """

    def __init__(self, mode: str | None = None):
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return described(self, () if self.mode is None else ("mode",))


class Normalize(Transform):
    """(x - mean) / std, for each channel of a Tensor (..., C, H, W)."""

    shown = ("mean", "std")

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False):
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def forward(self, tensor: Tensor) -> Tensor:
        return F.normalize(tensor, self.mean, self.std, self.inplace)


class Resize(Transform):
    """To (height, width), or with one number so that the shorter side has it; see
    `functional.resize`."""

    shown = ("size", "interpolation", "max_size", "antialias")

    def __init__(
        self,
        size: Any,
        interpolation: Any = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ):
        super().__init__()
        if not isinstance(size, (int, Sequence)) or isinstance(size, str):
            raise TypeError(f"Resize: size={size!r}: expected one number, or two: (height, width)")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise ValueError(f"Resize: size={size!r}: expected one number, or two: (height, width)")
        self.size = size
        self.max_size = max_size
        self.antialias = antialias
        self.interpolation = mode_of(interpolation)

    def forward(self, img: Any) -> Any:
        return F.resize(img, self.size, self.interpolation, self.max_size, self.antialias)


class Scale(Resize):
    """The old name of `Resize`."""

    def __init__(self, *args: Any, **options: Any):
        warnings.warn("Scale is the old name of Resize", UserWarning, stacklevel=2)
        super().__init__(*args, **options)


class CenterCrop(Transform):
    """The middle (height, width) of an image; a smaller one gets a black border."""

    shown = ("size",)

    def __init__(self, size: Any):
        super().__init__()
        self.size = size_pair("size", size)

    def forward(self, img: Any) -> Any:
        return F.center_crop(img, self.size)


class Pad(Transform):
    """A border; see `functional.pad`."""

    shown = ("padding", "fill", "padding_mode")

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant"):
        super().__init__()
        if not isinstance(padding, (numbers.Number, tuple, list)):
            raise TypeError(
                f"Pad: padding={padding!r}: expected a number, or a sequence of 1, 2 or 4"
            )
        if not isinstance(fill, (numbers.Number, tuple, list)):
            raise TypeError(f"Pad: fill={fill!r}: expected a number, or one for each channel")
        if padding_mode not in PADDING_MODES:
            raise ValueError(
                f"Pad: padding_mode={padding_mode!r}: expected one of "
                f"{', '.join(map(repr, PADDING_MODES))}"
            )
        if isinstance(padding, (tuple, list)) and len(padding) not in (1, 2, 4):
            raise ValueError(
                f"Pad: padding={padding!r}: expected a number, or a sequence of 1, 2 or 4, got "
                f"{len(padding)}"
            )
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def forward(self, img: Any) -> Any:
        return F.pad(img, self.padding, self.fill, self.padding_mode)


class Lambda:
    """Any function."""

    def __init__(self, lambd: Callable[[Any], Any]):
        if not callable(lambd):
            raise TypeError(f"Lambda: lambd={lambd!r}: expected a function")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return described(self, ())


class FiveCrop(Transform):
    """A tuple of the corners and the middle; see `functional.five_crop`."""

    shown = ("size",)

    def __init__(self, size: Any):
        super().__init__()
        self.size = size_pair("size", size)

    def forward(self, img: Any) -> tuple[Any, ...]:
        return F.five_crop(img, self.size)


class TenCrop(Transform):
    """A tuple of `FiveCrop` of the image and of the mirrored image."""

    shown = ("size", "vertical_flip")

    def __init__(self, size: Any, vertical_flip: bool = False):
        super().__init__()
        self.size, self.vertical_flip = size_pair("size", size), vertical_flip

    def forward(self, img: Any) -> tuple[Any, ...]:
        return F.ten_crop(img, self.size, self.vertical_flip)


class Grayscale(Transform):
    """Grey: 0.299 R + 0.587 G + 0.114 B (ITU-R 601), as one channel or three equal ones."""

    shown = ("num_output_channels",)

    def __init__(self, num_output_channels: int = 1):
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, self.num_output_channels)


class LinearTransformation(Transform):
    """(x - mean_vector) @ transformation_matrix, for each image (C, H, W) as a row: whitening.

    transformation_matrix : (D, D), D = C H W; mean_vector : (D,)
    """

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor):
        super().__init__()
        d, matrix = mean_vector.shape[0], tuple(transformation_matrix.shape)
        if matrix != (d, d):
            raise ValueError(
                f"LinearTransformation: transformation_matrix is {matrix}, mean_vector ({d},): "
                f"expected ({d}, {d})"
            )
        if (
            transformation_matrix.dtype != mean_vector.dtype
            or transformation_matrix.device != mean_vector.device
        ):
            raise ValueError(
                "LinearTransformation: transformation_matrix and mean_vector differ in dtype or "
                "device"
            )
        self.transformation_matrix, self.mean_vector = transformation_matrix, mean_vector

    def forward(self, tensor: Tensor) -> Tensor:
        d = self.mean_vector.shape[0]
        if tensor.ndim < 3 or math.prod(tensor.shape[-3:]) != d:
            raise ValueError(
                f"LinearTransformation: got shape {tuple(tensor.shape)}, whose images do not have "
                f"{d} values"
            )
        rows = tensor.reshape((-1, d)) - self.mean_vector
        return (rows @ self.transformation_matrix.to(rows.dtype)).reshape(tensor.shape)

    def __repr__(self) -> str:
        values = (
            f"transformation_matrix={self.transformation_matrix.tolist()}, "
            f"mean_vector={self.mean_vector.tolist()}"
        )
        return f"{type(self).__name__}({values})"
