"""A run's rounds, replayed: on CUDA a batch is gathered and every player moves in one launch of a
graph, on the CPU as one straight function. To the bit the same, with less beside the arithmetic.

Not every game can: one that keeps numbers between its rounds (BEGAN's balance, a schedule of noise)
or needs a value on the host is played as it is. On the CPU so is one whose networks, or what they
use, are of other classes than minigan's: their Python code may matter. While a debugger or a tracer
looks on, or somebody wants the gradients, nothing is replayed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...arrays import seam
from ...gan.games import Move
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
        if device.type == "cuda" and (kept := sorted(trainer.game.state_dict())):
            self._do_without(f"the game keeps a state between rounds ({', '.join(kept)})")
        elif device.type == "cpu" and Reachable((step,)).code:
            self.graph.why = "it has code of its own"

    def __call__(self, numbers) -> list[Move]:
        """One round with the examples of these numbers."""
        if (
            self.graph is None
            or self.trainer.watched is not None
            or followed()
            or self.trainer.game.state_dict()
        ):
            return self.step(numbers)
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


seam.repeated = Replayed
