"""torch.backends' names, for programs that set them."""

from . import cudnn

__all__ = ["cudnn"]
