"""Kernels of ops/loss.py for CUDA."""

from ...ops.loss import _bce_logits, mean_logsigmoid, mean_logsigmoid_grad
from ..cpu.loss import _bce_logits_total, _mean_logsigmoid_grad, _mean_logsigmoid_total
from . import elementwise, summed

_bce_logits_sum = summed(_bce_logits_total)


@_bce_logits.kernel("cuda")
def _(input, target, reduction):
    if reduction == "none" or not input.size:
        return _bce_logits.card.forward(input, target, reduction)
    return _bce_logits_sum(input, target, scale=1 / input.size if reduction == "mean" else 1.0)


_sum_on_device, _grad_on_device = summed(_mean_logsigmoid_total), elementwise(_mean_logsigmoid_grad)


@mean_logsigmoid.kernel("cuda")
def _(x, sign=1):
    return _sum_on_device(x, sign, scale=1 / x.size)


@mean_logsigmoid_grad.kernel("cuda")
def _(x, sign, g):
    return _grad_on_device(x, sign, g * (sign / x.size))
