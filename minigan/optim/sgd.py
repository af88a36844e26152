"""Stochastic gradient descent."""

from ..ops.update import sgd_step
from .optimizer import Optimizer, Params


class SGD(Optimizer):
    """d = g + weight_decay p;  b = momentum b + (1 - dampening) d (at first b = d);  p -= lr b.
    Arguments as torch.optim.SGD.

    nesterov : p -= lr (d + momentum b) instead
    maximize : ascend: g is replaced by -g
    foreach, differentiable, fused : accepted, without effect; the step is always fused
    """

    update, counted = sgd_step, False

    def __init__(
        self, params: Params, lr: float = 1e-3, momentum: float = 0, dampening=0,
        weight_decay: float = 0, nesterov=False,
        *, maximize=False, foreach=None, differentiable=False, fused=None,
    ) -> None:  # fmt: skip
        super().__init__(params, dict(
            lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize, foreach=foreach, differentiable=differentiable, fused=fused,
        ))  # fmt: skip

    def _check(self, group):
        super()._check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("SGD: nesterov=True needs momentum > 0 and dampening = 0")

    def _names(self, group):
        return ("momentum_buffer",) if group["momentum"] else ()

    def _numbers(self, group, step):
        momentum = group["momentum"]
        dampening = group["dampening"]
        nesterov = group["nesterov"]
        return self.update.numbers(
            step == 1,
            float(group["lr"]),
            momentum,
            dampening,
            group["weight_decay"],
            nesterov,
            group["maximize"],
        )
