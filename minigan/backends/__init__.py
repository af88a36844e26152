"""torch.backends' names, for programs that set them."""

from . import cuda, cudnn

__all__ = ["cuda", "cudnn"]
