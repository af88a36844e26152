"""torchvision's names, as far as GAN programs use them: `transforms`, `datasets`, `tv_tensors`,
`models`, and `utils` with `save_image`."""

from . import datasets, models, transforms, tv_tensors, utils

__all__ = ["datasets", "models", "transforms", "tv_tensors", "utils"]
