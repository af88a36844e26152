"""One line that says how far the run is."""

from __future__ import annotations

import time
from bisect import insort
from collections import deque

from .callback import Callback

FIELDS = {"d_value": "D value", "g_loss": "G loss", "d_real": "D(x)", "d_fake": "D(G(z))"}
FIELDS |= {"critic_real": "f(x)", "critic_fake": "f(G(z))"}

EARLY = 12  # first steps of a process: in some of them kernels are compiled and averages begin
ALIKE = 1.5  # the fastest two of them tell the speed if they differ by less than this factor
WINDOW = 60.0  # seconds over which it is measured
# seconds; a step that takes longer than this and than twenty others was held up once, by compiling
# or a slow disk
STALL = 0.5


class Progress(Callback):
    """Epoch, step, the game's numbers, speed and time left, refreshed four times a second. Only for
    people: with stderr neither a terminal nor a notebook's nothing is shown."""

    interval = 0.25  # seconds

    def on_start(self, run):
        from tqdm import std
        from tqdm.auto import notebook_tqdm as tqdm  # the usual one, where there is no notebook

        self.bar = tqdm(
            total=run.total,
            initial=run.step,
            bar_format="{desc} step {n_fmt}/{total_fmt}{postfix}",
            unit="it",
            mininterval=0,
            dynamic_ncols=True,
            # None: if stderr is no terminal
            disable=None if tqdm is std.tqdm else False,
        )
        self.shown, self.first = 0.0, run.step
        self.early: list[float] = []  # seconds of the first steps, sorted
        self.marks: deque[tuple[int, float]] = deque()  # (step, time)
        self.last = time.perf_counter()

    def on_step(self, run):
        if self.bar.disable:
            return
        now = time.perf_counter()
        took, self.last = now - self.last, now
        made = run.step - self.first
        if 1 < made <= EARLY:  # the very first one always compiles
            insort(self.early, took)
        if made == EARLY:
            self.marks.append((run.step, now))
        elif took > STALL and self.marks:
            step, then = self.marks[0]
            before = run.step - 1 - step
            usual = (now - took - then) / before if before else self.early[0]
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
        if self.marks and run.step > self.marks[0][0]:
            step, then = self.marks[0]
            self.marks.append((run.step, now))
            rate = (run.step - step) / max(now - then, 1e-9)
        elif len(self.early) > 1 and self.early[1] < ALIKE * self.early[0]:
            rate = 1 / self.early[1]
        else:
            return "? it/s, ? left"
        return f"{rate:.2f} it/s, {self.bar.format_interval((run.total - run.step) / rate)} left"

    def on_end(self, run):
        self.bar.close()

    def on_stop(self, run):
        self.bar.close()

    def on_close(self, run):
        if hasattr(self, "bar"):
            self.bar.close()
