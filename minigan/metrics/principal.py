"""Frechet distance for pictures that no classifier knows: between their principal components."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Generator, to_numpy
from ..autograd import raw
from .frechet import Moments, frechet_distance
from .rows import subset

SEEN = 1000  # pictures of which the directions are found
MOST = 10_000  # pictures of each half
BATCH = 500


class Principal:
    """Real pictures as two halves, and what others are beside them.

    The features of a picture are the coordinates of its pixels along the directions in which the
    first half varies most (found by 1,000 of its pictures): no labels, no training, always the
    same. Values are of this set of pictures alone; they are no FID, whose features are another
    network's, and a set of other pictures has other directions. Features of pixels know colours,
    places and coarse shapes, and little of details.

    images : (N, C, H, W), uint8 or float in [-1, 1], at least 40
    numbers : of directions; at most a quarter of the first half
    """

    def __init__(self, images: Any, numbers: int = 64, seed: int = 0):
        if len(images) < 40:
            raise ValueError(f"{len(images)} pictures: expected at least 40 to compare others with")
        order = Generator(seed).permutation(len(images))
        half = len(images) // 2
        first, second = (np.sort(rows[:MOST]) for rows in (order[:half], order[half:]))
        self.shape = tuple(images.shape[1:])
        few = _rows(subset(images[first], SEEN, seed))
        self.middle = few.mean(0)
        # by the products of pictures, which are fewer than pixels are
        values, vectors = np.linalg.eigh((few - self.middle) @ (few - self.middle).T)
        kept = values > values[-1] * 1e-6
        kept[: -min(numbers, half // 4)] = False
        self.directions = (few - self.middle).T @ (vectors[:, kept] / np.sqrt(values[kept]))
        self.moments = Moments().update(self.features(images[first]))
        self.others = self.features(images[second])

    @property
    def what(self) -> str:
        """For people: what is measured."""
        return (
            f"Frechet distance of {self.directions.shape[1]} principal components of pixels (no "
            "FID), beside that of real pictures from real ones"
        )

    def features(self, images: Any) -> np.ndarray:
        """(N, numbers) of pictures (N, C, H, W)."""
        images = to_numpy(raw(images))
        if tuple(images.shape[1:]) != self.shape:
            raise ValueError(
                f"pictures of shape {tuple(images.shape[1:])} cannot be compared with those of "
                f"shape {self.shape}"
            )
        parts = [
            (_rows(images[i : i + BATCH]) - self.middle) @ self.directions
            for i in range(0, len(images), BATCH)
        ]
        return np.concatenate(parts).astype(np.float64)

    def __call__(self, images: Any) -> dict[str, float]:
        """{"frechet": distance of these pictures from the first half, "frechet_real": that of as
        many of the second, the floor}, and how many ("samples"). A generator that has learnt from
        both halves and repeats them is below the floor."""
        n = min(len(images), len(self.others))
        return {
            "frechet": frechet_distance(self.moments, self.features(images[:n])),
            "frechet_real": frechet_distance(self.moments, self.others[:n]),
            "samples": n,
        }


def _rows(images: np.ndarray) -> np.ndarray:
    """Pixels in [-1, 1], float32 (N, numbers)."""
    found = images.reshape(len(images), -1).astype(np.float32)
    return found / np.float32(127.5) - 1 if images.dtype == np.uint8 else found
