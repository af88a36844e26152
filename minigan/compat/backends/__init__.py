"""torch.backends' names, for programs that set them."""

from . import cuda, cudnn, mps

__all__ = ["cuda", "cudnn", "mps"]
