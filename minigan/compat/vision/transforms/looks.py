"""Transforms by chance of what the pixels are: colours, sharpness, holes; and of which transforms
are done at all."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....arrays import default_generator
from ....autograd import Tensor, tensor_of
from . import functional as F
from .base import Transform, chance, integer, listed, uniform
from .places import _scales, random_box
from .sizes import get_dimensions, size_pair


class RandomApply(Transform):
    """All of these transforms with probability p, else none."""

    def __init__(self, transforms: Any, p: float = 0.5):
        super().__init__()
        self.transforms, self.p = transforms, p

    def forward(self, img: Any) -> Any:
        if chance(self.p):
            for transform in self.transforms:
                img = transform(img)
        return img

    def __repr__(self) -> str:
        return listed(self, f"p={self.p}")


class RandomTransforms:
    """Base of those that choose among transforms."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]):
        if not isinstance(transforms, Sequence):
            raise TypeError(
                f"{type(self).__name__}: transforms={transforms!r}: expected a sequence"
            )
        self.transforms = transforms

    def __repr__(self) -> str:
        return listed(self)


class RandomOrder(RandomTransforms):
    """All of these transforms, in a random order."""

    def __call__(self, img: Any) -> Any:
        for i in default_generator.permutation(len(self.transforms)):
            img = self.transforms[i](img)
        return img


class RandomChoice(RandomTransforms):
    """One of these transforms.

    p : how probable each is, in any unit; default: all equally
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: Sequence[float] | None = None):
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError(f"RandomChoice: p={p!r}: expected a sequence")
        if p is not None and len(p) != len(transforms):
            raise ValueError(
                f"RandomChoice: p has {len(p)} numbers for {len(transforms)} transforms"
            )
        self.p = p

    def __call__(self, *args: Any) -> Any:
        ends = np.cumsum([1.0] * len(self.transforms) if self.p is None else self.p)
        which = int(np.searchsorted(ends, uniform(0, ends[-1]), side="right"))
        return self.transforms[min(which, len(ends) - 1)](*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue changed by random factors, in a random order.

    brightness, contrast, saturation : factors (min, max), or x for (max(0, 1 - x), 1 + x)
    hue : turns of the circle of colours (min, max) within -0.5 to 0.5, or x for (-x, x)
    """

    shown = ("brightness", "contrast", "saturation", "hue")

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0):
        super().__init__()
        self.brightness = _range("brightness", brightness, 1.0, (0.0, float("inf")))
        self.contrast = _range("contrast", contrast, 1.0, (0.0, float("inf")))
        self.saturation = _range("saturation", saturation, 1.0, (0.0, float("inf")))
        self.hue = _range("hue", hue, 0.0, (-0.5, 0.5))

    @staticmethod
    def get_params(
        brightness: Any, contrast: Any, saturation: Any, hue: Any
    ) -> tuple[Tensor, Any, Any, Any, Any]:
        """The order, and a random factor for each range that is not None."""
        order = tensor_of(default_generator.permutation(4))
        b, c, s, h = (
            None if pair is None else uniform(*pair)
            for pair in (brightness, contrast, saturation, hue)
        )
        return order, b, c, s, h

    def forward(self, img: Any) -> Any:
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        functions = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
        for i in order.tolist():
            if factors[i] is not None:
                img = functions[i](img, factors[i])
        return img


def _range(
    name: str, value: Any, center: float, bound: tuple[float, float]
) -> tuple[float, float] | None:
    """(min, max), None if nothing would change."""
    if isinstance(value, numbers.Real):
        if value < 0:
            raise ValueError(f"{name}={value}: a single number must not be negative")
        low, high = center - float(value), center + float(value)
        low = max(low, 0.0) if center else low
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        low, high = float(value[0]), float(value[1])
    else:
        raise TypeError(f"{name}={value!r}: expected a number, or two: (min, max)")
    if not bound[0] <= low <= high <= bound[1]:
        raise ValueError(
            f"{name}={value}: expected values from {bound[0]:g} to {bound[1]:g}, the smaller one "
            f"first; got {[low, high]}"
        )
    return None if low == high == center else (low, high)


class RandomGrayscale(Transform):
    """Grey with probability p, in as many channels as before."""

    shown = ("p",)

    def __init__(self, p: float = 0.1):
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, get_dimensions(img)[0]) if chance(self.p) else img


class RandomErasing(Transform):
    """With probability p a rectangle of a Tensor (..., C, H, W) replaced (Zhong et al. 2017).

    scale : its share of the image's area, from .. to; ratio : its height by its width, from .. to
    value : a number, one for each channel, or "random": normal noise
    inplace : write into the Tensor itself
    """

    shown = ("p", "scale", "ratio", "value", "inplace")

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ):
        super().__init__()
        if not isinstance(value, (numbers.Number, str, tuple, list)):
            raise TypeError(
                f"RandomErasing: value={value!r}: expected a number, one for each channel, or "
                "'random'"
            )
        if isinstance(value, str) and value != "random":
            raise ValueError(f"RandomErasing: value={value!r}: the only text is 'random'")
        _scales(scale, ratio)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError(f"RandomErasing: scale={scale}: expected shares from 0 to 1")
        if not 0 <= p <= 1:
            raise ValueError(f"RandomErasing: p={p}: expected a probability, 0 to 1")
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value: Any = value
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: Tensor,
        scale: Sequence[float],
        ratio: Sequence[float],
        value: Sequence[float] | None = None,
    ) -> tuple[int, int, int, int, Tensor]:
        """(top, left, height, width, what stands there); after ten that do not fit, the whole
        image."""
        c, h, w = get_dimensions(img)
        for _ in range(10):
            height, width = (round(side) for side in random_box(h * w, scale, ratio))
            if height >= h or width >= w:
                continue
            if value is None:
                new = tensor_of(default_generator.normal((c, height, width)))
            else:
                new = tensor_of(np.array(value, np.float32)[:, None, None])
            return (
                integer(0, h - height + 1),
                integer(0, w - width + 1),
                height,
                width,
                new.to(img.device),
            )
        return 0, 0, h, w, img

    def forward(self, img: Tensor) -> Tensor:
        if not isinstance(img, Tensor):
            raise TypeError(
                f"RandomErasing: expected a Tensor, got {type(img).__name__}; put ToTensor() before"
            )
        if not chance(self.p):
            return img
        given = self.value if isinstance(self.value, (list, tuple)) else [self.value]
        value = None if self.value == "random" else [float(v) for v in given]
        if value is not None and len(value) not in (1, img.shape[-3]):
            raise ValueError(
                f"RandomErasing: value has {len(value)} numbers, the image {img.shape[-3]} channels"
            )
        i, j, h, w, new = self.get_params(img, self.scale, self.ratio, value)
        return F.erase(img, i, j, h, w, new.to(img.dtype), self.inplace)


class GaussianBlur(Transform):
    """Blurred by a normal distribution of random width; see `functional.gaussian_blur`.

    sigma : (min, max), or one number
    """

    shown = ("kernel_size", "sigma")

    def __init__(self, kernel_size: Any, sigma: Any = (0.1, 2.0)):
        super().__init__()
        self.kernel_size = size_pair("kernel_size", kernel_size)
        if any(k <= 0 or k % 2 == 0 for k in self.kernel_size):
            raise ValueError(
                f"GaussianBlur: kernel_size={kernel_size!r}: expected positive odd numbers"
            )
        pair: Any = (sigma, sigma) if isinstance(sigma, numbers.Real) else sigma
        if not isinstance(pair, Sequence) or len(pair) != 2 or not 0.0 < pair[0] <= pair[1]:
            raise ValueError(
                f"GaussianBlur: sigma={sigma!r}: expected a positive number, or (min, max)"
            )
        self.sigma = pair

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """A random width."""
        return uniform(sigma_min, sigma_max)

    def forward(self, img: Any) -> Any:
        sigma = self.get_params(self.sigma[0], self.sigma[1])
        return F.gaussian_blur(img, list(self.kernel_size), [sigma, sigma])


class _Sometimes(Transform):
    """A function with probability p."""

    shown: tuple[str, ...] = ("p",)

    def __init__(self, p: float = 0.5):
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        return self._done(img) if chance(self.p) else img

    def _done(self, img: Any) -> Any:
        raise NotImplementedError


class RandomInvert(_Sometimes):
    """`functional.invert` with probability p."""

    def _done(self, img: Any) -> Any:
        return F.invert(img)


class RandomAutocontrast(_Sometimes):
    """`functional.autocontrast` with probability p."""

    def _done(self, img: Any) -> Any:
        return F.autocontrast(img)


class RandomEqualize(_Sometimes):
    """`functional.equalize` with probability p."""

    def _done(self, img: Any) -> Any:
        return F.equalize(img)


class RandomPosterize(_Sometimes):
    """`functional.posterize` with probability p."""

    shown = ("bits", "p")

    def __init__(self, bits: int, p: float = 0.5):
        super().__init__(p)
        self.bits = bits

    def _done(self, img: Any) -> Any:
        return F.posterize(img, self.bits)


class RandomSolarize(_Sometimes):
    """`functional.solarize` with probability p."""

    shown = ("threshold", "p")

    def __init__(self, threshold: float, p: float = 0.5):
        super().__init__(p)
        self.threshold = threshold

    def _done(self, img: Any) -> Any:
        return F.solarize(img, self.threshold)


class RandomAdjustSharpness(_Sometimes):
    """`functional.adjust_sharpness` with probability p."""

    shown = ("sharpness_factor", "p")

    def __init__(self, sharpness_factor: float, p: float = 0.5):
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def _done(self, img: Any) -> Any:
        return F.adjust_sharpness(img, self.sharpness_factor)
