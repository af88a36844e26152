"""RMSprop."""

from ..ops.update import rmsprop_step
from .optimizer import Optimizer, Params


class RMSprop(Optimizer):
    """s = alpha s + (1 - alpha) g^2;  p -= lr g / (sqrt(s) + eps).
    Arguments as torch.optim.RMSprop.

    Tieleman and Hinton, "Lecture 6.5 - RMSprop", 2012.

    momentum : sum up the steps with this decay
    centered : divide by an estimate of g's standard deviation instead (Graves 2013)
    weight_decay : g += weight_decay p before all else
    maximize : ascend: g is replaced by -g
    capturable, foreach, differentiable : accepted, without effect; the step is always fused
    """

    update = rmsprop_step

    def __init__(
        self, params: Params, lr: float = 1e-2, alpha=0.99, eps=1e-8, weight_decay: float = 0,
        momentum: float = 0, centered=False,
        capturable=False, foreach=None, maximize=False, differentiable=False,
    ) -> None:  # fmt: skip
        super().__init__(params, dict(
            lr=lr, momentum=momentum, alpha=alpha, eps=eps, centered=centered,
            weight_decay=weight_decay,
            capturable=capturable, foreach=foreach, maximize=maximize,
            differentiable=differentiable,
        ))  # fmt: skip

    def _names(self, group):
        names = ("square_avg", "grad_avg") if group["centered"] else ("square_avg",)
        return (*names, "momentum_buffer") if group["momentum"] > 0 else names

    def _ordered(self, names):
        slots = [n if n in names else None for n in ("square_avg", "grad_avg", "momentum_buffer")]
        return slots[: 1 + max(i for i, n in enumerate(slots) if n)]

    def _numbers(self, group, step):
        lr = float(group["lr"])
        alpha = group["alpha"]
        eps = group["eps"]
        decay = group["weight_decay"]
        return self.update.numbers(
            step, lr, alpha, eps, decay, group["momentum"], group["maximize"]
        )
