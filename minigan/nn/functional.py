"""torch.nn.functional's names for what minigan has: ops as functions of Tensors, without modules.

With `inplace=True` the result is written into the input itself, as `x.relu_()` does.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from .. import ops
from ..arrays import seam
from ..autograd import Tensor, raw
from ..messages import warn
from ..ops import (
    channel_shuffle,
    gelu,
    glu,
    gumbel_softmax,
    hardshrink,
    linear,
    local_response_norm,
    logsigmoid,
    pdist,
    prelu,
    rms_norm,
    sigmoid,
    softplus,
    softshrink,
    tanh,
    tanhshrink,
)
from ..ops.attention import multi_head_attention_forward, scaled_dot_product_attention
from ..ops.class_loss import cross_entropy, nll_loss
from ..ops.convolution import *  # noqa: F403
from ..ops.convolution import __all__ as _convolutions
from ..ops.distance import cosine_similarity, normalize, pairwise_distance
from ..ops.embedding import embedding
from ..ops.grid import affine_grid, grid_sample
from ..ops.group_normalization import group_norm, instance_norm, layer_norm
from ..ops.inplace import activated
from ..ops.loss import *  # noqa: F403
from ..ops.loss import __all__ as _losses
from ..ops.margin import *  # noqa: F403
from ..ops.margin import __all__ as _margins
from ..ops.max_pooling import *  # noqa: F403
from ..ops.max_pooling import __all__ as _max_pools
from ..ops.normalization import batch_norm
from ..ops.padding import pad
from ..ops.patches import fold, unfold
from ..ops.pooling import *  # noqa: F403
from ..ops.pooling import __all__ as _pools
from ..ops.pooling3d import *  # noqa: F403
from ..ops.pooling3d import __all__ as _pools3d
from ..ops.product import bilinear
from ..ops.resample import interpolate, pixel_shuffle, pixel_unshuffle

F = TypeVar("F", bound=Callable[..., Any])
__all__ = [
    *_convolutions, *_losses, *_margins, *_max_pools, *_pools, *_pools3d, "affine_grid",
    "alpha_dropout", "batch_norm", "bilinear", "celu", "channel_shuffle", "cosine_similarity",
    "cross_entropy", "dropout", "dropout1d", "dropout2d", "dropout3d", "elu", "embedding",
    "feature_alpha_dropout", "fold", "gelu", "glu", "grid_sample", "group_norm", "gumbel_softmax",
    "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "instance_norm", "interpolate",
    "layer_norm", "leaky_relu", "linear", "local_response_norm", "log_softmax", "logsigmoid",
    "mish", "multi_head_attention_forward", "nll_loss", "normalize", "one_hot", "pad",
    "pairwise_distance", "pdist", "pixel_shuffle", "pixel_unshuffle", "prelu", "relu", "relu6",
    "rms_norm", "rrelu", "scaled_dot_product_attention", "selu", "sigmoid", "silu", "softmax",
    "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "unfold",
    "upsample", "upsample_bilinear", "upsample_nearest",
]  # fmt: skip


def _activated(function, input, inplace, *options):
    return activated(function, input, *options) if inplace else function(input, *options)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)"""
    return _activated(ops.relu, input, inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """x limited to [0, 6]"""
    return _activated(ops.hardtanh, input, inplace, 0.0, 6.0)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope x"""
    return _activated(ops.leaky_relu, input, inplace, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (e^x - 1)"""
    return _activated(ops.elu, input, inplace, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Scaled ELU (Klambauer et al. 2017)"""
    return _activated(ops.selu, input, inplace)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x sigmoid(x)"""
    return _activated(ops.silu, input, inplace)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """x limited to [min_val, max_val]"""
    return _activated(ops.hardtanh, input, inplace, min_val, max_val)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)"""
    return input / (ops.abs(input) + 1)


def _softmax_dim(name, input, dim):
    """The dimension that torch takes where none is given, with its warning."""
    if dim is not None:
        return dim
    warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument."
    )
    return 0 if input.ndim in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | None = None, dtype=None) -> Tensor:
    """e^x / sum of e^x along `dim` (None: with a warning 0 of 0, 1 or 3 dimensions, else 1)"""
    return ops.softmax(input, _softmax_dim("softmax", input, dim), dtype)


def log_softmax(input: Tensor, dim: int | None = None, dtype=None) -> Tensor:
    """x - log of the sum of e^x along `dim` (None: as in `softmax`)"""
    return ops.log_softmax(input, _softmax_dim("log_softmax", input, dim), dtype)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training each element is 0 with probability p, else divided by 1 - p; otherwise y = x"""
    return _activated(ops.dropout, input, inplace and p > 0, p) if training else input


def softmin(input: Tensor, dim: int | None = None, dtype=None) -> Tensor:
    """softmax of -x along `dim` (None: as in `softmax`)"""
    return ops.softmax(-input, _softmax_dim("softmin", input, dim), dtype)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(softplus(x))"""
    return _activated(ops.mish, input, inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (e^(x / alpha) - 1)"""
    return _activated(ops.celu, input, inplace, alpha)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """relu6(x + 3) / 6"""
    return _activated(ops.hardsigmoid, input, inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else value"""
    return _activated(ops.threshold, input, inplace, threshold, value)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False,
    inplace: bool = False,
) -> Tensor:  # fmt: skip
    """x where x > 0, else a x: a drawn from [lower, upper] for each element in training, else the
    middle of the two
    """
    return _activated(ops.rrelu, input, inplace, lower, upper, training)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x relu6(x + 3) / 6"""
    return _activated(ops.hardswish, input, inplace)


def _drop_channels(name, input, p, training, inplace, dims, unbatched):
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p={p} is no probability")
    if input.ndim not in dims:
        raise ValueError(
            f"{name}: expected input of {' or '.join(map(str, dims))} dimensions, got shape "
            f"{tuple(input.shape)}"
        )
    if not training or p == 0:
        return input
    if input.ndim == unbatched:
        return _activated(lambda x: ops.feature_dropout(x[None], p)[0], input, inplace)
    return _activated(ops.feature_dropout, input, inplace, p)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training each channel of (N, C, L) or (C, L) is 0 with probability p, else divided by 1 -
    p; otherwise y = x"""
    return _drop_channels("dropout1d", input, p, training, inplace, (2, 3), 2)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training each channel of (N, C, H, W), or (N, C, L), is 0 with probability p, else divided
    by 1 - p; otherwise y = x"""
    return _drop_channels("dropout2d", input, p, training, inplace, (3, 4), None)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training each channel of (N, C, D, H, W) or (C, D, H, W) is 0 with probability p, else
    divided by 1 - p; otherwise y = x"""
    return _drop_channels("dropout3d", input, p, training, inplace, (4, 5), 4)


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout that keeps mean 0 and variance 1 (Klambauer et al. 2017)"""
    return _activated(ops.alpha_dropout, input, inplace, p, True) if training and p > 0 else input


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:  # fmt: skip
    """`alpha_dropout` of whole channels of (N, C, ...)"""
    drop = training and p > 0
    return _activated(ops.feature_alpha_dropout, input, inplace, p, True) if drop else input


def upsample(
    input: Tensor,
    size=None,
    scale_factor=None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """torch's old name of `interpolate`"""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size=None, scale_factor=None) -> Tensor:
    """torch's old name of `interpolate(mode="nearest")`"""
    return interpolate(input, size, scale_factor)


def upsample_bilinear(input: Tensor, size=None, scale_factor=None) -> Tensor:
    """torch's old name of `interpolate(mode="bilinear", align_corners=True)`"""
    return interpolate(input, size, scale_factor, "bilinear", True)


def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """Class numbers (...) -> int64 (..., num_classes): 1 at the class, else 0. num_classes = -1:
    the largest number + 1. ValueError for a number that is no class, on CUDA zeros, as that would
    have to be waited for."""
    classes = raw(input)
    if classes.dtype.kind not in "iu":
        raise TypeError(f"one_hot: input must hold class numbers (integers), it is {classes.dtype}")
    if num_classes == -1:
        num_classes = int(classes.max()) + 1
    if isinstance(classes, np.ndarray):
        seam.execute(check_classes, classes, num_classes)
    numbers = ops.arange(num_classes, device=input.device)
    return (input.to(np.int64)[..., None] == numbers).to(np.int64)


def check_classes(classes, count):
    """ValueError where a label is none of 0 .. count - 1."""
    if classes.size and not (int(classes.min()) >= 0 and int(classes.max()) < count):
        raise no_class(classes, count)


def no_class(classes, count):
    """The error of a label that is none of `count` classes."""
    return ValueError(
        f"one_hot: input has classes from {int(classes.min())} to {int(classes.max())}, "
        f"num_classes is {count}"
    )


def _into_itself(function: F) -> F:
    """torch's name with _: the same, written into the input."""

    def method(input, *args, **named):
        return function(input, *args, **named, inplace=True)

    method.__name__ = method.__qualname__ = f"{function.__name__}_"
    method.__doc__ = f"As `{function.__name__}`, into the input itself."
    return cast(F, method)


relu_ = _into_itself(relu)
leaky_relu_ = _into_itself(leaky_relu)
elu_ = _into_itself(elu)
selu_ = _into_itself(selu)
celu_ = _into_itself(celu)
hardtanh_ = _into_itself(hardtanh)
threshold_ = _into_itself(threshold)
rrelu_ = _into_itself(rrelu)
