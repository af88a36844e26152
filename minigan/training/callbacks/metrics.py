"""The numbers of a run, in metrics.jsonl; their curves at the end."""

from __future__ import annotations

import contextlib
import json
import time

from ...data.files import flush, write_atomic
from ...viz import read_metrics, save_curves
from .callback import Callback


class Metrics(Callback):
    """A line in metrics.jsonl every `every` steps, at the last, and at those for which somebody
    noted a number.

    A resumed run drops the lines of steps that it makes again, so that every step is there once.
    """

    def __init__(self, every: int = 50):
        self.every = every

    def on_start(self, run):
        path = run.folder / "metrics.jsonl"
        rows = (
            [r for r in read_metrics(path) if r.get("step", 0) <= run.step] if path.exists() else []
        )
        write_atomic(path, "".join(json.dumps(r) + "\n" for r in rows).encode())
        self.log = open(path, "a", encoding="utf-8")
        self.mark = run.step, time.perf_counter()

    def on_step(self, run):
        if run.step % self.every and run.step < run.total and not run.noted:
            return
        (step, then), self.mark = self.mark, (run.step, time.perf_counter())
        self.log.write(
            json.dumps(
                run.row() | {"it_s": round((run.step - step) / max(self.mark[1] - then, 1e-9), 2)}
            )
            + "\n"
        )
        self.log.flush()

    def on_save(self, run):
        flush(self.log)

    def on_end(self, run):
        rows = read_metrics(run.folder / "metrics.jsonl")
        if rows:
            save_curves(run.folder / "curves.png", rows)
            run.left("curves.png, metrics.jsonl")

    def on_close(self, run):
        if hasattr(self, "log"):
            with contextlib.suppress(OSError):  # what a full disk refused is refused again
                self.log.close()
