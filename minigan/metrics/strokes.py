"""What strokes of digits look like: how far they lean, how thick they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from .evaluate import unit_pixels

SIZE = (28, 28)


def slant(images: Any) -> np.ndarray:
    """How far each image leans to the right, as the tangent of its angle with the vertical: (N,).

    It is minus the regression of x on y, over the pixels weighed by their ink (rows count
    downwards): the shear that the usual "deskewing" of digits takes away. 0 for an empty image.

    images : digits (N, 1, 28, 28) or (N, 28, 28), uint8 or floats in [-1, 1], strokes white
    """
    ink = _ink(images)
    total = np.maximum(ink.sum((1, 2)), 1e-12)[:, None, None]
    y, x = np.mgrid[: ink.shape[1], : ink.shape[2]].astype(np.float64)
    dy = y - (ink * y).sum((1, 2), keepdims=True) / total
    dx = x - (ink * x).sum((1, 2), keepdims=True) / total
    return -(ink * dx * dy).sum((1, 2)) / np.maximum((ink * dy * dy).sum((1, 2)), 1e-12)


def stroke_width(images: Any) -> np.ndarray:
    """The mean thickness of the strokes in pixels: twice the ink over the length of its edges,
    (N,).

    A stroke of length l and width w has the area l w and edges of 2 l. The edges' length is the sum
    of the gradient's lengths (the total variation). Arguments as for `slant`.
    """
    ink = np.pad(_ink(images), ((0, 0), (1, 1), (1, 1)))
    dy, dx = np.diff(ink, axis=1)[:, :, :-1], np.diff(ink, axis=2)[:, :-1]
    return 2 * ink.sum((1, 2)) / np.maximum(np.hypot(dx, dy).sum((1, 2)), 1e-12)


def _ink(images: Any) -> np.ndarray:
    """Pixels in [0, 1], (N, H, W)."""
    return unit_pixels(images).reshape(-1, *SIZE).astype(np.float64)
