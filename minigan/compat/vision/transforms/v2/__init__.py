"""torchvision's newer transforms: the same by the same names, of whole samples: `transform(image,
label)`, or of dicts, lists, tuples.

All pictures of a sample (of Pillow, or `ToImage()`'s) are treated alike, with the same random
numbers; if there are none, its first Tensor is taken for one. Everything else is passed on.
"""

from __future__ import annotations

from typing import Any

from .. import looks as _looks, places as _places, simple as _simple
from ..sizes import InterpolationMode
from . import functional as functional
from .samples import Transform, of_samples
from .types import (
    RGB,
    GaussianNoise,
    Identity,
    Lambda,
    ToDtype,
    ToImage,
    ToPILImage,
    ToPureTensor,
    ToTensor,
)
from .containers import Compose, RandomApply, RandomChoice, RandomOrder

CenterCrop: Any = of_samples(_simple.CenterCrop)
ConvertImageDtype: Any = of_samples(_simple.ConvertImageDtype)
FiveCrop: Any = of_samples(_simple.FiveCrop)
Grayscale: Any = of_samples(_simple.Grayscale)
LinearTransformation: Any = of_samples(_simple.LinearTransformation)
Normalize: Any = of_samples(_simple.Normalize)
PILToTensor: Any = of_samples(_simple.PILToTensor)
Pad: Any = of_samples(_simple.Pad)
Resize: Any = of_samples(_simple.Resize)
TenCrop: Any = of_samples(_simple.TenCrop)
ElasticTransform: Any = of_samples(_places.ElasticTransform)
RandomAffine: Any = of_samples(_places.RandomAffine)
RandomCrop: Any = of_samples(_places.RandomCrop)
RandomHorizontalFlip: Any = of_samples(_places.RandomHorizontalFlip)
RandomPerspective: Any = of_samples(_places.RandomPerspective)
RandomResizedCrop: Any = of_samples(_places.RandomResizedCrop)
RandomRotation: Any = of_samples(_places.RandomRotation)
RandomVerticalFlip: Any = of_samples(_places.RandomVerticalFlip)
ColorJitter: Any = of_samples(_looks.ColorJitter)
GaussianBlur: Any = of_samples(_looks.GaussianBlur)
RandomAdjustSharpness: Any = of_samples(_looks.RandomAdjustSharpness)
RandomAutocontrast: Any = of_samples(_looks.RandomAutocontrast)
RandomEqualize: Any = of_samples(_looks.RandomEqualize)
RandomErasing: Any = of_samples(_looks.RandomErasing)
RandomGrayscale: Any = of_samples(_looks.RandomGrayscale)
RandomInvert: Any = of_samples(_looks.RandomInvert)
RandomPosterize: Any = of_samples(_looks.RandomPosterize)
RandomSolarize: Any = of_samples(_looks.RandomSolarize)

__all__ = [
    "CenterCrop", "ColorJitter", "Compose", "ConvertImageDtype", "ElasticTransform", "FiveCrop",
    "GaussianBlur", "GaussianNoise", "Grayscale", "Identity", "InterpolationMode", "Lambda",
    "LinearTransformation", "Normalize", "PILToTensor", "Pad", "RGB", "RandomAdjustSharpness",
    "RandomAffine", "RandomApply", "RandomAutocontrast", "RandomChoice", "RandomCrop",
    "RandomEqualize", "RandomErasing", "RandomGrayscale", "RandomHorizontalFlip", "RandomInvert",
    "RandomOrder", "RandomPerspective", "RandomPosterize", "RandomResizedCrop", "RandomRotation",
    "RandomSolarize", "RandomVerticalFlip", "Resize", "TenCrop", "ToDtype", "ToImage", "ToPILImage",
    "ToPureTensor", "ToTensor", "Transform", "functional",
]  # fmt: skip
