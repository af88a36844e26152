"""Games for data in the plane, ready to be played: name -> Trainer. What they are for:
`examples/toy_2d.py`, `benchmarks/toy_modes.py`.

All have the same generator, and discriminators that differ in their inputs and outputs only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import nn
from ..autograd import Tensor, grad, no_grad
from ..gan import (
    DRAGAN,
    EBGAN,
    GAN,
    MADGAN,
    R1,
    VEEGAN,
    AutoEncoder,
    Game,
    GradientPenalty,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Objective,
    Pack,
    SpectralNorm,
    Trainer,
    Unrolled,
    Wasserstein,
    WeightClip,
)
from ..gan import GAMES as CLASSES
from ..gan.recalibrate import evaluating
from ..nn import init
from ..ops import as_tensor, cat
from ..optim import Adam, Optimizer

# Okabe and Ito's palette, as in the curves: G is orange
_REAL = "#222222"
_FAKE = "#D55E00"
_ARROW = "#222222"


@dataclass(frozen=True)
class Players:
    """Networks for the plane, and Adam's steps for them.

    name : "small", two layers of 128 units each; "pacgan", those of Lin et al. 2018's program for
        the ring and the grid: G of four layers of 400 ReLUs with batch normalisation, D of three of
        200 maxout units of five pieces; all weights N(0, 0.02^2)
    """

    name: str = "small"
    latent_dim: int = 2

    def rates(self) -> tuple[float, tuple[float, float]]:
        """Adam's learning rate and betas."""
        return (1e-4, (0.8, 0.999)) if self.name == "pacgan" else (1e-3, (0.5, 0.999))

    def generator(self, more: int = 0) -> nn.Module:
        """(N, latent_dim + more) -> points (N, 2)."""
        n = self.latent_dim + more
        if self.name != "pacgan":
            return self._small(n, 2, nn.ReLU)
        layers: list[nn.Module] = []
        for n_in in (n, 400, 400, 400):
            layers += [nn.Linear(n_in, 400, bias=False), nn.BatchNorm1d(400), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(400, 2)).apply(_narrow)

    def critic(self, n_out: int = 1, more: int = 0) -> nn.Module:
        """(N, 2 + more) -> (N, n_out): discriminators, encoders."""
        return self._layers(2 + more, n_out)

    def coder(self, codes: int | None = 2) -> nn.Module:
        """Points -> points through so many numbers."""
        codes = codes or 2
        return AutoEncoder(self._layers(2, codes), self._layers(codes, 2))

    def optimizer(
        self, player: nn.Module, factor: float = 1.0, betas: tuple[float, float] | None = None
    ) -> Optimizer:
        """Adam, with `factor` times the usual learning rate."""
        lr, usual = self.rates()
        return Adam(player.parameters(), lr * factor, betas or usual)

    def _layers(self, n_in, n_out):
        if self.name != "pacgan":
            return self._small(n_in, n_out, lambda: nn.LeakyReLU(0.2))
        return nn.Sequential(
            nn.Maxout(n_in, 200, 5),
            nn.Maxout(200, 200, 5),
            nn.Maxout(200, 200, 5),
            nn.Linear(200, n_out),
        ).apply(_narrow)

    @staticmethod
    def _small(n_in, n_out, activation):
        return nn.Sequential(
            nn.Linear(n_in, 128),
            activation(),
            nn.Linear(128, 128),
            activation(),
            nn.Linear(128, n_out),
        )


def _narrow(module: nn.Module) -> None:
    """Weights N(0, 0.02^2), biases 0."""
    if isinstance(module, nn.Linear):
        init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            init.zeros_(module.bias)


NETWORKS_OF_THE_PLANE = ("small", "pacgan")


def _game(name: str, constraint=None, betas=None, **options: Any) -> Callable[[Players], Trainer]:
    """A game of `minigan.gan.GAMES`, with Adam for everybody."""

    def build(players: Players) -> Trainer:
        game = CLASSES[name].of(players, **options)
        optimizers: dict[str, Optimizer] = {
            n: players.optimizer(m, betas=betas) for n, m in game.players.items()
        }
        return Trainer(game, optimizers, {"D": [constraint()]} if constraint else None)

    return build


def _gan(
    objective: Callable[[], Objective], constraint=None, **options: Any
) -> Callable[[Players], Trainer]:
    return _game("gan", constraint, objective=objective(), **{"simultaneous": True} | options)


def _pac(pack: int) -> Callable[[Players], Trainer]:
    def build(p: Players) -> Trainer:
        game = GAN(
            p.generator(),
            p.critic(more=2 * (pack - 1)),
            NonSaturating(),
            p.latent_dim,
            views=Pack(pack),
            simultaneous=True,
        )
        return Trainer(game, {n: p.optimizer(m) for n, m in game.players.items()})

    return build


def _unrolled(p: Players) -> Trainer:
    """K = 5, and D ten times slower than G: the notebook of Metz et al. 2017."""
    D = p.critic()
    game = Unrolled(p.generator(), D, p.optimizer(D, 0.1), p.latent_dim, 5)
    return Trainer(game, {"D": game.optimizer, "G": p.optimizer(game.G)})


GAMES: dict[str, Callable[[Players], Trainer]] = {
    "gan": _gan(NonSaturating),
    "minimax": _gan(Minimax),
    "lsgan": _gan(LeastSquares),
    "hinge": _gan(Hinge),
    "wgan": _gan(Wasserstein, WeightClip, simultaneous=False, k=5),
    # lambda = 0.1, five steps of the critic, Adam's betas: the program of Gulrajani et al. 2017 for
    # the plane
    "wgan-gp": _gan(
        Wasserstein, simultaneous=False, k=5, penalties=GradientPenalty(0.1), betas=(0.5, 0.9)
    ),
    "dragan": _gan(NonSaturating, penalties=DRAGAN(0.1)),
    "r1": _gan(NonSaturating, penalties=R1(0.1)),
    "spectral": _gan(NonSaturating, SpectralNorm),
    "pacgan2": _pac(2),
    "pacgan3": _pac(3),
    "pacgan4": _pac(4),
    "unrolled": _unrolled,
    "veegan": _game("veegan", gaussian=True),
    "mrgan": _game("mrgan"),
    "mdgan": _game("mdgan"),
    "madgan": _game("madgan", saturating=False),
    # the features whose similarity counts are the points themselves
    "madgan-sim": _game("madgan-sim", objective=NonSaturating(), features=nn.Identity()),
    "ebgan": _game("ebgan", margin=1.0),
    "ebgan-pt": _game("ebgan", margin=1.0, pull_away=0.1),
    "began": _game("began", codes=1, gamma=1.0, lambda_k=0.01),
    "magan": _game("magan", codes=1, period=250, pretraining=500),
}


def points_per_example(game: Game) -> int:
    """How many points D looks at together (PacGAN's m)."""
    return next((v.size for v in getattr(game, "views", ()) if isinstance(v, Pack)), 1)


def judge(game: Game, x: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """What D says of each point x (N, 2): (N,), the higher the more real; and the sum over x of the
    loss that G would have there.

    The gradient of that sum, with its sign changed, is where G is told to move a sample at x. A
    probability where D gives logits, the negative energy for an auto-encoder, else the critic's
    value. PacGAN's D sees each x packed with points of `real`.
    """
    if isinstance(game, EBGAN):
        energy = game.energy(x, game.D(x))
        return -energy, energy.sum()
    # D's logit is for generated pairs; the latents are those that F finds
    if isinstance(game, VEEGAN):
        with no_grad():
            z = game.F(x)[:, : game.latent_dim]
        y = game.D(cat([z, x], 1))[:, 0]
        return (-y).sigmoid(), y.sum()
    if isinstance(game, MADGAN):
        y = game.D(x)
        return y.softmax(1)[:, -1], game.g_loss(y) * len(x)
    m, objective = points_per_example(game), game.objective  # type: ignore[attr-defined]
    # the data again and again, where the points are more
    others = lambda i: real[(np.arange(len(x)) + i * len(x)) % len(real)]
    packed = cat([x, *[others(i) for i in range(m - 1)]], 1) if m > 1 else x
    y = game.D(packed)[:, 0]  # type: ignore[attr-defined]
    if isinstance(objective, Minimax) and not isinstance(objective, NonSaturating):
        objective = NonSaturating()  # the same direction, and one that can be seen where D is sure
    if objective.compares:
        with no_grad():
            on_real = game.D(others(0))[:, 0]  # type: ignore[attr-defined]
        return y, objective.g_loss(y, on_real) * len(x)
    return (y.sigmoid() if objective.logistic else y), objective.g_loss(y) * len(x)


def looked(game: Game, real: Tensor, limit: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """What `judge` says at a regular n x n grid over [-limit, limit]^2, row i at the i-th y from
    below: D's surface (n, n), and where G is told to go there (n, n, 2), minus the gradient of its
    loss."""
    at = np.linspace(-limit, limit, n, dtype=np.float32)
    points = np.stack(np.meshgrid(at, at), -1).reshape(-1, 2)
    x = as_tensor(points).to(real.device).requires_grad_()
    with evaluating(*game.players.values()):  # nothing moves: no dropout, no power iteration
        outputs, loss = judge(game, x, real)
        (slope,) = grad(loss, [x])
    surface, field = outputs.detach().cpu().numpy(), -slope.cpu().numpy()
    return surface.reshape(n, n), field.reshape(n, n, 2)


def plane_picture(
    limit: float, real: np.ndarray, fake: np.ndarray, surface: np.ndarray, field: np.ndarray,
    title: str = "",
    note: str = "", groups: np.ndarray | None = None, means: np.ndarray | None = None,
    size: float = 4.5,
) -> np.ndarray:  # fmt: skip
    """Two panels as an image, uint8 (H, W, 3): samples over data, and D's surface with the field of
    G's gradient.

    limit : both show [-limit, limit]^2
    real, fake : points (n, 2)
    surface : (k, k) values at the points of the regular k x k grid over the square, row i at the
        i-th y from below
    field : (j, j, 2) vectors on a j x j grid; their directions are drawn, and where they are small
        they are pale
    note : a line below the left panel
    groups : (n,) integers, which generator made each fake point: their colours
    means : (K, 2) of the modes: crosses
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2 * size, size), dpi=80, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    left.scatter(*real.T, s=2, color=_REAL, alpha=0.35, linewidths=0, label="data")
    if groups is None:
        left.scatter(*fake.T, s=5, color=_FAKE, alpha=0.6, linewidths=0, label="samples")
    else:
        left.scatter(
            *fake.T,
            s=5,
            c=groups,
            cmap="tab10",
            vmin=0,
            vmax=9,
            alpha=0.7,
            linewidths=0,
            label="samples, by generator",
        )
    if means is not None:
        left.scatter(*means.T, s=60, marker="+", color=_REAL, linewidths=0.7, alpha=0.5)
    left.set_xlabel(note)
    left.set_title(title, fontsize=10, loc="left")

    image = right.imshow(
        surface, extent=(-limit, limit) * 2, origin="lower", cmap="viridis", aspect="auto"
    )
    figure.colorbar(image, ax=right, fraction=0.05)
    at = np.linspace(-limit, limit, len(field))
    lengths = np.linalg.norm(field, axis=-1)
    typical = max(float(np.median(lengths)), 1e-30)
    directions = field / np.maximum(lengths, 1e-30)[..., None]
    alpha = np.clip(lengths / typical, 0.15, 1.0)
    right.quiver(
        at,
        at,
        directions[..., 0],
        directions[..., 1],
        color=_ARROW,
        alpha=alpha.ravel(),
        scale=1.25 * len(field),
        width=0.004,
    )
    right.scatter(*fake.T, s=1.5, color=_FAKE, alpha=0.5, linewidths=0)
    kinds = left.get_legend_handles_labels()
    right.legend(
        *kinds,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        markerscale=4,
        frameon=False,
        fontsize=8,
        ncols=2,
    )
    right.set_xlabel("what D says, and where G's samples would go")
    for axes in (left, right):
        axes.set_xlim(-limit, limit)
        axes.set_ylim(-limit, limit)
        axes.set_box_aspect(1)
        axes.tick_params(labelsize=8)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def latent_colours(z: np.ndarray) -> np.ndarray:
    """A colour for each latent vector, (n, 2) -> RGB in [0, 1], (n, 3): the angle is the hue, and
    the nearer to 0, the darker. (n, 1): as points of a line, from violet to red."""
    from matplotlib.colors import hsv_to_rgb

    if z.shape[1] == 1:
        hue = 0.8 * (1 - np.argsort(np.argsort(z[:, 0])) / max(len(z) - 1, 1))
        value = np.ones(len(z))
    else:
        hue = np.arctan2(z[:, 1], z[:, 0]) / (2 * np.pi) % 1
        value = 0.3 + 0.7 * np.clip(np.linalg.norm(z, axis=1) / 2, 0, 1)
    return hsv_to_rgb(np.stack([hue, np.full(len(z), 0.9), value], 1))


def latent_picture(
    z: np.ndarray, points: np.ndarray, limit: float, title: str = "", note: str = "",
    size: float = 4.5,
) -> np.ndarray:  # fmt: skip
    """Which z goes where, as an image, uint8 (H, W, 3): latents (n, 1) or (n, 2) on the left, and
    in the same colours the points (n, 2) that G carries them to, of which [-limit, limit]^2 is
    shown."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2 * size, size), dpi=80, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    colours = latent_colours(z)
    at = np.concatenate([z, np.zeros_like(z)], 1)[:, :2]  # a line's points have no height
    for axes, where, reach in ((left, at, float(np.abs(z).max()) * 1.05), (right, points, limit)):
        axes.scatter(*where.T, s=8, c=colours, linewidths=0)
        axes.set_xlim(-reach, reach)
        axes.set_ylim(-reach, reach)
        axes.set_box_aspect(1)
        axes.tick_params(labelsize=8)
    left.set_title(title, fontsize=10, loc="left")
    left.set_xlabel("z")
    right.set_xlabel(f"x = G(z)\n{note}", fontsize=8)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
