"""GoGAN: one GAN after the other, each of which must be nearer to the data than the one before.

    python -m minigan train gogan
    python -m minigan train gogan --dataset line      # or ring, grid, swiss_roll, moons
    python -m minigan measure runs/gogan --control

Algorithm (Juefei-Xu, Boddeti and Savvides 2017; `minigan.gan.GoGAN`), in --stages stages. The first
is a WGAN with a margin e; stage i + 1 starts with its G and D as they are, and D also ranks:

    D ascends   - E [D(G_(i+1)(z)) + e - D(x)]_+  - ranking E [D(G_i(z)) + 2 e - D(x)]_+
    G descends  - E D(G_(i+1)(z))

G_i is the generator as the stage before has left it. The paper proves that the gap to the data at
least halves from stage to stage, if each is trained to its end. Slopes of D are held below 1 by a
penalty (the paper clips weights), so that e is a distance.

What to look at: samples/*.png, a row (of points, a panel) for each stage, of the same z. What shows
that it works: the distance of each stage to the data. Of points on the line or in the plane it is
W1, exactly, of samples against other points of the data; of pictures the Frechet distance.
Control: as many steps and stages without the ranking.
"""

from __future__ import annotations

import copy
import hashlib
import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from .. import nn
from ..arrays import Generator
from ..autograd import tensor_of
from ..data.toy import TOYS, Plane
from ..gan.gogan import GoGAN as Game
from ..metrics import evaluate, wasserstein, wasserstein_1d
from ..metrics.rows import subset
from ..training.cli import number
from ..viz import Grid, Panel, Points
from .evidence import digits_of, drawn, floats, reference
from .parts import Images, layers
from .system import Row, System

SIZE = 50_000  # points that are learnt from
MOST = 1000  # points of the plane whose W1 is measured
COLUMNS, SHOWN = 10, 400  # pictures of a row, points of a panel
HIDDEN = 64  # units of the networks for points


def line() -> Plane:
    """Three Gaussians on the line, at -2, 0 and 3, of deviation 0.3, with probabilities 0.2, 0.3
    and 0.5: (n, 1)."""

    def points(n, generator):
        kind = generator.uniform((n,), np.float64)[:, None]
        means = np.where(kind < 0.2, -2.0, np.where(kind < 0.5, 0.0, 3.0))
        return means + 0.3 * generator.normal((n, 1), np.float64)

    return Plane("line", 4.5, points)


POINTS = {"line": line, **TOYS}


@dataclass(frozen=True, eq=False)
class PointSet:
    """Points as `Batches` and runs take data: `images` are float32 (N, dimensions)."""

    images: np.ndarray
    name: str
    source = "drawn by minigan"
    left_out = ()

    def __len__(self):
        return len(self.images)

    def checksum_of(self, columns) -> str:
        return hashlib.sha256(self.images.tobytes()).hexdigest()


class GoGAN(System):
    """One GAN after the other, each ranked by a critic between the one before and the data. With
    --dataset line, ring, grid, swiss_roll or moons it learns points, whose distance W1 is measured
    exactly."""

    paper = (
        "Juefei-Xu, Boddeti, Savvides 2017, Gang of GANs: Generative Adversarial Networks with "
        "Maximum Margin Ranking, arXiv:1704.04865"
    )
    control = "no ranking: the same stages of a WGAN with a margin"
    averaged = None  # stages are compared as they end
    defaults = {"lr": 5e-4, "latent_dim": 32}

    def options(self, parser):
        super().options(parser)
        add = parser.add_argument
        add("--stages", type=number(int, 1), default=3, help="(default %(default)s)")
        for name, kind, default, what in (
            ("stage-steps", number(int, 1), 1000, "steps of G in each stage"),
            ("k", number(int, 1), 5, "steps of D for each of G"),
            ("margin", number(float, 0), 1.0, "e"),
            ("ranking", number(float, 0), 0.5, "weight of the ranking"),
            ("penalty", number(float, 0), 10.0, "weight of D's slopes above 1"),
        ):
            add(f"--{name}", type=kind, default=default, help=f"{what} (default %(default)s)")

    def data(self, c, split="train"):
        name = getattr(c, "pictures", c.dataset)
        if name not in POINTS:
            return super().data(c, split)
        random = Generator(0 if split == "train" else 1)
        return PointSet(POINTS[name]().draw(SIZE, random), name)

    def stages(self, c):
        return {f"GAN {n + 1}": c.stage_steps for n in range(c.stages)}

    def game(self, c):
        if of_points(c):
            (n,) = c.image_shape
            G = nn.Sequential(*layers(c.latent_dim, HIDDEN, HIDDEN, n, activation=nn.ReLU))
            D = nn.Sequential(*layers(n, HIDDEN, HIDDEN, 1))
        else:
            parts = Images(c)
            G, D = parts.generator(), parts.critic()
        return self._game(G, D, c)

    def game_after(self, players, c):
        G, D = players["G"], players["D"]
        ended = copy.deepcopy(G).eval().requires_grad_(False)
        before = [players[name] for name in sorted(players.keys() - {"G", "D"})]
        return self._game(G, D, c, (*before, ended))

    def _game(self, G, D, c, before=()):
        ranking = 0.0 if c.control else c.ranking
        return Game(G, D, c.latent_dim, c.k, c.margin, ranking, c.penalty, before, c.stages)

    def exhibit(self, game, data, generator, device):
        n, pictures = (COLUMNS, True) if data.images.ndim == 4 else (SHOWN, False)
        latents = tensor_of(generator.normal((n, game.latent_dim), device=device))
        # not a subset that is drawn with the seed that the points were drawn with: it would depend
        # on them
        real = subset(data.images, n, 0) if pictures else data.images[:n]

        def picture():
            made = [game_of(game, G).sample(latents).cpu().numpy() for G in (*game.before, game.G)]
            to_come = game.stages - len(made)
            if pictures:
                blank = [np.full_like(made[0], -1)] * to_come
                rows = np.concatenate([*made, *blank, floats(real)])
                return Grid(rows, game.stages + 1, COLUMNS)
            made += [made[0][:0]] * to_come
            return Points([panel(n + 1, real, x) for n, x in enumerate(made)], len(made))

        return picture

    def ready(self, game, c, device):
        if of_points(c):
            raise ValueError(f"a run on {c.dataset!r} makes points, no pictures: see its samples")

    def measure(self, game, c, samples, device):
        if of_points(c):
            what = "W1"
            n = samples if c.image_shape == [1] else min(samples, MOST)
            far = wasserstein_1d if c.image_shape == [1] else wasserstein
            real, other = self.data(c, "test").images[:n], self.data(c).images[:n]
            distance = partial(far, real[: len(other)])
        else:
            what, other = "frechet", subset(digits_of(c, "train").images, samples, 0)
            distance = lambda images: evaluate(images, reference(c, device))["frechet"]
            n = samples
        found, rows = [], []
        for stage, G in enumerate((*game.before, game.G), 1):
            found.append(distance(drawn(game_of(game, G), n, device)[0]))
            target = found[-2] / 2 if stage > 1 else math.nan
            note = "target: half of the stage before" if stage > 1 else ""
            rows.append(Row(f"{what} of stage {stage}", found[-1], distance(other), "down", target,
                            note=note))  # fmt: skip
        return rows


def of_points(c) -> bool:
    """Does a run learn points, not pictures?"""
    return len(c.image_shape) == 1


def game_of(game: Game, G: nn.Module) -> Game:
    """The game with this generator."""
    other = copy.copy(game)
    other.G = G
    return other


def panel(stage: int, real: np.ndarray, made: np.ndarray) -> Panel:
    """Data and samples of a stage; those of the line at two heights, so that none hides another."""
    both = np.concatenate([real, made])
    kinds = np.repeat([0, 1], [len(real), len(made)])
    if both.shape[1] == 1:
        height = np.random.default_rng(0).random(len(both)) - 1.2 * kinds
        both = np.stack([both[:, 0], height], 1)
    return Panel(f"GAN {stage}", both, kinds, ("data", "samples"))
