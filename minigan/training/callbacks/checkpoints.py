"""The run's whole state, on the disk."""

from __future__ import annotations

import time

from ..checkpoint import keep_newest, path_of
from .callback import Callback


class Checkpoints(Callback):
    """checkpoints/<step>.safetensors every `seconds` of training, when the run is stopped, and at
    its end.

    keep : how many of the newest are kept

    It must be the last in the run's list: what other callbacks do in a step belongs to the state
    after it.
    """

    def __init__(self, seconds: float = 60.0, keep: int = 2):
        if keep < 1:
            raise ValueError(f"Checkpoints: keep={keep}: expected at least 1")
        self.seconds, self.keep = seconds, keep

    def on_start(self, run):
        if run.step == 0:
            # so that a run can be resumed, and a fault be traced, from its first step on
            self.save(run)
        self.saved = time.perf_counter()

    def on_stage(self, run):
        self.save(run)

    def on_step(self, run):
        if time.perf_counter() - self.saved >= self.seconds:
            self.save(run)

    def on_stop(self, run):
        self.save(run)

    def on_end(self, run):
        self.save(run)
        run.left(str(path_of(run.folder, run.step).relative_to(run.folder)))

    def save(self, run):
        """Write the state as it is now; then delete what is too old."""
        run.save(path_of(run.folder, run.step))
        keep_newest(run.folder, self.keep)
        self.saved = time.perf_counter()
