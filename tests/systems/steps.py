"""For tests of games: the moves with the players' weights around them, and steps by central
differences."""

import numpy as np

from minigan.autograd import tensor_of
from minigan.gan import Trainer
from minigan.optim import SGD

LR = 0.1


def weights(game):
    """{player: {name: a copy}}"""
    return {
        name: {k: p.detach().numpy().copy() for k, p in player.named_parameters()}
        for name, player in game.players.items()
    }


def played(game, *batch):
    """(moves, the players' weights before and after each) of one round of steps of 0.1."""
    optimizers = {n: SGD(m.parameters(), lr=LR) for n, m in game.players.items()}
    trainer, kept, moves = Trainer(game, optimizers), [weights(game)], []
    for turn in game.moves(*[tensor_of(x) for x in batch]):
        turn = turn if isinstance(turn, tuple) else (turn,)
        trainer.perform(*turn)
        moves += turn
        kept.append(weights(game))
    return moves, kept


def assert_descends(loss, before, after):
    """after = before - 0.1 dloss/dbefore, entry by entry; loss: of an array like `before`."""
    for i in np.ndindex(*before.shape):
        e = np.zeros_like(before)
        e[i] = 1e-6
        slope = (loss(before + e) - loss(before - e)) / 2e-6
        np.testing.assert_allclose(after[i], before[i] - LR * slope, rtol=1e-5, atol=1e-8)


def assert_only(player, before, after):
    """The weights of this player alone have changed, each of them."""
    for name in before:
        same = [np.array_equal(before[name][k], after[name][k]) for k in before[name]]
        assert not any(same) if name == player else all(same), name
