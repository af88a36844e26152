"""A policy in its world: the networks that act and judge, and what they meet. Worlds are played in
NumPy on the CPU, between the steps (`Experience`), wherever the networks are: a step itself is
Tensors only, so that it can be repeated or captured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import nn
from ..arrays import CPU, Generator, to_device, to_numpy
from ..autograd import Tensor, no_grad, raw, tensor_of
from ..data.worlds import Acts, Episodes, World, chosen
from ..nn import functional as F
from ..ops import cat, log_softmax

ROUNDS = 100  # that are called an epoch, as nothing else is


def layered(*sizes: int) -> nn.Sequential:
    """Linear layers with tanh between them; the last one begins small."""
    parts: list[nn.Module] = []
    for a, b in zip(sizes, sizes[1:]):
        parts += [nn.Linear(a, b), nn.Tanh()]
    last: Any = parts[-2]
    with no_grad():
        last.weight.mul_(0.1)
    return nn.Sequential(*parts[:-1])


class Actor(nn.Module):
    """pi(a | s): observations (N, numbers) -> logits of the actions, (N, actions)."""

    per_example = True

    def __init__(self, numbers: int, actions: int, hidden: int = 64):
        super().__init__()
        self.net = (
            layered(numbers, hidden, hidden, actions) if hidden else layered(numbers, actions)
        )

    def forward(self, states):
        return self.net(states)

    def log_p(self, states: Tensor, actions: Tensor) -> Tensor:
        """log pi(a | s): (N,)."""
        return picked(log_softmax(self(states), 1), actions)

    def on_cpu(self) -> Callable[[np.ndarray], np.ndarray]:
        """The same function of NumPy arrays, by the weights of now."""
        linear = [m for m in self.net if isinstance(m, nn.Linear)]
        weights = [(to_numpy(raw(m.weight)).T, to_numpy(raw(m.bias))) for m in linear]

        def logits(states):
            for i, (weight, bias) in enumerate(weights):
                states = (np.tanh(states) if i else states) @ weight + bias
            return states

        return logits

    def acts(self, unit: Any = 1) -> Acts:
        """Draws actions in a world whose observations are divided by `unit`."""
        logits = self.on_cpu()
        return lambda seen, numbers: chosen(logits(seen / unit), numbers)


class Judge(nn.Module):
    """States (N, numbers), actions int64 (N,) -> logits (N,) of a pair being the policy's."""

    per_example = True

    def __init__(self, numbers: int, actions: int, hidden: int = 64):
        super().__init__()
        self.actions = actions
        self.net = layered(numbers + actions, *(hidden, hidden) if hidden else (), 1)

    def forward(self, states, actions):
        told = F.one_hot(actions, self.actions).to(states.dtype)
        return self.net(cat([states, told], 1))[:, 0]


class Value(nn.Module):
    """What is still to come: states (N, numbers) -> (N,)."""

    per_example = True

    def __init__(self, numbers: int, hidden: int = 64):
        super().__init__()
        self.net = layered(numbers, *(hidden, hidden) if hidden else (), 1)

    def forward(self, states):
        return self.net(states)[:, 0]


class Shaped(nn.Module):
    """f(s, s') = g(s) + gamma h(s') - h(s), (N,): a reward g of states, and a potential h, which
    changes no best policy (Ng, Harada, Russell 1999). Without shaping f is g alone."""

    per_example = True

    def __init__(self, numbers: int, hidden: int = 0, gamma: float = 0.9, shaping: bool = True):
        super().__init__()
        self.g = Value(numbers, hidden)
        self.h = Value(numbers, hidden) if shaping else None
        self.gamma = gamma

    def forward(self, states, following, ended):
        if self.h is None:
            return self.g(states)
        ahead = self.gamma * (1 - ended) * self.h(following)
        return self.g(states) + ahead - self.h(states)


def picked(rows: Tensor, numbers: Tensor) -> Tensor:
    """rows[i, numbers[i]]: (N,)."""
    return rows.gather(1, numbers[:, None])[:, 0]


class Walkers:
    """Episodes that a policy is in the middle of, round after round; a run's checkpoint has them.

    world : of as many episodes as there are walkers;  seed : of how they begin and what they choose
    """

    def __init__(self, world: World, seed: int = 0):
        self.world = world
        self.drawn = np.array([seed, 0], np.int64)  # seed, and counter, of the random numbers
        self.sums = np.zeros(len(world))  # of true rewards, for people: nobody learns of them
        self.last = np.zeros(len(world))  # those of each walker's last whole episode

    def walk(self, acts: Acts, steps: int) -> tuple[np.ndarray, ...]:
        """So many steps of each: (states, actions, states after, ended, over), (steps, n, ...)."""
        world, n = self.world, len(self.world)
        random = Generator(int(self.drawn[0]))
        random.set_state({"seed": self.drawn[0], "counter": self.drawn[1]})
        if not self.drawn[1]:
            world.reset(random)
        numbers = random.uniform((steps, n))
        states, after = np.zeros((2, steps, n, world.numbers), np.float32)
        actions = np.zeros((steps, n), np.int64)
        ended, over = np.zeros((2, steps, n), bool)
        now = world.observed()
        for t in range(steps):
            states[t], actions[t] = now, acts(now, numbers[t])
            after[t], reward, ended[t], cut = world.step(actions[t])
            over[t] = ended[t] | cut
            self.sums += reward
            now = after[t]
            if over[t].any():
                self.last[over[t]] = self.sums[over[t]]
                self.sums[over[t]] = 0
                now = world.reset(random, over[t])
        self.drawn[1] = random.counter
        return states, actions, after, ended, over

    def state_dict(self) -> dict[str, Any]:
        own = {name: tensor_of(getattr(self, name)) for name in ("drawn", "sums", "last")}
        return own | {"world": self.world.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in ("drawn", "sums", "last"):
            getattr(self, name)[...] = np.asarray(state[name])
        self.world.load_state_dict(state["world"])


class Experience:
    """Batches of what the policy of a game meets, in its world, and of what an expert has shown:
    before each round the walkers go on, on the CPU, as the policy is then.

    Of several processes each plays all of the world, and the game learns from its part (`Rows.of`).

    A batch is one array float32 (n, ...): rows of (state, state after, action, ended, over), the
    policy's, walker by walker at each step, and then the expert's, drawn with replacement.

    batch_size : of the expert's rows that D sees in one of its steps
    """

    def __init__(
        self, game: Any, data: Episodes, batch_size: int, seed: int = 0, device: Any = CPU
    ):
        self.game, self.device = game, device
        self.batch_size, self.examples = batch_size, len(data)
        over = np.zeros(len(data), bool)
        self.shown = rows_of(data.states / game.unit, data.following / game.unit, data.actions,
                             over, over)  # fmt: skip
        self.seed = seed

    def share(self, rank: int, ranks: int, pack: int = 1) -> None:
        """Go on with a part of each round's rows: that of process number `rank` of so many."""
        game = self.game
        least = min(
            game.horizon * len(game.walkers.world) // max(game.parts, game.d_steps), self.batch_size
        )
        if ranks > least:
            raise ValueError(
                f"a step from {least} rows has none for each of {ranks} processes: start fewer"
            )
        game.part = rank, ranks

    @property
    def parts(self) -> list[tuple[int, int, int]]:
        """(the policy's rows of a round, the first one that is taken here, the one behind the
        last)"""
        n, (rank, ranks) = self.game.horizon * len(self.game.walkers.world), self.game.part
        return [(n, n * rank // ranks, n * (rank + 1) // ranks)]

    def __len__(self) -> int:
        return ROUNDS

    def numbers(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """The arrays of the rounds to come."""
        game = self.game
        for i in range(start, ROUNDS):
            random = Generator(self.seed)
            random.set_state({"seed": self.seed, "counter": (epoch * ROUNDS + i + 1) << 32})
            which = random.integers(0, self.examples, (self.batch_size * game.d_steps,))
            acts = game.G.acts(game.unit)
            states, actions, after, ended, over = game.walkers.walk(acts, game.horizon)
            met = rows_of(states / game.unit, after / game.unit, actions, ended, over)
            yield to_device(np.concatenate([met, self.shown[which]]), self.device)

    def __getitem__(self, numbers) -> tuple[Tensor, ...]:
        return (tensor_of(numbers),)


def rows_of(states, following, actions, ended, over) -> np.ndarray:
    """Such columns, of any leading shape, as rows of one float32 array."""
    columns = [states, following, *(x[..., None] for x in (actions, ended, over))]
    joined = np.concatenate([np.asarray(x, np.float32) for x in columns], -1)
    return joined.reshape(-1, joined.shape[-1])


class Rows:
    """The columns of such rows, as Tensors. weight : of means over them, see `of`"""

    def __init__(self, rows: Tensor, weight: float = 1.0):
        self.weight = weight
        k = (rows.shape[1] - 3) // 2
        self.all, self.states, self.following = rows, rows[:, :k], rows[:, k : 2 * k]
        self.actions = rows[:, 2 * k].long()
        self.ended, self.over = rows[:, 2 * k + 1], rows[:, 2 * k + 2]

    def __len__(self):
        return len(self.all)

    def __getitem__(self, which) -> Rows:
        return Rows(self.all[which])

    def of(self, which: Any, share: float) -> Rows:
        """Those that this process takes. The processes' means over them, each weighted by its
        share, are together the mean over all."""
        if share == 1:
            return self
        here = self[which]
        here.weight = len(here) / len(self) / share
        return here

    def mean(self, values: Tensor) -> Tensor:
        """Of a value for each row."""
        return values.mean() if self.weight == 1 else values.mean() * self.weight


def cloned(policy: Actor, states: Tensor, actions: Tensor, optimizer: Any, steps: int) -> Actor:
    """Behaviour cloning: the policy learns the expert's action in each state that it has shown, by
    maximum likelihood, from seven tenths of the pairs; it keeps the weights with which it names
    those of the others best."""
    kept = max(1, round(0.7 * len(states)))
    best, weights = np.inf, dict(policy.state_dict())
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(policy(states[:kept]), actions[:kept]).backward()
        optimizer.step()
        with no_grad():
            told = slice(kept, None) if kept < len(states) else slice(None)
            loss = F.cross_entropy(policy(states[told]), actions[told]).item()
        if loss < best:
            best = loss
            weights = {
                k: tensor_of(to_numpy(raw(v)).copy()) for k, v in policy.state_dict().items()
            }
    policy.load_state_dict(weights)
    return policy
