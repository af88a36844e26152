"""A trainer's steps as launches of a CUDA graph: the batch is gathered, every player moves, all in one launch. On the CPU they are
repeated as one straight function.

Not every game can: one that keeps numbers between its rounds (BEGAN's balance, a schedule of noise) or needs a value on the host is
played without a graph, after a line that says so.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from ...autograd import Tensor, tensor_of
from ...data.batches import Batches, gather_scaled
from ...gan.games import Move
from ...gan.trainer import Trainer
from ...training.run import PLAYERS
from .graph import CaptureError, Graph, Reachable
from .jit import Repeated


class Captured:
    """Plays a trainer's rounds by graphs. In its epochs a batch is given by where its images are: their numbers, on the device.

    trainer, batches : on one CUDA device
    say : a function that shows a line
    graph : the graph of a round; None where there is none
    """

    def __init__(self, trainer: Trainer, batches: Batches, say: Callable[[str], None] = print):
        self.trainer, self.batches, self.say = trainer, batches, say
        self.graph: Graph | None = Graph(self._round)
        if kept := sorted(trainer.game.state_dict()):
            self._do_without(f"the game keeps a state between rounds ({', '.join(kept)})")

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """The numbers of the images of each batch of an epoch, from batch `start` on."""
        order, size = self.batches.order(epoch), self.batches.batch_size
        for i in range(start, len(self.batches)):
            yield order[i * size : (i + 1) * size]

    def real(self, index) -> Tensor:
        """The batch of these images."""
        return tensor_of(gather_scaled(self.batches.images, index))

    def play(self, index) -> list[Move]:
        """One round with these images. The moves are the same objects each time; their Tensors hold the values of the last round.
        A Tensor of images is played without a graph; so is a round whose gradients are watched."""
        if isinstance(index, Tensor):
            return self.trainer.play(index)
        if self.graph is not None and self.trainer.watched is None:
            try:
                return self.graph(index)
            except CaptureError as error:  # and nothing has changed
                self._do_without(str(error))
        return self._round(index)

    def _do_without(self, why: str) -> None:
        self.graph = None
        self.say(f"without a CUDA graph, every kernel is launched by itself: {why}")

    def _round(self, index) -> list[Move]:
        return self.trainer.play(self.real(index))


class Straight:
    """Plays a trainer's rounds on the CPU by `minigan.cpu.graph`: to the bit the same, with less beside the arithmetic.

    Where the game, its networks or what they use are of other classes than minigan's, their Python code is run in each round:
    nobody has said that it may be left out. So it is while a debugger or a tracer looks on.

    say : shows a line, at the first round that is repeated
    """

    def __init__(self, trainer: Trainer, say: Callable[[str], None] | None = None):
        self.trainer, self.say, self.graph = trainer, say, Repeated(trainer.play, warn=False)
        if Reachable((trainer.play,)).code:
            self.graph.why = "it has code of its own"

    def play(self, real: Tensor) -> list[Move]:
        """One round. The moves are the same objects each time; their Tensors hold the values of the last round."""
        alone = self.trainer.watched is not None or self.trainer.game.state_dict()  # someone looks at gradients, or the game counts
        if alone or sys.gettrace() is not None:
            return self.trainer.play(real)
        moves = self.graph(real)
        if self.say is not None and self.graph.repeats:
            self.say("rounds are repeated as one function, without their Python code (--no-graph plays it each time)")
            self.say = None
        return moves


def _on_cpu(trainer, batches, say):
    return Straight(trainer, say)


PLAYERS.update(cpu=_on_cpu, cuda=Captured)
