"""torchvision's names, as far as GAN programs use them: `transforms`, `datasets`, `tv_tensors`, and `utils` with `save_image`."""

from . import datasets, transforms, tv_tensors, utils

__all__ = ["datasets", "transforms", "tv_tensors", "utils"]
