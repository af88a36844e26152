"""Learning rates that change with the step."""

from __future__ import annotations

from .callback import Callback


class Schedule(Callback):
    """Steps learning-rate schedulers after every step of the run, and keeps their state.

    schedulers : of `minigan.optim.lr_scheduler`
    """

    trains = True

    def __init__(self, *schedulers):
        self.schedulers = schedulers

    def on_step(self, run):
        for scheduler in self.schedulers:
            scheduler.step()

    def state_dict(self):
        return {"schedulers": [s.state_dict() for s in self.schedulers]}

    def load_state_dict(self, state):
        for scheduler, saved in zip(self.schedulers, state["schedulers"], strict=True):
            scheduler.load_state_dict(saved)


class Falling(Callback):
    """Learning rates that fall in a line from what they are at first to nothing: over a run of so
    many steps, or in each stage of a run anew.

    rates : name of a player -> its rate at first
    """

    trains = True

    def __init__(self, rates: dict[str, float], steps: int):
        self.rates, self.steps = rates, steps

    def on_step(self, run):
        last, steps = self.steps, self.steps
        if run.stages:  # a run may be cut before its end, and go on
            last, steps = run.stages.end, run.stages.now.steps
        left = max(0.0, (last - run.step) / steps)
        for name, optimizer in run.trainer.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self.rates[name] * left
