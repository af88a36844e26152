"""Dropout: of elements or whole channels. Draws from `minigan.manual_seed`'s generator unless given
another."""

import numpy as np

from ..arrays import Generator, default_generator, device_of, seam
from ..autograd import Tensor, op, raw
from .activation import SELU_ALPHA, SELU_SCALE

__all__ = ["alpha_dropout", "dropout", "feature_alpha_dropout", "feature_dropout"]


@op(saves=("mask",))
def _masked_scale(x, mask):
    """y = x * mask, the mask a constant.    dL/dx = g * mask"""
    return x * mask


@_masked_scale.backward
def _(g, need, mask):
    return _masked_scale(g, mask)


@op
def _scales_of(draws, p, scale):
    """`scale` where a draw from [0, 1) is at least p, else 0. Constant in pieces: dL/dx = 0"""
    return (draws >= p) * draws.dtype.type(scale)


def _kept(array, shape, p, generator, scale=1.0):
    """`scale` with probability 1 - p, else 0, in the dtype and on the device of `array`."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p={p} is no probability")
    # draws are below 1: none is kept for p = 1
    draws = (generator or default_generator).uniform(shape, np.float32, device_of(array))
    if array.dtype == draws.dtype:
        return _scales_of(draws, p, scale)
    return (draws >= p) * array.dtype.type(scale)


def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, *, train: bool | None = None,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """In training each element is 0 with probability p, else divided by 1 - p (Srivastava et al.
    2014); else `input` itself."""
    training = training if train is None else train
    return _drop(input, input.shape, p, training, generator)


def feature_dropout(
    input: Tensor, p: float = 0.5, training: bool = True, *, train: bool | None = None,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """In training each channel of input (N, C, ...) is 0 with probability p, else divided by 1 - p
    (Tompson et al. 2015)."""
    training = training if train is None else train
    if input.ndim < 2:
        raise ValueError(
            f"feature_dropout: expected input (N, C, ...), got shape {tuple(input.shape)}"
        )
    return _drop(input, _channels(input), p, training, generator)


def _channels(input):
    """One draw for each channel: a shape that broadcasts to that of input (N, C, ...)."""
    return (*input.shape[:2], *(1,) * (input.ndim - 2))


def _drop(input, shape, p, training, generator):
    if not training or p == 0:
        return input
    return _masked_scale(input, seam.execute(_scales, raw(input), tuple(shape), p, generator))


def _scales(array, shape, p, generator):
    return _kept(array, shape, p, generator, 1 / (1 - p) if p < 1 else 0.0)


SATURATION = -SELU_SCALE * SELU_ALPHA  # of SELU at minus infinity


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, *, train: bool | None = None,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """In training each element takes SELU's lowest value with probability p, then all are scaled
    and shifted so that mean 0 and variance 1 stay (Klambauer et al. 2017, section "New dropout
    technique")."""
    training = training if train is None else train
    return _drop_alpha(input, input.shape, p, training, generator)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """`alpha_dropout` of whole channels of input (N, C, ...)."""
    return _drop_alpha(input, _channels(input), p, training, generator)


def _drop_alpha(input, shape, p, training, generator):
    if not training or p == 0:
        return input
    scales, shifts = seam.execute(_scales_and_shifts, raw(input), tuple(shape), p, generator)
    return _masked_scale(input, scales) + shifts


def _scales_and_shifts(array, shape, p, generator):
    keep = _kept(array, shape, p, generator)
    scale = ((1 - p) * (1 + p * SATURATION**2)) ** -0.5 if p < 1 else 0.0
    scale, low = array.dtype.type(scale), array.dtype.type(scale * SATURATION)
    return keep * scale, (1 - keep) * low - array.dtype.type(p) * low
