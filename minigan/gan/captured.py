"""A trainer's steps as launches of a CUDA graph: the batch is gathered, every player moves, all in one launch.

A game whose rounds are not all the same sequence of launches (a penalty in every 16th round, a schedule that is a Python number)
says so: `graph_key()` gives what a round's launches depend on, and there is a graph for each of its values; None: such a round is
played without a graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..autograd import Tensor
from ..data.batches import Batches, gather_scaled
from ..utils.graph import Graph
from .games import Move
from .trainer import Trainer


class Captured:
    """Plays a trainer's rounds by graphs. In its epochs a batch is given by where its images are: their numbers, on the device.

    trainer, batches : on one CUDA device
    """

    def __init__(self, trainer: Trainer, batches: Batches):
        self.trainer, self.batches = trainer, batches
        self.graphs: dict[Any, Graph] = {}

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """The numbers of the images of each batch of an epoch, from batch `start` on."""
        order, size = self.batches.order(epoch), self.batches.batch_size
        for i in range(start, len(self.batches)):
            yield order[i * size : (i + 1) * size]

    def real(self, index) -> Tensor:
        """The batch of these images."""
        return Tensor(gather_scaled(self.batches.images, index))

    def play(self, index) -> list[Move]:
        """One round with these images. The moves are the same objects each time; their Tensors hold the values of the last round.
        A Tensor of images is played without a graph."""
        if isinstance(index, Tensor):
            return self.trainer.play(index)
        key = getattr(self.trainer.game, "graph_key", tuple)()
        if key is None:
            return self.trainer.play(self.real(index))
        if key not in self.graphs:
            self.graphs[key] = Graph(self._round)
        moves, watched = self.graphs[key](index)
        if self.trainer.watched is not None:
            self.trainer.watched.update(watched)
        return moves

    def _round(self, index):
        before, self.trainer.watched = self.trainer.watched, {}  # so that a graph keeps the memory of the gradients
        try:
            return self.trainer.play(self.real(index)), self.trainer.watched
        finally:
            self.trainer.watched = before
