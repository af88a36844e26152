"""A game in the plane that is played a move at a time, and may be changed between two moves."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from .. import nn
from ..arrays import Generator, manual_seed
from ..autograd import Tensor, tensor_of
from ..data.toy import TOYS, Plane, PointBatches
from ..gan import CONSTRAINTS, GAN, OBJECTIVES, PENALTIES, Game, Move, Trainer
from ..metrics.modes import mode_coverage
from ..metrics.wasserstein import sliced_wasserstein
from ..systems.sharing import summary
from ..training.divergence import ADVICE, Diverged
from ..training.plane import GAMES, Players, looked, points_per_example

BATCH = 100
SAMPLES = 600  # shown
CELLS = 40  # of D's surface, a side
LINES = 25  # of the grid of z, a side
LIMIT = 1.5  # of drawn distributions
BRUSH = 0.04  # standard deviation of what a drawn point stands for
FAR = 100  # limits of the plane; whoever went so far does not come back
NONE = "none"


# --- what can be chosen ---


@dataclass(frozen=True)
class Choice:
    """What is played. The middle five are switches of a game of G and D alone: other games have
    their own, and do not look at them."""

    data: str = "ring"
    game: str = "gan"
    objective: str = "nonsaturating"
    penalty: str = NONE
    weight: float = 0.1
    constraint: str = NONE
    k: int = 1
    seed: int = 0

    def changed(self, given: dict[str, Any]) -> Choice:
        """This choice with other entries; a game brings its own switches where they are not among
        them. ValueError for what there is not."""
        known = {f.name for f in fields(self)}
        if unknown := sorted(set(given) - known):
            raise ValueError(f"there is nothing to choose by the name {unknown[0]!r}")
        game = given.get("game", self.game)
        _one_of("game", game, GAMES)
        own = presets()[game].switches if "game" in given else None
        new = replace(self, **(own or {}) | given)
        _one_of("data", new.data, (*TOYS, "drawn"))
        _one_of("objective", new.objective, OBJECTIVES)
        _one_of("penalty", new.penalty, (*PENALTIES, NONE))
        _one_of("constraint", new.constraint, (*CONSTRAINTS, NONE))
        _between("weight", new.weight, 0, 1000)
        _between("k", new.k, 1, 20, whole=True)
        _between("seed", new.seed, 0, 2**32, whole=True)
        return new

    def same_players(self, other: Choice) -> bool:
        """Can the networks of one go on as those of the other?"""
        names = ("data", "game", "constraint", "seed")
        return all(getattr(self, name) == getattr(other, name) for name in names)


def _one_of(what: str, value: Any, names: Any) -> None:
    if value not in names:
        raise ValueError(f"{what} {value!r}: expected one of {', '.join(names)}")


def _between(what: str, value: Any, low: float, high: float, whole: bool = False) -> None:
    number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not (number and low <= value <= high):  # NaN is not, either
        raise ValueError(f"{what} {value!r}: expected a number from {low} to {high}")


@dataclass(frozen=True)
class Preset:
    """A game of `training.plane.GAMES` as one may choose it.

    switches : of G against D, which may be changed; None: the game has its own
    """

    about: str
    betas: tuple[float, float]
    switches: dict[str, Any] | None


@functools.cache
def presets() -> dict[str, Preset]:
    """Every game of the plane, read from the game itself."""
    found = {}
    for name, build in GAMES.items():
        trainer = build(Players())
        game = trainer.game
        betas = trainer.optimizers["D"].param_groups[0]["betas"]
        about = summary(game)
        switches = None
        if type(game) is GAN and not game.views:
            constraint = [c.name for c in trainer.constraints.get("D", ())] or [NONE]
            penalty = [(p.name, p.weight) for p in game.penalties] or [(NONE, 0.1)]
            switches = {"objective": game.objective.name, "penalty": penalty[0][0],
                        "weight": penalty[0][1], "constraint": constraint[0],
                        "k": game.k}  # fmt: skip
            about = summary(game.objective)
        found[name] = Preset(about, betas, switches)
    return found


def drawn(points: np.ndarray) -> Plane:
    """The distribution that somebody drew: each of the points (n, 2), in [-LIMIT, LIMIT]^2, equally
    likely, and normal noise as wide as a brush."""
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not 1 <= len(points) <= 20_000:
        raise ValueError("a drawing is a list of 1 to 20,000 points (x, y)")
    if not (np.isfinite(points).all() and (np.abs(points) <= LIMIT).all()):
        raise ValueError(f"the points of a drawing lie in [-{LIMIT}, {LIMIT}]^2")

    def draw(n, generator):
        chosen = points[generator.integers(0, len(points), (n,))]
        return chosen + BRUSH * generator.normal((n, 2), np.float64)

    return Plane("drawn", LIMIT, draw)


# --- what is played ---


class PlaneGame:
    """The game of a choice, with new networks.

    step : rounds that are complete
    moved : names of those that made the last turn
    """

    def __init__(self, choice: Choice, drawing: np.ndarray | None = None):
        self.choice = choice
        if choice.data == "drawn" and drawing is None:
            raise ValueError("nothing is drawn yet: draw something first")
        self.plane = TOYS[choice.data]() if drawing is None else drawn(drawing)
        presets()  # makes networks, once
        manual_seed(choice.seed)
        self.trainer = self._trainer()
        self.step = 0
        self.moved: list[str] = []
        self.losses = History(("step", "d_value", "g_loss"))
        self.quality = History(("step", "distance", "modes"))
        size = BATCH * points_per_example(self.game)
        self.batches = PointBatches(self.plane, size, seed=choice.seed)
        generator = Generator(choice.seed + 1)
        self.inputs = self.game.inputs(SAMPLES, generator)
        self.real = tensor_of(self.plane.draw(2000, generator))
        self.reach = 1.0 if self.game.latent == "uniform" else 2.2
        line = np.linspace(-self.reach, self.reach, LINES, dtype=np.float32)
        self.grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
        self._upcoming = self._batches()
        self._turns: Iterator[Any] = iter(())
        self._next: Any = None  # the turn that comes, where a round has begun
        self._made: list[Move] = []

    @property
    def game(self) -> Game:
        return self.trainer.game

    def _trainer(self) -> Trainer:
        choice = self.choice
        if presets()[choice.game].switches is None:
            return GAMES[choice.game](Players())
        players = Players()
        G, D = players.generator(), players.critic()
        game = switched(G, D, choice)
        betas = presets()[choice.game].betas
        optimizers = {n: players.optimizer(p, betas=betas) for n, p in game.players.items()}
        names = [] if choice.constraint == NONE else [choice.constraint]
        return Trainer(game, optimizers, {"D": [CONSTRAINTS[name]() for name in names]})

    def switch(self, choice: Choice) -> None:
        """The same networks go on, by other rules."""
        if presets()[choice.game].switches is not None:
            self.trainer.game = switched(self.game.players["G"], self.game.players["D"], choice)
            self._next = None
        self.choice = choice

    @property
    def rates(self) -> dict[str, float]:
        """The learning rates of D, and of all others."""
        found = {n: o.param_groups[0]["lr"] for n, o in self.trainer.optimizers.items()}
        return {"D": found["D"], "G": next(lr for n, lr in found.items() if n != "D")}

    def set_rate(self, player: str, rate: float) -> None:
        """From the next move on; "G": of all but D."""
        _one_of("player", player, ("D", "G"))
        _between("rate", rate, 0, 10)
        for name, optimizer in self.trainer.optimizers.items():
            if (name == "D") == (player == "D"):
                for group in optimizer.param_groups:
                    group["lr"] = rate

    def _batches(self) -> Iterator[tuple[Tensor, ...]]:
        epoch = 0
        while True:
            yield from self.batches.epoch(epoch)
            epoch += 1

    def turn(self) -> bool:
        """The next move, or moves that are made at once; was it the last of a round? Diverged where
        a value is no number."""
        if self._next is None:
            self._turns = iter(self.game.moves(*next(self._upcoming)))
            self._made = []
            self._next = next(self._turns)
        moves = self._next if isinstance(self._next, tuple) else (self._next,)
        self.trainer.perform(*moves)
        self._made += moves
        self.moved = [move.player for move in moves]
        for move in moves:
            value = move.value.item()
            if not math.isfinite(value):
                said = f"the value of {move.player}'s move is {value}"
                raise Diverged(f"{said}. What helps: {ADVICE}", self.step + 1)
        self._next = next(self._turns, None)  # only so does one know that the round is over
        if self._next is not None:
            return False
        self.step += 1
        row = self.game.measure(self._made)
        self.losses.add(self.step, row.get("d_value", math.nan), row.get("g_loss", math.nan))
        return True

    # --- for those who look on ---

    def look(self) -> dict[str, np.ndarray]:
        """What there is to see now, float32: samples (n, 2); surface (CELLS, CELLS), row i at the
        i-th y from below, and field (CELLS, CELLS, 2), where G is told to go; grid, (LINES, LINES,
        2), where G carries a regular grid of z. Diverged where they hold what is no number, or G
        has gone far away."""
        surface, field = looked(self.game, self.real, self.plane.limit, CELLS)
        several = len(getattr(self.game, "generators", ())) or 1
        z = np.zeros((len(self.grid) * several, self.game.latent_dim), np.float32)
        z[:, :2] = self.grid.repeat(several, 0)
        grid = self.game.sample(tensor_of(z)).numpy()[::several]  # of several, the first one's
        found = {
            "samples": self.game.sample(*self.inputs).numpy(),
            "surface": surface,
            "field": field,
            "grid": grid.reshape(LINES, LINES, 2),
        }
        for name, array in found.items():
            if not np.isfinite(array).all():
                said = f"the {name} of step {self.step} hold what is no number"
                raise Diverged(f"{said}. What helps: {ADVICE}", self.step)
        if np.median(np.abs(found["samples"])) > FAR * self.plane.limit:
            raise Diverged(f"G's samples have left the plane. What helps: {ADVICE}", self.step)
        return found

    def judge(self, samples: np.ndarray) -> None:
        """Note how good the samples are."""
        modes = math.nan
        if self.plane.means is not None and self.plane.std:
            found = mode_coverage(samples, self.plane.means, self.plane.std)
            modes = found.modes / len(found.counts)
        real = self.real.numpy()[: len(samples)]
        self.quality.add(self.step, sliced_wasserstein(samples, real, directions=24), modes)


def switched(G: nn.Module, D: nn.Module, choice: Choice) -> GAN:
    """The game of a generator and a discriminator by the switches of a choice; never simultaneous,
    so that each move can be seen."""
    penalty = None if choice.penalty == NONE else PENALTIES[choice.penalty](choice.weight)
    return GAN(
        G, D, OBJECTIVES[choice.objective](), Players().latent_dim, choice.k, penalties=penalty
    )


class History:
    """Rows of numbers over time, never more than `size`: of more, every second is forgotten, and
    from then on only every second is kept."""

    def __init__(self, names: tuple[str, ...], size: int = 400):
        self.names = names
        self.size = size
        self.rows: list[tuple[float, ...]] = []
        self.stride = 1
        self.added = 0

    def add(self, *row: float) -> None:
        if self.added % self.stride == 0:
            self.rows.append(row)
            if len(self.rows) > self.size:
                self.rows = self.rows[::2]
                self.stride *= 2
        self.added += 1

    def array(self) -> np.ndarray:
        """float32 (n, len(names))"""
        return np.array(self.rows, np.float32).reshape(-1, len(self.names))
