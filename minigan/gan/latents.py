"""What samples are made of: latents, and labels where a game has conditions. Ways between two
latent vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..arrays import CPU, Generator, to_device
from ..autograd import Tensor, tensor_of
from .recalibrate import BATCH_SIZE, BATCHES

# distribution of each number of z -> (shape, generator, device) -> float32
LATENTS: dict[str, Callable[..., Any]] = {
    "normal": lambda shape, generator, device: generator.normal(shape, device=device),
    "uniform": lambda shape, generator, device: (
        generator.uniform(shape, device=device) * np.float32(2) - np.float32(1)
    ),
}


def sample_inputs(
    n: int,
    generator: Generator,
    latent_dim: int,
    classes: int = 0,
    device=CPU,
    latent: str = "normal",
) -> tuple[Tensor, ...]:
    """n latent vectors z, (n, latent_dim), N(0, 1) or ("uniform") U(-1, 1); with `classes` also
    labels, int64 (n,): equally many of each, in order."""
    latents = tensor_of(LATENTS[latent]((n, latent_dim), generator, device))
    return (latents, equal_labels(n, classes, device)) if classes else (latents,)


def equal_labels(n: int, classes: int, device=CPU) -> Tensor:
    """0, .., 0, 1, .., 1, ...: n labels of so many classes, int64 (n,)."""
    return tensor_of(to_device(np.arange(n) * classes // n, device))


def calibration_inputs(
    latent_dim: int, classes: int = 0, device=CPU, latent: str = "normal", batches: int = BATCHES
) -> Iterator[tuple[Tensor, ...]]:
    """Batches for `recalibrate_batch_norm`: always the same, and nothing is drawn from the default
    generator."""
    for z in LATENTS[latent]((batches, BATCH_SIZE, latent_dim), Generator(0), device):
        yield (
            (tensor_of(z), equal_labels(BATCH_SIZE, classes, device))
            if classes
            else (tensor_of(z),)
        )


def lerp(a, b, t) -> np.ndarray:
    """(1 - t) a + t b.
    a, b: (..., d); t: a number or (n,), which puts n in front: (n, ..., d)."""
    a, b = np.asarray(a), np.asarray(b)
    t = np.asarray(t, np.float64).reshape(np.shape(t) + (1,) * max(a.ndim, b.ndim))
    return ((1 - t) * a + t * b).astype(np.result_type(a, b, np.float32), copy=False)


def slerp(a, b, t) -> np.ndarray:
    """Spherical interpolation: [sin((1 - t) w) a + sin(t w) b] / sin w, w the angle between a and b
    (Shoemake 1985).

    Arguments as for `lerp`. Between vectors of equal length it keeps that length: normal vectors of
    many dimensions all lie near a sphere, and a straight way between two of them leads through
    points that the generator never saw (White 2016). Where a and b have the same direction, or one
    is 0, it is the straight way. ValueError where they are opposite: the sphere then has no
    shortest way.
    """
    a, b = np.asarray(a), np.asarray(b)
    x, y = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(x, axis=-1, keepdims=True) * np.linalg.norm(y, axis=-1, keepdims=True)
    cosine = (x * y).sum(-1, keepdims=True) / np.where(norms > 0, norms, 1)
    if (cosine < -1 + 1e-12).any():
        raise ValueError(
            "slerp: a and b are opposite, so that there is no shortest way between them; go by "
            "way of a third point"
        )
    angle = np.arccos(np.clip(np.where(norms > 0, cosine, 1), -1, 1))
    straight = angle < 1e-4  # the formula is then 0 / 0, and the arc straight to 1e-9 of its length
    angle = np.where(straight, 1, angle)
    t = np.asarray(t, np.float64).reshape(np.shape(t) + (1,) * x.ndim)
    from_a, from_b = np.sin((1 - t) * angle) / np.sin(angle), np.sin(t * angle) / np.sin(angle)
    way = np.where(straight, (1 - t) * x + t * y, from_a * x + from_b * y)
    return way.astype(np.result_type(a, b, np.float32), copy=False)


WAYS = {"slerp": slerp, "linear": lerp}


def interpolate(a, b, steps: int, mode: str = "slerp") -> np.ndarray:
    """`steps` points from a to b, both among them: (steps, ..., d). mode: "slerp" or "linear"."""
    if mode not in WAYS or steps < 2:
        raise ValueError(
            f"interpolate: mode={mode!r}, steps={steps}: expected one of {', '.join(WAYS)}, and "
            "at least 2 steps"
        )
    return WAYS[mode](a, b, np.linspace(0, 1, steps))
