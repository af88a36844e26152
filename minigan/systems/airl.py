"""AIRL: what does an expert want? Its reward, and a policy that does as it does.

    python -m minigan train airl
    python -m minigan draw runs/airl --out reward.png
    python -m minigan measure runs/airl --control

Algorithm (Fu, Luo, Levine 2018, Algorithm 1; `minigan.gan.AIRL`). D is the probability that a step
is the *expert's*, and has the form

    D = e^f / (e^f + pi(a | s)),    f(s, s') = g(s) + gamma h(s') - h(s)

In each round the policy pi goes on in its episodes, and then

    D ascends   E_exp log D + E_pi log(1 - D)
    G, the policy, ascends its clipped advantage of the reward log D - log(1 - D) = f - log pi
    (PPO), while V, which tells what is still to come, descends its squared error

Where each action leads to one place only, g is the expert's reward in the end, but for a constant:
the potential h takes up what is but advantage on the way to it.

The world is a grid of five times five cells, each with a reward that was drawn from N(0, 1) and
that nobody is told; the expert is its best policy, by soft value iteration.

What to look at: samples/*.png, the true reward beside g; `draw` shows them with paths of the
policy.
What shows that it works: the rank correlation of g with the true reward, of the 25 cells; beside
it that of how often the expert is in each cell, which needs no learning. Control: no shaping, f is
g alone.
"""

from __future__ import annotations

import numpy as np

from ..data.worlds import WORLDS, Grid
from ..gan.policies import AIRL as Game
from ..gan.walkers import Shaped
from .imitation import TRIED, OfWorlds, clone, returns, tried
from .system import Row, counts


class AIRL(OfWorlds):
    """The reward that an expert acts for, found by a discriminator that is made of it and of the
    policy."""

    paper = (
        "Fu, Luo, Levine 2018, Learning Robust Rewards with Adversarial Inverse Reinforcement "
        "Learning, arXiv:1710.11248"
    )
    control = "no shaping: f is g alone"
    world, every = "grid", 1
    averaged = "D"
    shows = 1000
    defaults = {
        "ema": 0.99, "sample_interval": 100, "batch_size": 512, "epochs": 5, "hidden": 0,
        "gamma": 0.9, "decay": 0.9, "walkers": 128, "horizon": 20, "lr": 0.05, "d_lr": 0.1,
        "d_steps": 2,
    }  # fmt: skip

    def options(self, parser):
        super().options(parser)
        counts(parser, ("episodes", self.shows, "how many the expert shows"))

    def most_shown(self, c):
        return c.episodes

    def game(self, c):
        walkers, given = self.playing(c)
        policy, value = self.players(c)
        D = Shaped(c.numbers, c.hidden, c.gamma, shaping=not c.control)
        return Game(policy, D, value, walkers, **given)

    def measure(self, game, c, samples, device):
        data, n = self.data(c), min(samples, TRIED)
        world, rows = WORLDS[c.world], []
        if world is Grid:
            true, found = Grid(1).reward, game.recovered()
            visits = np.bincount(data.states.argmax(1), minlength=Grid.numbers)
            rows += [
                Row("rank correlation", ranked(found, true), 1.0, target=0.9,
                    note="of g with the true reward, over the 25 cells"),
                Row("by visits alone", ranked(visits, true), 1.0,
                    note="of how often the expert is in a cell with the true reward"),
                Row("correlation", float(np.corrcoef(found, true)[0, 1]), 1.0, note="the same, "
                    "of the values themselves"),
            ]  # fmt: skip
        best = float(data.returned.mean())
        return [
            *rows,
            returns("return", tried(world, game.G.acts(game.unit), n)[0], ceiling=best,
                    note="of the policy, of true rewards; real: the expert's"),
            returns("cloning", tried(world, clone(data, world, c.hidden), n)[0], ceiling=best,
                    note="behaviour cloning of the same pairs"),
        ]  # fmt: skip


def ranked(found: np.ndarray, true: np.ndarray) -> float:
    """Spearman's correlation of the ranks."""
    a, b = (np.unique(x, return_inverse=True)[1].astype(float) for x in (found, true))
    return float(np.corrcoef(a, b)[0, 1])
