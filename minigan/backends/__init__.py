"""torch.backends' names, for programs that set them."""

from ..backend.elsewhere import elsewhere as _elsewhere
from . import cuda, cudnn, mps

__all__ = ["cuda", "cudnn", "mps"]
__getattr__ = _elsewhere(__name__)
