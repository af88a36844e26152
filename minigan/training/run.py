"""How a run is run, the same for every game: the loop, its state, and where it ends. What else it
does is done by callbacks.

runs/<name>/
    config.json                          version, options, data set and its checksum
    metrics.jsonl                        one JSON object per logged step
    samples/0000400.png                  the fixed latents at that step
    checkpoints/00000400.safetensors     everything a resumed run needs to end in bit-identical
                                         weights
    curves.png, samples.gif, report.html at the end
"""

from __future__ import annotations

import json
import math
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import default_generator, seam
from ..data.batches import Batches
from ..data.files import write_atomic
from ..distributed import group
from ..gan.games import Move
from ..gan.trainer import Trainer
from ..machine.threads import num_threads
from . import ranks
from .callbacks.callback import Callback
from .checkpoint import newest, save_checkpoint
from .divergence import ADVICE, Diverged, explain, require_finite
from .runfolder import Lock, NoLock, RunError, open_again, open_new
from .signals import StopSignals
from .stages import Stage, Stages

CUDA_CHECK_EVERY = (
    50  # steps between looks at the values on a GPU, which has to finish its work first
)


class Interrupted(Exception):
    """The run was asked to stop (Ctrl-C, SIGTERM) and has saved its state. `signal`: the signal's
    number."""

    def __init__(self, message: str, number: int = signal.SIGINT):
        super().__init__(message)
        self.signal = number


def round_of(
    trainer: Trainer, batches: Batches, say: Callable[[str], None] = print, graph: bool = True
) -> Callable[[Any], list[Move]]:
    """One round as a function of the numbers of a batch's examples; with `graph`, as the fast path
    repeats it if it is there."""

    def step(numbers):
        return trainer.play(*batches[numbers])

    return seam.repeated(step, trainer, batches.device, say) if graph else step


class Run:
    """A training run in a folder.

    trainer, batches : what is trained, on what; None with `stages`
    folder : where everything is written
    config : JSON-serialisable facts that determine the run's numbers; they must be equal on
        resuming
    epochs, max_steps : the run ends after the one that comes first (max_steps None: no limit)
    stages : instead of trainer, batches and epochs: several, one after the other (see `Stage`)
    callbacks : what else is done, in this order; `callbacks.usual(...)` gives what the examples do
    resume : go on from the folder's newest checkpoint
    new_data : on resuming, `batches` may be of other data than before: their order begins anew,
        after the epochs made so far
    complete : of the config of a saved run, which may lack what came later: with that in its place
    about : other facts for config.json
    graph : make each step one launch of a CUDA graph, or on the CPU one straight function (see
        `minigan.fast.replay.rounds`)
    sync_bn : where several processes make the run, batch normalisation has the statistics of all of
        their rows (`nn.SyncBatchNorm`), else each those of its own

    Started by mpirun, each process plays with its rows of every batch, and the first one writes
    (see `ranks`).
    """

    def __init__(
        self, trainer: Trainer | None, batches: Batches | None, folder: str | os.PathLike,
        config: dict[str, Any], *, epochs: int | None = None, stages: Sequence[Stage] = (),
        max_steps: int | None = None, callbacks: Sequence[Callback] = (), resume: bool = False,
        about: dict[str, Any] | None = None,
        graph: bool = True, new_data: bool = False, sync_bn: bool = False,
        complete: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    ):  # fmt: skip
        if [trainer is None, batches is None, epochs is None] != [bool(stages)] * 3:
            raise ValueError("Run: expected a trainer, batches and epochs, or stages instead")
        self.folder = Path(folder)
        self.config = json.loads(json.dumps(config))
        self.callbacks, self.about = ranks.of_rank(list(callbacks)), about or {}
        self.graph = graph
        self.sync_bn = sync_bn
        self.complete = complete
        self.stopping: int | None = None  # the signal by which all ranks are asked to stop
        self.stages = Stages(stages, self.folder) if stages else None
        ranks.require_alike(
            self.config
            | {"epochs": epochs, "max_steps": max_steps, "resume": resume, "new_data": new_data}
            | {"sync_bn": sync_bn, "stages": [(stage.name, stage.steps) for stage in stages]}
        )
        self._take(*(self.stages.build() if self.stages else (trainer, batches)))
        self.epochs, self.max_steps = epochs or 0, max_steps
        self.step = 0
        self.data = [self._data_of_now()]  # what it was trained on, from which step and epoch on
        self.moves: list[Move] = []
        self.warnings: list[str] = []  # names of what the doctor finds, for the progress line
        self.leaves: list[str] = []
        self._noted: dict[str, Any] = {}
        self._row: dict[str, Any] | None = None
        if new_data and not resume:
            raise RunError(
                "--new-data goes with --resume: a new run takes the data that it is given"
            )
        try:
            self.lock = self._open(resume)
            try:
                if resume:
                    self._resume(new_data)
                if group.rank() == 0 and (not resume or len(self.data) > 1):
                    content = self.config | self.about | made_with() | {"trained_on": self.data}
                    write_atomic(
                        self.folder / "config.json", json.dumps(content, indent=1).encode()
                    )
            except BaseException:
                self.lock.release()
                raise
        except OSError as error:
            raise RunError(
                f"cannot write the run's folder {self.folder} ({error.strerror}): name another "
                "with --out"
            ) from error

    def _open(self, resume: bool) -> Lock | NoLock:
        if group.rank() > 0:
            return NoLock()
        return open_again(self.folder) if resume else open_new(self.folder, self.say)

    def _take(self, trainer: Trainer, batches: Batches) -> None:
        """Go on with these."""
        self.trainer, self.batches = trainer, batches
        trainer.game.batch_size = self.config.get("batch_size")
        if group.size() > 1:
            self.graph = self.graph and batches.device.type == "cpu"  # exchanges are no kernels
            self.say(ranks.begin(trainer, batches, self.sync_bn))
        self.round = round_of(trainer, batches, self.say, self.graph)

    # --- where in the data ---

    @property
    def total(self) -> int:
        """The step after which the run ends."""
        begin = self.data[-1]
        last = begin["step"] + max(0, self.epochs - begin["epoch"]) * len(self.batches)
        last = self.stages.total if self.stages else last
        return last if self.max_steps is None else min(last, self.max_steps)

    def position(self, step: int) -> tuple[int, int]:
        """How many epochs are complete after so many steps, and how many batches of the next one
        are done."""
        begin = self.data[-1]
        epochs, done = divmod(step - begin["step"], len(self.batches))
        return begin["epoch"] + epochs, done

    @property
    def epoch(self) -> int:
        """The number of the epoch of the last step, from 1."""
        complete, done = self.position(self.step)
        return complete + (done > 0)

    def _data_of_now(self) -> dict[str, Any]:
        return {
            "step": 0,
            "epoch": 0,
            "images": getattr(self.batches, "examples", None),
            "checksum": self.config.get("checksum"),
        } | ({"stage": self.stages.now.name} if self.stages else {})

    def _changed_data(self, epoch: int) -> None:
        """From here on it is trained on other data than before."""
        self.data = [*self.data, self._data_of_now() | {"step": self.step, "epoch": epoch}]

    # --- state ---

    def state_dict(self) -> dict[str, Any]:
        """All that determines the rest of the run."""
        own = {type(c).__name__: state for c in self.callbacks if (state := c.state_dict())}
        return {
            "step": self.step, "total": self.total,
            "random": default_generator.get_state(), "config": self.config,
            "made_with": made_with(),
            "trainer": self.trainer.state_dict(), "callbacks": own, "trained_on": self.data,
            "epoch": self.epoch, "stage": self.stages.number if self.stages else 0,
            "statistics_of": self.trainer.game.batch_size,
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back, or on, to a state that `state_dict` gave."""
        self._go_to_stage(state)
        self.trainer.load_state_dict(state["trainer"])
        for callback in self.callbacks:
            if (own := state["callbacks"].get(type(callback).__name__)) is not None:
                callback.load_state_dict(own)
        default_generator.set_state(state["random"])
        self.step = state["step"]

    def _go_to_stage(self, state: dict[str, Any]) -> None:
        if self.stages and self.stages.number != state.get("stage", 0):
            self._take(*self.stages.restored(state["stage"]))
            self.data = state["trained_on"]

    def save(self, path: Path) -> None:
        """Write the state to a file; raises Diverged, and writes nothing, where it holds a NaN or
        an infinity."""
        require_finite(self)
        self._tell("on_save")
        save_checkpoint(path, self.state_dict())

    def _resume(self, new_data: bool) -> None:
        path, state = group.first_makes(lambda: newest(self.folder, self.say))
        saved, now = state["config"], self._data_of_now()
        # what came later has its default
        before = {k: v for k, v in self.complete(saved).items() if k in self.config or k in saved}
        differ = {
            k: f"{k} was {before.get(k)!r}, now {v!r}"
            for k, v in _different(before, self.config).items()
        }
        self.data = state.get("trained_on") or [
            now | {"images": None, "checksum": before.get("checksum")}
        ]
        if "checksum" in differ:
            del differ["checksum"]
            follows = before.get("batch_size") == self.data[-1]["images"]  # all made one batch
            may = ("batch_size", "dataset") if new_data else ("batch_size",) if follows else ()
            of_data = {k: differ.pop(k) for k in may if k in differ}
            counts = f"{_counted(now)}, were {_counted(self.data[-1])}"
            if now["images"] == self.data[-1]["images"]:  # as many, but not the same
                counts += f"; their checksum was {before.get('checksum')}"
            what = f"its data have changed ({counts}{''.join('; ' + t for t in of_data.values())})"
            if not new_data:
                differ = {
                    "data": f"{what}: bring the old ones back, or go on with the new ones by "
                    "--resume --new-data"
                } | differ
        if differ:
            raise RunError(
                f"--resume: the run in {self.folder} was started with other options or data: "
                f"{'; '.join(differ.values())}"
            )
        if new_data and before.get("checksum") == self.config.get("checksum"):
            self.say(
                "--new-data: the data are the same as before; the run goes on as it would without "
                "it"
            )
        elif new_data:
            self._go_to_stage(state)
            self.step = state["step"]
            self.data = [
                *self.data,
                self._data_of_now() | {"step": self.step, "epoch": state.get("epoch", 0)},
            ]
            self.say(f"{what}: from step {self.step} on they come in a new order")
        made, making = ({"processes": 1} | m for m in (state["made_with"], made_with()))
        other = [f"{k} {v} (was {made.get(k)})" for k, v in _different(made, making).items()]
        if other:
            self.say(
                f"made with {', '.join(other)}: the run goes on, but its last bits may differ "
                "from those of an uninterrupted one"
            )
        try:
            self.load_state_dict(state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise RunError(
                f"--resume: {path} does not fit this run ({type(error).__name__}: {error})"
            ) from error
        self.say(f"resuming {self.folder} after step {self.step}")

    # --- the run ---

    def train(self) -> None:
        """Play until the end. Interrupted after saving, when asked to stop; Diverged when a value
        is no number."""
        began, first = time.perf_counter(), self.step
        if self.step >= self.total:
            self.lock.release()
            return self.say(
                f"nothing is left to do: {self.folder} has made its {self.step} steps; more "
                "--epochs or --max-steps go on"
            )
        with StopSignals() as stop:
            try:
                self._tell("on_start")
                while self.step < self.total and not self.stopping:
                    self._play_epoch(stop)
                self._tell("on_end" if self.step >= self.total else "on_stop")
                group.told(None)  # what the first rank writes is written when any goes on
            except Diverged as fault:
                if group.size() > 1:  # only one process can look at each op
                    raise Diverged(f"step {fault.step}: {fault}. {ADVICE}", fault.step) from fault
                # `explain` looks at what each op makes
                self.round = round_of(self.trainer, self.batches, graph=False)
                raise Diverged(explain(self, fault), fault.step) from fault
            finally:
                self._tell("on_close")
                self.lock.release()
        if self.step < self.total:
            raise Interrupted(
                f"stopped after step {self.step} of {self.total}; the state is saved in "
                f"{self.folder}",
                self.stopping or signal.SIGINT,
            )
        took = f"{self.step - first} steps, {time.perf_counter() - began:.0f} s"
        self.say(f"done: {took}. Everything is in {self.folder}: " + ", ".join(self.leaves))

    def _play_epoch(self, stop: StopSignals) -> None:
        for numbers in self.upcoming():
            self.play(numbers)
            self._tell("on_step")
            self.stopping = ranks.agreed(stop.asked)
            if self.step >= self.total or self.stopping:
                break
        if self.position(self.step)[1] == 0:
            self._tell("on_epoch")

    def upcoming(self) -> Iterator[Any]:
        """The numbers of the examples of each batch to come, until the epoch or the stage ends;
        where a stage is over, the next one begins first."""
        if self.stages and self.stages.over(self.step):
            epoch = self.epoch
            self._tell("on_stage_end")
            self._take(*self.stages.following())
            self._changed_data(epoch)
            self.say(f"step {self.step}: stage {self.stages.now.name} begins")
            self._tell("on_stage")
        for numbers in self.batches.numbers(*self.position(self.step)):
            yield numbers
            if self.stages and self.stages.over(self.step):
                return

    def play(self, numbers) -> None:
        """One step, with the examples of these numbers."""
        self.moves = ranks.play(self.round, numbers, self.trainer, self.batches)
        self.step += 1
        self._noted, self._row = {}, None
        if self.batches.device.type == "cpu" or self.step % CUDA_CHECK_EVERY == 0:
            for move in self.moves:
                if not math.isfinite(move.value.item()):
                    raise Diverged(
                        f"the value of {move.player}'s move is {move.value.item()}", self.step
                    )

    def _tell(self, event: str) -> None:
        with group.alone():  # what not all ranks do
            for callback in self.callbacks:
                getattr(callback, event)(self)

    # --- for callbacks ---

    def row(self) -> dict[str, Any]:
        """The numbers of the step just made: "step", "epoch", what the game measures, and what was
        noted."""
        if self._row is None:
            self._row = {
                "step": self.step,
                "epoch": self.epoch,
                **({"stage": self.stages.now.name} if self.stages else {}),
                **self.trainer.game.measure(self.moves),
            }
        return self._row | self._noted

    noted = property(
        lambda self: bool(self._noted), doc="Has anybody noted a number for this step?"
    )

    def note(self, **values: Any) -> None:
        """Numbers for this step's row, by name; they make it one that is logged."""
        self._noted |= {k: v.item() if isinstance(v, np.generic) else v for k, v in values.items()}

    def left(self, what: str) -> None:
        """Mention `what` in the closing line, as a thing that the run leaves."""
        self.leaves.append(what)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from .report.card import card

        return card(self)

    def say(self, text: str) -> None:
        """A line for people, which does not break the progress line."""
        from tqdm import tqdm

        if group.rank() == 0:
            tqdm.write(text)


def _different(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """The entries that are not as before, sorted by name, as they are now."""
    return {
        k: now.get(k) for k in sorted(before.keys() | now.keys()) if before.get(k) != now.get(k)
    }


def _counted(data: dict[str, Any]) -> str:
    return "others" if data["images"] is None else str(data["images"])


def made_with() -> dict[str, Any]:
    """What the last bits of a run's numbers depend on, beside its options."""
    version = sys.modules[__name__.partition(".")[0]].__version__
    return {
        "minigan": version,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "threads": num_threads(),
    } | ({"processes": group.processes()} if group.processes() > 1 else {})
