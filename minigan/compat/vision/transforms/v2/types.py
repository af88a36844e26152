"""Kinds of pictures made into each other, and what only the newer transforms have."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from .....autograd import Tensor
from .....engine.trees import mapped
from ..base import described
from ..convert import to_pil_image, to_tensor
from . import functional as F
from .samples import ARRAY, IMAGE, TENSOR, Transform


class ToImage(Transform):
    """A picture, an array (H, W, C) or a Tensor as an `Image` (C, H, W), values and dtype
    unchanged."""

    takes = (IMAGE, TENSOR, ARRAY)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.to_image(inpt)

    def __repr__(self) -> str:
        return described(self, ())


class ToPureTensor(Transform):
    """An `Image` as a plain Tensor."""

    takes = (TENSOR,)

    def forward(self, *inputs: Any) -> Any:
        plain = lambda x: x.view_as(x) if isinstance(x, Tensor) else x
        return mapped(plain, inputs if len(inputs) > 1 else inputs[0])

    def __repr__(self) -> str:
        return described(self, ())


class ToPILImage(Transform):
    """A Tensor or array as a picture of Pillow; see `functional.to_pil_image`."""

    takes = (TENSOR, ARRAY)

    def __init__(self, mode: str | None = None):
        super().__init__()
        self.mode = mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return to_pil_image(inpt, self.mode)

    def __repr__(self) -> str:
        return described(self, ("mode",))


class ToTensor(Transform):
    """`ToImage()` and `ToDtype(float32, scale=True)`, which torchvision would have instead."""

    takes = (IMAGE, ARRAY)

    def __init__(self) -> None:
        warnings.warn(
            "v2.ToTensor is deprecated: use Compose([ToImage(), ToDtype(float32, scale=True)])",
            UserWarning,
            stacklevel=2,
        )
        super().__init__()

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return to_tensor(inpt)

    def __repr__(self) -> str:
        return described(self, ())


class ToDtype(Transform):
    """A Tensor in another dtype.

    scale : white stays white: 1 for floats, the largest number for integers
    """

    takes = (TENSOR,)

    def __init__(self, dtype: Any, scale: bool = False):
        super().__init__()
        self.dtype, self.scale = dtype, scale

    def transform(self, inpt: Tensor, params: dict[str, Any]) -> Tensor:
        dtype = self.dtype
        if isinstance(dtype, dict):
            dtype = dtype[type(inpt)] if type(inpt) in dtype else dtype.get("others")
        return inpt if dtype is None else F.to_dtype(inpt, dtype, self.scale)

    def __repr__(self) -> str:
        return described(self, ("dtype", "scale"))


class Lambda(Transform):
    """Any function, of the parts of a sample that have one of these types; default: all."""

    def __init__(self, lambd: Callable[[Any], Any], *types: type):
        super().__init__()
        self.lambd, self.types = lambd, types or (object,)

    def forward(self, *inputs: Any) -> Any:
        change = lambda x: self.lambd(x) if isinstance(x, self.types) else x
        return mapped(change, inputs if len(inputs) > 1 else inputs[0])

    def __repr__(self) -> str:
        return described(self, ())


class Identity(Transform):
    """Nothing."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return inpt

    def __repr__(self) -> str:
        return described(self, ())


class RGB(Transform):
    """Grey as three equal channels."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.grayscale_to_rgb(inpt)

    def __repr__(self) -> str:
        return described(self, ())


class GaussianNoise(Transform):
    """Normal noise added to a Tensor of floats or bytes.

    mean, sigma : in units of white; clip : keep the values within black and white
    """

    takes = (TENSOR,)

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True):
        super().__init__()
        self.mean = mean
        self.sigma = sigma
        self.clip = clip

    def transform(self, inpt: Tensor, params: dict[str, Any]) -> Tensor:
        return F.gaussian_noise(inpt, self.mean, self.sigma, self.clip)

    def __repr__(self) -> str:
        return described(self, ("mean", "sigma", "clip"))
