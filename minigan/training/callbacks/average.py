"""Averaged weights of the generator, which draw better than its last ones."""

from __future__ import annotations

import contextlib

from ...optim import EMA
from .callback import Callback

EVERY = 10  # steps between updates: the average is as good as one of every step, and costs nothing


class Average(Callback):
    """An exponential moving average of a module's weights, with bias correction (see
    `minigan.optim.EMA`).

    module : usually the generator
    decay : the weight of the past per step
    """

    def __init__(self, module, decay: float = 0.999):
        self.ema = EMA(module, decay**EVERY)

    def on_step(self, run):
        if run.step % EVERY == 0:
            self.ema.update()

    @contextlib.contextmanager
    def applied(self, game):
        """Inside, the game's generator has the averaged weights and batch statistics that fit
        them."""
        with self.ema.applied():
            game.recalibrate()
            yield

    def state_dict(self):
        return self.ema.state_dict()

    def load_state_dict(self, state):
        self.ema.load_state_dict(state)
