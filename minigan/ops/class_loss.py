"""Losses of several classes under torch's names. `reduction` is "mean" (over the samples), "sum" or
"none" (the loss of each sample)."""

import math

import numpy as np

from ..autograd import Tensor, raw, tensor_of
from .arithmetic import _where as where
from .indexing import gather
from .loss_arguments import _check_reduction, _reduce, _reduced
from .softmax import log_softmax

__all__ = ["cross_entropy", "nll_loss"]


def _classes(name, input, target, weight, ignore_index):
    """dim, index, kept, share: where the classes are, the class of each sample (0 if ignored), is
    it kept, and its weight."""
    dim = 0 if input.ndim == 1 else 1
    expected = tuple(input.shape[:dim]) + tuple(input.shape[dim + 1 :])
    target = target if isinstance(target, Tensor) else tensor_of(target)
    if input.ndim == 0 or tuple(target.shape) != expected:
        raise ValueError(
            f"{name}: input has shape {tuple(input.shape)} (classes in dimension {dim}), so "
            f"target must have shape {expected}, it has {tuple(target.shape)}"
        )
    if raw(target).dtype.kind not in "iu":
        raise TypeError(
            f"{name}: target must hold class numbers (integers), it is {raw(target).dtype}: "
            "convert it with .long()"
        )
    count = input.shape[dim]
    if weight is not None and tuple(weight.shape) != (count,):
        raise ValueError(
            f"{name}: weight must have shape ({count},), one for each class, it has "
            f"{tuple(weight.shape)}"
        )
    kept = target != ignore_index
    index = where(kept, target, 0)
    numbers = raw(index)
    if (
        isinstance(numbers, np.ndarray)
        and numbers.size
        and not (numbers.min() >= 0 and numbers.max() < count)
    ):
        raise IndexError(
            f"{name}: target has classes from {numbers.min()} to {numbers.max()}, input has "
            f"classes 0 to {count - 1}"
        )
    share = kept.to(input.dtype)
    if weight is not None:
        each = gather(tensor_of(raw(weight)), 0, index.reshape(-1)).reshape(index.shape)
        share = each.to(input.dtype) * share
    return dim, index, kept, share


def _average(loss, share, reduction):
    """`reduction` where the mean is the sum over the sum of the weights."""
    return loss.sum() / share.sum() if reduction == "mean" else _reduce(loss, reduction)


@_reduced("ignore_index")
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood -input[n, target[n]], reduced.

    input : log-probabilities (N, C), (C,) or (N, C, d1, ...)
    target : class numbers (N,), () or (N, d1, ...); those equal to `ignore_index` count nothing
    weight : (C,), the weight of each class; the mean is then the weighted one
    """
    _check_reduction("nll_loss", reduction)
    dim, index, kept, share = _classes("nll_loss", input, target, weight, ignore_index)
    picked = gather(input, dim, index.unsqueeze(dim)).squeeze(dim)
    return _average(where(kept, -picked * share, 0.0), share, reduction)


@_reduced("ignore_index")
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(input)[target], reduced.

    input : logits (N, C), (C,) or (N, C, d1, ...)
    target : class numbers (N,), () or (N, d1, ...), or probabilities of input's shape (then -sum_c
        target_c log softmax_c)
    weight : (C,), the weight of each class
    ignore_index : samples of this class number count nothing
    label_smoothing : e in [0, 1]: the target becomes (1 - e) target + e / C (Szegedy et al. 2016)
    """
    _check_reduction("cross_entropy", reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing={label_smoothing} must be in [0, 1]")
    dim = 0 if input.ndim == 1 else 1
    count = input.shape[dim] if input.ndim else 1
    logp = log_softmax(input, dim)
    each = (
        logp if weight is None else logp * weight.reshape((count,) + (1,) * (input.ndim - dim - 1))
    )
    if tuple(target.shape) == tuple(input.shape) and raw(target).dtype.kind == "f":
        soft = (
            target * (1 - label_smoothing) + label_smoothing / count if label_smoothing else target
        )
        loss = -(soft * each).sum(dim)
        return (
            loss.sum() / max(math.prod(loss.shape), 1)
            if reduction == "mean"
            else _reduce(loss, reduction)
        )
    hard = nll_loss(logp, target, weight, ignore_index, reduction)
    if not label_smoothing:
        return hard
    _, _, kept, share = _classes("cross_entropy", input, target, weight, ignore_index)
    smooth = _average(where(kept, -each.sum(dim), 0.0), share, reduction)
    return hard * (1 - label_smoothing) + smooth * (label_smoothing / count)
