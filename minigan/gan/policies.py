"""Policies that learn from an expert through a discriminator: GAIL and AIRL, with proximal policy
optimisation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import nn
from ..arrays import CPU, Generator, seam, to_device, to_numpy
from ..autograd import Tensor, no_grad, raw, tensor_of
from ..data.worlds import Grid, episode
from ..nn import functional as F
from ..ops import exp, log_softmax, minimum, randperm, sigmoid
from ..viz import Picture
from ..viz.worlds import Cells, Poles
from .games import Ascend, Descend, Game, Move
from .walkers import Actor, Rows, Shaped, Value, Walkers, picked

SHOWN = 4  # episodes that people are shown


@seam.dispatched
def advantages(reward, value, ahead, ended, over, gamma, decay):
    """A_t = d_t + gamma decay A_t+1, with d_t = r_t + gamma V(s') - V(s), whose V(s') is nothing
    where the world ended; no sum goes on where an episode is over (Schulman et al. 2016). All
    arrays are (steps, walkers)."""
    found = (reward + gamma * (1 - ended) * ahead - value).astype(value.dtype, copy=False)
    for t in range(len(found) - 2, -1, -1):
        found[t] += gamma * decay * (1 - over[t]) * found[t + 1]
    return found


class Imitation(Game):
    """What GAIL and AIRL share. A round is, of the rows that the policy has met and the expert has
    shown,

        D's ascents,  d_steps of them, each on a part of the policy's rows and of the expert's
        with r(s, a) of D as it is then, and the advantages A of it by V (gamma, decay):
        passes times through the rows in an order of their own, in so many parts, at once
            G ascends   E min(q A, clip(q, 1 - clip, 1 + clip) A) + entropy H(pi),
                        q = pi(a | s) / pi_old(a | s)
            V descends  E (V(s) - (A + V_old(s)))^2

    (proximal policy optimisation, Schulman et al. 2017). A is brought to mean 0, variance 1. No
    player is told the world's true reward; the log has it, as `returned`.

    walkers : of the world;  horizon : steps of each in a round
    """

    columns = ("steps",)
    exhibited = SHOWN
    part = 0, 1  # of several processes: the number of this one, and how many there are
    G: Actor

    def __init__(
        self, policy: Actor, discriminator: nn.Module, value: Value, walkers: Walkers,
        horizon: int = 128, d_steps: int = 1, passes: int = 4, parts: int = 4,
        gamma: float = 0.99, decay: float = 0.95, clip: float = 0.2, entropy: float = 0.0,
    ):  # fmt: skip
        self.G, self.D, self.V = policy, discriminator, value
        self.walkers, self.horizon = walkers, horizon
        self.d_steps, self.passes, self.parts = d_steps, passes, parts
        self.gamma, self.decay, self.clip, self.entropy = gamma, decay, clip, entropy
        self.players = {"D": discriminator, "G": policy, "V": value}

    @property
    def unit(self) -> Any:
        """What its networks' observations were divided by."""
        return self.walkers.world.unit

    def ascent(self, met: Rows, shown: Rows) -> Move:
        """D's move."""
        raise NotImplementedError

    def reward(self, met: Rows) -> Tensor:
        """r(s, a) of each row, by D: (n,)."""
        raise NotImplementedError

    def moves(self, steps: Tensor) -> Iterator[Any]:
        n = self.horizon * len(self.walkers.world)
        share = len(range(n)[self.mine(n)]) / n
        met, shown = Rows(steps[:n]), Rows(steps[n:])
        for i in range(self.d_steps):
            both = (x[len(x) * i // self.d_steps : len(x) * (i + 1) // self.d_steps]
                    for x in (met, shown))  # fmt: skip
            yield self.ascent(*(x.of(self.mine(len(x)), share) for x in both))
        with no_grad():
            reward, value, before = self.reward(met), self.V(met.states), self.log_p(met)
            gain = self.advantage(met, reward, value)
            aim = gain + value
            gain = (gain - gain.mean()) / (gain.std() + 1e-8)
        for _ in range(self.passes):
            order = randperm(n, device=steps.device)
            for i in range(self.parts):
                whole = order[n * i // self.parts : n * (i + 1) // self.parts]
                mine = self.mine(len(whole))
                part, rows = whole[mine], met[whole].of(mine, share)
                yield (
                    self.climb(rows, before[part], gain[part], reward),
                    Descend("V", rows.mean((self.V(rows.states) - aim[part]) ** 2)),
                )

    def mine(self, n: int) -> slice:
        """Of n rows those that this process takes."""
        rank, ranks = self.part
        return slice(n * rank // ranks, n * (rank + 1) // ranks)

    def log_p(self, rows: Rows) -> Tensor:
        return self.G.log_p(rows.states, rows.actions)

    def advantage(self, met: Rows, reward: Tensor, value: Tensor) -> Tensor:
        """See `advantages`: (n,)."""
        shape = self.horizon, len(self.walkers.world)
        given = (
            x.reshape(shape) for x in (reward, value, self.V(met.following), met.ended, met.over)
        )
        found = seam.execute(advantages, *map(raw, given), self.gamma, self.decay)
        return tensor_of(found).reshape(-1)

    def climb(self, rows: Rows, before: Tensor, gain: Tensor, reward: Tensor) -> Move:
        """G's move."""
        log_p = log_softmax(self.G(rows.states), 1)
        ratio = exp(picked(log_p, rows.actions) - before)
        least = minimum(ratio * gain, ratio.clamp(1 - self.clip, 1 + self.clip) * gain)
        least, entropy = rows.mean(least), -rows.mean((exp(log_p) * log_p).sum(1))
        return Ascend("G", least + self.entropy * entropy, reward=reward, entropy=entropy)

    def measure(self, moves: list[Move]) -> dict[str, float]:
        """Also `returned`: the mean sum of true rewards of the walkers' last whole episodes."""
        return super().measure(moves) | {"returned": float(self.walkers.last.mean())}

    # --- for those who look on ---

    def inputs(self, n: int, generator: Generator, device=CPU) -> tuple[Tensor, ...]:
        """The state in which each episode begins, and for each step a number u ~ U(0, 1)."""
        world = self.walkers.world
        state, numbers = world.begin(n, generator), generator.uniform((n, world.longest))
        return tuple(tensor_of(to_device(x, device)) for x in (state, numbers))

    def sample(self, *inputs: Tensor) -> Tensor:
        """What is seen in each episode, float32 (n, longest + 1, numbers); it stays as it is after
        the episode's end."""
        state, numbers = (to_numpy(raw(x)) for x in inputs)
        world = type(self.walkers.world)(len(state))
        world.state[...] = state
        seen = episode(world, self.G.acts(self.unit), Generator(0), numbers)[0]
        return tensor_of(to_device(seen, inputs[0].device))

    def pictured(self, samples: np.ndarray) -> Picture:
        """Poles that move, or the paths in a grid."""
        world = self.walkers.world
        if isinstance(world, Grid):
            paths = samples.argmax(-1)
            visits = np.bincount(paths.ravel(), minlength=Grid.numbers)
            return Cells(self.maps() | {"visits of the policy": visits.astype(float)}, paths)
        return Poles(samples)

    def maps(self) -> dict[str, np.ndarray]:
        """What is shown of each cell of a grid."""
        world: Any = self.walkers.world
        return {"true reward": world.reward}


class GAIL(Imitation):
    """Generative adversarial imitation learning (Ho & Ermon 2016, Algorithm 1), with their signs: D
    is the probability that a pair is the *policy's*,

        D ascends   E_pi log D(s, a) + E_exp log(1 - D(s, a))
        r(s, a) =   -log D(s, a)

    which is positive everywhere, so that a long episode is worth more than a short one whatever D
    says (Kostrikov et al. 2019 tell of it).

    rewards : "positive", as above; "negative", log(1 - D), to which each step is a loss; "both",
        their sum
    deaf : r is what it is where D = 1/2, whatever D says: a control
    """

    def __init__(
        self, *arguments: Any, rewards: str = "positive", deaf: bool = False, **named: Any
    ):
        super().__init__(*arguments, **named)
        if rewards not in REWARDS:
            raise ValueError(f"GAIL: rewards={rewards!r}: expected one of {', '.join(REWARDS)}")
        self.rewards, self.deaf = rewards, deaf

    def ascent(self, met, shown):
        mine, theirs = self.D(met.states, met.actions), self.D(shown.states, shown.actions)
        value = met.mean(F.logsigmoid(mine)) + shown.mean(F.logsigmoid(-theirs))
        return Ascend("D", value, d_policy=sigmoid(mine), d_expert=sigmoid(theirs))

    def reward(self, met):
        logits = self.D(met.states, met.actions) * (0.0 if self.deaf else 1.0)
        return REWARDS[self.rewards](logits)


# of D's logits
REWARDS: dict[str, Callable[[Tensor], Tensor]] = {
    "positive": lambda logits: -F.logsigmoid(logits),
    "negative": lambda logits: F.logsigmoid(-logits),
    "both": lambda logits: -logits,
}


class AIRL(Imitation):
    """Adversarial inverse reinforcement learning (Fu, Luo, Levine 2018): D is the probability that
    a step is the *expert's*, and has the form

        D = e^f / (e^f + pi(a | s)),   f(s, s') = g(s) + gamma h(s') - h(s)   (`Shaped`)

        D ascends   E_exp log D + E_pi log(1 - D)
        r =         log D - log(1 - D) = f - log pi(a | s)

    so that pi becomes the best policy for f in the sense of greatest sum and entropy, and g the
    reward, up to a constant, where the world goes one way only from each state and action.
    """

    D: Shaped

    def f(self, rows: Rows) -> Tensor:
        return self.D(rows.states, rows.following, rows.ended)

    def ascent(self, met, shown):
        with no_grad():
            pi = self.log_p(met), self.log_p(shown)
        mine, theirs = self.f(met) - pi[0], self.f(shown) - pi[1]
        value = shown.mean(F.logsigmoid(theirs)) + met.mean(F.logsigmoid(-mine))
        return Ascend("D", value, d_policy=sigmoid(mine), d_expert=sigmoid(theirs))

    def reward(self, met):
        return self.f(met) - self.log_p(met)

    def recovered(self) -> np.ndarray:
        """g of each cell of a grid: (cells,)."""
        cells, own = tensor_of(np.eye(Grid.numbers)), next(self.D.parameters())
        with no_grad():
            found = self.D.g(cells.to(own.device).to(own.dtype))
        return found.cpu().numpy()

    def maps(self):
        """Also g, shifted to the true reward's mean."""
        found, known = self.recovered(), super().maps()
        true = known["true reward"]
        return known | {"recovered": found - found.mean() + true.mean()}
