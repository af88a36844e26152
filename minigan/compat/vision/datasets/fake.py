"""Random pictures, to try a program without data."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays import Generator
from .base import Function, VisionDataset


class FakeData(VisionDataset):
    """`size` pictures of normal noise with random labels: picture i is always the same, another
    than torchvision's.

    image_size : (channels, height, width)
    num_classes : labels are 0 to num_classes - 1
    random_offset : added to i where the picture is drawn
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Function = None,
        target_transform: Function = None,
        random_offset: int = 0,
    ):
        super().__init__(transform=transform, target_transform=target_transform)
        self.size = size
        self.image_size = image_size
        self.num_classes = num_classes
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        from ..transforms.functional import to_pil_image

        if not -len(self) <= index < len(self):
            raise IndexError(f"FakeData: index {index} is out of range for {len(self)} pictures")
        generator = Generator(index % len(self) + self.random_offset)
        # wraps around
        pixels = (generator.normal(tuple(self.image_size)) * 255).astype(np.int32).astype(np.uint8)
        label = int(generator.integers(0, self.num_classes, (1,))[0])
        return self._pair(to_pil_image(pixels.transpose(1, 2, 0)), label)

    def __len__(self) -> int:
        return self.size
