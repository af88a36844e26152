"""Functions of pictures, of Pillow or as Tensors (..., C, H, W), to compose what a data set does
with its images.

What is random is drawn from minigan's generator. `functional` has the same without chance, `v2` the
newer names.
"""

from . import functional as functional, transforms as transforms, v2 as v2
from .transforms import *
from .transforms import __all__ as _names

__all__ = [*_names, "functional", "transforms", "v2"]
