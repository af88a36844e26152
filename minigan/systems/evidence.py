"""What systems measure alike: samples of digits beside real ones."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Generator
from ..data import ImageSet, Pairs, load_dataset
from ..gan import Game
from ..metrics import BETTER, Principal, Reference, evaluate, load_classifier
from ..metrics.rows import subset
from ..viz import read_metrics
from .system import Row

BATCH = 500
IMAGE_METRICS = ("frechet", "kid", "score", "precision", "recall", "density", "coverage", "modes")


class NoClassifier(ValueError):
    """Nothing that comes with the package knows what the pictures show."""


def principal_rows(kind: Any, game: Game, c: Any, n: int, device: Any) -> list[Row]:
    """How far n samples are from the pictures that a system learnt from, whatever they show."""
    data = kind.data(c)
    real = Principal(data.targets if isinstance(data, Pairs) else data.images)
    kind.ready(game, c, device)
    found = real(drawn(game, n, device)[0])
    return [
        Row("frechet of pixels", found["frechet"], found["frechet_real"], "down",
            note=f"{found['samples']} samples; {real.what}"),
    ]  # fmt: skip


def digits_of(c: Any, split: str):
    """The images and labels that a run's classifier knows; NoClassifier where it was trained on
    others."""
    if c.dataset not in ("mnist", "strokes") or tuple(c.image_shape) != (1, 28, 28):
        raise NoClassifier(
            f"the run was trained on {c.dataset!r} images of shape {tuple(c.image_shape)}: what "
            "is measured here rests on a classifier of 28x28 digits"
        )
    found = load_dataset(c.dataset, split, getattr(c, "data_dir", None))
    if found.name != c.dataset:
        raise ValueError(
            f"the run was trained on {c.dataset!r}, which cannot be found; say where with "
            "--data-dir or MINIGAN_DATA"
        )
    return found


def seconds_of(c: Any) -> float:
    """How long a saved run's steps took, by its log: NaN where it has none."""
    path = Path(c.folder) / "metrics.jsonl"
    rows = read_metrics(path) if path.exists() else []
    steps = np.diff([0, *[row["step"] for row in rows]])
    return float(sum(n / row["it_s"] for n, row in zip(steps, rows))) if rows else np.nan


def floats(images: np.ndarray) -> np.ndarray:
    """uint8 as float32 in [-1, 1]."""
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def some_images(data: ImageSet, n: int, seed: int = 0) -> np.ndarray:
    """n of the images, or all if there are fewer: float32 in [-1, 1], always the same."""
    return floats(subset(data.images, n, seed))


def drawn(game: Game, n: int, device: Any, seed: int = 0) -> tuple[np.ndarray, tuple]:
    """(n samples, float32 in [-1, 1], what they were made of), in batches."""
    inputs = game.inputs(n, Generator(seed), device)
    parts = [
        game.sample(*[x[i : i + BATCH] for x in inputs]).cpu().numpy() for i in range(0, n, BATCH)
    ]
    return np.concatenate(parts), inputs


@functools.cache
def _reference(dataset: str, data_dir: str | None, device: str) -> Reference:
    test = load_dataset(dataset, "test", data_dir)
    return Reference(test.images, load_classifier(device=device))


def reference(c: Any, device: Any) -> Reference:
    """The test images as the classifier describes them."""
    digits_of(c, "test")
    return _reference(c.dataset, getattr(c, "data_dir", None), str(device))


def image_rows(
    game: Game, c: Any, n: int, device: Any, metrics=IMAGE_METRICS, images: Any = None
) -> list[Row]:
    """Rows of `minigan.metrics.evaluate` for n samples (or these), beside as many training
    images."""
    images = drawn(game, n, device)[0] if images is None else images
    test = reference(c, device)
    found = evaluate(images, test)
    real = evaluate(subset(digits_of(c, "train").images, n, 0), test)
    return [
        Row(name, found[name], real[name], BETTER[name], se=found.get(f"{name}_se", np.nan))
        for name in metrics
    ]
