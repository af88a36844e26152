"""Measures the samples from time to time, and keeps the best state."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...arrays import Generator
from ..checkpoint import BEST, FOLDER
from .average import Average
from .callback import Callback

BATCH = 500


class Evaluate(Callback):
    """Every `epochs` epochs: numbers of new samples in metrics.jsonl, and the state in
    checkpoints/best.safetensors if it is the best yet.

    measure : images (N, C, H, W) in [-1, 1], a NumPy array -> {name: number}, as
        `minigan.metrics.evaluate` with a `Reference`
    best_by : the name of the number that decides; higher : is more of it better?
    samples : N; always of the same inputs, so that evaluations of a run can be compared
    average : averaged weights, which draw then
    """

    def __init__(
        self, measure: Callable[[np.ndarray], dict[str, float]], epochs: int = 1,
        best_by: str = "frechet", higher: bool = False,
        samples: int = 2000, average: Average | None = None, seed: int = 0,
    ):  # fmt: skip
        if epochs < 1 or samples < 1:
            raise ValueError(f"Evaluate: epochs={epochs}, samples={samples}: expected at least 1")
        self.measure = measure
        self.epochs = epochs
        self.best_by = best_by
        self.higher = higher
        self.samples = samples
        self.average = average
        self.seed = seed
        self.best: dict[str, Any] = {}

    # not on_epoch: what is found in a step belongs to the checkpoint after it
    def on_step(self, run):
        complete, done = run.position(run.step)
        if (done or complete % self.epochs) and run.step < run.total:
            return
        game = run.trainer.game
        inputs = game.inputs(self.samples, Generator(self.seed + 2), run.batches.device)
        averaged = (
            self.average.applied(game)
            if self.average and self.average.updates
            else contextlib.nullcontext()
        )
        with averaged:
            parts = [
                game.sample(*[x[i : i + BATCH] for x in inputs]).cpu().numpy()
                for i in range(0, self.samples, BATCH)
            ]
        found = self.measure(np.concatenate(parts))
        if self.best_by not in found:
            raise ValueError(
                f"Evaluate: best_by={self.best_by!r} is none of the numbers: {', '.join(found)}"
            )
        run.note(**found)
        value, floor = found[self.best_by], f"{self.best_by}_real"
        if math.isfinite(value) and (
            not self.best
            or (value > self.best["value"] if self.higher else value < self.best["value"])
        ):
            self.best = {"value": float(value), "step": run.step}
            run.save(run.folder / FOLDER / BEST)
        run.say(
            f"step {run.step}: {self.best_by} {value:.4g}, best "
            f"{self.best.get('value', math.nan):.4g} (step {self.best.get('step')})"
            + (f"; of real pictures {found[floor]:.4g}" if floor in found else "")
        )

    def on_end(self, run):
        if self.best:
            run.left(f"the best by {self.best_by} (step {self.best['step']}) {FOLDER}/{BEST}")

    def state_dict(self):
        return {"best": dict(self.best)}

    def load_state_dict(self, state):
        self.best = dict(state["best"])
