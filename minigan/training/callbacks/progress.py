"""One line that says how far the run is."""

from __future__ import annotations

import sys
import time
from collections import deque

from .callback import Callback

FIELDS = {"d_value": "D value", "g_loss": "G loss", "d_real": "D(x)", "d_fake": "D(G(z))"}
FIELDS |= {"critic_real": "f(x)", "critic_fake": "f(G(z))"}


# steps of a process after which its speed is measured anew: in the first ones kernels are compiled,
# averages begin
FIRST = (2, 12)
WINDOW = 60.0  # seconds over which it is measured
# seconds; a step that takes longer than this and than twenty others was held up once, by compiling
# or a slow disk
STALL = 2.0


class Progress(Callback):
    """Epoch, step, the game's numbers, speed and time left, refreshed four times a second; in a log
    file every ten seconds."""

    def on_start(self, run):
        from tqdm import tqdm

        form = "{desc} step {n_fmt}/{total_fmt}{postfix}"
        self.bar = tqdm(
            total=run.total,
            initial=run.step,
            bar_format=form,
            unit="it",
            mininterval=0,
            dynamic_ncols=True,
        )
        self.interval = 0.25 if sys.stderr.isatty() else 10.0
        self.shown, self.first = 0.0, run.step
        self.marks: deque[tuple[int, float]] = deque()  # (step, time)
        self.last = time.perf_counter()

    def on_step(self, run):
        now = time.perf_counter()
        took, self.last = now - self.last, now
        if run.step - self.first in FIRST:
            self.marks = deque([(run.step, now)])
        elif took > STALL and self.marks and (steps := run.step - 1 - self.marks[0][0]):
            usual = (now - took - self.marks[0][1]) / steps
            if took > 20 * usual:
                self.marks = deque((step, then + took - usual) for step, then in self.marks)
        if now - self.shown < self.interval and run.step < run.total:
            return
        self.shown = now
        row = run.row()
        self.bar.set_description_str(f"epoch {run.epoch}", refresh=False)
        numbers = [f"{text} {row[key]:.3f}" for key, text in FIELDS.items() if key in row]
        self.bar.set_postfix_str(
            ", ".join(numbers + [f"! {name}" for name in run.warnings])
            + f" | {self.speed(run, now)}",
            refresh=False,
        )
        self.bar.n = run.step
        self.bar.refresh()

    def speed(self, run, now: float) -> str:
        """ "120 it/s, 0:25 left", or question marks where there were too few steps to tell."""
        while len(self.marks) > 1 and now - self.marks[1][1] > WINDOW:
            self.marks.popleft()
        if not self.marks or run.step == self.marks[0][0]:
            return "? it/s, ? left"
        step, then = self.marks[0]
        self.marks.append((run.step, now))
        rate = (run.step - step) / max(now - then, 1e-9)
        return f"{rate:.2f} it/s, {self.bar.format_interval((run.total - run.step) / rate)} left"

    def on_end(self, run):
        self.bar.close()

    def on_stop(self, run):
        self.bar.close()

    def on_close(self, run):
        if hasattr(self, "bar"):
            self.bar.close()
