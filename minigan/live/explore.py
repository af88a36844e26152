"""Samples of latents that somebody chooses: sliders, classes, ways from one latent vector to
another."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np

from ..arrays import Generator
from ..autograd import Tensor, tensor_of
from ..gan import Game
from ..gan.latents import lerp, slerp
from ..viz import image_grid

N = 25  # samples shown
SIDE = 5
TRIED = 4  # samples by which is told how much a number of z changes
BATCH = 200
STEP = 1.5  # how far it is moved then, to both sides


class Explorer:
    """What a game makes of latents on the way from one end to another, with some of their numbers
    set.

    class_names : of conditional games, for people; by default the numbers
    way : 0 at the first end, 1 at the other
    values : number of the latent -> what it is set to, in all samples
    label : of all samples; None: equally many of each class
    """

    def __init__(self, game: Game, class_names: list[str] | None = None, seed: int = 0):
        self.game = game
        names = class_names or [str(i) for i in range(game.classes)]
        self.class_names = names if game.classes else []
        self.way = 0.0
        self.values: dict[int, float] = {}
        self.label: int | None = None
        self.choose_ends(seed)

    def choose_ends(self, seed: int) -> None:
        """Other latents, at both ends."""
        self.seed = seed
        self.inputs = self.game.inputs(N, Generator(2 * seed))
        self.other = self.game.inputs(N, Generator(2 * seed + 1))
        self.numbers = self.inputs[0].shape[1] if self.can_walk else 0
        self.order = list(range(self.numbers))
        # continuous codes come behind z; they mean most, so their sliders come first
        self.codes = self.numbers - min(self.numbers, getattr(self.game, "latent_dim", 0))
        self.order = (
            self.order[self.numbers - self.codes :] + self.order[: self.numbers - self.codes]
        )

    @property
    def can_walk(self) -> bool:
        """Are samples made of latent vectors?"""
        return self.inputs[0].ndim == 2 and self.inputs[0].numpy().dtype.kind == "f"

    def sliders(self) -> list[dict[str, Any]]:
        """Name and reach of each number of the latents, the first ones first."""
        z, uniform = self.numbers - self.codes, getattr(self.game, "latent", "") == "uniform"
        return [
            {"i": i, "name": f"code {i - z + 1}", "reach": 2.0}
            if i >= z
            else {"i": i, "name": f"z {i + 1}", "reach": 1.0 if uniform else 3.0}
            for i in self.order
        ]

    def set(self, i: int, value: float | None) -> None:
        """Set a number of the latents in all samples; None: let it be."""
        if not (isinstance(i, int) and 0 <= i < self.numbers):
            raise ValueError(f"there is no latent number {i!r}: they are 0 to {self.numbers - 1}")
        if value is None:
            self.values.pop(i, None)
        elif isinstance(value, (int, float)) and abs(value) <= 10:
            self.values[i] = float(value)
        else:
            raise ValueError(f"latent number {value!r}: expected -10 to 10")

    def ask(self, label: int | None) -> None:
        """Samples of this class alone; None: of all. ValueError where there is none."""
        if label is not None:
            self.game.asked(self.inputs, label)
        self.label = label

    def sort(self) -> None:
        """The sliders that change most come first; codes before all."""
        change = np.zeros(self.numbers)
        inputs = [x.numpy()[:TRIED] for x in self.inputs]
        moved = []
        for i in range(self.numbers):
            for step in (STEP, -STEP):
                z = inputs[0].copy()
                z[:, i] += step
                moved.append(z)
        latents = np.concatenate(moved) if moved else np.zeros((0, 0), np.float32)
        others = [np.concatenate([x] * (2 * self.numbers)) for x in inputs[1:]]
        parts = [
            self.draw(*[tensor_of(x[j : j + BATCH]) for x in (latents, *others)])
            for j in range(0, len(latents), BATCH)
        ]
        if parts:
            images = np.concatenate(parts).reshape(self.numbers, 2, -1)
            change = np.abs(images[:, 0] - images[:, 1]).mean(1)
        change[self.numbers - self.codes :] += math.inf if self.codes else 0
        self.order = [int(i) for i in np.argsort(-change, kind="stable")]

    def draw(self, *inputs: Tensor) -> np.ndarray:
        return self.game.sample(*inputs).numpy()

    def images(self) -> np.ndarray:
        """The samples, (N, C, H, W)."""
        inputs = self.inputs
        if self.can_walk:
            a, b = (x[0].numpy() for x in (self.inputs, self.other))
            n = self.numbers - self.codes
            between = lerp if getattr(self.game, "latent", "") == "uniform" else slerp
            z = np.concatenate(
                [between(a[:, :n], b[:, :n], self.way), lerp(a[:, n:], b[:, n:], self.way)], 1
            )
            for i, value in self.values.items():
                z[:, i] = value
            inputs = (tensor_of(z.astype(np.float32)), *self.inputs[1:])
        if self.label is not None:
            inputs = self.game.asked(inputs, self.label)
        return self.draw(*inputs)

    def picture(self) -> np.ndarray | None:
        """The samples as a grid, the bytes of a PNG file; None where they are no pictures."""
        images = self.images()
        if images.ndim != 4 or images.shape[1] not in (1, 3):
            return None
        return png(image_grid(images, SIDE))

    def state(self) -> dict[str, Any]:
        """For the page."""
        return {"sliders": self.sliders(), "values": self.values, "classes": self.class_names,
                "label": self.label, "way": self.way}  # fmt: skip


def explorer_of(game: Game, class_names: list[str] | None) -> Explorer | None:
    """An explorer of the game; None where it makes samples of pictures alone (translators), or none
    at all."""
    try:
        return Explorer(game, class_names)
    except (ValueError, NotImplementedError):
        return None


def png(pixels: np.ndarray) -> np.ndarray:
    """Pixels, uint8 (H, W) or (H, W, 3), as the bytes of a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return np.frombuffer(buffer.getvalue(), np.uint8)
