"""torchvision's names, as far as GAN programs use them: `transforms`, `datasets`, `tv_tensors`, `models`, and `utils` with `save_image`."""

<<<<<<< HEAD:minigan/compat/vision/__init__.py
from . import datasets, transforms, tv_tensors, utils

__all__ = ["datasets", "transforms", "tv_tensors", "utils"]
=======
from ..arrays.elsewhere import complete as _complete
from . import datasets, models, transforms, tv_tensors, utils

__all__ = ["datasets", "models", "transforms", "tv_tensors", "utils"]
_complete(__name__)
>>>>>>> w-B:minigan/vision/__init__.py
