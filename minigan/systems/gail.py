"""GAIL: a policy that does as an expert does, from a few episodes and without any reward.

    python -m minigan train gail
    python -m minigan draw runs/gail --out pole.gif
    python -m minigan measure runs/gail --control

Algorithm (Ho & Ermon 2016, Algorithm 1; `minigan.gan.GAIL`), with the paper's signs: D is the
probability that a state and action are the *policy's*. In each round the policy goes on in its
episodes, and then

    D ascends   E_pi log D(s, a) + E_exp log(1 - D(s, a))
    G, the policy, ascends its clipped advantage of the reward log(1 - D) - log D, + entropy (PPO in
    place of the paper's TRPO), while V, which tells what is still to come, descends its squared
    error

The paper's own reward is -log D (--rewards positive). It is positive whatever D says, so that each
further step is worth something; log(1 - D) makes each step a loss. Their sum takes no side.

The expert is a controller of the cart and pole that is written by hand and holds every pole for
all 500 steps. Of each of its episodes one sees, as in the paper, every 20th state-action pair: 25
of them. --episodes 1 4 7 10 are the paper's numbers; each is a stage of the run, with new networks.

What to look at: samples/*.gif, four poles; `draw --out pole.gif` plays others.
What shows that it works: `return`, the mean sum of the world's true rewards, which nobody has
learnt from, over 50 episodes: 475 of 500, beside what behaviour cloning makes of the same pairs;
and how far its states are `apart` from the expert's.
Control: D's reward is what it would be where D cannot tell, a constant: here 0, by which nothing is
learnt. With --rewards positive it is log 2, and in this world a *positive* constant already rewards
living: that control learns to hold the pole, too, and a `return` of 500 is no evidence there.
"""

from __future__ import annotations

import copy
import math
from typing import Any

from ..data.worlds import WORLDS, expert
from ..gan.policies import GAIL as Game
from ..gan.policies import REWARDS
from ..gan.walkers import Judge
from ..training.cli import number
from ..training.stages import left_by, path_of_stage
from .imitation import TRIED, OfWorlds, apart, clone, returns, tried
from .system import Row, counts


class GAIL(OfWorlds):
    """A policy that does as an expert does, who has shown a few episodes: its reward is what a
    discriminator takes for the expert's."""

    paper = "Ho and Ermon 2016, Generative Adversarial Imitation Learning, arXiv:1606.03476"
    control = "a constant reward: what D's is where it cannot tell"
    defaults = {"ema": 0.99, "sample_interval": 100}

    def options(self, parser):
        super().options(parser)
        p = parser
        p.add_argument(
            "--episodes", type=number(int, 1), nargs="+", default=[1, 4, 7, 10],
            help="how many the expert shows: a stage with new networks for each number (default "
            "1 4 7 10)",
        )  # fmt: skip
        counts(p, ("steps", 300, "rounds of each stage; it replaces --epochs"))
        p.add_argument(
            "--rewards", choices=REWARDS, default="both",
            help="positive: -log D, as in the paper; negative: log(1 - D); both: their sum "
            "(default %(default)s)",
        )  # fmt: skip

    def most_shown(self, c):
        if len(set(c.episodes)) < len(c.episodes):
            given = " ".join(map(str, c.episodes))
            raise ValueError(f"--episodes {given}: expected each number once, as it names a stage")
        return max(c.episodes)

    def stages(self, c):
        return {named(n): c.steps for n in c.episodes}

    def game(self, c):
        walkers, given = self.playing(c)
        policy, value = self.players(c)
        D = Judge(c.numbers, c.actions, c.hidden)
        return Game(policy, D, value, walkers, **given, rewards=c.rewards, deaf=c.control)

    def game_after(self, players, c):
        return self.game(c)

    def batches(self, game, data, c, device):
        return super().batches(game, data.first(shown_in(c.stage)), c, device)

    def measure(self, game, c, samples, device):
        world, n = WORLDS[c.world], min(samples, TRIED)
        data, knows = self.data(c), expert(world(1))
        theirs, again = (tried(world, knows, n, seed) for seed in (200, 300))
        best, least = float(theirs[0].mean()), apart(again[1], theirs[1])
        rows: list[Row] = []
        for count, G in policies(game, c).items():
            some, of = data.first(count), named(count)
            found = {"": tried(world, G.acts(game.unit), n),
                     "cloning ": tried(world, clone(some, world, c.hidden), n)}  # fmt: skip
            for name, (returned, _) in found.items():
                note = "mean sum of true rewards; real: the expert's"
                if name:
                    note = f"behaviour cloning of the same {len(some)} pairs"
                rows.append(returns(f"{name}return, {of}", returned, ceiling=best, note=note,
                                    target=math.nan if name else 0.95 * best))  # fmt: skip
            note = "W1 of its states and the expert's, in deviations"
            for name, (_, states) in found.items():
                away = apart(states, theirs[1])
                rows.append(Row(f"{name}apart, {of}", away, least, "down", note=note))
        return rows


def named(count: int) -> str:
    """The stage of so many episodes."""
    return f"{count} episode{'s' * (count > 1)}"


def shown_in(stage: str) -> int:
    """How many episodes the expert shows in a stage."""
    return int(stage.partition(" ")[0])


def policies(game: Any, c: Any) -> dict[int, Any]:
    """Number of episodes -> the policy that has learnt from so many, of the stages so far."""
    found: dict[int, Any] = {}
    for i, count in enumerate(c.episodes):
        if not path_of_stage(c.folder, i).exists():
            return found | {count: game.G}
        found[count] = copy.deepcopy(game.G)
        found[count].load_state_dict(left_by(c.folder, i)["players"]["G"])
    return found
