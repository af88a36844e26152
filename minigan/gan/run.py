"""How a run is run: epochs, progress, metrics, sample grids, checkpoints, resuming. The same for every game.

    runs/<name>/
        config.json                      version, options, data set and its checksum
        metrics.jsonl                    one JSON object per logged step
        samples/0000400.png              the fixed latents at that step
        checkpoints/last.safetensors     everything a resumed run needs to end in bit-identical weights
        curves.png, samples.gif          at the end
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from ..autograd import Tensor
from ..backend import Generator, default_generator
from ..data.batches import Batches
from ..data.files import write_atomic
from ..optim import EMA
from ..viz import read_metrics, save_curves, save_gif, save_grid
from .checkpoint import load_checkpoint, save_checkpoint
from .trainer import Trainer

GRID = 5  # samples are drawn as GRID x GRID pictures
LOG_EVERY = 50  # steps between lines in metrics.jsonl
EMA_EVERY = 10  # steps between updates of the averaged weights


class RunError(ValueError):
    """The run cannot start or resume in this folder: the message says why."""


class Interrupted(Exception):
    """The run was asked to stop (Ctrl-C, SIGTERM) and has saved its state."""


class Run:
    """A training run in a folder.

    trainer, batches : what is trained, on what
    folder : where everything is written
    config : JSON-serialisable facts about the run; what changes the mathematics must equal on resuming
    epochs, max_steps : the run ends after the one that comes first (max_steps None: no limit)
    sample_interval : steps between sample grids
    seed : of the fixed latents
    ema : averaged weights of the generator, which samples are drawn with; None: the last weights
    resume : go on from the folder's checkpoint
    quiet : no progress line
    """

    def __init__(
        self, trainer: Trainer, batches: Batches, folder: str | os.PathLike, config: dict[str, Any], *, epochs: int,
        max_steps: int | None = None, sample_interval: int = 400, seed: int = 0, ema: EMA | None = None, resume: bool = False,
        quiet: bool = False,
    ):  # fmt: skip
        self.trainer, self.batches, self.folder, self.config = trainer, batches, Path(folder), config
        self.sample_interval, self.ema, self.quiet = sample_interval, ema, quiet
        self.total = min(epochs * len(batches), max_steps if max_steps is not None else epochs * len(batches))
        latents = Generator(seed + 1).normal((GRID * GRID, trainer.game.latent_dim), device=batches.device)
        self.latents = Tensor(latents)
        self.step = 0
        self.metrics, self.checkpoint = self.folder / "metrics.jsonl", self.folder / "checkpoints" / "last.safetensors"
        if resume:
            self._resume()
        else:
            self._start()

    # --- beginnings ---

    def _start(self) -> None:
        try:
            if (self.folder / "config.json").exists():
                aside = next(p for n in range(1, 10**6) if not (p := self.folder.with_name(f"{self.folder.name}.{n}")).exists())
                os.replace(self.folder, aside)
                self._say(f"{self.folder} held an earlier run; it is now {aside}")
            write_atomic(self.folder / "config.json", json.dumps(self.config, indent=1).encode())
            (self.folder / "samples").mkdir(exist_ok=True)
        except OSError as error:
            raise RunError(f"cannot write the run's folder {self.folder} ({error.strerror}): name another with --out") from error

    def _resume(self) -> None:
        if not self.checkpoint.exists():
            raise RunError(
                f"--resume: there is no checkpoint in {self.folder}; start without --resume, or name the run's folder with --out"
            )
        state = load_checkpoint(self.checkpoint)
        before = state["config"]
        differ = [f"{k} was {before.get(k)!r}, now {v!r}" for k, v in self.config.items() if before.get(k) != v]
        if differ:
            raise RunError(f"--resume: the run in {self.folder} was started with other options: {'; '.join(differ)}")
        self.trainer.load_state_dict(state["trainer"])
        if self.ema is not None:
            self.ema.load_state_dict(state["ema"])
        default_generator.set_state(state["random"])
        self.step = state["step"]
        rows = [r for r in read_metrics(self.metrics) if r["step"] <= self.step] if self.metrics.exists() else []
        write_atomic(self.metrics, "".join(json.dumps(r) + "\n" for r in rows).encode())
        self._say(f"resuming {self.folder} after step {self.step}")

    # --- the run ---

    def train(self) -> None:
        """Play until the end, or raise Interrupted after saving."""
        began = time.perf_counter()
        with (
            _StopSignals() as stop,
            _Progress(self.step, self.total, self.quiet) as progress,
            open(self.metrics, "a", encoding="utf-8") as log,
        ):
            while self.step < self.total and not stop.asked:
                epoch, position = divmod(self.step, len(self.batches))
                for real in self.batches.epoch(epoch, position):
                    moves = self.trainer.play(real)
                    self.step += 1
                    if self.ema is not None and self.step % EMA_EVERY == 0:
                        self.ema.update()
                    sample = self.step % self.sample_interval == 0 or self.step == self.total
                    record = sample or self.step % LOG_EVERY == 0
                    if record or progress.due():
                        row = {"step": self.step, "epoch": epoch + 1, **self.trainer.game.measure(moves)}
                        progress.show(row)
                    if record:
                        log.write(json.dumps({**row, "it_s": progress.rate(self.step)}) + "\n")
                        log.flush()
                    if sample:
                        self.sample()
                    if self.step >= self.total or stop.asked:
                        break
                self.save()
        if self.step < self.total:
            raise Interrupted(f"stopped after step {self.step} of {self.total}; the state is saved in {self.checkpoint}")
        self._finish(time.perf_counter() - began)

    def sample(self) -> Path:
        """Draw the fixed latents as they are now into samples/."""
        game = self.trainer.game
        if self.ema is not None and self.ema.updates:
            with self.ema.applied():
                game.settle()
                images = game.sample(self.latents)
        else:
            images = game.sample(self.latents)
        path = self.folder / "samples" / f"{self.step:07d}.png"
        save_grid(path, images.cpu().numpy(), GRID)
        return path

    def save(self) -> None:
        """Write the checkpoint."""
        state = {"step": self.step, "random": default_generator.get_state(), "config": self.config, "trainer": self.trainer.state_dict()}
        save_checkpoint(self.checkpoint, state | ({"ema": self.ema.state_dict()} if self.ema is not None else {}))

    def _finish(self, seconds: float) -> None:
        pictures = sorted((self.folder / "samples").glob("*.png"))
        rows = read_metrics(self.metrics)
        if rows:
            save_curves(self.folder / "curves.png", rows)
        if pictures:
            save_gif(self.folder / "samples.gif", pictures)
        last = pictures[-1] if pictures else "none"
        self._say(
            f"done: {self.step} steps, {seconds:.0f} s. Everything is in {self.folder}: the last samples {last}, "
            "their history samples.gif, curves.png, metrics.jsonl, checkpoints/last.safetensors"
        )

    def _say(self, text: str) -> None:
        print(text, flush=True)


class _Progress:
    """One line that says how far the run is, refreshed a few times a second (in a log file: a line now and then)."""

    FIELDS = {"d_value": "D value", "g_loss": "G loss", "d_real": "D(x)", "d_fake": "D(G(z))"}

    def __init__(self, step: int, total: int, quiet: bool):
        from tqdm import tqdm

        form = "{desc} step {n_fmt}/{total_fmt}{postfix} | {rate_noinv_fmt}, {remaining} left"
        self.bar = tqdm(total=total, initial=step, disable=quiet, bar_format=form, unit="it", mininterval=0, dynamic_ncols=True)
        self.interval = 0.25 if sys.stderr.isatty() else 10.0
        self.shown = 0.0
        self.mark = (step, time.perf_counter())  # of the last metrics row, for its it/s

    def due(self) -> bool:
        """Is it time to refresh the line?"""
        return not self.bar.disable and time.perf_counter() - self.shown > self.interval

    def rate(self, step: int) -> float:
        """Steps per second since this was asked last."""
        (before, then), self.mark = self.mark, (step, time.perf_counter())
        return round((step - before) / max(self.mark[1] - then, 1e-9), 2)

    def show(self, row: dict[str, Any]) -> None:
        if not self.due() and row["step"] < self.bar.total:
            return
        self.shown = time.perf_counter()
        self.bar.set_description_str(f"epoch {row['epoch']}", refresh=False)
        self.bar.set_postfix_str(", ".join(f"{text} {row[key]:.3f}" for key, text in self.FIELDS.items() if key in row), refresh=False)
        self.bar.update(row["step"] - self.bar.n)
        self.bar.refresh()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.bar.close()


class _StopSignals:
    """Ctrl-C and SIGTERM ask the run to stop after the step it is in; a second Ctrl-C stops at once."""

    def __init__(self) -> None:
        self.asked = False
        self.old: dict[int, Any] = {}

    def _ask(self, number, frame):
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self.old = {s: signal.signal(s, self._ask) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *exc):
        for number, handler in self.old.items():
            with contextlib.suppress(TypeError):
                signal.signal(number, handler)
