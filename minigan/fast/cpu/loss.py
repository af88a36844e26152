"""Kernels of ops/loss.py for NumPy: compiled loops."""

import math

from ...ops.loss import _bce, _bce_logits, mean_logsigmoid, mean_logsigmoid_grad, no_probabilities
from .kernels import kernel
from .map_elements import map_elements


def _of_total(total, input, reduction):
    """The sum of all losses, or their mean; of no losses it is NaN."""
    if reduction == "mean":
        total = total / input.size if input.size else math.nan
    return input.dtype.type(total)


@kernel
def _bce_total(x, t):
    total, valid = 0.0, True
    for i in range(x.size):
        total -= t[i] * max(math.log(x[i]), -100.0) + (1 - t[i]) * max(math.log1p(-x[i]), -100.0)
        valid &= x[i] >= 0 and x[i] <= 1
    return total, valid


@_bce.kernel("cpu")
def _(input, target, reduction):
    if input.dtype.char not in "fd":
        return _bce.card.forward(input, target, reduction)
    total, valid = _bce_total(input.reshape(-1), target.reshape(-1))
    if not valid:
        raise no_probabilities(input)
    if reduction == "none":
        return _bce.card.forward(input, target, reduction)
    return _of_total(total, input, reduction)


@kernel
def _bce_logits_total(x, t):
    total = 0.0
    for i in range(x.size):
        total += max(x[i], 0.0) - x[i] * t[i] + math.log1p(math.exp(-math.fabs(x[i])))
    return total


@_bce_logits.kernel("cpu")
def _(input, target, reduction):
    if reduction == "none" or input.dtype.char not in "fd":
        return _bce_logits.card.forward(input, target, reduction)
    total = _bce_logits_total(input.reshape(-1), target.reshape(-1))
    return _of_total(total, input, reduction)


@kernel
def _mean_logsigmoid_total(x, sign):
    total = 0.0
    for i in range(x.size):
        z = sign * x[i]
        total += min(z, 0.0) - math.log1p(math.exp(-math.fabs(z)))
    return total


@kernel
def _mean_logsigmoid_grad(x, sign, scale, out):
    for i in range(x.size):
        out[i] = scale / (1.0 + math.exp(sign * x[i]))


@mean_logsigmoid.kernel("cpu")
def _(x, sign=1):
    return x.dtype.type(_mean_logsigmoid_total(x.ravel("K"), sign) / x.size)


@mean_logsigmoid_grad.kernel("cpu")
def _(x, sign, g):
    return map_elements(_mean_logsigmoid_grad, x, sign, float(g) * sign / x.size)
