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
