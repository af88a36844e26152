"""Adadelta, Adamax and RAdam."""

from ..ops.update import adadelta_step, adamax_step, radam_step
from .optimizer import Optimizer, Params


class Adadelta(Optimizer):
    """s: moving average of g^2, a: of the steps d^2;
    d = g sqrt(a + eps) / sqrt(s + eps);  p -= lr d.    Arguments as torch's.

    Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    rho : decay of both averages per step
    weight_decay : g += weight_decay p before all else
    maximize : ascend: g is replaced by -g
    foreach, capturable, differentiable : accepted, without effect; the step is always fused
    """

    update = adadelta_step

    def __init__(
        self, params: Params, lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6,
        weight_decay: float = 0, foreach=None,
        *, capturable=False, maximize=False, differentiable=False,
    ) -> None:  # fmt: skip
        super().__init__(params, dict(
            lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize,
            capturable=capturable, foreach=foreach,
            differentiable=differentiable,
        ))  # fmt: skip

    def _names(self, group):
        return ("square_avg", "acc_delta")

    def _numbers(self, group, step):
        return self.update.numbers(
            float(group["lr"]), group["rho"], group["eps"], group["weight_decay"], group["maximize"]
        )


class _WithBetas(Optimizer):
    def _check(self, group):
        super()._check(group)
        betas = group["betas"]
        if len(betas) != 2 or not all(0 <= float(b) < 1 for b in betas):
            raise ValueError(
                f"{self._name}: betas must be two numbers, at least 0 and below 1, got {betas}"
            )


class Adamax(_WithBetas):
    """m: moving average of g;  u = max(beta2 u, |g| + eps);  p -= lr m / (1 - beta1^t) / u.
    Arguments as torch.optim.Adamax.

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.1. Options as
    Adam's.
    """

    update = adamax_step

    def __init__(
        self, params: Params, lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0,
        foreach=None, *, maximize=False, differentiable=False, capturable=False,
    ) -> None:  # fmt: skip
        super().__init__(params, dict(
            lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay, foreach=foreach,
            maximize=maximize,
            differentiable=differentiable, capturable=capturable,
        ))  # fmt: skip

    def _names(self, group):
        return ("exp_avg", "exp_inf")

    def _numbers(self, group, step):
        lr = float(group["lr"])
        eps = group["eps"]
        decay = group["weight_decay"]
        return self.update.numbers(step, lr, group["betas"], eps, decay, group["maximize"])


class RAdam(_WithBetas):
    """Adam whose first steps, while v is still uncertain, are those of momentum, and later ones
    rectified. Arguments as torch's.

    Liu et al., "On the variance of the adaptive learning rate and beyond", 2020. Options as Adam's.
    """

    update = radam_step

    def __init__(
        self, params: Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0,
        decoupled_weight_decay: bool = False, *, foreach=None, maximize=False, capturable=False,
        differentiable=False,
    ) -> None:  # fmt: skip
        super().__init__(params, dict(
            lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay, maximize=maximize,
            foreach=foreach, capturable=capturable,
            decoupled_weight_decay=decoupled_weight_decay, differentiable=differentiable,
        ))  # fmt: skip

    def _names(self, group):
        return ("exp_avg", "exp_avg_sq")

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
