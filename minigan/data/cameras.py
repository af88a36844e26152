"""The same pictures as two cameras see them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .imageset import ImageSet
from .pairs import Pairs

BRIGHT, CONTRAST = 230.0, 0.7  # of the second camera's paper, and of its ink
DIM = 0.5  # its light at the right side


def two_cameras(data: ImageSet) -> Pairs:
    """Pictures as they are, and as a second camera sees them: dark on bright, blurred over three
    pixels, in a light that falls to a half from left to right. `targets` are the same pictures
    under the second camera, labels those of the data."""
    around = ((0, 0), (0, 0), (1, 1), (1, 1))
    x: Any = np.pad(data.images.astype(np.float32), around, mode="edge")
    x = (x[:, :, :-2] + 2 * x[:, :, 1:-1] + x[:, :, 2:]) / 4
    x = (x[..., :-2] + 2 * x[..., 1:-1] + x[..., 2:]) / 4
    light = np.linspace(1, DIM, x.shape[-1], dtype=np.float32)
    seen = (light * (BRIGHT - CONTRAST * x)).round().astype(np.uint8)
    return Pairs(
        data.images, data.labels, f"{data.name}-cameras", f"{data.source}, under two cameras",
        classes=data.classes, targets=seen,
    )  # fmt: skip
