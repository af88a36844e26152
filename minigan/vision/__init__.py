"""torchvision's names, as far as GAN programs use them: `transforms`, `datasets`, `tv_tensors`, `models`, and `utils` with `save_image`."""

from ..arrays.elsewhere import complete as _complete
from . import datasets, models, transforms, tv_tensors, utils

__all__ = ["datasets", "models", "transforms", "tv_tensors", "utils"]
_complete(__name__)
