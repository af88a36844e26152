"""Schedules that go up and down, follow each other, or wait for a number; lr_scheduler has them
under torch's names."""

import bisect
import math

from .optimizer import Optimizer
from .schedule import LRScheduler, for_each


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosine annealing from the initial lr to eta_min in T_0 epochs, then again in T_0 T_mult, T_0
    T_mult^2, ... epochs.

    Loshchilov and Hutter, "SGDR", 2017. step(epoch) goes to any place, a fraction of an epoch
    included.
    """

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1) -> None:
        for name, value in (("T_0", T_0), ("T_mult", T_mult)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"CosineAnnealingWarmRestarts: {name} must be a positive integer, got {value!r}"
                )
        self.T_0 = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur, self.T_i = max(last_epoch, -1) + 1, T_0
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]

    def restart(self):
        self.T_cur, self.T_i = 0, self.T_0
        super().restart()

    def step(self, epoch=None) -> None:
        """Go to the next epoch, or to `epoch`, and set its rates."""
        if epoch is None:
            self.last_epoch += 1
            self.T_cur += 1
        else:
            if epoch < 0:
                raise ValueError(f"CosineAnnealingWarmRestarts.step: epoch={epoch} is negative")
            self.last_epoch = math.floor(epoch)
            self.T_cur = epoch
            self.T_i = self.T_0
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
        self._step_count += 1
        self._set(self.get_lr())


class _Cycle(LRScheduler):
    """What CyclicLR and OneCycleLR share: a momentum (or Adam's beta1) that goes against the
    rate."""

    def _start_momentum(self, base_momentum, max_momentum, last_epoch):
        optimizer, name = self.optimizer, type(self).__name__
        if not self.cycle_momentum:
            return
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError(
                f"{name}: {type(optimizer).__name__} has neither momentum nor betas; pass "
                "cycle_momentum=False"
            )
        self.base_momentums = for_each(self, optimizer, "base_momentum", base_momentum)
        self.max_momentums = for_each(self, optimizer, "max_momentum", max_momentum)
        if last_epoch == -1:
            for group, low, high in zip(
                optimizer.param_groups, self.base_momentums, self.max_momentums
            ):
                group["base_momentum"], group["max_momentum"] = low, high
            self._set_momentum(self.max_momentums)

    def _set_momentum(self, values):
        for group, value in zip(self.optimizer.param_groups, values):
            if "betas" in self.optimizer.defaults:
                group["betas"] = (value, *group["betas"][1:])
            else:
                group["momentum"] = value


class CyclicLR(_Cycle):
    """The rate goes from base_lr to max_lr in step_size_up steps, and back in step_size_down, again
    and again. Smith 2017

    mode : the height of cycle k (1, 2, ...) is 1 ("triangular"), 2^(1 - k) ("triangular2"), gamma^t
        at step t ("exp_range"); scale_fn: a function of k (scale_mode="cycle") or t ("iterations")
        instead
    cycle_momentum : momentum goes from max_momentum to base_momentum meanwhile
    """

    _unsaved = ("optimizer", "_scale")

    def __init__(
        self, optimizer, base_lr, max_lr, step_size_up=2000, step_size_down=None, mode="triangular",
        gamma=1.0, scale_fn=None,
        scale_mode="cycle", cycle_momentum=True, base_momentum=0.8, max_momentum=0.9, last_epoch=-1,
    ) -> None:  # fmt: skip
        heights = {
            "triangular": lambda k: 1.0, "triangular2": lambda k: 2.0 ** (1 - k),
            "exp_range": lambda t: gamma**t,
        }  # fmt: skip
        if scale_fn is None and mode not in heights:
            raise ValueError(f"CyclicLR: mode={mode!r}: expected one of {', '.join(heights)}")
        self.optimizer, self.cycle_momentum = optimizer, cycle_momentum
        self._scale = scale_fn or heights[mode]
        self.scale_mode = (
            scale_mode if scale_fn else "iterations" if mode == "exp_range" else "cycle"
        )
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / (step_size_up + down)
        rates = for_each(self, optimizer, "base_lr", base_lr)
        self.max_lrs = for_each(self, optimizer, "max_lr", max_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, rates):
                group["lr"] = lr
        self._lows = rates
        self._start_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = rates

    def get_lr(self):
        t = self.last_epoch
        cycle = math.floor(1 + t / self.total_size)
        x = 1 + t / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height *= self._scale(cycle if self.scale_mode == "cycle" else t)
        if self.cycle_momentum:
            self._set_momentum(
                [
                    high - (high - low) * height
                    for low, high in zip(self.base_momentums, self.max_momentums)
                ]
            )
        return [low + (high - low) * height for low, high in zip(self._lows, self.max_lrs)]


class OneCycleLR(_Cycle):
    """One cycle over all of training: from max_lr / div_factor up to max_lr in pct_start of the
    steps, then down to the first rate / final_div_factor. Smith and Topin 2018. Call step() after
    each batch.

    total_steps : or epochs and steps_per_epoch
    anneal_strategy : "cos" or "linear"
    three_phase : first down to the first rate, as fast as it went up, then to the last
    cycle_momentum : momentum goes from max_momentum to base_momentum and back meanwhile
    """

    def __init__(
        self, optimizer, max_lr, total_steps=None, epochs=None, steps_per_epoch=None, pct_start=0.3,
        anneal_strategy="cos",
        cycle_momentum=True, base_momentum=0.85, max_momentum=0.95, div_factor=25.0,
        final_div_factor=1e4, three_phase=False,
        last_epoch=-1,
    ) -> None:  # fmt: skip
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise ValueError("OneCycleLR: pass total_steps, or epochs and steps_per_epoch")
        total = epochs * steps_per_epoch if total_steps is None else total_steps
        if not isinstance(total, int) or total <= 0:
            raise ValueError(
                f"OneCycleLR: the number of steps must be a positive integer, got {total!r}"
            )
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start must be from 0 to 1, got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR: anneal_strategy={anneal_strategy!r}: expected 'cos' or 'linear'"
            )
        self.optimizer = optimizer
        self.total_steps = total
        self.anneal_strategy = anneal_strategy
        self.cycle_momentum = cycle_momentum
        up = ("initial_lr", "max_lr", "max_momentum", "base_momentum")
        down = ("max_lr", "min_lr", "base_momentum", "max_momentum")
        top = float(pct_start * total) - 1
        # the last step of each, rates and momenta at its start and end
        self.phases = [[top, *up], [total - 1, *down]]
        if three_phase:
            back = ["max_lr", "initial_lr", "base_momentum", "max_momentum"]
            last = ["initial_lr", "min_lr", "max_momentum", "max_momentum"]
            self.phases = [
                [top, *up],
                [float(2 * pct_start * total) - 2, *back],
                [total - 1, *last],
            ]
        if last_epoch == -1:
            for group, lr in zip(
                optimizer.param_groups, for_each(self, optimizer, "max_lr", max_lr)
            ):
                group["initial_lr"], group["max_lr"] = lr / div_factor, lr
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self._start_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(
                f"OneCycleLR: step {t} of {self.total_steps}: make the schedule longer"
            )
        i = next((i for i, (end, *_) in enumerate(self.phases) if t <= end), len(self.phases) - 1)
        start = self.phases[i - 1][0] if i else 0.0
        end, rate_from, rate_to, momentum_from, momentum_to = self.phases[i]
        part = (t - start) / (end - start)
        part = part if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * part)) / 2
        groups = self.optimizer.param_groups
        if self.cycle_momentum:
            self._set_momentum(
                [g[momentum_from] + (g[momentum_to] - g[momentum_from]) * part for g in groups]
            )
        return [g[rate_from] + (g[rate_to] - g[rate_from]) * part for g in groups]


class _Several(LRScheduler):
    """What schedules of schedules share."""

    _unsaved = ("optimizer", "_schedulers")

    def _take(self, schedulers, optimizer):
        self._schedulers = list(schedulers)
        if not self._schedulers:
            raise ValueError(f"{type(self).__name__}: schedulers is empty")
        self.optimizer = optimizer or self._schedulers[0].optimizer
        for i, schedule in enumerate(self._schedulers):
            if isinstance(schedule, ReduceLROnPlateau):
                raise ValueError(
                    f"{type(self).__name__}: schedulers[{i}] is a ReduceLROnPlateau, whose step "
                    "needs a number"
                )
            if schedule.optimizer is not self.optimizer:
                raise ValueError(
                    f"{type(self).__name__}: schedulers[{i}] belongs to another optimizer"
                )

    def state_dict(self):
        """The states of the schedules, and where this one is."""
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict):
        """Go on where `state_dict` was saved."""
        super().load_state_dict(state_dict)
        for schedule, state in zip(self._schedulers, state_dict["_schedulers"]):
            schedule.load_state_dict(state)


class SequentialLR(_Several):
    """One schedule after the other: from epoch milestones[i] on schedulers[i + 1], which begins
    there with its epoch 0."""

    def __init__(self, optimizer, schedulers, milestones, last_epoch=-1) -> None:
        self._take(schedulers, optimizer)
        if len(milestones) != len(self._schedulers) - 1:
            raise ValueError(
                f"SequentialLR: {len(self._schedulers)} schedulers need one milestone less, got "
                f"{len(milestones)}"
            )
        self._milestones, self.last_epoch = list(milestones), last_epoch + 1
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self._schedulers[bisect.bisect_right(self._milestones, 0)].restart()
        self._last_lr = self.current_lr()

    def restart(self):
        self.last_epoch = 0
        self._schedulers[bisect.bisect_right(self._milestones, 0)].restart()
        self._last_lr = self.current_lr()

    def step(self, epoch=None) -> None:
        """Go to the next epoch and set its rates."""
        self.last_epoch += 1
        i = bisect.bisect_right(self._milestones, self.last_epoch)
        schedule = self._schedulers[i]
        if i and self._milestones[i - 1] == self.last_epoch:
            schedule.restart()
        else:
            schedule.step()
        self._last_lr = schedule.get_last_lr()


class ChainedScheduler(_Several):
    """Several schedules at once: each step is a step of all, so that their factors multiply."""

    def __init__(self, schedulers, optimizer=None) -> None:
        self._take(schedulers, optimizer)
        self._last_lr = self.current_lr()

    def restart(self):
        for schedule in self._schedulers:
            schedule.restart()

    def step(self, epoch=None) -> None:
        """A step of all."""
        for schedule in self._schedulers:
            schedule.step()
        self._last_lr = self.current_lr()


class ReduceLROnPlateau(LRScheduler):
    """lr *= factor when a number has not become better for more than `patience` steps:
    `step(metrics)` takes the number.

    mode : "min": smaller is better; "max": larger
    threshold, threshold_mode : better is: below best * (1 - threshold) ("rel") or best - threshold
        ("abs"); for "max" above
    cooldown : steps after a reduction in which nothing counts as bad
    min_lr : a number, or one for each group
    eps : smaller changes of the rate are not made
    """

    def __init__(
        self, optimizer, mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel",
        cooldown=0, min_lr=0, eps=1e-8,
    ) -> None:  # fmt: skip
        if factor >= 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1, got {factor}")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"ReduceLROnPlateau: mode={mode!r} ('min' or 'max'), "
                f"threshold_mode={threshold_mode!r} ('rel' or 'abs')"
            )
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"ReduceLROnPlateau: expected an Optimizer, got {type(optimizer).__name__}"
            )
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.eps = eps
        self.min_lrs = for_each(self, optimizer, "min_lr", min_lr)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = self.current_lr()

    def is_better(self, a, best) -> bool:
        """Is a better than best, by more than the threshold?"""
        sign = 1 if self.mode == "min" else -1
        bound = (
            best * (1 - sign * self.threshold)
            if self.threshold_mode == "rel"
            else best - sign * self.threshold
        )
        return sign * a < sign * bound

    def step(self, metrics, epoch=None) -> None:  # type: ignore[override]
        """Take the number of one more epoch, and lower the rates if it is time."""
        value = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.is_better(value, self.best):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, least in zip(self.optimizer.param_groups, self.min_lrs):
                lower = max(group["lr"] * self.factor, least)
                if group["lr"] - lower > self.eps:
                    group["lr"] = lower
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self.current_lr()
