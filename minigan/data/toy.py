"""Point sets in the plane: rings and grids of Gaussians, whose modes can be counted, and curves:
swiss roll and moons.

>>> data = ring()
>>> data.draw(1000, Generator(0)).shape, len(data.means)
((1000, 2), 8)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..arrays import CPU, Generator
from .batches import Batches


@dataclass(frozen=True)
class Plane:
    """A distribution in the plane.

    name : of the set
    limit : all but a few points lie in [-limit, limit]^2: what a picture should show
    points : points(n, generator) -> (n, 2), of any float dtype; `draw` is what to call
    means, std : centres (K, 2) and standard deviation of the modes, if it is a mixture of K equally
        likely Gaussians; else None
    """

    name: str
    limit: float
    points: Callable[[int, Generator], np.ndarray]
    means: np.ndarray | None = None
    std: float | None = None

    def draw(self, n: int, generator: Generator) -> np.ndarray:
        """n independent points, float32 (n, 2)."""
        if n < 0:
            raise ValueError(f"{self.name}.draw: n={n} must not be negative")
        return self.points(n, generator).astype(np.float32)


def _mixture(name: str, means: np.ndarray, std: float) -> Plane:
    if not std >= 0:
        raise ValueError(f"{name}: std={std} must not be negative")
    means = np.asarray(means, np.float64)

    def points(n, generator):
        return means[generator.integers(0, len(means), (n,))] + std * generator.normal(
            (n, 2), np.float64
        )

    return Plane(name, 1.25 * float(np.abs(means).max()) + 4 * std, points, means, std)


def ring(modes: int = 8, radius: float = 1.0, std: float = 0.01) -> Plane:
    """Gaussians at equal distances on a circle, at the angles 2 pi i / modes, i = 0 .. modes - 1:
    all different.

    The defaults are those of Lin et al. 2018 (PacGAN). Gulrajani et al. 2017 (WGAN-GP) have radius
    1.414, std 0.01414. The ring in the notebook of Metz et al. 2017 (Unrolled GAN) counts the angle
    0 twice and has 7 modes, one of them with double weight.
    """
    if modes < 1:
        raise ValueError(f"ring: modes={modes} must be positive")
    angles = 2 * math.pi * np.arange(modes) / modes
    return _mixture("ring", radius * np.stack([np.cos(angles), np.sin(angles)], 1), std)


def grid(side: int = 5, spacing: float = 2.0, std: float = 0.05) -> Plane:
    """side x side Gaussians, `spacing` apart, centred at 0. The defaults are those of Lin et al.
    2018: 25 modes at -4, -2, .. 4."""
    if side < 1:
        raise ValueError(f"grid: side={side} must be positive")
    line = spacing * (np.arange(side) - (side - 1) / 2)
    return _mixture(
        "grid", np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2), std
    )


def swiss_roll(noise: float = 0.25, scale: float = 7.5) -> Plane:
    """The spiral t (cos t, sin t) + noise N(0, 1), t ~ U(1.5 pi, 4.5 pi), all divided by scale: as
    in Gulrajani et al. 2017's toys."""

    def points(n, generator):
        t = 1.5 * math.pi * (1 + 2 * generator.uniform((n,), np.float64))
        return (
            t[:, None] * np.stack([np.cos(t), np.sin(t)], 1)
            + noise * generator.normal((n, 2), np.float64)
        ) / scale

    return Plane("swiss_roll", (4.5 * math.pi + 4 * noise) / scale * 1.05, points)


def moons(noise: float = 0.05) -> Plane:
    """Two half circles of radius 1, one about (-0.5, -0.25) above, one about (0.5, 0.25) below, +
    noise N(0, 1)."""

    def points(n, generator):
        t = math.pi * generator.uniform((n,), np.float64)
        side = 1.0 - 2.0 * generator.integers(0, 2, (n,))
        curve = np.stack([np.cos(t) - 0.5, np.sin(t) - 0.25], 1) * side[:, None]
        return curve + noise * generator.normal((n, 2), np.float64)

    return Plane("moons", 1.7 + 4 * noise, points)


TOYS: dict[str, Callable[..., Plane]] = {
    "ring": ring,
    "grid": grid,
    "swiss_roll": swiss_roll,
    "moons": moons,
}


class PointBatches(Batches):
    """Shuffled batches of `size` points, drawn once from `plane` with `seed`: as `Batches`, which
    see, float32 (batch_size, 2)."""

    def __init__(
        self, plane: Plane, batch_size: int, size: int = 100_000, seed: int = 0, device=CPU
    ):
        super().__init__(plane.draw(size, Generator(seed)), batch_size, seed, device)
