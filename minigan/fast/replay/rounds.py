"""A run's rounds, replayed: on CUDA a batch is gathered and every player moves in one launch of a
graph, on the CPU as one straight function. To the bit the same, with less beside the arithmetic.

Not every game can: one that keeps Python's numbers between its rounds (MAGAN's margin, a schedule
of noise) or needs a value on the host is played as it is. State of Tensors that stay in their
memory (a `Pool`, running statistics) is no hindrance. On the CPU a game is also played as it is if
its networks, or what they use, are of other classes than minigan's: their Python code may matter.
While a debugger or a tracer looks on, or somebody wants the gradients, nothing is replayed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...arrays import seam
from ...autograd import Tensor
from ...gan.games import Game, Move
from ...gan.trainer import Trainer
from . import followed
from .graph import CaptureError, Graph
from .jit import Repeated
from .reachable import Reachable


class Replayed:
    """`step`, a round of the trainer as a function of a batch's numbers, replayed where that is
    possible (see `training.run.round_of`).

    Its moves are the same objects each time; their Tensors hold the values of the last round.

    say : shows a line, where a graph cannot be made or rounds begin to be replayed on the CPU
    graph : the `Graph` or `Repeated` of the step; None where there is none
    """

    def __init__(
        self,
        step: Callable[[Any], list[Move]],
        trainer: Trainer,
        device,
        say: Callable[[str], None] = print,
    ):
        self.step, self.trainer = step, trainer
        self.say, self.announced = say, device.type == "cuda"
        self.graph: Any = Graph(step) if device.type == "cuda" else Repeated(step, warn=False)
        self.unseen = device.type == "cuda"  # does the first round tell what it exchanges?
        if device.type == "cuda" and (kept := numbers_of(trainer.game)):
            self._do_without(f"the game keeps a state between rounds ({', '.join(kept)})")
        elif device.type == "cpu" and Reachable((step,)).code:
            self.graph.why = "it has code of its own"

    def __call__(self, numbers) -> list[Move]:
        """One round with the examples of these numbers."""
        if (
            self.graph is None
            or self.trainer.watched is not None
            or followed()
            or numbers_of(self.trainer.game)
        ):
            return self.step(numbers)
        if self.unseen and (before := _memory(self.trainer.game)):
            moves = self.step(numbers)
            now = _memory(self.trainer.game)
            if other := [name for name in now if now[name] is not before.get(name)]:
                self._do_without(f"the game's state gets other memory ({', '.join(other)})")
            self.unseen = False
            return moves
        try:
            moves = self.graph(numbers)
        except CaptureError as error:  # and nothing has changed
            self._do_without(str(error))
            return self.step(numbers)
        if not self.announced and self.graph.repeats:
            self.say(
                "rounds are repeated as one function, without their Python code (--no-graph plays "
                "it each time)"
            )
            self.announced = True
        return moves

    def _do_without(self, why: str) -> None:
        self.graph = None
        self.say(f"without a CUDA graph, every kernel is launched by itself: {why}")


def numbers_of(game: Game) -> list[str]:
    """The parts of a game's state that are not Tensors alone: Python code decides by them."""
    return [
        name
        for name, state in sorted(game.state_dict().items())
        if not all(isinstance(x, Tensor) for _, x in _entries(state))
    ]


def _memory(game: Game) -> dict[str, Any]:
    """name -> array, of the Tensors in a game's state. Who keeps it keeps it from being exchanged
    by in-place operations."""
    return {name: x.array for name, x in _entries(game.state_dict())}


def _entries(state: Any, name: str = ""):
    if isinstance(state, (dict, list, tuple)):
        for key, value in state.items() if isinstance(state, dict) else enumerate(state):
            yield from _entries(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, state


seam.repeated = Replayed
