"""minigan: generative adversarial networks on an autodiff engine written from scratch over NumPy and CuPy.

Read it top to bottom: backend (arrays, devices, random numbers), autograd (Tensor, ops, the tape), ops, nn, optim, data,
metrics, viz, gan. The names are PyTorch's.
"""

from . import autograd, backend, ops, nn, optim
from .autograd import *  # noqa: F403
from .backend import Generator, device, manual_seed
from .ops import *  # noqa: F403
from .nn import summary

__version__ = "0.1.0"
