"""Plays a game: each move is one gradient and one optimiser step. How a whole run is run is in `run.py`."""

from __future__ import annotations

from typing import Any

from ..autograd import Tensor, grad
from ..optim import Optimizer
from .games import Game, Move


class Trainer:
    """Performs the moves of a game.

    game : whose players move by which rules
    optimizers : name of a player -> the optimiser of its parameters
    """

    def __init__(self, game: Game, optimizers: dict[str, Optimizer]):
        if set(optimizers) != set(game.players):
            raise ValueError(f"optimizers for {sorted(optimizers)}, but the game's players are {sorted(game.players)}")
        self.game, self.optimizers = game, optimizers
        self.watched: dict[str, list[Tensor | None]] | None = None  # a dict here is filled with each player's last gradients
        self.parameters = {name: list(module.parameters()) for name, module in game.players.items()}

    def play(self, real: Tensor) -> list[Move]:
        """One round with a batch of real examples; the moves as they were made."""
        made: list[Move] = []
        for turn in self.game.moves(real):
            moves = turn if isinstance(turn, tuple) else (turn,)
            self.perform(*moves)
            made += moves
        return made

    def perform(self, *moves: Move) -> None:
        """The gradient of each move's value with respect to its player's parameters only, all taken at the same point;
        then a step of each: up for Ascend, down for Descend."""
        last = len(moves) - 1
        gradients = [self._gradients(m, retain_graph=i < last) for i, m in enumerate(moves)]
        for move, gradient in zip(moves, gradients):
            optimizer = self.optimizers[move.player]
            if self.watched is not None:
                self.watched[move.player] = gradient
            for group in optimizer.param_groups:
                group["maximize"] = move.ascends
            optimizer.step_with(gradient)

    def _gradients(self, move: Move, retain_graph: bool) -> list[Tensor | None]:
        """The gradient for each parameter of the player; None for one that is frozen or not used in this move."""
        parameters = self.parameters[move.player]
        wanted = [p for p in parameters if p.requires_grad]
        found = grad(move.value, wanted, retain_graph=retain_graph, allow_unused=True)
        if len(wanted) == len(parameters):
            return list(found)
        gradients = iter(found)
        return [next(gradients) if p.requires_grad else None for p in parameters]

    def state_dict(self) -> dict[str, Any]:
        """Parameters, buffers and optimiser states of all players."""
        return {
            "players": {name: dict(module.state_dict()) for name, module in self.game.players.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a state that `state_dict` gave."""
        for name, module in self.game.players.items():
            module.load_state_dict(state["players"][name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
