"""What systems of policies share: a world, an expert's episodes, and how policies are measured."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arrays import Generator, drawing_from
from ..autograd import tensor_of
from ..data.worlds import WORLDS, Acts, Episodes, World, episode, expert, shown
from ..gan.walkers import Actor, Experience, Value, Walkers, cloned
from ..optim import Adam
from ..training.callbacks import Falling
from ..training.cli import number
from .system import Row, System, counts, weights

SEED = {"train": 0, "test": 1}  # of the expert's episodes
TRIED = 50  # episodes by which a policy is measured
CLONING = 1000  # steps of behaviour cloning


class OfWorlds(System):
    """A system whose player acts in a world. Worlds are played in NumPy on the CPU, also with
    --device cuda; the networks learn on the device."""

    hands_on = True
    writes = "episodes"
    # of which world, the expert's episodes, and of them every so many-th pair
    world, shows, every = "cartpole", 10, 20

    def data_options(self, parser):
        parser.add_argument(
            "--dataset", choices=WORLDS, default=self.world,
            help="the world: cartpole, a pole on a cart, as gymnasium's CartPole-v1; grid, five "
            "times five cells with a reward each (default %(default)s)",
        )  # fmt: skip

    def options(self, parser):
        p = parser
        counts(
            p,
            ("every", self.every, "of the expert's episodes, every so many-th pair is shown"),
            ("walkers", 8, "episodes that are played at once"),
            ("horizon", 128, "steps of each in a round"),
            ("d-steps", 1, "of D in a round, each on a part of what was met"),
            ("passes", 4, "of the policy through what was met"),
            ("parts", 4, "steps of each pass"),
        )
        p.add_argument(
            "--hidden", type=number(int, 0), default=64,
            help="units of each of the networks' two hidden layers; 0: networks without any "
            "(default %(default)s)",
        )  # fmt: skip
        weights(
            p,
            ("entropy", 0.0, "weight of the policy's entropy"),
            ("gamma", 0.99, "what a step later is worth"),
            ("decay", 0.95, "of advantages (lambda)"),
            most=1.0,
        )
        p.add_argument("--clip", type=number(float, above=0), default=0.2,
                       help="how far a policy's step may go (default %(default)s)")  # fmt: skip
        for name, default, what in (
            ("lr", 1e-3, "Adam's learning rate at first, of the policy and its value"),
            ("d-lr", 2e-4, "D's; all fall in a line to 0"),
        ):
            text = f"{what} (default {default})"
            p.add_argument(f"--{name}", type=number(float, above=0), default=default, help=text)

    def most_shown(self, c) -> int:
        """How many episodes the expert shows."""
        return self.shows

    def data(self, c, split="train"):
        world = WORLDS[c.dataset](self.most_shown(c))
        who = "a controller written by hand" if c.dataset == "cartpole" else "the best policy"
        found = shown(world, expert(world), c.every, SEED[split], who)
        if not (found.episode == 0).any():
            raise ValueError(f"--every {c.every}: the first episode shows no pair then: lower it")
        return found

    def examples(self, data):
        return math.inf  # see `Experience`

    def facts(self, data, c):
        world = WORLDS[c.dataset]
        return {"world": c.dataset, "numbers": world.numbers, "actions": world.actions}

    def players(self, c) -> tuple[Actor, Value]:
        """New ones."""
        return Actor(c.numbers, c.actions, c.hidden), Value(c.numbers, c.hidden)

    def playing(self, c) -> tuple[Walkers, dict[str, Any]]:
        """New walkers, and what every game of worlds is told."""
        walkers = Walkers(WORLDS[c.world](c.walkers), c.seed)
        names = ("horizon", "d_steps", "passes", "parts", "gamma", "decay", "clip", "entropy")
        met = c.walkers * c.horizon
        for name in ("d_steps", "parts"):
            if getattr(c, name) > met // 2:
                raise ValueError(
                    f"--{name.replace('_', '-')} {getattr(c, name)}: the policy meets {met} states "
                    "in a round (--walkers times --horizon), and each step needs two: lower it"
                )
        return walkers, {name: getattr(c, name) for name in names}

    def optimizers(self, game, c):
        rates = rates_of(c)
        return {name: Adam(p.parameters(), rates[name]) for name, p in game.players.items()}

    def callbacks(self, trainer, c, steps):
        return [Falling(rates_of(c), steps)]

    def batches(self, game, data, c, device):
        return Experience(game, data, c.batch_size, c.seed, device)


def rates_of(c: Any) -> dict[str, float]:
    """Each player's at first."""
    return {"D": c.d_lr, "G": c.lr, "V": c.lr}


def tried(
    world: type[World], acts: Acts, n: int = TRIED, seed: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """(the sums of true rewards of n episodes, what was seen in them (N, numbers)), always with the
    same random numbers."""
    episodes, random = world(n), Generator(seed)
    episodes.reset(random)
    seen, _, steps, total = episode(episodes, acts, random)
    return total, seen[np.arange(seen.shape[1]) <= steps[:, None]]


def returns(name: str, found: np.ndarray, **more: Any) -> Row:
    """A row of the mean of such sums."""
    return Row(name, float(found.mean()), se=float(found.std(ddof=1) / len(found) ** 0.5), **more)


def clone(data: Episodes, world: type[World], hidden: int) -> Acts:
    """What behaviour cloning of these pairs does."""
    with drawing_from(Generator(0)):
        policy = Actor(world.numbers, world.actions, hidden)
    states, actions = tensor_of(data.states / world.unit), tensor_of(data.actions)
    optimizer = Adam(policy.parameters(), 1e-3)
    order = Generator(0).permutation(len(data))
    cloned(policy, states[order], actions[order], optimizer, CLONING)
    return policy.acts(world.unit)


def apart(states: np.ndarray, others: np.ndarray) -> float:
    """How far states (N, numbers) are from others: Wasserstein's distance W1 of each number, in
    standard deviations of the others', the mean over the numbers."""
    at = (np.arange(500) + 0.5) / 500
    a, b = (np.quantile(x.astype(np.float64), at, 0) for x in (states, others))
    return float((np.abs(a - b).mean(0) / others.std(0)).mean())
