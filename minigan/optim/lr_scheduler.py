"""Learning-rate schedules: they set `lr` of every parameter group, once at the start and then at
each `step()`.

All but LambdaLR change the current rate, rather than compute it from the first one, as torch's do:
so two schedules on one optimiser multiply, and a rate that was set by hand stays set.
"""

import math

from .cycles import (
    ChainedScheduler,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
)
from .schedule import LRScheduler, for_each

__all__ = [
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts",
    "CyclicLR", "ExponentialLR", "LRScheduler",
    "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "PolynomialLR",
    "ReduceLROnPlateau", "SequentialLR", "StepLR",
]  # fmt: skip


_LRScheduler = LRScheduler  # torch's old name


class LambdaLR(LRScheduler):
    """lr(t) = initial lr * lr_lambda(t); lr_lambda is a function, or a list of one function per
    group."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1) -> None:
        self.lr_lambdas = for_each(self, optimizer, "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return [lr * f(self.last_epoch) for lr, f in zip(self.base_lrs, self.lr_lambdas)]

    first_lr = get_lr


class MultiplicativeLR(LRScheduler):
    """lr *= lr_lambda(t); lr_lambda is a function, or a list of one function per group."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1) -> None:
        self.lr_lambdas = for_each(self, optimizer, "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    first_lr = LRScheduler.current_lr

    def get_lr(self):
        return [lr * f(self.last_epoch) for lr, f in zip(self.current_lr(), self.lr_lambdas)]


class StepLR(LRScheduler):
    """lr *= gamma every `step_size` epochs."""

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t):
        return self.gamma if t % self.step_size == 0 else 1.0


class MultiStepLR(LRScheduler):
    """lr *= gamma at each of the epochs `milestones` (twice at one that is listed twice)."""

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t):
        return self.gamma ** self.milestones.count(t)


class ExponentialLR(LRScheduler):
    """lr *= gamma every epoch."""

    def __init__(self, optimizer, gamma, last_epoch=-1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t):
        return self.gamma


class LinearLR(LRScheduler):
    """lr(t) = initial lr * f(t), where f goes on a straight line from start_factor to end_factor in
    total_iters epochs, and stays there."""

    def __init__(
        self, optimizer, start_factor=1 / 3, end_factor=1.0, total_iters=5, last_epoch=-1
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(
                f"LinearLR: start_factor must be above 0 and at most 1, got {start_factor}"
            )
        if not 0 <= end_factor <= 1:
            raise ValueError(f"LinearLR: end_factor must be from 0 to 1, got {end_factor}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def first_lr(self):
        return [lr * self.start_factor if self.last_epoch == 0 else lr for lr in self.current_lr()]

    def multiplier(self, t):
        if t > self.total_iters:
            return 1.0
        # f(t) / f(t - 1), times total_iters above and below
        start, slope = self.start_factor * self.total_iters, self.end_factor - self.start_factor
        return (start + slope * t) / (start + slope * (t - 1))


class ConstantLR(LRScheduler):
    """lr(t) = initial lr * factor for t < total_iters, then the initial lr."""

    def __init__(self, optimizer, factor=1 / 3, total_iters=5, last_epoch=-1) -> None:
        if not 0 <= factor <= 1:
            raise ValueError(f"ConstantLR: factor must be from 0 to 1, got {factor}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def first_lr(self):
        return [lr * self.factor if self.last_epoch == 0 else lr for lr in self.current_lr()]

    def multiplier(self, t):
        return 1 / self.factor if t == self.total_iters else 1.0


class PolynomialLR(LRScheduler):
    """lr(t) = initial lr * (1 - t / total_iters) ^ power, and 0 from total_iters on."""

    def __init__(self, optimizer, total_iters=5, power=1.0, last_epoch=-1) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t):
        n = self.total_iters
        return 1.0 if t > n else ((1 - t / n) / (1 - (t - 1) / n)) ** self.power


class CosineAnnealingLR(LRScheduler):
    """lr(t) = eta_min + (initial lr - eta_min) (1 + cos(pi t / T_max)) / 2: down in T_max epochs,
    then up again, and so on.

    Loshchilov and Hutter, "SGDR", 2017, without its restarts.
    """

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    first_lr = LRScheduler.current_lr

    def get_lr(self):
        def height(t):
            return (1 + math.cos(math.pi * t / self.T_max)) / 2

        t = self.last_epoch
        # the last one was the minimum, whose height 0 cannot be multiplied
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:
            return [
                lr + (base - self.eta_min) * height(t)
                for lr, base in zip(self.current_lr(), self.base_lrs)
            ]
        factor = height(t) / height(t - 1)
        return [self.eta_min + (lr - self.eta_min) * factor for lr in self.current_lr()]
