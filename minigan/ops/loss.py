"""Losses under torch's names. `reduction` is "mean" (over all elements), "sum", or "none" (the loss
of each element).

Input and target should have one shape: an (N, 1) output against an (N,) target broadcasts to (N,
N), which is seldom meant. As in torch that is an error of the cross-entropies, and a warning of the
distances. The losses of a GAN's discriminator are cards of one pass; the others are compositions of
ops, to be read as their formulas.
"""

import numpy as np

from ..autograd import Tensor, op
from .activation import log1p_exp, logsigmoid, sigmoid
from .arithmetic import _where as where
from .arithmetic import clamp, maximum
from .elementary import abs, exp, log
from .loss_arguments import (
    REDUCTIONS,
    _check,
    _check_reduction,
    _common_shape,
    _distance,
    _each,
    _reduce,
    _reduced,
)

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "hinge_embedding_loss",
    "huber_loss", "kl_div", "l1_loss", "margin_ranking_loss", "mean_logsigmoid", "mse_loss",
    "smooth_l1_loss", "soft_margin_loss",
]  # fmt: skip


@op(saves=("input", "target", "reduction"))
def _mse_loss(input, target, reduction):
    """(input - target)^2, reduced.
    dL/dinput = 2 g (input - target), dL/dtarget = its negative;  / count for the mean"""
    return _reduce(np.square(np.subtract(input, target)), reduction)


@_mse_loss.backward
def _(g, need, x, t, reduction):
    gx = (x - t) * (_each(g, x, reduction) * 2)
    return gx, need[1] and -gx


@_reduced("reduction")
def mse_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", weight: Tensor | None = None
) -> Tensor:
    """(input - target)^2, reduced; weight: a factor of each element."""
    input, target = _common_shape("mse_loss", input, target, reduction)
    if weight is None:
        return _mse_loss(input, target, reduction)
    return _distance(_mse_loss(input, target, "none"), weight, reduction)


@_reduced("reduction")
def l1_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", weight: Tensor | None = None
) -> Tensor:
    """|input - target|, reduced; weight: a factor of each element."""
    input, target = _common_shape("l1_loss", input, target, reduction)
    return _distance(abs(input - target), weight, reduction)


@_reduced("reduction")
def smooth_l1_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """d^2 / (2 beta) where |d| < beta, else |d| - beta / 2, with d = input - target; reduced.
    Girshick 2015."""
    input, target = _common_shape("smooth_l1_loss", input, target, reduction)
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta={beta} must not be negative")
    d = abs(input - target)
    return _reduce(where(d < beta, d * d * (0.5 / beta), d - 0.5 * beta) if beta else d, reduction)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), with d = input - target; reduced.
    Huber 1964.

    weight : a factor of each element
    """
    input, target = _common_shape("huber_loss", input, target, reduction)
    if delta <= 0:
        raise ValueError(f"huber_loss: delta={delta} must be positive")
    d = abs(input - target)
    return _distance(where(d <= delta, d * d * 0.5, (d - 0.5 * delta) * delta), weight, reduction)


# --- two classes ---


def _log(x):
    """log x, at least -100: what torch limits it to. (1e-45 is the smallest positive float32; log 0
    would warn.)"""
    return maximum(log(maximum(x, 1e-45)), -100.0)


def no_probabilities(x):
    """The error about values outside of [0, 1]."""
    return ValueError(
        f"input must be probabilities, all in [0, 1]; its values go from {x.min():g} to "
        f"{x.max():g}: apply sigmoid to it, or use binary_cross_entropy_with_logits"
    )


@op(saves=("input", "target", "reduction"))
def _bce(input, target, reduction):
    """-(t log x + (1 - t) log(1 - x)), each logarithm at least -100; reduced.

    dL/dx = g (x - t) / (x (1 - x)), the denominator at least 1e-12;
    dL/dt = g (log(1 - x) - log x)
    """
    # (on CUDA this would wait for the device)
    if isinstance(input, np.ndarray) and not ((input >= 0) & (input <= 1)).all():
        raise no_probabilities(input)
    return _reduce(-(target * _log(input) + (1 - target) * _log(1 - input)), reduction)


@_bce.backward
def _(g, need, x, t, reduction):
    g = _each(g, x, reduction)
    return need[0] and g * (x - t) / maximum(x * (1 - x), 1e-12), need[1] and g * (
        _log(1 - x) - _log(x)
    )


@_reduced("reduction")
def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Tensor:
    """-(t log x + (1 - t) log(1 - x)), reduced, for probabilities x = input and targets t, both in
    [0, 1].

    Logarithms are limited to at least -100, as in torch. Prefer `binary_cross_entropy_with_logits`,
    which is exact there.

    weight : factor of each element, broadcast to input's shape
    """
    _check("binary_cross_entropy", input, target, reduction)
    if weight is None:
        return _bce(input, target, reduction)
    return _reduce(
        _weighted("binary_cross_entropy", _bce(input, target, "none"), weight), reduction
    )


@op(saves=("input", "target", "reduction"))
def _bce_logits(input, target, reduction):
    """-(t log s + (1 - t) log(1 - s)) with s = sigmoid(x), as max(x, 0) - x t + log(1 + e^-|x|),
    which cannot overflow; reduced.

    dL/dx = g (s - t),  dL/dt = -g x
    """
    return _reduce(np.maximum(input, 0) - input * target + log1p_exp(input), reduction)


@_bce_logits.backward
def _(g, need, x, t, reduction):
    g = _each(g, x, reduction)
    return need[0] and (sigmoid(x) - t) * g, need[1] and -g * x


@op(saves=("x", "sign"))
def mean_logsigmoid(x: Tensor, sign: float = 1) -> Tensor:
    """y = mean of log sigmoid(sign x), sign 1 or -1: E log D for logits x, or E log(1 - D).

    dL/dx = g sign sigmoid(-sign x) / N
    """
    return np.mean(logsigmoid.card.forward(x * sign))


@mean_logsigmoid.backward
def _(g, need, x, sign):
    return mean_logsigmoid_grad(x, sign, g)


@op
def mean_logsigmoid_grad(x, sign, g):
    """g sign sigmoid(-sign x) / N: the rule of `mean_logsigmoid`."""
    return sigmoid(x * -sign) * (g * (sign / x.size))


@mean_logsigmoid.formula
def _(x, sign):
    return logsigmoid(x * sign).mean()


@_reduced("reduction")
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Binary cross-entropy of sigmoid(input) against target, reduced, in a form that is exact for
    all logits.

    weight : factor of each element, broadcast to input's shape
    pos_weight : factor p of the positive term, broadcast: (1 - t) x + (1 + (p - 1) t) log(1 + e^-x)
    """
    name = "binary_cross_entropy_with_logits"
    _check(name, input, target, reduction)
    if weight is None and pos_weight is None:
        return _bce_logits(input, target, reduction)
    if pos_weight is None:
        loss = _bce_logits(input, target, "none")
    else:
        loss = (1 - target) * input - (
            _weighted(name, target, pos_weight - 1, "pos_weight") + 1
        ) * logsigmoid(input)
    return _reduce(loss if weight is None else _weighted(name, loss, weight), reduction)


def _weighted(name, values, weight, what="weight"):
    """values * weight; a weight that would enlarge the values is an error."""
    result = values * weight
    if tuple(result.shape) != tuple(values.shape):
        raise ValueError(
            f"{name}: {what} of shape {tuple(weight.shape)} does not broadcast to the input's "
            f"shape {tuple(values.shape)}"
        )
    return result


# --- others ---


@_reduced("reduction")
def kl_div(
    input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False
) -> Tensor:
    """target (log target - input), reduced: Kullback and Leibler's divergence of log-probabilities
    `input` from `target`.

    target : probabilities (0 log 0 = 0), or with log_target=True their logarithms
    reduction : also "batchmean", the sum over input.shape[0], which is the mathematical mean of the
        divergences
    """
    batches = input.shape[0] if input.ndim else 1
    _check_reduction("kl_div", reduction, (*REDUCTIONS, "batchmean"))
    input, target = _common_shape("kl_div", input, target, "none", aloud=False)
    if log_target:
        loss = exp(target) * (target - input)
    else:
        loss = target * (log(where(target == 0, 1.0, target)) - input)
    return loss.sum() / batches if reduction == "batchmean" else _reduce(loss, reduction)


@_reduced("reduction")
def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, reduction: str = "mean"
) -> Tensor:
    """input where target = 1, max(0, margin - input) where target = -1 (elsewhere their sum, as in
    torch); reduced."""
    input, target = _common_shape("hinge_embedding_loss", input, target, reduction, aloud=False)
    loss = where(target != -1, input, 0.0) + where(target != 1, clamp(margin - input, 0.0), 0.0)
    return _reduce(loss, reduction)


@_reduced("reduction")
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """max(0, margin - target (input1 - input2)), reduced; target = 1 where input1 should be the
    larger, else -1."""
    _check_reduction("margin_ranking_loss", reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        shapes = ", ".join(str(tuple(x.shape)) for x in (input1, input2, target))
        raise ValueError(
            f"margin_ranking_loss: input1, input2 and target have shapes {shapes}: they need "
            "equally many dimensions"
        )
    return _reduce(clamp(margin - target * (input1 - input2), 0.0), reduction)


@_reduced("reduction")
def soft_margin_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """log(1 + e^(-target input)), reduced; targets are 1 and -1."""
    input, target = _common_shape("soft_margin_loss", input, target, reduction, aloud=False)
    return _reduce(-logsigmoid(input * target), reduction)
