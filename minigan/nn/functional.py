"""torch.nn.functional's names for what minigan has: ops as functions of Tensors, without modules.

`inplace` is accepted and has no effect.
"""

import numpy as np

from .. import ops
from ..autograd import Tensor, raw
from ..backend import array_module
from ..ops import gelu, linear, logsigmoid, normalization, prelu, sigmoid, silu, softplus, tanh
from ..ops.loss import *  # noqa: F403
from ..ops.loss import __all__ as _losses
from ..ops.padding import pad
from ..ops.pooling import *  # noqa: F403
from ..ops.pooling import __all__ as _pools
from ..ops.resample import interpolate, pixel_shuffle, pixel_unshuffle

__all__ = [
    *_losses, *_pools, "batch_norm", "cosine_similarity", "dropout", "elu", "gelu", "hardtanh", "interpolate", "leaky_relu", "linear",
    "log_softmax", "logsigmoid", "normalize", "one_hot", "pad", "pixel_shuffle", "pixel_unshuffle", "prelu", "relu", "relu6", "selu",
    "sigmoid", "silu", "softmax", "softplus", "softsign", "tanh",
]  # fmt: skip

batch_norm = normalization.batch_norm


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)"""
    return ops.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """x limited to [0, 6]"""
    return ops.hardtanh(input, 0.0, 6.0)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope x"""
    return ops.leaky_relu(input, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (e^x - 1)"""
    return ops.elu(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Scaled ELU (Klambauer et al. 2017)"""
    return ops.selu(input)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x limited to [min_val, max_val]"""
    return ops.hardtanh(input, min_val, max_val)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)"""
    return input / (ops.abs(input) + 1)


def _softmax_dim(name, input, dim):
    if dim is None:
        raise ValueError(f"{name}: say which dimension sums to 1, e.g. {name}(input, dim=1); input has shape {tuple(input.shape)}")
    return dim


def softmax(input: Tensor, dim: int | None = None, dtype=None) -> Tensor:
    """e^x / sum of e^x along `dim` (which must be given)"""
    return ops.softmax(input if dtype is None else input.to(dtype), _softmax_dim("softmax", input, dim))


def log_softmax(input: Tensor, dim: int | None = None, dtype=None) -> Tensor:
    """x - log of the sum of e^x along `dim` (which must be given)"""
    return ops.log_softmax(input if dtype is None else input.to(dtype), _softmax_dim("log_softmax", input, dim))


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training each element is 0 with probability p, else divided by 1 - p; otherwise y = x"""
    return ops.dropout(input, p, training) if training else input


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x / max(|x|_p, eps), the norm taken along `dim`"""
    return input / ops.clamp(ops.norm(input, p, dim, True), min=eps)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (|x1| |x2|) along `dim`, each norm at least eps"""
    norms = [ops.clamp(ops.norm(x, 2.0, dim, True), min=eps) for x in (x1, x2)]
    return ((x1 / norms[0]) * (x2 / norms[1])).sum(dim)


def one_hot(target: Tensor, num_classes: int = -1) -> Tensor:
    """Class numbers (...) -> int64 (..., num_classes): 1 at the class, else 0. num_classes = -1: the largest number + 1."""
    classes = raw(target)
    if classes.dtype.kind not in "iu":
        raise TypeError(f"one_hot: target must hold class numbers (integers), it is {classes.dtype}")
    if num_classes == -1:
        num_classes = int(classes.max()) + 1
    if classes.size and not (int(classes.min()) >= 0 and int(classes.max()) < num_classes):
        raise ValueError(f"one_hot: target has classes from {int(classes.min())} to {int(classes.max())}, num_classes is {num_classes}")
    return Tensor((classes[..., None] == array_module(classes).arange(num_classes)).astype(np.int64))
