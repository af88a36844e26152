"""Adam and AdamW."""

from ..ops.update import adam_step
from .optimizer import Optimizer, Params


class Adam(Optimizer):
    """m, v: moving averages of g and g^2; p -= lr m' / (sqrt(v') + eps) with m', v' corrected for
    their start at 0.

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015. Arguments as
    torch.optim.Adam.

    betas : decay of m and of v per step
    weight_decay : g += weight_decay p before all else; with decoupled_weight_decay p *= 1 - lr
        weight_decay instead
    amsgrad : divide by the largest v so far (Reddi et al. 2018)
    maximize : ascend: g is replaced by -g
    foreach, capturable, differentiable, fused : accepted, without effect; the step is always fused
    """

    update = adam_step

    def __init__(
        self, params: Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0, amsgrad: bool = False,
        *, foreach=None, maximize=False, capturable=False, differentiable=False, fused=None,
        decoupled_weight_decay=False,
    ) -> None:  # fmt: skip
        super().__init__(params, dict(
            lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay, amsgrad=amsgrad,
            maximize=maximize, foreach=foreach,
            capturable=capturable, differentiable=differentiable, fused=fused,
            decoupled_weight_decay=decoupled_weight_decay,
        ))  # fmt: skip

    def _check(self, group):
        super()._check(group)
        betas = group["betas"]
        if len(betas) != 2 or not all(0 <= float(b) < 1 for b in betas):
            raise ValueError(
                f"{self._name}: betas must be two numbers, at least 0 and below 1, got {betas}"
            )

    def _names(self, group):
        return (
            ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
            if group["amsgrad"]
            else ("exp_avg", "exp_avg_sq")
        )

    def _numbers(self, group, step):
        decay, decoupled = group["weight_decay"], group["decoupled_weight_decay"]
        return self.update.numbers(
            step,
            float(group["lr"]),
            group["betas"],
            group["eps"],
            decay,
            decoupled,
            group["maximize"],
        )


class AdamW(Adam):
    """Adam with decoupled weight decay: p *= 1 - lr weight_decay, which the averages do not see.

    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019. Arguments as
    torch.optim.AdamW.
    """

    def __init__(
        self, params: Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay=1e-2, amsgrad: bool = False,
        *, maximize=False, foreach=None, capturable=False, differentiable=False, fused=None,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize,
            capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip

    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict)
        for group in self.param_groups:  # also when the state was an Adam's
            group["decoupled_weight_decay"] = True
