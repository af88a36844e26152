"""Losses of distances and margins, and likelihoods of numbers; compositions of ops, to be read as
their formulas. As in loss.py,
`reduction` is "mean", "sum" or "none"."""

import math
from typing import Any

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, raw
from .activation import logsigmoid
from .arithmetic import _where as where
from .arithmetic import clamp, minimum
from .distance import pairwise_distance
from .elementary import exp, log, square
from .indexing import gather
from .loss_arguments import _check, _check_reduction, _reduce
from .placement import to
from .reduction import mean, sum
from .shape import unsqueeze

__all__ = [
    "cosine_embedding_loss", "gaussian_nll_loss", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "poisson_nll_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin + |a - p| - |a - n|), p-norms along the last dimension; reduced. Schroff et al.
    2015.

    eps : added to each difference;  swap : for |a - n| the smaller of it and |p - n| (Balntas et
        al. 2016)
    """
    distance = lambda x, y: pairwise_distance(x, y, float(p), eps)
    if not anchor.ndim == positive.ndim == negative.ndim:
        shapes = ", ".join(str(tuple(x.shape)) for x in (anchor, positive, negative))
        raise ValueError(
            "triplet_margin_loss: anchor, positive and negative must have as many dimensions, "
            f"got shapes {shapes}"
        )
    return _triplet(
        "triplet_margin_loss", distance, anchor, positive, negative, margin, swap, reduction
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Any = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """As `triplet_margin_loss`, with distances distance_function(x, y) (default:
    `pairwise_distance`).
    """
    name = "triplet_margin_with_distance_loss"
    return _triplet(
        name,
        distance_function or pairwise_distance,
        anchor,
        positive,
        negative,
        margin,
        swap,
        reduction,
    )


def _triplet(name, distance, anchor, positive, negative, margin, swap, reduction):
    _check_reduction(name, reduction)
    if margin <= 0:
        raise ValueError(f"{name}: margin={margin} must be positive")
    far = distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return _reduce(clamp(distance(anchor, positive) - far + margin, min=0.0), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos(x1, x2) where target = 1, max(0, cos(x1, x2) - margin) where target = -1; reduced.

    input1, input2 : (N, D) and target (N,), or (D,) and ()
    """
    _check_reduction("cosine_embedding_loss", reduction)
    if target.ndim > 1 or input1.ndim != target.ndim + 1 or input2.ndim != target.ndim + 1:
        raise ValueError(
            f"cosine_embedding_loss: expected inputs (N, D) and target (N,), or (D,) and (), "
            f"got shapes {tuple(input1.shape)}, {tuple(input2.shape)} and {tuple(target.shape)}"
        )
    eps = 1e-12  # under the root, as in torch
    lengths = (sum(square(input1), -1) + eps) * (sum(square(input2), -1) + eps)
    cos = sum(input1 * input2, -1) / lengths**0.5
    return _reduce(
        where(target == 1, 1 - cos, 0.0) + where(target == -1, clamp(cos - margin, min=0.0), 0.0),
        reduction,
    )


def _rows(name, input, target, like_input):
    """input (N, C), and target as rows."""
    if input.ndim == target.ndim == 0:
        return input.reshape(1, 1), target.reshape((1, 1) if like_input else (1,))
    if input.ndim not in (1, 2) or tuple(target.shape) != (
        tuple(input.shape) if like_input else tuple(input.shape[:-1])
    ):
        if not (input.ndim == 1 and not like_input and tuple(target.shape) == (1,)):
            wanted = "(N, C)" if like_input else "(N,)"
            shapes = f"{tuple(input.shape)} and {tuple(target.shape)}"
            raise ValueError(
                f"{name}: expected input (N, C) and target {wanted}, got shapes {shapes}"
            )
    if raw(target).dtype.kind not in "iu":
        raise TypeError(
            f"{name}: target must hold class numbers (integers), it is {raw(target).dtype}: "
            "convert it with .long()"
        )
    return input.reshape(-1, input.shape[-1]), target.reshape(
        (-1, input.shape[-1]) if like_input else (-1,)
    )


def _given_back(loss, input, target, reduction):
    """The losses of rows, reduced; of a single vector without dimensions."""
    loss = loss.reshape(target.shape) if input.ndim < 2 and reduction == "none" else loss
    return _reduce(loss, reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: float = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The sum over classes j other than target of max(0, margin - input[target] + input[j])^p / C;
    reduced.

    input : (N, C) or (C,);  target : class numbers (N,) or ();  p : 1 or 2;  weight : (C,), a
        factor for each target's class
    """
    _check_reduction("multi_margin_loss", reduction)
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p={p}; expected 1 or 2")
    x, classes = _rows("multi_margin_loss", input, target, False)
    right = unsqueeze(classes, 1)
    gap = clamp(x - gather(x, 1, to(right, np.int64)) + margin, min=0.0)
    gap = gap if p == 1 else gap * gap
    gap = gap if weight is None else gap * unsqueeze(weight[classes], 1)
    other = array_module(raw(x)).arange(x.shape[1]) != raw(right)
    return _given_back(sum(where(other, gap, 0.0), 1) / x.shape[1], input, target, reduction)


def multilabel_margin_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """The sum over classes i in target and j not in it of max(0, 1 - input[i] + input[j]) / C;
    reduced.

    input : (N, C) or (C,);  target : class numbers of the same shape; those before the first -1
        count
    """
    _check_reduction("multilabel_margin_loss", reduction)
    x, target = _rows("multilabel_margin_loss", input, target, True)
    xp, labels = array_module(raw(x)), raw(target)
    counts = xp.cumsum(labels < 0, 1) == 0
    index = np.where(counts, labels, 0).astype(np.int64)
    named = ((index[:, :, None] == xp.arange(x.shape[1])) & counts[:, :, None]).any(1)
    gap = clamp(1 - unsqueeze(gather(x, 1, index), 2) + unsqueeze(x, 1), min=0.0)
    loss = sum(where(counts[:, :, None] & ~named[:, None, :], gap, 0.0), (1, 2)) / x.shape[1]
    return _given_back(loss, input, raw(target).reshape(-1)[0], reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(t log s + (1 - t) log(1 - s)) with s = sigmoid(input), averaged over the classes (the last
    dimension); reduced.

    target : 0 or 1 for each class, in the shape of the input;  weight : a factor for each class
    """
    _check("multilabel_soft_margin_loss", input, target, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    return _reduce(mean(loss if weight is None else loss * weight, -1), reduction)


# --- likelihoods ---


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(log var + (input - target)^2 / var) / 2, the negative log-likelihood of normal numbers, var
    at least eps; reduced.
    Nix and Weigend 1994.

    var : variances in the shape of the input, or with size 1 or none in its last dimension, or a
        number;  full : add log(2 pi) / 2
    eps : a limit, of which the gradient does not know
    """
    _check_reduction("gaussian_nll_loss", reduction)
    if not hasattr(var, "shape"):
        var = input * 0 + float(var)
    if tuple(var.shape) != tuple(input.shape):
        if tuple(input.shape[:-1]) == tuple(var.shape):
            var = unsqueeze(var, -1)
        elif var.ndim != input.ndim or any(v not in (1, n) for v, n in zip(var.shape, input.shape)):
            raise ValueError(
                f"gaussian_nll_loss: var has shape {tuple(var.shape)}, input {tuple(input.shape)}"
            )
    if isinstance(raw(var), np.ndarray) and (raw(var) < 0).any():
        raise ValueError("gaussian_nll_loss: var has negative elements")
    low = raw(var) < eps
    limited = var + where(low, eps - raw(var), 0.0)
    loss = (log(limited) + square(input - target) / limited) * 0.5
    return _reduce(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood of counts: e^x - t x for x = input, the logarithm of the rate; or
    for x the rate itself (log_input=False) x - t log(x + eps); reduced.

    full : add t log t - t + log(2 pi t) / 2 where t > 1, Stirling's approximation of log t!
    """
    _check_reduction("poisson_nll_loss", reduction)
    loss = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        above = target > 1
        t = where(above, target, 1.0)
        loss = loss + where(above, t * log(t) - t + log(t * (2 * math.pi)) * 0.5, 0.0)
    return _reduce(loss, reduction)
