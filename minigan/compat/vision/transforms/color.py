"""Colours, contrast and sharpness of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....arrays import to_numpy
from ....autograd import Tensor, tensor_of
from ....nn import functional as nnf
from ....ops import stack, where
from .convert import convert_image_dtype, pil_to_tensor, to_pil_image
from .geometry import as_batch, pad
from .sizes import as_floats, back_to, check_channels, is_tensor, limit_of

GREY = (0.2989, 0.587, 0.114)  # ITU-R 601, as many digits as torchvision has


def _blend(image: Tensor, other: Any, ratio: float) -> Tensor:
    """ratio * image + (1 - ratio) * other, within the range of the image's dtype."""
    mixed = as_floats(image) * float(ratio) + other * (1.0 - float(ratio))
    return mixed.clamp(0, limit_of(image.dtype)).to(image.dtype)


def _enhanced(kind: str, img: Any, factor: float) -> Any:
    from PIL import ImageEnhance

    return getattr(ImageEnhance, kind)(img).enhance(factor)


def _check_factor(name: str, factor: float) -> None:
    if factor < 0:
        raise ValueError(f"{name}={factor}: expected a number of at least 0")


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Grey: 0.299 R + 0.587 G + 0.114 B (ITU-R 601), as one channel or three equal ones."""
    if num_output_channels not in (1, 3):
        raise ValueError(f"num_output_channels={num_output_channels}: expected 1 or 3")
    if not is_tensor("rgb_to_grayscale", img):
        return to_grayscale(img, num_output_channels)
    if img.ndim < 3:
        raise TypeError(
            f"rgb_to_grayscale: expected a Tensor (..., C, H, W), got shape {tuple(img.shape)}"
        )
    if check_channels("rgb_to_grayscale", img) == 3:
        red, green, blue = (as_floats(img[..., c : c + 1, :, :]) for c in range(3))
        img = (red * GREY[0] + green * GREY[1] + blue * GREY[2]).to(img.dtype)
    return img.repeat(*[1] * (img.ndim - 3), 3, 1, 1) if num_output_channels == 3 else img.clone()


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """A picture of Pillow in grey, as one channel or three equal ones."""
    if num_output_channels not in (1, 3):
        raise ValueError(f"num_output_channels={num_output_channels}: expected 1 or 3")
    if is_tensor("to_grayscale", img):
        raise TypeError("to_grayscale: expected a Pillow picture; rgb_to_grayscale takes Tensors")
    grey = img.convert("L")
    return grey if num_output_channels == 1 else grey.convert("RGB")


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """Between black (0) and the image (1), or beyond."""
    if not is_tensor("adjust_brightness", img):
        return _enhanced("Brightness", img, brightness_factor)
    _check_factor("brightness_factor", brightness_factor)
    check_channels("adjust_brightness", img)
    return _blend(img, 0.0, brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """Between its mean grey (0) and the image (1), or beyond."""
    if not is_tensor("adjust_contrast", img):
        return _enhanced("Contrast", img, contrast_factor)
    _check_factor("contrast_factor", contrast_factor)
    grey = rgb_to_grayscale(img) if check_channels("adjust_contrast", img) == 3 else img
    return _blend(img, as_floats(grey).mean((-3, -2, -1), keepdim=True), contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """Between grey (0) and the image (1), or beyond."""
    if not is_tensor("adjust_saturation", img):
        return _enhanced("Color", img, saturation_factor)
    _check_factor("saturation_factor", saturation_factor)
    if check_channels("adjust_saturation", img) == 1:
        return img
    return _blend(img, as_floats(rgb_to_grayscale(img)), saturation_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """Colours turned round the circle by `hue_factor` turns, -0.5 to 0.5."""
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor={hue_factor}: expected -0.5 to 0.5")
    if is_tensor("adjust_hue", img):
        if check_channels("adjust_hue", img) == 1:
            return img
        hue, saturation, value = _hsv(convert_image_dtype(img, np.float32))
        return convert_image_dtype(_rgb((hue + hue_factor) % 1.0, saturation, value), img.dtype)
    if img.mode in ("L", "1", "I", "F"):
        return img
    from PIL import Image

    hue, saturation, value = img.convert("HSV").split()
    turned = np.array(hue, np.uint8) + np.int32(hue_factor * 255).astype(np.uint8)  # wraps around
    return Image.merge("HSV", (Image.fromarray(turned), saturation, value)).convert(img.mode)


def _hsv(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue, saturation and value, each in [0, 1] (Smith 1978, "Color gamut transform pairs")."""
    r, g, b = image.unbind(-3)
    high, low = image.amax(-3), image.amin(-3)
    span = high - low
    grey = span == 0
    rc, gc, bc = ((high - c) / where(grey, 1.0, span) for c in (r, g, b))
    hue = where(high == r, bc - gc, where(high == g, 2.0 + rc - bc, 4.0 + gc - rc))
    return (where(grey, 0.0, hue) / 6.0 + 1.0) % 1.0, span / where(grey, 1.0, high), high


def _rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    sector = (hue * 6.0).floor()
    f = hue * 6.0 - sector
    p, q, t = ((value * (1.0 - saturation * part)).clamp(0.0, 1.0) for part in (1.0, f, 1.0 - f))
    sixth = sector % 6
    channels = []
    for values in (
        (value, q, p, p, t, value),
        (t, value, value, q, p, p),
        (p, p, t, value, value, q),
    ):
        out = values[5]
        for k in range(5):
            out = where(sixth == k, values[k], out)
        channels.append(out)
    return stack(channels, -3)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """gain * x^gamma, for x in [0, 1]."""
    if gamma < 0:
        raise ValueError(f"gamma={gamma}: expected a number of at least 0")
    if is_tensor("adjust_gamma", img):
        check_channels("adjust_gamma", img)
        x = img if img.is_floating_point() else convert_image_dtype(img, np.float32)
        return convert_image_dtype((gain * x**gamma).clamp(0, 1), img.dtype)
    table = [int((255 + 1 - 1e-3) * gain * pow(i / 255.0, gamma)) for i in range(256)]
    return img.convert("RGB").point(table * 3).convert(img.mode)


def _by_pillow(name: str, img: Any, *options: Any) -> Any:
    from PIL import ImageOps

    return getattr(ImageOps, name)(img, *options)


def invert(img: Any) -> Any:
    """White becomes black."""
    if not is_tensor("invert", img):
        return _by_pillow("invert", img)
    check_channels("invert", img)
    return back_to(
        img.dtype,
        -(img - limit_of(img.dtype)) if img.is_floating_point() else int(limit_of(img.dtype)) - img,
    )


def posterize(img: Any, bits: int) -> Any:
    """Only the upper `bits` bits of each byte."""
    if not 0 <= bits <= 8:
        raise ValueError(f"bits={bits}: expected 0 to 8")
    if not is_tensor("posterize", img):
        return _by_pillow("posterize", img, bits)
    check_channels("posterize", img)
    if img.dtype != np.uint8:
        raise TypeError(f"posterize: expected a Tensor of uint8, got {img.dtype}")
    return img & (256 - 2 ** (8 - bits))


def solarize(img: Any, threshold: float) -> Any:
    """What is at or above the threshold inverted."""
    if not is_tensor("solarize", img):
        return _by_pillow("solarize", img, threshold)
    if threshold > limit_of(img.dtype):
        raise TypeError(f"solarize: threshold={threshold} is above white, {limit_of(img.dtype):g}")
    return where(img >= threshold, invert(img), img)


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """Between a blurred image (0) and the image (1), or beyond."""
    if not is_tensor("adjust_sharpness", img):
        return _enhanced("Sharpness", img, sharpness_factor)
    _check_factor("sharpness_factor", sharpness_factor)
    check_channels("adjust_sharpness", img)
    if min(img.shape[-2:]) <= 2:
        return img
    kernel = np.ones((3, 3))
    kernel[1, 1] = 5
    inner = back_to(img.dtype, _filtered(img, kernel / 13))
    blurred = img.clone()
    blurred[..., 1:-1, 1:-1] = inner
    return _blend(img, as_floats(blurred), sharpness_factor)


def _filtered(image: Tensor, kernel: np.ndarray) -> Tensor:
    """Each channel of (..., C, H, W) correlated with `kernel`, as floats."""
    x = as_floats(as_batch(image))
    planes = x.reshape((-1, 1, *x.shape[-2:]))
    y = nnf.conv2d(planes, x.new_tensor(kernel.astype(x.dtype))[None, None])
    return y.reshape((*image.shape[:-2], *y.shape[-2:]))


def autocontrast(img: Any) -> Any:
    """Each channel stretched so that its darkest pixel is black and its lightest white."""
    if not is_tensor("autocontrast", img):
        return _by_pillow("autocontrast", img)
    check_channels("autocontrast", img)
    x, white = as_floats(img), limit_of(img.dtype)
    low, high = x.amin((-2, -1), keepdim=True), x.amax((-2, -1), keepdim=True)
    flat = high == low
    scaled = (x - where(flat, 0.0, low)) * (white / where(flat, white, high - low))
    return scaled.clamp(0, white).to(img.dtype)


def equalize(img: Any) -> Any:
    """Each channel with its values spread so that all are about equally frequent. A picture, or a
    Tensor of uint8."""
    if not is_tensor("equalize", img):
        return _by_pillow("equalize", img)
    check_channels("equalize", img)
    if img.dtype != np.uint8:
        raise TypeError(f"equalize: expected a Tensor of uint8, got {img.dtype}")
    planes = to_numpy(img.array).reshape(-1, img.shape[-2] * img.shape[-1])
    out = np.stack([_equalized(plane) for plane in planes])
    return tensor_of(out.reshape(img.shape)).to(img.device)


def _equalized(plane: np.ndarray) -> np.ndarray:
    counts = np.bincount(plane, minlength=256)
    step = int(counts[counts > 0][:-1].sum()) // 255
    if not step:
        return plane
    table = (np.cumsum(counts) - counts + step // 2) // step
    return np.minimum(table, 255).astype(np.uint8)[plane]


def gaussian_blur(img: Any, kernel_size: Any, sigma: Any = None) -> Any:
    """Weighted means of the neighbours, by a normal distribution.

    kernel_size : the odd number of pixels that count, one or (x, y)
    sigma : its standard deviation in pixels, one or (x, y); default 0.15 * kernel_size + 0.35
    """
    if not isinstance(kernel_size, (int, list, tuple)):
        raise TypeError(f"kernel_size={kernel_size!r}: expected an odd number, or two")
    sizes = [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
    if len(sizes) != 2 or any(k % 2 == 0 or k < 0 for k in sizes):
        raise ValueError(f"kernel_size={kernel_size!r}: expected a positive odd number, or two")
    if sigma is None:
        sigma = [0.15 * k + 0.35 for k in sizes]
    if not isinstance(sigma, (int, float, list, tuple)):
        raise TypeError(f"sigma={sigma!r}: expected a positive number, or two")
    spreads: Sequence[float] = (
        [float(sigma)] * 2
        if isinstance(sigma, (int, float))
        else [*sigma] * (2 if len(sigma) == 1 else 1)
    )
    if len(spreads) != 2 or any(s <= 0 for s in spreads):
        raise ValueError(f"sigma={sigma!r}: expected a positive number, or two")
    tensor = is_tensor("gaussian_blur", img)
    image = img if tensor else pil_to_tensor(img)
    rows = [np.exp(-0.5 * ((np.arange(k) - (k - 1) / 2) / s) ** 2) for k, s in zip(sizes, spreads)]
    kernel = np.outer(rows[1] / rows[1].sum(), rows[0] / rows[0].sum())
    padded = pad(as_floats(image), (sizes[0] // 2, sizes[1] // 2), padding_mode="reflect")
    out = back_to(image.dtype, _filtered(padded, kernel))
    return out if tensor else to_pil_image(out, img.mode)


def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Tensor:
    """With the values `v` in the rectangle (h, w) at row i, column j."""
    if not isinstance(img, Tensor):
        raise TypeError(
            f"erase: expected a Tensor, got {type(img).__name__}; put ToTensor() before"
        )
    out = img if inplace else img.clone()
    out[..., i : i + h, j : j + w] = v
    return out
