"""More activation functions, with thresholds, and with random slopes or choices; over the ops of
`activation` and `sampling`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import array_module, default_generator, device_of, seam
from ..autograd import Tensor, no_grad, raw
from .activation import elu, hardtanh, tanh
from .arithmetic import _where as where
from .arithmetic import clamp
from .axes import axis_of
from .dropout import _masked_scale
from .elementary import abs, log, log1p, rsqrt, sign, square
from .extremes import argmax
from .padding import pad
from .placement import to
from .pooling import avg_pool2d
from .pooling3d import avg_pool3d
from .reduction import mean, norm
from .sampling import rand_like
from .shape import unsqueeze
from .softmax import softmax

__all__ = [
    "categorical", "celu", "channel_shuffle", "gumbel_softmax", "hardshrink", "hardsigmoid",
    "local_response_norm", "pdist", "rms_norm", "rrelu", "softshrink",
    "tanhshrink", "threshold",
]  # fmt: skip


def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha (e^(x / alpha) - 1). Barron 2017"""
    if alpha == 0:
        raise ValueError("celu: alpha must not be 0")
    return elu(input * (1 / alpha)) * alpha


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambd, else 0"""
    return where(abs(input) <= lambd, 0.0, input)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x - lambd where x > lambd, x + lambd where x < -lambd, else 0"""
    if lambd < 0:
        raise ValueError(f"softshrink: lambd={lambd} must not be negative")
    return where(abs(input) <= lambd, 0.0, input - sign(input) * lambd)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh x"""
    return input - tanh(input)


def hardsigmoid(input: Tensor) -> Tensor:
    """relu6(x + 3) / 6"""
    return hardtanh(input + 3, 0.0, 6.0) * (1 / 6)


def threshold(input: Tensor, threshold: Any, value: float) -> Tensor:
    """x where x > threshold, else value"""
    return where(input <= threshold, value, input)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    *,
    generator: Any = None,
) -> Tensor:
    """x where x > 0, else a x: a drawn from [lower, upper] for each element in training, else the
    middle of the two. Xu et al. 2015
    """
    if not 0 <= lower <= upper:
        raise ValueError(f"rrelu: lower={lower} and upper={upper} must be 0 <= lower <= upper")
    if not training:
        return where(input > 0, input, input * ((lower + upper) / 2))
    slopes = seam.execute(_slopes, raw(input), lower, upper, generator)
    return _masked_scale(input, slopes)


def _slopes(array, lower, upper, generator):
    draws = (
        (generator or default_generator)
        .uniform(array.shape, np.float32, device_of(array))
        .astype(array.dtype)
    )
    one = array.dtype.type(1)
    return np.where(
        array > 0, one, draws * array.dtype.type(upper - lower) + array.dtype.type(lower)
    )


def gumbel_softmax(
    logits: Tensor,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
    *,
    generator: Any = None,
) -> Tensor:
    """A sample of the classes along `dim` with probabilities softmax(logits), made differentiable:
    softmax((logits + noise) / tau), the noise Gumbel's. Jang et al. 2017; Maddison et al. 2017.

    hard : the result is one-hot, its gradient that of the soft sample;  eps : as in torch unused
    """
    soft = softmax(_perturbed(logits, generator) * (1 / tau), dim)
    if not hard:
        return soft
    axis = axis_of(dim, logits.ndim)
    classes = (
        array_module(raw(soft))
        .arange(soft.shape[axis])
        .reshape((-1,) + (1,) * (logits.ndim - 1 - axis))
    )
    chosen = to(argmax(soft, axis, True) == classes, soft.dtype)
    return chosen - soft.detach() + soft


def categorical(logits: Tensor, dim: int = -1, *, generator: Any = None) -> Tensor:
    """A class for each row along `dim`, with probabilities softmax(logits): int64, without that
    dimension; constant.

    By the Gumbel-max trick (Gumbel 1954; Maddison et al. 2014): the largest of logits + noise wins.
    It needs no value on the host, unlike `multinomial`, so that a step with it can be replayed on a
    GPU. A class with a logit of -inf is never drawn.
    """
    with no_grad():
        return argmax(_perturbed(logits, generator), dim)


def _perturbed(logits, generator):
    """logits + Gumbel's noise, -log of exponential draws."""
    smallest = float(np.finfo(raw(logits).dtype).tiny)
    return logits - log(clamp(-log1p(-rand_like(logits, generator=generator)), min=smallest))


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels of input (N, C, ...) taken in turn from each of `groups` groups. Zhang et al.
    2018
    """
    n, c, *rest = input.shape
    if groups < 1 or c % groups:
        raise ValueError(
            f"channel_shuffle: groups={groups} must divide the {c} channels of shape "
            f"{tuple(input.shape)}"
        )
    return input.reshape(n, groups, c // groups, *rest).swapaxes(1, 2).reshape(n, c, *rest)


def rms_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """x / sqrt(mean(x^2) + eps) weight, the mean over the last dimensions normalized_shape. Zhang
    and Sennrich 2019

    eps : None: the dtype's machine epsilon
    """
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if tuple(input.shape[input.ndim - len(shape) :]) != shape:
        raise ValueError(
            f"rms_norm: input of shape {tuple(input.shape)} does not end with "
            f"normalized_shape={shape}"
        )
    eps = float(np.finfo(raw(input).dtype).eps) if eps is None else eps
    dtype = raw(input).dtype
    # squares of float16 would overflow
    wide = to(input, np.float32) if raw(input).dtype == np.float16 else input
    y = wide * rsqrt(mean(square(wide), tuple(range(-len(shape), 0)), True) + eps)
    y = y if wide is input else to(y, dtype)
    return y if weight is None else y * weight


def local_response_norm(
    input: Tensor,
    size: Sequence[int],
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
) -> Tensor:
    """x / (k + alpha m)^beta, m the mean of x^2 over `size` neighbouring channels of (N, C, ...).
    Krizhevsky et al. 2012, section 3.3
    """
    if input.ndim < 3:
        raise ValueError(
            f"local_response_norm: expected input (N, C, ...), got shape {tuple(input.shape)}"
        )
    if not math.prod(input.shape):
        return input
    squares = unsqueeze(square(input), 1)
    ends = (size // 2, (size - 1) // 2)
    if input.ndim == 3:
        means = avg_pool2d(pad(squares, (0, 0, *ends)), (size, 1), 1)[:, 0]
    else:
        flat = squares.reshape(input.shape[0], 1, input.shape[1], input.shape[2], -1)
        means = avg_pool3d(pad(flat, (0, 0, 0, 0, *ends)), (size, 1, 1), 1)[:, 0].reshape(
            input.shape
        )
    return input / (means * alpha + k) ** beta


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norms of the differences of all pairs of rows i < j of input (N, M): (N (N - 1) /
    2,).
    """
    if input.ndim != 2:
        raise ValueError(f"pdist: expected a matrix, got shape {tuple(input.shape)}")
    first, second = np.triu_indices(input.shape[0], 1)
    return norm(input[first] - input[second], p, -1)
