"""Transforms by chance of where the pixels are: parts, mirrored, turned, distorted."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from ....autograd import Tensor
from ....ops import cat, rand
from . import functional as F
from .base import Transform, angles, chance, checked_fill, integer, sequence, uniform
from .sizes import InterpolationMode, get_dimensions, mode_of, size_pair


def _scales(scale: Any, ratio: Any) -> None:
    if not isinstance(scale, Sequence) or not isinstance(ratio, Sequence):
        raise TypeError(f"scale={scale!r}, ratio={ratio!r}: expected sequences (min, max)")
    if scale[0] > scale[1] or ratio[0] > ratio[1]:
        warnings.warn("Scale and ratio should be of kind (min, max)", UserWarning, stacklevel=3)


def random_box(area: int, scale: Sequence[float], ratio: Sequence[float]) -> tuple[float, float]:
    """Two lengths: their product a share `scale` of the area, their quotient, first by second,
    uniform in its logarithm."""
    target = area * uniform(scale[0], scale[1])
    aspect = math.exp(uniform(math.log(ratio[0]), math.log(ratio[1])))
    return math.sqrt(target * aspect), math.sqrt(target / aspect)


class RandomCrop(Transform):
    """A part of (height, width) at a random place.

    padding, fill, padding_mode : a border that is first put around the image, as `Pad`
    pad_if_needed : make an image that is too small larger by such a border; else it is an error
    """

    shown = ("size", "padding")

    def __init__(
        self,
        size: Any,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ):
        super().__init__()
        self.size = size_pair("size", size)
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill, self.padding_mode = fill, padding_mode

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """(top, left, height, width) of a random part."""
        (_, h, w), (height, width) = get_dimensions(img), output_size
        if h < height or w < width:
            raise ValueError(
                f"RandomCrop: ({height}, {width}) does not fit into an image of ({h}, {w})"
            )
        if (h, w) == (height, width):
            return 0, 0, h, w
        return integer(0, h - height + 1), integer(0, w - width + 1), height, width

    def forward(self, img: Any) -> Any:
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        _, h, w = get_dimensions(img)
        if self.pad_if_needed and w < self.size[1]:
            img = F.pad(img, [self.size[1] - w, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and h < self.size[0]:
            img = F.pad(img, [0, self.size[0] - h], self.fill, self.padding_mode)
        return F.crop(img, *self.get_params(img, self.size))


class RandomHorizontalFlip(Transform):
    """Left and right exchanged with probability p."""

    shown = ("p",)

    def __init__(self, p: float = 0.5):
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        return F.hflip(img) if chance(self.p) else img


class RandomVerticalFlip(Transform):
    """Up and down exchanged with probability p."""

    shown = ("p",)

    def __init__(self, p: float = 0.5):
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        return F.vflip(img) if chance(self.p) else img


class RandomResizedCrop(Transform):
    """A random part of the image, resized to `size`.

    scale : its share of the image's area, from .. to; ratio : its width by its height, from .. to
    """

    def __init__(
        self,
        size: Any,
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Any = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ):
        super().__init__()
        _scales(scale, ratio)
        self.size = size_pair("size", size)
        self.scale = scale
        self.ratio = ratio
        self.interpolation, self.antialias = mode_of(interpolation), antialias

    @staticmethod
    def get_params(
        img: Any, scale: Sequence[float], ratio: Sequence[float]
    ) -> tuple[int, int, int, int]:
        """(top, left, height, width) of a random part; after ten that do not fit, the largest in
        the middle with such a ratio."""
        _, h, w = get_dimensions(img)
        for _ in range(10):
            width, height = (round(side) for side in random_box(h * w, scale, ratio))
            if 0 < width <= w and 0 < height <= h:
                return integer(0, h - height + 1), integer(0, w - width + 1), height, width
        width, height = w, h
        if w / h < min(ratio):
            height = round(w / min(ratio))
        elif w / h > max(ratio):
            width = round(h * max(ratio))
        return (h - height) // 2, (w - width) // 2, height, width

    def forward(self, img: Any) -> Any:
        part = self.get_params(img, self.scale, self.ratio)
        return F.resized_crop(img, *part, self.size, self.interpolation, self.antialias)

    def __repr__(self) -> str:
        scale, ratio = (tuple(round(x, 4) for x in pair) for pair in (self.scale, self.ratio))
        options = f"interpolation={self.interpolation.value}, antialias={self.antialias}"
        return f"{type(self).__name__}(size={self.size}, scale={scale}, ratio={ratio}, {options})"


class RandomSizedCrop(RandomResizedCrop):
    """The old name of `RandomResizedCrop`."""

    def __init__(self, *args: Any, **options: Any):
        warnings.warn(
            "RandomSizedCrop is the old name of RandomResizedCrop", UserWarning, stacklevel=2
        )
        super().__init__(*args, **options)


class RandomRotation(Transform):
    """Turned by a random angle.

    degrees : (min, max), or d for (-d, d);
    interpolation, expand, center, fill : as `functional.rotate`
    """

    def __init__(
        self,
        degrees: Any,
        interpolation: Any = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Any = None,
        fill: Any = 0,
    ):
        super().__init__()
        self.degrees = angles("degrees", degrees)
        self.interpolation = mode_of(interpolation)
        self.expand = expand
        self.center = center if center is None else sequence("center", center, (2,))
        self.fill = checked_fill(fill)

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """A random angle."""
        return uniform(degrees[0], degrees[1])

    def forward(self, img: Any) -> Any:
        return F.rotate(
            img,
            self.get_params(self.degrees),
            self.interpolation,
            self.expand,
            self.center,
            self.fill,
        )

    def __repr__(self) -> str:
        center = f", center={self.center}" if self.center is not None else ""
        options = (
            f"interpolation={self.interpolation.value}, expand={self.expand}{center}, "
            f"fill={self.fill}"
        )
        return f"{type(self).__name__}(degrees={self.degrees}, {options})"


class RandomAffine(Transform):
    """Turned, moved, made larger and sheared by random amounts.

    degrees : (min, max), or d for (-d, d)
    translate : at most these shares (x, y) of the image's width and height
    scale : (min, max)
    shear : degrees along x: s for (-s, s), or (min, max); or (min, max, min, max) for x and y
    interpolation, fill, center : as `functional.affine`
    """

    def __init__(
        self,
        degrees: Any,
        translate: Any = None,
        scale: Any = None,
        shear: Any = None,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = 0,
        center: Any = None,
    ):
        super().__init__()
        self.degrees = angles("degrees", degrees)
        if translate is not None and any(
            not 0.0 <= t <= 1.0 for t in sequence("translate", translate, (2,))
        ):
            raise ValueError(
                f"translate={translate}: expected shares of the width and height, 0 to 1"
            )
        if scale is not None and any(s <= 0 for s in sequence("scale", scale, (2,))):
            raise ValueError(f"scale={scale}: expected positive numbers")
        self.translate, self.scale = translate, scale
        self.shear = shear if shear is None else angles("shear", shear, (2, 4))
        self.interpolation, self.fill = mode_of(interpolation), checked_fill(fill)
        self.center = center if center is None else sequence("center", center, (2,))

    @staticmethod
    def get_params(
        degrees: Sequence[float],
        translate: Any,
        scale_ranges: Any,
        shears: Any,
        img_size: Sequence[int],
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Random (angle, (x, y) in pixels, scale, (shear x, shear y)) for an image of (width,
        height)."""
        angle = uniform(degrees[0], degrees[1])
        x = y = 0
        if translate is not None:
            x, y = (
                round(uniform(-share * size, share * size))
                for share, size in zip(translate, img_size)
            )
        scale = uniform(*scale_ranges) if scale_ranges is not None else 1.0
        shear_x = uniform(shears[0], shears[1]) if shears is not None else 0.0
        shear_y = uniform(shears[2], shears[3]) if shears is not None and len(shears) == 4 else 0.0
        return angle, (x, y), scale, (shear_x, shear_y)

    def forward(self, img: Any) -> Any:
        _, h, w = get_dimensions(img)
        params = self.get_params(self.degrees, self.translate, self.scale, self.shear, (w, h))
        return F.affine(
            img, *params, interpolation=self.interpolation, fill=self.fill, center=self.center
        )

    def __repr__(self) -> str:
        given = [
            f"{name}={getattr(self, name)}"
            for name in ("translate", "scale", "shear")
            if getattr(self, name) is not None
        ]
        given += (
            [f"interpolation={self.interpolation.value}"]
            if self.interpolation is not InterpolationMode.NEAREST
            else []
        )
        given += [f"fill={self.fill}"] if self.fill != 0 else []
        given += [f"center={self.center}"] if self.center is not None else []
        return f"{type(self).__name__}({', '.join([f'degrees={self.degrees}', *given])})"


class RandomPerspective(Transform):
    """With probability p seen from another side: each corner moved inwards by up to
    distortion_scale of half the side."""

    shown = ("p",)

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ):
        super().__init__()
        self.distortion_scale, self.p = distortion_scale, p
        self.interpolation, self.fill = mode_of(interpolation), checked_fill(fill)

    @staticmethod
    def get_params(
        width: int, height: int, distortion_scale: float
    ) -> tuple[list[list[int]], list[list[int]]]:
        """The corners, and where they come to: upper left, upper right, lower right, lower left."""
        x, y = int(distortion_scale * (width // 2)), int(distortion_scale * (height // 2))
        corners = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
        ends = [
            [
                integer(width - x - 1, width) if right else integer(0, x + 1),
                integer(height - y - 1, height) if low else integer(0, y + 1),
            ]
            for right, low in corners
        ]
        return corners, ends

    def forward(self, img: Any) -> Any:
        if not chance(self.p):
            return img
        _, h, w = get_dimensions(img)
        return F.perspective(
            img, *self.get_params(w, h, self.distortion_scale), self.interpolation, self.fill
        )


class ElasticTransform(Transform):
    """Each pixel from a place nearby, neighbours from places alike (Simard et al. 2003).

    alpha : how far, in pixels, (y, x) or one;
    sigma : how smoothly, in pixels;
    interpolation, fill : as `functional.elastic_transform`
    """

    shown = ("alpha", "sigma", "interpolation", "fill")

    def __init__(
        self,
        alpha: Any = 50.0,
        sigma: Any = 5.0,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ):
        super().__init__()
        self.alpha, self.sigma = _two_floats("alpha", alpha), _two_floats("sigma", sigma)
        self.interpolation = mode_of(interpolation)
        if not isinstance(fill, (int, float, list, tuple)):
            raise TypeError(f"fill={fill!r}: expected a number or a sequence")
        self.fill = [float(f) for f in (fill if isinstance(fill, (list, tuple)) else [fill])]

    @staticmethod
    def get_params(alpha: Sequence[float], sigma: Sequence[float], size: Sequence[int]) -> Tensor:
        """Random displacements (1, H, W, 2) for an image of (height, width)."""
        parts = []
        for k in range(2):
            shift = rand((1, 1, *size)) * 2 - 1
            if sigma[k] > 0:
                width = int(8 * sigma[k] + 1)
                shift = F.gaussian_blur(shift, [width + (width % 2 == 0)] * 2, list(sigma))
            parts.append(shift * (alpha[k] / size[1 - k]))
        return cat(parts, 1).permute(0, 2, 3, 1)

    def forward(self, tensor: Any) -> Any:
        _, h, w = get_dimensions(tensor)
        return F.elastic_transform(
            tensor, self.get_params(self.alpha, self.sigma, (h, w)), self.interpolation, self.fill
        )


def _two_floats(name: str, value: Any) -> list[float]:
    if not isinstance(value, (float, Sequence)):
        raise TypeError(f"{name}={value!r}: expected a float, or two")
    if isinstance(value, float):
        return [value, value]
    if any(not isinstance(v, float) for v in sequence(name, value, (2,))):
        raise TypeError(f"{name}={value!r}: expected a float, or two")
    return list(value)
