"""What grows from 0 to 1 while a game is played."""

from __future__ import annotations

from .. import nn
from ..autograd import Tensor, no_grad
from ..ops import zeros


class Ramp(nn.Module):
    """From 0 to 1 along a line, in so many calls, then 1. A Tensor with a state: it resumes, and
    rounds are replayed.

    steps : 0: it is 1 from the beginning
    """

    done: Tensor

    def __init__(self, steps: int):
        super().__init__()
        self.steps = steps
        self.register_buffer("done", zeros(()))

    def forward(self) -> Tensor:
        with no_grad():
            part = (self.done / self.steps).clamp(max=1.0) if self.steps else self.done * 0 + 1
            self.done.copy_(self.done + 1)
            return part
