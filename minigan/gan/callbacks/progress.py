"""One line that says how far the run is."""

from __future__ import annotations

import sys
import time

from .callback import Callback

FIELDS = {"d_value": "D value", "g_loss": "G loss", "d_real": "D(x)", "d_fake": "D(G(z))"}
FIELDS |= {"critic_real": "f(x)", "critic_fake": "f(G(z))"}


class Progress(Callback):
    """Epoch, step, the game's numbers, speed and time left, refreshed four times a second; in a log file every ten seconds."""

    def on_start(self, run):
        from tqdm import tqdm

        form = "{desc} step {n_fmt}/{total_fmt}{postfix} | {rate_noinv_fmt}, {remaining} left"
        self.bar = tqdm(total=run.total, initial=run.step, bar_format=form, unit="it", mininterval=0, dynamic_ncols=True)
        self.interval = 0.25 if sys.stderr.isatty() else 10.0
        self.shown = 0.0

    def on_step(self, run):
        now = time.perf_counter()
        if now - self.shown < self.interval and run.step < run.total:
            return
        self.shown = now
        row = run.row()
        self.bar.set_description_str(f"epoch {run.epoch}", refresh=False)
        numbers = [f"{text} {row[key]:.3f}" for key, text in FIELDS.items() if key in row]
        self.bar.set_postfix_str(", ".join(numbers + [f"! {name}" for name in run.warnings]), refresh=False)
        self.bar.update(run.step - self.bar.n)
        self.bar.refresh()

    def on_end(self, run):
        self.bar.close()

    def on_stop(self, run):
        self.bar.close()

    def on_close(self, run):
        if hasattr(self, "bar"):
            self.bar.close()
