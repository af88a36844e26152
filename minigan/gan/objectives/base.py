"""What an objective is."""

from __future__ import annotations

from typing import Any

from ...autograd import Tensor


class Objective:
    """What D and G want, as functions of what D says of real and of fake examples.

    D's outputs are any real numbers, of any shape: logits, or the values of a critic. D ascends
    `d_value`, G descends `g_loss`.

    name : in `OBJECTIVES`, and on command lines
    logistic : is the output a logit, sigmoid(output) the probability D(x) that x is real?
    compares : does `g_loss` also need the outputs on real examples?
    """

    name: str
    logistic = False
    compares = False

    def d_value(self, real: Tensor, fake: Tensor) -> Tensor:
        """What D ascends. real, fake: D's outputs."""
        raise NotImplementedError

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """What G descends. real: only for an objective that `compares`."""
        raise NotImplementedError

    def after_step(self) -> None:
        """Called after D's step: an objective that learns (a multiplier) does it here."""

    def state_dict(self) -> dict[str, Any]:
        """What a run must save of it in order to go on."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to what `state_dict` gave."""
