"""A run of a system on pictures, which the page begins, watches and holds."""

from __future__ import annotations

import argparse
import io
import math
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import DeviceError, Generator
from ..data import DATASETS
from ..systems import SYSTEMS, command, system
from ..training import Callback, Diverged, Doctor, Run
from ..viz import Picture
from .explore import explorer_of
from .plane import History
from .view import Post, Turn
from .walk import Exploring

SHOWN = 0.5  # seconds between pictures, if making one takes no longer than a fifth of them
CURVES = ("step", "d_value", "g_loss")


class Watching(Callback):
    """Between two steps of the run its view has its say."""

    def __init__(self, view: ImagesView):
        self.view = view

    def on_start(self, run):
        self.view.began(run)

    on_stage = on_start

    def on_step(self, run):
        self.view.between(run)


class ImagesView(Exploring):
    """The second part of the page.

    runs : folder in which the runs are written, as live-<system>
    data_dir : of MNIST
    """

    name = "images"

    def __init__(self, post: Post, turn: Turn, runs: Path, data_dir: str | None):
        super().__init__(post, turn)
        self.runs = runs
        self.data_dir = data_dir
        self.current: Run | None = None
        self.told: list[str] = []
        self.asked: dict[str, Any] = {"system": "gan", "dataset": "mnist"}
        self.report = ""  # how the last run ended
        self.wanted: dict[str, Any] | None = None  # what to train next
        self.doctor: Doctor | None = None
        self.once = False  # one step, then it is held again
        self.ending = False
        self.exhibit: Callable[[], Picture]
        self.shown = self.cost = 0.0

    def begin(self) -> None:
        self.show_state()

    def patience(self) -> float | None:
        return 0 if self.wanted else None

    def advance(self) -> None:
        if self.wanted is not None:
            wanted, self.wanted = self.wanted, None
            self.train(**wanted)

    # --- a run ---

    def train(self, system: str, dataset: str) -> None:
        """From the first step to the last; commands are obeyed between the steps."""
        self.asked = {"system": system, "dataset": dataset}
        self.error = self.report = ""
        self.told, self.history = [], History(CURVES)
        self.said("the data are loaded, and kernels compiled where they are new ...")
        try:
            run = self.build(system, dataset)
            self.current = run
            run.train()
            self.show(run)
            self.report = f"ended at step {run.step}; everything is in {run.folder}"
        except (Diverged, DeviceError, ValueError, OSError, MemoryError, ImportError) as error:
            self.error = str(error) or type(error).__name__
        finally:
            self.current = None
            self.running = self.once = self.ending = False
            self.show_state()

    def build(self, name: str, dataset: str) -> Run:
        kind = system(name)
        words = ["--dataset", dataset, "--out", str(self.runs / f"live-{name}"), "--quiet"]
        if self.data_dir:
            words += ["--data-dir", self.data_dir]
        complaint, notices = io.StringIO(), io.StringIO()
        try:
            with redirect_stderr(complaint):
                options = command.parse(kind, words)
        except SystemExit as error:
            raise ValueError(complaint.getvalue().strip().splitlines()[-1]) from error
        try:
            with redirect_stdout(notices):
                run = command.build(kind, options)
        finally:
            for line in notices.getvalue().splitlines():
                self.said(line)
        run.say = self.said  # type: ignore[method-assign]
        run.callbacks.append(Watching(self))
        self.doctor = next((c for c in run.callbacks if isinstance(c, Doctor)), None)
        return run

    def began(self, run: Run) -> None:
        """The run, or a stage of it, begins."""
        game, device = run.trainer.game, run.batches.device
        self.explorer = explorer_of(game, run.config.get("class_names"))
        drawn = next((c.draw for c in run.callbacks if hasattr(c, "draw")), None)
        self.exhibit = drawn or game.exhibit(Generator(1), device)
        self.show_state()
        self.show(run)

    def between(self, run: Run) -> None:
        """After a step."""
        row = run.row()
        self.history.add(row["step"], row.get("d_value", math.nan), row.get("g_loss", math.nan))
        now = time.perf_counter()
        if self.once or now - self.shown >= max(SHOWN, 5 * self.cost):
            self.show(run)
        self.once = False
        self.rest(run)

    def rest(self, run: Run) -> None:
        """Let others have their turn; obey; wait while the run is held."""
        state = self.turn.give()
        while True:
            for asked in self.commands(None if self.held else 0):
                self.turn.take(state)
                self.obey(asked)
                state = self.turn.give()
            if not self.held:
                break
        self.turn.take(state)
        if self.wanted or not self.alive:
            run.max_steps = run.step  # it ends as it does at its last step: saved

    @property
    def held(self) -> bool:
        """Does the run wait?"""
        goes = (self.running and self.watched) or self.once
        return not (goes or self.wanted or not self.alive or self.ending)

    def show(self, run: Run) -> None:
        """Post what can be seen of the run now."""
        began = time.perf_counter()
        arrays = {"curves": self.history.array()}
        row = run.row() if run.moves else {}
        pixels = self.exhibited()
        if pixels is not None:
            arrays["png"] = pixels
        self.post(
            "training", arrays, step=run.step, total=run.total, epoch=run.epoch,
            numbers={k: v for k, v in row.items() if isinstance(v, float)},
            findings=self.findings(run), folder=str(run.folder),
        )  # fmt: skip
        self.explored()
        self.shown = time.perf_counter()
        self.cost = self.shown - began

    def exhibited(self) -> np.ndarray | None:
        """The system's own picture of itself, the bytes of a PNG file; None where it is no such
        picture."""
        picture = self.exhibit()
        if picture.suffix != ".png":
            return None
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "picture.png"
            picture.save(path)
            return np.frombuffer(path.read_bytes(), np.uint8)

    def findings(self, run: Run) -> list[dict[str, Any]]:
        """The doctor's notes."""
        doctor = self.doctor
        if doctor is None:
            return []
        return [
            {"name": name, "first": first, "last": last, "what": doctor.known[name].what,
             "advice": doctor.known[name].advice, "now": name in run.warnings}
            for name, (first, last) in doctor.findings.items()
        ]  # fmt: skip

    def said(self, text: str) -> None:
        """What the run says to people."""
        self.told = [*self.told, text][-50:]
        self.post("told", lines=self.told)

    # --- commands ---

    def do_pause(self) -> None:
        super().do_pause()
        if self.current is not None:
            self.show(self.current)

    def do_start(self, system: str | None = None, dataset: str | None = None) -> None:
        """Go on with the run that is held; with a system, begin a new one."""
        if system is not None or self.current is None:
            wanted = {"system": system or self.asked["system"],
                      "dataset": dataset or self.asked["dataset"]}  # fmt: skip
            if wanted["system"] not in offered():
                raise ValueError(f"there is no system {wanted['system']!r} to train here")
            self.wanted = wanted
            self.error = self.report = ""
        self.running = True
        self.show_state()

    def do_step(self) -> None:
        """One step alone."""
        if self.current is None:
            raise ValueError("nothing is trained now: start a run first")
        self.running = False
        self.once = True
        self.show_state()

    def do_finish(self) -> None:
        """End the run here; it is saved, with its pictures."""
        if self.current is None:
            raise ValueError("nothing is trained now")
        self.current.max_steps = self.current.step
        self.ending = True
        self.said("the run ends, and is saved ...")

    def do_rate(self, player: str, rate: float) -> None:
        if self.current is None:
            raise ValueError("nothing is trained now")
        if not (isinstance(rate, (int, float)) and 0 <= rate <= 10):
            raise ValueError(f"rate {rate!r}: expected 0 to 10")
        for name, optimizer in self.current.trainer.optimizers.items():
            if (name == "D") == (player == "D"):
                for group in optimizer.param_groups:
                    group["lr"] = rate
        self.show_state()

    def state(self) -> dict[str, Any]:
        run = self.current
        rates = {} if run is None else {
            n: o.param_groups[0]["lr"] for n, o in run.trainer.optimizers.items()
        }  # fmt: skip
        return super().state() | self.asked | {
            "active": run is not None, "report": self.report, "rates": rates,
        }  # fmt: skip

    @staticmethod
    def menus() -> dict[str, Any]:
        """What can be chosen."""
        return {"systems": offered(), "datasets": list(DATASETS)}


def offered() -> dict[str, str]:
    """Name and paper of each system, but for those that are about another run (--of), or make
    something else than pictures."""
    found = {}
    for name in SYSTEMS:
        own = argparse.ArgumentParser()
        system(name).options(own)
        kind = system(name)
        if not ("of" in vars(own.parse_args([])) or kind.writes):
            found[name] = kind.paper
    return found
