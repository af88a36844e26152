"""A game is a generator of moves. The trainer performs each: the gradient of that value with
respect to that player's parameters only, then one step of the player's optimiser, up for Ascend and
down for Descend.

    yield Ascend("D", value)                        one move
    yield Ascend("D", v), Descend("G", loss)        simultaneous moves: both gradients are taken at
                                                    the same point
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from .. import nn
from ..arrays import CPU, Generator
from ..autograd import Tensor, no_grad
from ..ops import cat, full_like, rand, randn, sigmoid
from ..optim import Optimizer
from ..viz import Grid, Picture
from .latents import LATENTS, calibration_inputs, sample_inputs
from .objectives import NonSaturating, Objective
from .penalties import total
from .recalibrate import BATCHES, evaluating, recalibrate_batch_norm

# of the values of their moves, which curves and the progress line know
LOG_NAMES = {"D": "d_value", "G": "g_loss"}


class Move:
    """A player's move along the gradient of `value` (a scalar Tensor). `report`: Tensors to be
    logged, by name."""

    __slots__ = ("player", "value", "report")
    ascends = False

    def __init__(self, player: str, value: Tensor, **report: Tensor):
        self.player = player
        self.value = value
        self.report = report


class Ascend(Move):
    """`player` steps up the gradient of `value`."""

    ascends = True


class Descend(Move):
    """`player` steps down the gradient of `value`."""


class Parts(Protocol):
    """New networks for one kind of data: what games are made of by `Game.of`."""

    @property
    def latent_dim(self) -> int: ...

    def generator(self, more: int = 0) -> nn.Module:
        """(N, latent_dim + more) -> examples"""

    def critic(self, n_out: int = 1, more: int = 0) -> nn.Module:
        """Examples -> (N, n_out): discriminators, encoders. With `more`: (N, numbers of an example
        + more) -> (N, n_out)"""

    def coder(self, codes: int | None = None) -> nn.Module:
        """Examples -> examples, with .encoder and .decoder, through so many numbers, or as many as
        suit the data"""

    def optimizer(self, player: nn.Module) -> Optimizer:
        """For a game that looks ahead with it"""


class Game:
    """A set of players and the rules by which they move.

    players : name -> Module
    moves(*batch) : the moves of one round, given the columns of a batch
    columns : which those are ("images", "labels")
    grid : (rows, columns) of samples that people are shown
    latent_dim, latent, classes : what samples are made of, by default: latent vectors of numbers
        from a distribution ("normal": N(0, 1), "uniform": U(-1, 1)), and labels if there are
        classes
    batch_size : examples whose statistics batch normalisation takes in the training, a batch; of
        several processes that take each its own, the mean of their rows (see `recalibrate`). None:
        not known
    """

    players: dict[str, nn.Module]
    batch_size: float | None = None
    columns: tuple[str, ...] = ("images",)
    grid = (5, 5)
    latent_dim: int
    latent = "normal"
    classes = 0

    @classmethod
    def of(cls, parts: Parts, **options: Any) -> Game:
        """This game with new networks; options: its other arguments."""
        raise NotImplementedError

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        raise NotImplementedError

    def latents(self, n: int, like: Tensor) -> Tensor:
        """n latent vectors z, (n, latent_dim), on the device of `like`."""
        if self.latent == "uniform":
            return rand(n, self.latent_dim, device=like.device) * 2 - 1
        return randn(n, self.latent_dim, device=like.device)

    @property
    def kept(self) -> dict[str, nn.Module]:
        """Networks that the games of later stages are made with, beside the players, by name."""
        return {}

    # --- for those who look on: nothing here draws from the default generator or changes the game
    # ---

    def inputs(self, n: int, generator: Generator, device=CPU) -> tuple[Tensor, ...]:
        """What n samples are made of, each with n rows, drawn from `generator`: `sample(*inputs)`
        makes them."""
        return sample_inputs(n, generator, self.latent_dim, self.classes, device, self.latent)

    # of games that make pictures of pictures: the shape (C, H, W) of those that they take
    source_shape: tuple[int, ...] | None = None

    def inputs_of(self, pictures: Tensor, generator: Generator) -> tuple[Tensor, ...]:
        """`inputs` of one sample of each of these pictures, float32 (n, *source_shape) in
        [-1, 1]."""
        raise ValueError("it makes no pictures of pictures: only translators do")

    def reversed(self) -> Game:
        """The same game, which samples in the other direction."""
        raise ValueError(
            "it does not translate in both directions (where it does in one, train it with the "
            "other --direction)"
        )

    def sample(self, latents: Tensor) -> Tensor:
        """What the game makes of `inputs`, for people to look at."""
        raise NotImplementedError

    def frames(self, *inputs: Tensor) -> Iterator[Tensor]:
        """How `sample(*inputs)` comes about, step by step; the last is the sample."""
        raise ValueError("it makes a picture in one go, so there is no animation of it")

    # how many samples people are shown while it is trained; None: a full `grid`
    exhibited: int | None = None

    def pictured(self, samples: np.ndarray) -> Picture:
        """What `sample` gave, for people. A game whose samples are no pictures says how they are
        shown; its system says what they are (`System.writes`)."""
        return Grid(samples, *self.grid)

    def exhibit(self, generator: Generator, device=CPU) -> Callable[[], Picture]:
        """What people are shown while it is trained, always of the same inputs, drawn from
        `generator` now: a function that makes the picture."""
        inputs = self.inputs(self.exhibited or math.prod(self.grid), generator, device)
        return lambda: self.pictured(self.sample(*inputs).cpu().numpy())

    def asked(self, inputs: tuple[Tensor, ...], label: int) -> tuple[Tensor, ...]:
        """The `inputs` with this label for every sample; ValueError where there are no labels, or
        not this one."""
        if not self.classes:
            raise ValueError("its samples have no labels: only those of conditional games do")
        if not 0 <= label < self.classes:
            raise ValueError(f"there is no label {label}: they are 0 to {self.classes - 1}")
        return (*inputs[:-1], full_like(inputs[-1], label))

    def judge(self, real: Tensor) -> None:
        """Let the player "D", if there is one, look at a batch of data: the doctor watches its
        layers."""

    def recalibrate(self, batches: int = BATCHES) -> None:
        """Called after the generator has got averaged weights, before `sample`: make what depends
        on weights fit them. batches: of the inputs that this is seen with"""

    def measure(self, moves: list[Move]) -> dict[str, float]:
        """Numbers for the log from a round's moves: the value of each player's last move (d_value,
        g_loss, else <player>_loss) and the means of what the moves report."""
        found = {}
        for move in moves:
            found[LOG_NAMES.get(move.player, f"{move.player.lower()}_loss")] = move.value.item()
            found.update(
                {name: values.detach().mean().item() for name, values in move.report.items()}
            )
        return found

    def _parts(self) -> dict[str, Any]:
        """Attributes, and members of tuples and lists, that have a state of their own or are
        frozen networks; not the players."""
        found, players = {}, [id(p) for p in self.players.values()]
        for name, value in vars(self).items():
            members = (
                {f"{name}.{i}": v for i, v in enumerate(value)}
                if isinstance(value, (tuple, list))
                else {name: value}
            )
            found.update(
                {
                    n: v
                    for n, v in members.items()
                    if hasattr(v, "state_dict") and id(v) not in players
                }
            )
        return found

    def to(self, device: Any) -> Game:
        """Move players, frozen networks and other parts to the device; the game itself."""
        for part in (*self.players.values(), *self._parts().values()):
            if hasattr(part, "to"):
                part.to(device)
        return self

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs besides the players and their optimisers: the state of each part
        that has some; not of frozen networks."""
        return {
            name: state
            for name, part in self._parts().items()
            if not frozen(part) and (state := part.state_dict())
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to what `state_dict` gave."""
        for name, part in self._parts().items():
            if name in state:
                part.load_state_dict(state[name])


def frozen(part: Any) -> bool:
    """Is it a network that nothing changes: no parameter requires a gradient, and none of its
    modules is about to renew buffers (running statistics) in training mode?"""
    if not isinstance(part, nn.Module):
        return False
    parameters = list(part.parameters())
    if not parameters or any(p.requires_grad for p in parameters):
        return False
    return not any(m.training and m._buffers for m in part.modules())


def scores(critic: nn.Module, *batches: Tensor) -> tuple[Tensor, ...]:
    """critic(batch) of each, such as real and fake ones; in one pass where the critic treats every
    example by itself (no batch statistics)."""
    if not critic.per_example:
        return tuple(critic(batch) for batch in batches)
    together, found, start = critic(cat(list(batches))), [], 0
    for batch in batches:
        found.append(together[start : start + len(batch)])
        start += len(batch)
    return tuple(found)


def _as_tuple(parts) -> tuple:
    """One or several of something, or None: as a tuple."""
    return () if parts is None else tuple(parts) if isinstance(parts, (list, tuple)) else (parts,)


class GAN(Game):
    """Goodfellow et al. 2014, Algorithm 1: k ascents of D on V(D, G), then one descent of G (or
    several: `g_steps`).

    generator, discriminator : latents (n, latent_dim) -> examples; examples -> logits or a critic's
        values
    objective : what they want (`OBJECTIVES`)
    penalties : subtracted from what D ascends, in the same move (`PENALTIES`);
    penalty_examples : how many of a batch they look at, None: all. A few have the same mean for
        less work (Karras et al. 2020, appendix B, look at every 16th batch instead);
    g_penalties : added to what G descends
    views : what is done with examples before D sees them, real and fake alike: noise, augmentation,
        packing (`VIEWS`)
    simultaneous : both gradients at the same point, with one batch of fakes, as in Goodfellow's
        program; needs k = 1
    g_steps : descents of G in a round; with many of them G runs to the one place that D likes best
    latent : the distribution of z, one of `latents.LATENTS`
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, objective: Objective,
        latent_dim: int = 100, k: int = 1,
        penalties: Callable | Sequence[Callable] | None = None,
        g_penalties: Callable | Sequence[Callable] | None = None,
        views: Callable | Sequence[Callable] | None = None, simultaneous: bool = False,
        g_steps: int = 1, latent: str = "normal", penalty_examples: int | None = None,
    ):  # fmt: skip
        self.G = generator
        self.D = discriminator
        self.objective = objective
        self.latent_dim = latent_dim
        self.k = k
        self.penalties = _as_tuple(penalties)
        self.penalty_examples = penalty_examples
        self.g_penalties = _as_tuple(g_penalties)
        self.views = _as_tuple(views)
        self.simultaneous = simultaneous
        self.g_steps = g_steps
        self.latent = latent
        if min(k, g_steps) < 1 or (simultaneous and max(k, g_steps) > 1):
            raise ValueError(
                f"GAN: k={k}, g_steps={g_steps}, simultaneous={simultaneous}: k and g_steps must "
                "be at least 1, and 1 for simultaneous moves"
            )
        if latent not in LATENTS:
            raise ValueError(f"GAN: latent={latent!r}: expected one of {', '.join(LATENTS)}")
        self.players = {"D": discriminator, "G": generator}

    @classmethod
    def of(cls, parts: Parts, **options: Any) -> Game:
        named: dict[str, Any] = {
            "objective": NonSaturating(),
            "latent_dim": parts.latent_dim,
        } | options
        return cls(parts.generator(), parts.critic(), **named)

    @property
    def critic(self) -> nn.Module:
        """What D's penalties look at: D, and of a D that also tells other things its judgement."""
        return self.D

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        if self.simultaneous:
            yield from self.simultaneous_moves(real)
            return
        for _ in range(self.k):
            with no_grad():  # D's move needs nothing of how the fakes were made
                fake = self.G(self.latents(len(real), real))
            yield self.ascent(real, fake)
            self.after_step(self.objective, *self.penalties, *self.views)
        for _ in range(self.g_steps):
            fake = self.G(self.latents(len(real), real))
            yield self.descent(real, fake)
            self.after_step(*self.g_penalties)

    def simultaneous_moves(self, real: Tensor) -> Iterator[tuple[Move, ...]]:
        """Both at once: D looks at the fakes once (one dropout mask, one noise) for both
        players."""
        fake = self.G(self.latents(len(real), real))
        ascent = self.ascent(real, fake)
        yield ascent, self.descent(real, fake, ascent.report)
        self.after_step(self.objective, *self.penalties, *self.g_penalties, *self.views)

    def ascent(self, real: Tensor, fake: Tensor) -> Move:
        """D's move: up its value minus the penalties."""
        real, fake = self.show(real), self.show(fake)
        on_real, on_fake = scores(self.D, real, fake)
        value = self.objective.d_value(on_real, on_fake)
        report = {"d_real": on_real, "d_fake": on_fake}
        if self.penalties:
            report["penalty"] = self.total_penalty(real, fake)
            value = value - report["penalty"]
        return Ascend("D", value, **report)

    def total_penalty(self, real: Tensor, fake: Tensor) -> Tensor:
        """The sum of D's penalties at the examples that they look at."""
        few = slice(self.penalty_examples)
        return total([penalty(self.critic, real[few], fake[few]) for penalty in self.penalties])

    def descent(
        self, real: Tensor, fake: Tensor, d_outputs: dict[str, Tensor] | None = None
    ) -> Move:
        """G's move: down its loss plus its penalties. d_outputs: d_real and d_fake, if D has looked
        already."""
        compares = self.objective.compares
        if d_outputs is None:
            d_outputs = {"d_fake": self.D(self.show(fake))}
            if compares:
                with no_grad():
                    d_outputs["d_real"] = self.D(self.show(real))
        loss = (
            self.objective.g_loss(d_outputs["d_fake"], d_outputs["d_real"])
            if compares
            else self.objective.g_loss(d_outputs["d_fake"])
        )
        return Descend(
            "G", total([loss, *[penalty(self.G, real, fake) for penalty in self.g_penalties]])
        )

    def show(self, examples: Tensor) -> Tensor:
        """What D sees of them."""
        for view in self.views:
            examples = view(examples)
        return examples

    @staticmethod
    def after_step(*parts: Any) -> None:
        """Tell those that learn from a step (multipliers, averages, schedules) that it was made."""
        for part in parts:
            if hasattr(part, "after_step"):
                part.after_step()

    def measure(self, moves: list[Move]) -> dict[str, float]:
        """D's value, G's loss, and the means of D(x) and D(G(z)) as D saw them in its last move:
        probabilities d_real, d_fake where the objective is logistic, else a critic's values
        critic_real, critic_fake. Also the penalty, if there is one."""
        d = next(move for move in reversed(moves) if move.player == "D")
        g = moves[-1]
        d_outputs = {name: d.report[name].detach() for name in ("d_real", "d_fake")}
        if getattr(self.objective, "logistic", True):
            means = {name: sigmoid(logits).mean().item() for name, logits in d_outputs.items()}
        else:
            means = {
                name.replace("d_", "critic_"): outputs.mean().item()
                for name, outputs in d_outputs.items()
            }
        penalty = {"penalty": d.report["penalty"].item()} if "penalty" in d.report else {}
        return {"d_value": d.value.item(), "g_loss": g.value.item(), **means, **penalty}

    def recalibrate(self, batches: int = BATCHES) -> None:
        """Batch statistics of G's present weights."""
        place = next(self.G.parameters()).device
        inputs = calibration_inputs(self.latent_dim, self.classes, place, self.latent, batches)
        recalibrate_batch_norm(self.G, inputs, self.batch_size)

    def sample(self, latents: Tensor) -> Tensor:
        """G(latents) in evaluation mode (running statistics), outside the tape."""
        with evaluating(self.G), no_grad():
            return self.G(latents)

    def judge(self, real: Tensor) -> None:
        self.D(real)
