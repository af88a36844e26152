"""What systems with codes share: images beside what is made of them again."""

from __future__ import annotations

import numpy as np

from ..arrays import to_device
from ..autograd import tensor_of
from ..viz import Grid
from .evidence import BATCH, some_images
from .system import System

COLUMNS, SAMPLES = 10, 2  # of what is shown; rows of samples


class Reconstructing(System):
    """A system whose game has `reconstruct`: what is shown are two rows of test images, each over
    what is made of them again, then rows of samples."""

    def shown(self, data, options):
        return self.held_out(data, options)

    def exhibit(self, game, data, generator, device):
        real = some_images(data, 2 * COLUMNS)
        inputs = game.inputs(SAMPLES * COLUMNS, generator, device)

        def picture():
            again = in_batches(game.reconstruct, real, device)
            drawn = game.sample(*inputs).cpu().numpy()
            rows = [real[:COLUMNS], again[:COLUMNS], real[COLUMNS:], again[COLUMNS:], drawn]
            return Grid(np.concatenate(rows), 4 + SAMPLES, COLUMNS)

        return picture


def in_batches(function, images: np.ndarray, device) -> np.ndarray:
    """What a function of Tensors, such as `game.reconstruct`, makes of images in [-1, 1]."""
    parts = (images[i : i + BATCH] for i in range(0, len(images), BATCH))
    return np.concatenate([function(tensor_of(to_device(x, device))).cpu().numpy() for x in parts])
