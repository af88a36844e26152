"""Batches of images, gathered and scaled where the whole set lies: on the device, as uint8."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import CPU, Generator, seam, to_device
from ..autograd import Tensor, tensor_of


@seam.dispatched
def gather_scaled(images, index):
    """images[index] as float32 in [-1, 1], (len(index), *images.shape[1:]); images uint8 (N, ...), index int64."""
    return images[index].astype(np.float32) / np.float32(127.5) - np.float32(1)


class Batches:
    """Shuffled batches of an image set for ever, epoch after epoch; the rest that fills no batch is left out.

    images : uint8 (N, C, H, W)
    batch_size : examples per batch, at most N
    seed : with the epoch's number it determines the order of that epoch, so any position can be returned to
    device : where the images are kept and the batches are made
    """

    def __init__(self, images: np.ndarray, batch_size: int, seed: int = 0, device=CPU):
        if not 1 <= batch_size <= len(images):
            raise ValueError(f"batch_size={batch_size}: expected 1 to {len(images)}, the number of images")
        if images.dtype != np.uint8:
            raise TypeError(f"images are {images.dtype}: expected uint8")
        self.images = to_device(np.array(images), device)
        self.batch_size, self.seed, self.device = batch_size, seed, device

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self.images) // self.batch_size

    def order(self, epoch: int) -> np.ndarray:
        """The permutation of epoch number `epoch` (from 0)."""
        generator = Generator(self.seed)
        generator.set_state({"seed": self.seed, "counter": (epoch + 1) << 40})  # far from every other draw of this seed
        return generator.permutation(len(self.images), self.device)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Tensor]:
        """The batches of an epoch from number `start` on: float32 Tensors (batch_size, C, H, W) in [-1, 1]."""
        order = self.order(epoch)
        for i in range(start, len(self)):
            yield tensor_of(gather_scaled(self.images, order[i * self.batch_size : (i + 1) * self.batch_size]))
