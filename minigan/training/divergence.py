"""When training makes a NaN or an infinity: it stops, nothing of it is saved, and the run is
replayed to name what made it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import nn
from ..arrays import is_array, to_numpy
from ..autograd import AnomalyError, Tensor, detect_anomaly, raw
from .checkpoint import CheckpointError, newest

if TYPE_CHECKING:
    from .run import Run

ADVICE = (
    "lower the learning rate or the weight of a penalty, clip gradients "
    "(nn.utils.clip_grad_norm_), keep arguments of log, sqrt and divisions away from 0"
)
HUGE = 1e15  # no weight of a network that works


class Diverged(ArithmeticError):
    """A value, a gradient or a weight of the run is a NaN or an infinity. `step`: at which step it
    was seen."""

    def __init__(self, message: str, step: int):
        super().__init__(message)
        self.step = step


def require_finite(run: Run) -> None:
    """Diverged if a parameter, a buffer or a number of an optimiser or a callback is a NaN or an
    infinity."""
    for name, array in _arrays(run.state_dict()):
        if array.dtype.kind == "f" and not bool(np.isfinite(array).all()):
            raise Diverged(
                f"{name} holds a {'NaN' if bool(np.isnan(array).any()) else 'infinity'}", run.step
            )


def _arrays(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every array in a state, with where it is."""
    items = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, (list, tuple))
        else ()
    )
    for key, value in items:
        below = f"{path}.{key}" if path else str(key)
        if isinstance(value, Tensor) or is_array(value):
            yield below, raw(value)
        else:
            yield from _arrays(value, below)


def explain(run: Run, fault: Diverged) -> str:
    """What happened, which op made it first (found by replaying the run from its last checkpoint),
    and what helps.

    A run is a function of its state, so the replay meets the same numbers; only its last two steps
    look at every result, which is slow.
    """
    said = f"step {fault.step}: {fault}"
    try:
        path, state = newest(run.folder, run.say)
    except CheckpointError:
        return f"{said}. {ADVICE.capitalize()}"
    run.say(
        f"{said}; looking for what made it: {fault.step - state['step']} steps again from "
        f"{path.name}"
    )
    run.load_state_dict(state)
    try:
        found = _replay(run, fault.step)
    except (AnomalyError, Diverged) as error:
        # an op's error comes before the step is counted
        step = error.step if isinstance(error, Diverged) else run.step + 1
        found = f"first made at step {step}{_layer(run, error)}: {error}{_grown(run)}"
    saved = f"The last good checkpoint, of step {state['step']}, is kept: {path}"
    return f"{said}; {found}. {saved}. To go on: {ADVICE}"


def _replay(run: Run, last: int) -> str:
    """Make the steps up to `last` again; AnomalyError where an op makes a NaN or an infinity. What
    can be said without one."""
    while run.step < last:
        for numbers in run.upcoming():
            with detect_anomaly() if run.step >= last - 2 else contextlib.nullcontext():
                run.play(numbers)
            for callback in run.callbacks:
                if callback.trains:
                    callback.on_step(run)
            if grown := _grown(run):
                return f"at step {run.step}{grown}"
            if run.step >= last:
                break
    return (
        "the same steps, made again, did not show it: is something outside of minigan's "
        "generator random?"
    )


def _grown(run: Run) -> str:
    """Which weights an optimiser's step has thrown far away, from a finite gradient; "" if none."""
    for name, player in run.trainer.game.players.items():
        for key, p in player.named_parameters():
            size = float(np.abs(to_numpy(p.array)).max(initial=0))
            if not size < HUGE:
                return (
                    f"; the optimiser of {name} has made its steps too long: {name}.{key} has "
                    f"grown to {size:.3g}"
                )
    return ""


def _layer(run: Run, error: BaseException) -> str:
    """Which layer was at work when an error was raised: " in G.3 (BatchNorm1d)"; nothing in
    backward."""
    names = {
        id(m): f"{who}.{key}".rstrip(".")
        for who, p in run.trainer.game.players.items()
        for key, m in p.named_modules()
    }
    found, place = "", error.__traceback__
    while place is not None:
        module = place.tb_frame.f_locals.get("self")
        if isinstance(module, nn.Module) and id(module) in names:
            found = f" in {names[id(module)]} ({type(module).__name__})"
        place = place.tb_next
    return found
