"""torch.backends' names, for programs that set them."""

from ..arrays.elsewhere import complete as _complete
from . import cuda, cudnn, mps

__all__ = ["cuda", "cudnn", "mps"]
_complete(__name__)
