"""Worlds to act in: many episodes at once, in NumPy, on the CPU. Nothing here knows who acts.

>>> world = CartPole(100)
>>> seen = world.reset(Generator(0))                       # float32 (100, 4)
>>> seen, reward, ended, cut = world.step(np.ones(100, int))

A world's state, with which a run goes on to the bit, is `state_dict()`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays import Generator
from ..autograd import Tensor, tensor_of
from .imageset import settle

# observations (n, numbers), random numbers in [0, 1) (n,) -> actions int64 (n,)
Acts = Callable[[np.ndarray, np.ndarray], np.ndarray]


class World:
    """n episodes at once. One that is over stays as it is until `reset` begins it anew.

    numbers : of an observation;  actions : how many there are
    longest : steps after which an episode is cut, though it might go on
    unit : what an observation is divided by to have numbers of the size of 1
    state : float64 (n, ...);  age : int64 (n,), steps since the episode began
    """

    name = ""
    numbers: int
    actions: int
    longest: int
    unit: Any = np.float32(1)
    size = 0  # numbers of a state

    def __init__(self, n: int):
        self.state = np.zeros((n, self.size))
        self.age = np.zeros(n, np.int64)

    def __len__(self):
        return len(self.age)

    def begin(self, n: int, random: Generator) -> np.ndarray:
        """The states, (n, size), of n episodes that begin."""
        raise NotImplementedError

    def observed(self) -> np.ndarray:
        """What can be seen of the state: float32 (n, numbers)."""
        raise NotImplementedError

    def moved(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(the next states, the true rewards float64 (n,), which episodes end there)"""
        raise NotImplementedError

    def reset(self, random: Generator, where: np.ndarray | None = None) -> np.ndarray:
        """Begin anew: all episodes, or those where a bool (n,) says so. What is seen then."""
        rows = np.ones(len(self), bool) if where is None else where
        self.state[rows] = self.begin(len(self), random)[rows]
        self.age[rows] = 0
        return self.observed()

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """One step of each episode, by the actions int (n,): (what is seen then, the true reward
        float64 (n,), ended, cut). `ended`: the world has come to an end there; `cut`: the episode
        is `longest` steps old. ValueError for an action that there is not."""
        if actions.shape != self.age.shape or not ((0 <= actions) & (actions < self.actions)).all():
            raise ValueError(
                f"actions of shape {actions.shape}: expected ({len(self)},), each 0 to "
                f"{self.actions - 1}"
            )
        state, reward, ended = self.moved(actions)
        self.state[...] = state
        self.age += 1
        return self.observed(), reward, ended, self.age >= self.longest

    def state_dict(self) -> dict[str, Tensor]:
        """State and ages, in the memory that the world goes on with."""
        return {"state": tensor_of(self.state), "age": tensor_of(self.age)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to what `state_dict` gave."""
        for name in ("state", "age"):
            getattr(self, name)[...] = np.asarray(state[name])


class CartPole(World):
    """A pole on a cart that is pushed to the left (0) or to the right (1): Barto, Sutton, Anderson
    1983, with the numbers of gymnasium's CartPole-v1, which it equals step for step.

    Seen are place (m), speed, angle (radians) and angular speed. An episode ends where the pole
    leans by more than 12 degrees or the cart is more than 2.4 from the middle, and is cut after 500
    steps; the true reward is 1 for each step.
    """

    name = "cartpole"
    numbers = 4
    actions = 2
    longest = 500
    unit = np.array([1.0, 1.0, 0.2, 1.0], np.float32)
    size = 4

    gravity, force, dt = 9.8, 10.0, 0.02
    mass_pole, length = 0.1, 0.5  # half of the pole's
    mass = 1.0 + mass_pole
    far, steep = 2.4, 12 * 2 * math.pi / 360

    def begin(self, n, random):
        return random.uniform((n, 4), np.float64) * 0.1 - 0.05

    def observed(self):
        return self.state.astype(np.float32)

    def moved(self, actions):
        x, speed, angle, turning = self.state.T
        cos, sin = np.cos(angle), np.sin(angle)
        moment = self.mass_pole * self.length
        push = np.where(actions == 1, self.force, -self.force)
        push = (push + moment * np.square(turning) * sin) / self.mass
        turns = (self.gravity * sin - cos * push) / (
            self.length * (4.0 / 3.0 - self.mass_pole * np.square(cos) / self.mass)
        )
        gains = push - moment * turns * cos / self.mass
        state = np.stack(
            [
                x + self.dt * speed, speed + self.dt * gains,
                angle + self.dt * turning, turning + self.dt * turns,
            ],
            1,
        )  # fmt: skip
        ended = (np.abs(state[:, 0]) > self.far) | (np.abs(state[:, 2]) > self.steep)
        return state, np.ones(len(self)), ended

    @staticmethod
    def controller(seen: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """A good one, written by hand: it pushes to the side to which the pole leans or falls, and
        the cart is away from the middle or goes. It holds the pole for all 500 steps."""
        return (seen @ np.array([0.1, 0.3, 3.0, 1.0], np.float32) > 0).astype(np.int64)


class Grid(World):
    """Five times five cells, in which one goes up, down, to the left, to the right (a wall stops),
    or stays: 0 to 4. Seen is the cell, as 25 numbers of which one is 1. No episode ends; it is cut
    after 20 steps. The true reward of a step is that of the cell in which it begins.

    reward : of each cell, (25,); by default drawn from N(0, 1), always the same
    """

    name = "grid"
    side = 5
    numbers = side * side
    actions = 5
    longest = 20
    size = 1

    def __init__(self, n: int, reward: np.ndarray | None = None):
        super().__init__(n)
        drawn = Generator(5).normal((self.numbers,), np.float64)
        self.reward = drawn if reward is None else np.asarray(reward, np.float64)

    def begin(self, n, random):
        return random.integers(0, self.numbers, (n, 1)).astype(np.float64)

    @property
    def cells(self) -> np.ndarray:
        """int64 (n,): where each episode is, row by row."""
        return self.state[:, 0].astype(np.int64)

    def observed(self):
        return np.eye(self.numbers, dtype=np.float32)[self.cells]

    def moved(self, actions):
        now = self.cells
        return (
            self.ways()[now, actions][:, None].astype(np.float64),
            self.reward[now], np.zeros(len(self), bool),
        )  # fmt: skip

    @classmethod
    def ways(cls) -> np.ndarray:
        """int64 (cells, actions): where each action leads."""
        row, column = np.divmod(np.arange(cls.numbers), cls.side)
        steps = [(-1, 0), (1, 0), (0, -1), (0, 1), (0, 0)]
        last = cls.side - 1
        return np.stack(
            [
                np.clip(row + down, 0, last) * cls.side + np.clip(column + right, 0, last)
                for down, right in steps
            ],
            1,
        )

    def best(self, gamma: float = 0.9) -> np.ndarray:
        """log pi*(a | cell), (25, 5), of the policy with the greatest sum of discounted rewards and
        entropies (temperature 1), by soft value iteration."""
        ways, value = self.ways(), np.zeros(self.numbers)
        for _ in range(2000):
            worth = self.reward[:, None] + gamma * value[ways]
            top = worth.max(1)
            value = top + np.log(np.exp(worth - top[:, None]).sum(1))
        return worth - value[:, None]


WORLDS: dict[str, type[World]] = {"cartpole": CartPole, "grid": Grid}


def chosen(logits: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Actions drawn from softmax(logits), (n, k), by random numbers (n,) in [0, 1): the first a
    with p_0 + .. + p_a > u. int64 (n,); also of arrays on a GPU."""
    p = logits - logits.max(1, keepdims=True)
    edges = np.cumsum(np.exp(p), 1, dtype=np.float64)
    return (edges[:, :-1] <= numbers[:, None] * edges[:, -1:]).sum(1)


def expert(world: World) -> Acts:
    """Who knows how: of the pole the `CartPole.controller`, of the grid draws from `Grid.best`."""
    if isinstance(world, Grid):
        best = world.best()
        return lambda seen, numbers: chosen(best[seen.argmax(1)], numbers)
    assert isinstance(world, CartPole)
    return world.controller


def episode(
    world: World, acts: Acts, random: Generator, numbers: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """An episode of each of n, from the state in which the world is to its end.

    numbers : in [0, 1), (n, longest), to choose by; drawn where they are not given

    -> (what was seen, float32 (n, longest + 1, numbers), which stays as it is after the end;
        actions int64 (n, longest), 0 after it; how many steps each took; the sum of its true
        rewards)
    """
    n, longest = len(world), world.longest
    if numbers is None:
        numbers = random.uniform((n, longest))
    seen = np.zeros((n, longest + 1, world.numbers), np.float32)
    actions = np.zeros((n, longest), np.int64)
    steps, total, going = np.zeros(n, np.int64), np.zeros(n), np.ones(n, bool)
    seen[:, 0] = world.observed()
    for t in range(longest):
        actions[:, t] = np.where(going, acts(seen[:, t], numbers[:, t]), 0)
        now, reward, ended, cut = world.step(actions[:, t])
        seen[:, t + 1] = np.where(going[:, None], now, seen[:, t])
        total += reward * going
        steps += going
        going &= ~(ended | cut)
        if not going.any():
            seen[:, t + 2 :] = seen[:, t + 1, None]
            break
    return seen, actions, steps, total


@dataclass(frozen=True, eq=False, repr=False)
class Episodes:
    """State-action pairs of episodes that somebody has shown.

    states, following  float32 (N, numbers): what was seen before and after
    actions            int64 (N,)
    episode            int64 (N,): of which episode, from 0, each pair is
    returned           float64: the sums of the episodes' true rewards, to measure by
    """

    states: np.ndarray
    actions: np.ndarray
    following: np.ndarray
    episode: np.ndarray
    returned: np.ndarray
    name: str
    source: str
    left_out: tuple[tuple[str, str], ...] = ()
    checksum: str = field(init=False)

    def __post_init__(self):
        arrays = self.states, self.actions, self.following, self.episode
        settle(self, map(np.ascontiguousarray, arrays))

    def __len__(self):
        return len(self.actions)

    def checksum_of(self, columns: Sequence[str]) -> str:
        """`checksum`, whatever the columns."""
        return self.checksum

    def first(self, count: int) -> Episodes:
        """Of the first so many episodes alone."""
        rows = self.episode < count
        return Episodes(
            self.states[rows], self.actions[rows], self.following[rows], self.episode[rows],
            self.returned[:count], self.name, self.source,
        )  # fmt: skip

    def __repr__(self):
        return f"Episodes({self.name!r}, {len(self)} pairs of {len(self.returned)} episodes)"


def shown(world: World, acts: Acts, every: int = 1, seed: int = 0, who: str = "") -> Episodes:
    """Somebody's episodes in a world, one of each of its n, from its beginning; of each episode
    every so many-th pair, from one of the first ones on (Ho & Ermon 2016: every 20th)."""
    random = Generator(seed)
    world.reset(random)
    seen, actions, steps, total = episode(world, acts, random)
    offsets = random.integers(0, every, (len(world),))
    picked = [
        (i, t) for i in range(len(world)) for t in range(int(offsets[i]), int(steps[i]), every)
    ]
    rows, times = np.array(picked, np.int64).reshape(-1, 2).T
    return Episodes(
        seen[rows, times], actions[rows, times], seen[rows, times + 1], rows, total,
        world.name, f"{len(world)} episodes of {who}, every {every}th pair",
    )  # fmt: skip
