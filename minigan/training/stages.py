"""Runs in several stages: networks that grow, or a network that is trained beside finished ones.

>>> def second(players):                                # of the stages before, trained
...     G = players["G"].requires_grad_(False).eval()   # a frozen part: see `Game`
...     game = Inverse(new_encoder(), G)
...     return Trainer(game, {"E": Adam(game.E.parameters())}), batches
>>> Run(None, None, folder, config, stages=[Stage("G", first, 5000), Stage("E", second, 2000)])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import nn
from ..arrays import default_generator
from ..distributed import group
from ..gan.trainer import Trainer
from .checkpoint import FOLDER, SUFFIX, load_checkpoint, save_checkpoint

Players = dict[str, nn.Module]


@dataclass(frozen=True)
class Stage:
    """A part of a run, with a trainer and batches of its own.

    name : for people
    build : the players of all stages before, and what their games have `kept`, by name (of equal
        names the last one's), as they were trained -> (trainer, batches). It is called again where
        a run is resumed, and must then make the same: random numbers of the default generator are
        the same again
    steps : how many it makes
    """

    name: str
    build: Callable[[Players], tuple[Trainer, Any]]
    steps: int


class Stages:
    """The stages of a run, one of which goes on: `number`, from 0. At the end of each its players,
    and the random state, are written beside the checkpoints: later ones are built with them."""

    def __init__(self, stages: Sequence[Stage], folder: Path):
        if short := [s for s in stages if s.steps < 1]:
            raise ValueError(f"stage {short[0].name!r}: steps={short[0].steps}: expected 1 or more")
        self.stages = list(stages)
        self.folder = folder
        self.number = 0
        self.players: Players = {}
        self.random = default_generator.get_state()  # before the first one was built

    @property
    def total(self) -> int:
        """The steps of all."""
        return sum(s.steps for s in self.stages)

    @property
    def now(self) -> Stage:
        """The one that goes on."""
        return self.stages[self.number]

    def over(self, step: int) -> bool:
        """Is this the last step of the stage, and is there another one?"""
        return self.number + 1 < len(self.stages) and step >= self.end

    @property
    def end(self) -> int:
        """The number of the stage's last step."""
        return sum(s.steps for s in self.stages[: self.number + 1])

    def build(self) -> tuple[Trainer, Any]:
        """The trainer and the batches of the present stage."""
        trainer, batches = self.now.build(dict(self.players))
        self.players |= trainer.game.players | trainer.game.kept
        return trainer, batches

    def following(self) -> tuple[Trainer, Any]:
        """Keep what the present stage leaves, and build the next one."""
        left = {name: dict(player.state_dict()) for name, player in self.players.items()}
        state = {"players": left, "random": default_generator.get_state()}
        if group.rank() == 0:
            save_checkpoint(path_of_stage(self.folder, self.number), state)
        self.number += 1
        return self.build()

    def restored(self, number: int) -> tuple[Trainer, Any]:
        """The stage of this number, built as it was in the run that wrote what the stages before it
        have left."""
        self.number, self.players = 0, {}
        default_generator.set_state(self.random)
        found = self.build()
        while self.number < number:
            left = group.first_makes(lambda: left_by(self.folder, self.number))
            for name, player in self.players.items():
                player.load_state_dict(left["players"][name])
            default_generator.set_state(left["random"])
            self.number += 1
            found = self.build()
        return found


def path_of_stage(folder: Path, number: int) -> Path:
    """Where a run keeps what a stage has left."""
    return folder / FOLDER / f"stage{number}{SUFFIX}"


def left_by(folder: Path, number: int) -> dict[str, Any]:
    """What a stage has left: the state of each of its "players" and of those before, and "random".
    CheckpointError where it cannot be read."""
    return load_checkpoint(path_of_stage(folder, number))
