"""torchvision's names, as far as GAN programs use them: `transforms`, `datasets`, and `utils` with `save_image` and `make_grid`."""

from ..backend.elsewhere import complete as _complete
from . import datasets, transforms, utils

__all__ = ["datasets", "transforms", "utils"]
_complete(__name__)
