"""The base of the learning-rate schedules."""

import warnings
from typing import Any

from ..messages import warn
from .optimizer import Optimizer


class LRScheduler:
    """Base of the schedules. A subclass gives `multiplier(t)`, by which epoch t changes the rate,
    or, as in torch, `get_lr()`: the rates of `last_epoch`, also of the first, 0.

    optimizer : its groups' `lr` at this moment are the first rates (kept as `initial_lr`)
    last_epoch : -1 to start; k >= 0 to go on after epoch k, with an optimizer whose state was
        loaded

    Call `step()` after the optimizer's, once an epoch (or whatever the unit of t is).
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{type(self).__name__}: expected an Optimizer, got {type(optimizer).__name__}"
            )
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                name = type(self).__name__
                raise KeyError(
                    f"{name}: last_epoch={last_epoch} needs 'initial_lr' in param_groups[{i}]: "
                    "load the optimizer's state first"
                )
        self.optimizer = optimizer
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch + 1
        self._step_count = 1
        self._set(self.first_lr())

    def step(self, epoch: Any = None) -> None:
        """Go to the next epoch and set its rates. With an epoch, as in old programs: go there."""
        if epoch is not None:
            warn("lr_scheduler.step(epoch): call step() without it")
            self.restart()
            for t in range(1, int(epoch) + 1):
                self.last_epoch = t
                self._set(self.get_lr())
            return
        # not one of the user's own, which nobody counts
        steps_here = type(self.optimizer).step is Optimizer.step
        if (
            self._step_count == 1
            and self.last_epoch == 0
            and self.optimizer._step_count == 0
            and steps_here
        ):
            warnings.warn(
                "lr_scheduler.step() before optimizer.step(): the first rate was not used",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        self.last_epoch += 1
        self._set(self.get_lr())

    def restart(self):
        """Go back to epoch 0 and its rates."""
        for group, lr in zip(self.optimizer.param_groups, self.base_lrs):
            group["lr"] = lr
        self.last_epoch = 0
        self._set(self.first_lr())

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
        """The rates at construction: unchanged where a multiplier changes them."""
        return self.current_lr() if type(self).get_lr is LRScheduler.get_lr else self.get_lr()

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
        """Go on where `state_dict` was saved. The groups' current rates belong to the optimizer's
        state: load that too."""
        self.__dict__.update({k: v for k, v in state_dict.items() if k not in self._unsaved})


def for_each(schedule, optimizer, name, value):
    """A list of one value for each parameter group."""
    groups = len(optimizer.param_groups)
    values = list(value) if isinstance(value, (list, tuple)) else [value] * groups
    if len(values) != groups:
        raise ValueError(
            f"{type(schedule).__name__}: {name} has {len(values)} entries for {groups} parameter "
            "groups"
        )
    return values
