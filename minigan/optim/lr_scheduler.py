"""Learning-rate schedules: they set `lr` of every parameter group, once at the start and then at each `step()`.

All but LambdaLR change the current rate, rather than compute it from the first one, as torch's do: so two schedules on one
optimiser multiply, and a rate that was set by hand stays set.
"""

import math
import warnings

from .optimizer import Optimizer

__all__ = ["CosineAnnealingLR", "ExponentialLR", "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "StepLR"]


class LRScheduler:
    """Base of the schedules. A subclass gives `multiplier(t)`, by which epoch t changes the rate, or `get_lr()` itself.

    optimizer : its groups' `lr` at this moment are the first rates (kept as `initial_lr`)
    last_epoch : -1 to start; k >= 0 to go on after epoch k, with an optimizer whose state was loaded

    Call `step()` after the optimizer's, once an epoch (or whatever the unit of t is).
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__}: expected an Optimizer, got {type(optimizer).__name__}")
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                name = type(self).__name__
                raise KeyError(f"{name}: last_epoch={last_epoch} needs 'initial_lr' in param_groups[{i}]: load the optimizer's state first")
        self.optimizer = optimizer
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch + 1
        self._step_count = 1
        self._set(self.first_lr())

    def step(self) -> None:
        """Go to the next epoch and set its rates."""
        if self._step_count == 1 and self.last_epoch == 0 and self.optimizer._step_count == 0:
            warnings.warn("lr_scheduler.step() before optimizer.step(): the first rate was not used", UserWarning, stacklevel=2)
        self._step_count += 1
        self.last_epoch += 1
        self._set(self.get_lr())

    def _set(self, rates):
        for group, lr in zip(self.optimizer.param_groups, rates):
            group["lr"] = lr
        self._last_lr = list(rates)

    def current_lr(self):
        """The rates that the groups have now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def get_last_lr(self):
        """The rates that this schedule set last, one for each group."""
        return self._last_lr

    def first_lr(self):
        """The rates at construction: unchanged."""
        return self.current_lr()

    def get_lr(self):
        """The rates of `last_epoch`, from the current ones."""
        factor = self.multiplier(self.last_epoch)
        return [lr * factor for lr in self.current_lr()]

    def multiplier(self, t):
        """lr of epoch t / lr of epoch t - 1."""
        raise NotImplementedError

    _unsaved = ("optimizer", "lr_lambdas")

    def state_dict(self):
        """All but the optimizer (and functions) as a dict of numbers and lists."""
        return {k: v for k, v in self.__dict__.items() if k not in self._unsaved}

    def load_state_dict(self, state_dict):
        """Go on where `state_dict` was saved. The groups' current rates belong to the optimizer's state: load that too."""
        self.__dict__.update({k: v for k, v in state_dict.items() if k not in self._unsaved})


class LambdaLR(LRScheduler):
    """lr(t) = initial lr * lr_lambda(t); lr_lambda is a function, or a list of one function per group."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"LambdaLR: lr_lambda has {len(self.lr_lambdas)} functions for {groups} parameter groups")
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return [lr * f(self.last_epoch) for lr, f in zip(self.base_lrs, self.lr_lambdas)]

    first_lr = get_lr


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
    """lr(t) = initial lr * f(t), where f goes on a straight line from start_factor to end_factor in total_iters epochs, and stays there."""

    def __init__(self, optimizer, start_factor=1 / 3, end_factor=1.0, total_iters=5, last_epoch=-1) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"LinearLR: start_factor must be above 0 and at most 1, got {start_factor}")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"LinearLR: end_factor must be from 0 to 1, got {end_factor}")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def first_lr(self):
        return [lr * self.start_factor if self.last_epoch == 0 else lr for lr in self.current_lr()]

    def multiplier(self, t):
        if t > self.total_iters:
            return 1.0
        # f(t) / f(t - 1), times total_iters above and below
        start, slope = self.start_factor * self.total_iters, self.end_factor - self.start_factor
        return (start + slope * t) / (start + slope * (t - 1))


class CosineAnnealingLR(LRScheduler):
    """lr(t) = eta_min + (initial lr - eta_min) (1 + cos(pi t / T_max)) / 2: down in T_max epochs, then up again, and so on.

    Loshchilov and Hutter, "SGDR", 2017, without its restarts.
    """

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        def height(t):
            return (1 + math.cos(math.pi * t / self.T_max)) / 2

        t = self.last_epoch
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # the last one was the minimum, whose height 0 cannot be multiplied
            return [lr + (base - self.eta_min) * height(t) for lr, base in zip(self.current_lr(), self.base_lrs)]
        factor = height(t) / height(t - 1)
        return [self.eta_min + (lr - self.eta_min) * factor for lr in self.current_lr()]
