"""Adagrad."""

from ..ops.update import adagrad_step
from .optimizer import Optimizer, Params


class Adagrad(Optimizer):
    """s += g^2;  p -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps).
    Arguments as torch.optim.Adagrad.

    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
    optimization", 2011.

    initial_accumulator_value : what s starts with
    weight_decay : g += weight_decay p before all else
    maximize : ascend: g is replaced by -g
    foreach, differentiable, fused : accepted, without effect; the step is always fused
    """

    update = adagrad_step

    def __init__(
        self, params: Params, lr: float = 1e-2, lr_decay=0, weight_decay: float = 0,
        initial_accumulator_value=0, eps=1e-10,
        foreach=None, *, maximize=False, differentiable=False, fused=None,
    ) -> None:  # fmt: skip
        super().__init__(params, dict(
            lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            foreach=foreach, maximize=maximize, differentiable=differentiable, fused=fused,
        ))  # fmt: skip

    def _names(self, group):
        return ("sum",)

    def _initial(self, name, group):
        return group["initial_accumulator_value"]

    def _numbers(self, group, step):
        lr = float(group["lr"])
        lr_decay = group["lr_decay"]
        decay = group["weight_decay"]
        return self.update.numbers(step, lr, lr_decay, decay, group["eps"], group["maximize"])
