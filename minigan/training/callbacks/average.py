"""Averaged weights of the generator, which draw better than its last ones."""

from __future__ import annotations

import contextlib
from typing import Any

from ...gan.recalibrate import BATCHES
from ...optim import EMA
from .callback import Callback

EVERY = 10  # steps between updates: the average is as good as one of every step, and costs nothing


class Average(Callback):
    """An exponential moving average of a module's weights, with bias correction (see
    `minigan.optim.EMA`).

    module : usually the generator; or the name of a player, whose average begins anew in each
        stage of the run in which there is one of this name
    decay : the weight of the past per step
    hands_on : at the end of a stage the player gets its averaged weights, with which later stages
        go on
    """

    everywhere = True  # later stages go on with the average

    def __init__(self, module, decay: float = 0.999, hands_on: bool = False):
        self.hands_on = hands_on
        self.player = module if isinstance(module, str) else None
        self.decay = decay**EVERY
        self.ema = EMA(module, self.decay) if self.player is None else None
        self._state: dict[str, Any] = {}  # of a checkpoint, until there is an average

    @property
    def updates(self) -> int:
        """How many there were, in this stage."""
        return self.ema.updates if self.ema else 0

    def on_start(self, run):
        if self.player is not None:
            self.on_stage(run)
            if self.ema and self._state:
                self.ema.load_state_dict(self._state)

    def on_stage(self, run):
        if self.player is not None:
            module = run.trainer.game.players.get(self.player)
            self.ema = EMA(module, self.decay) if module else None

    def on_stage_end(self, run):
        if self.hands_on and self.updates:
            self.ema.copy_to()
            run.trainer.game.recalibrate()

    def on_step(self, run):
        if self.ema and run.step % EVERY == 0:
            self.ema.update()

    @contextlib.contextmanager
    def applied(self, game, batches=BATCHES):
        """Inside, the game's generator has the averaged weights and batch statistics that fit
        them, seen with so many batches."""
        with self.ema.applied():
            game.recalibrate(batches)
            yield

    def state_dict(self):
        return self.ema.state_dict() if self.ema else {}

    def load_state_dict(self, state):
        if self.ema:
            self.ema.load_state_dict(state)
        else:
            self._state = state
