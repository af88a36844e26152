"""Plays a game: each move is one gradient and one optimiser step. How a whole run is run is
`minigan.training`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..arrays import seam
from ..autograd import Tensor, grad
from ..distributed.collectives import sums
from ..ops import full_like
from ..optim import Optimizer
from .constraints import Constraint
from .games import Game, Move


class Trainer:
    """Performs the moves of a game.

    game : whose players move by which rules
    optimizers : name of a player -> the optimiser of its parameters
    constraints : name of a player -> what its network must obey (`CONSTRAINTS`), made so here and
        after each of its steps
    """

    def __init__(
        self,
        game: Game,
        optimizers: dict[str, Optimizer],
        constraints: Mapping[str, Sequence[Constraint]] | None = None,
    ):
        if set(optimizers) != set(game.players):
            raise ValueError(
                f"optimizers for {sorted(optimizers)}, but the game's players are "
                f"{sorted(game.players)}"
            )
        self.game = game
        self.optimizers = optimizers
        self.constraints = dict(constraints or {})
        self.watched: dict[str, list[Tensor | None]] | None = (
            None  # a dict here is filled with each player's last gradients
        )
        # the part of each batch that is played with here, where other processes have the rest
        self.share: float | None = None
        if not set(self.constraints) <= set(game.players):
            raise ValueError(
                f"constraints for {sorted(self.constraints)}, but the game's players are "
                f"{sorted(game.players)}"
            )
        self.parameters = {name: self._parameters(name) for name in game.players}
        for name, several in self.constraints.items():
            for constraint in several:
                constraint.prepare(game.players[name])

    def _parameters(self, name: str) -> list[Tensor]:
        """The parameters of a player in the order of its optimiser."""
        own = {id(p) for p in self.game.players[name].parameters()}
        ordered = [p for group in self.optimizers[name].param_groups for p in group["params"]]
        if not {id(p) for p in ordered} <= own:
            raise ValueError(
                f"the optimizer of {name} has parameters that are not those of player {name}"
            )
        return ordered

    def play(self, *batch: Tensor) -> list[Move]:
        """One round with a batch: its columns, as the game's `columns` name them. The moves as they
        were made."""
        made: list[Move] = []
        for turn in self.game.moves(*batch):
            moves = turn if isinstance(turn, tuple) else (turn,)
            self.perform(*moves)
            made += moves
        return made

    def perform(self, *moves: Move) -> None:
        """The gradient of each move's value with respect to its player's parameters only, all taken
        at the same point; then a step of each: up for Ascend, down for Descend; then its
        constraints.

        With a `share`, values and gradients are the sums of those of all processes, each weighted
        by its share: a mean over the whole batch, if the move's value is a mean over its part.
        """
        last = len(moves) - 1
        gradients = [self._gradients(m, retain_graph=i < last) for i, m in enumerate(moves)]
        if self.share is not None:
            gradients = self._of_all(moves, gradients, self.share)
        for move, gradient in zip(moves, gradients):
            optimizer = self.optimizers[move.player]
            if self.watched is not None:
                self.watched[move.player] = gradient
            for group in optimizer.param_groups:
                group["maximize"] = move.ascends
            optimizer.step_with(gradient)
            for constraint in self.constraints.get(move.player, ()):
                seam.execute(constraint, self.game.players[move.player])

    def _gradients(self, move: Move, retain_graph: bool) -> list[Tensor | None]:
        """The gradient for each parameter of the player; None for one that is frozen or not used in
        this move."""
        parameters = self.parameters[move.player]
        wanted = [p for p in parameters if p.requires_grad]
        seed = None if self.share is None else full_like(move.value, self.share)
        found = grad(move.value, wanted, seed, retain_graph=retain_graph, allow_unused=True)
        if len(wanted) == len(parameters):
            return list(found)
        gradients = iter(found)
        return [next(gradients) if p.requires_grad else None for p in parameters]

    def _of_all(
        self, moves: Sequence[Move], gradients: list[list[Tensor | None]], share: float
    ) -> list[list[Tensor | None]]:
        """The sums of all processes' gradients, in one exchange; and each move has the value of the
        whole batch."""
        values = [move.value.detach() * share for move in moves]
        given = [g for several in gradients for g in several if g is not None]
        found = iter(sums([*values, *given]))
        for move in moves:
            move.value = next(found)
        return [[g if g is None else next(found) for g in several] for several in gradients]

    def state_dict(self) -> dict[str, Any]:
        """Parameters, buffers and optimiser states of all players, and the state of the game."""
        return {
            "players": {
                name: dict(module.state_dict()) for name, module in self.game.players.items()
            },
            "optimizers": {
                name: optimizer.state_dict() for name, optimizer in self.optimizers.items()
            },
            "game": self.game.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a state that `state_dict` gave."""
        for name, module in self.game.players.items():
            module.load_state_dict(state["players"][name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.game.load_state_dict(state.get("game", {}))
