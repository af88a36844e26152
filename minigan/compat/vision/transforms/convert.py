"""Pictures to Tensors and back, and the scale of their values."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....arrays import to_numpy
from ....arrays.defaults import default
from ....autograd import OpError, Tensor, tensor_of
from .sizes import limit_of

# Pillow's mode for the dtype of an array with one channel; for more channels, the default first
_ONE_CHANNEL = {"uint8": "L", "int16": "I;16", "int32": "I", "float32": "F"}
_CHANNELS = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}


def pil_to_tensor(pic: Any) -> Tensor:
    """A picture as a Tensor (C, H, W) of its values: uint8, bool for mode 1; 16 and 32 bits int32,
    floats float32."""
    from PIL import Image

    if not isinstance(pic, Image.Image):
        raise TypeError(f"pil_to_tensor: expected a Pillow picture, got {type(pic).__name__}")
    array = np.array(pic)
    array = array.astype(np.int32) if array.dtype == np.uint16 else array
    return tensor_of(
        np.ascontiguousarray(array.reshape(pic.height, pic.width, -1).transpose(2, 0, 1))
    )


def to_tensor(pic: Any) -> Tensor:
    """A picture, or an array (H, W, C) or (H, W), as a Tensor (C, H, W); bytes become [0, 1] in the
    default dtype, other numbers stay."""
    if isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(
                f"to_tensor: expected an array (H, W) or (H, W, C), got shape {pic.shape}"
            )
        pixels = tensor_of(np.ascontiguousarray(np.atleast_3d(pic).transpose(2, 0, 1)))
    else:
        pixels = pil_to_tensor(pic)
    if pixels.dtype == np.bool_ and not isinstance(pic, np.ndarray):
        return pixels.to(default.dtype)
    return pixels.to(default.dtype) / 255 if pixels.dtype == np.uint8 else pixels


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A Tensor (C, H, W) or (H, W), or an array (H, W, C) or (H, W), as a picture; floats in [0, 1]
    become bytes (mode "F": stay).

    mode : Pillow's; default by channels: L (int16: I;16, int32: I), LA, RGB, RGBA
    """
    from PIL import Image

    if isinstance(pic, Tensor):
        array = to_numpy(pic.detach().array)
        array = array.transpose(1, 2, 0) if array.ndim == 3 else array
    elif isinstance(pic, np.ndarray):
        array = pic
    else:
        raise TypeError(
            f"to_pil_image: expected a Tensor or a NumPy array, got {type(pic).__name__}"
        )
    if array.ndim not in (2, 3) or (array.ndim == 3 and not 1 <= array.shape[2] <= 4):
        raise ValueError(
            f"to_pil_image: expected a picture (of 1 to 4 channels), got {type(pic).__name__} of "
            f"shape {tuple(pic.shape)}"
        )
    array = np.atleast_3d(array)
    if array.dtype.kind == "f" and mode != "F":
        array = (array * 255).astype(np.uint8)
    channels = array.shape[2]
    modes = (_ONE_CHANNEL.get(array.dtype.name),) if channels == 1 else _CHANNELS[channels]
    if mode is not None and mode not in modes:
        raise ValueError(
            f"to_pil_image: mode={mode!r}, but {channels} channels of {array.dtype} can be "
            f"{' or '.join(map(str, modes))}"
        )
    if mode is None and (modes[0] is None or (channels > 1 and array.dtype != np.uint8)):
        raise TypeError(
            f"to_pil_image: a picture of {channels} channels of {array.dtype} is not supported"
        )
    height, width, _ = array.shape
    return Image.frombytes(
        mode or str(modes[0]), (width, height), np.ascontiguousarray(array).tobytes()
    )


def convert_image_dtype(image: Tensor, dtype: Any = np.float32) -> Tensor:
    """In another dtype, with values scaled so that white stays white: 1 for floats, the largest
    number for integers."""
    if not isinstance(image, Tensor):
        raise TypeError(f"convert_image_dtype: expected a Tensor, got {type(image).__name__}")
    dtype = np.dtype(dtype)
    if image.dtype == dtype:
        return image
    if image.is_floating_point():
        if dtype.kind == "f":
            return image.to(dtype)
        if (image.dtype == np.float32 and dtype.itemsize >= 4) or dtype.itemsize >= 8:
            raise RuntimeError(
                f"convert_image_dtype: {image.dtype} has too few digits to become {dtype}"
            )
        # each integer gets as long an interval
        return (image * (limit_of(dtype) + 1.0 - 1e-3)).to(dtype)
    if dtype.kind == "f":
        return image.to(dtype) / limit_of(image.dtype)
    source, target = int(limit_of(image.dtype)) + 1, int(limit_of(dtype)) + 1
    if source > target:
        return (image // (source // target)).to(dtype)
    return image.to(dtype) * (target // source)


def normalize(
    tensor: Tensor, mean: Sequence[float], std: Sequence[float], inplace: bool = False
) -> Tensor:
    """(x - mean) / std, for each channel of a Tensor (..., C, H, W).

    mean, std : C numbers, or one; more numbers than there are channels are an error
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"Normalize: expected a Tensor of floats, got {type(tensor).__name__}; put ToTensor() "
            "before"
        )
    if not tensor.is_floating_point():
        raise TypeError(
            f"Normalize: expected a Tensor of floats, got {tensor.dtype}; put ToTensor() before"
        )
    if tensor.ndim < 3:
        raise ValueError(
            f"Normalize: expected a Tensor (..., C, H, W), got shape {tuple(tensor.shape)}"
        )
    values = []
    for name, value in (("mean", mean), ("std", std)):
        given = (
            value
            if isinstance(value, Tensor)
            else tensor.new_tensor([value] if isinstance(value, numbers.Number) else list(value))
        )
        given = given.to(tensor.dtype)
        if given.ndim < 2:
            if given.numel() not in (1, tensor.shape[-3]):
                raise OpError(
                    f"Normalize: {name} has {given.numel()} numbers, but the picture has "
                    f"{tensor.shape[-3]} "
                    f"channel{'s' * (tensor.shape[-3] != 1)}, shape {tuple(tensor.shape)}: give "
                    "one for each channel, e.g. (0.5,) for grey"
                )
            given = given.view(-1, 1, 1)
        values.append(given)
    if bool((values[1] == 0).any()):
        raise ValueError(f"Normalize: std={std} has a 0")
    if inplace:
        return tensor.sub_(values[0]).div_(values[1])
    return (tensor - values[0]) / values[1]
