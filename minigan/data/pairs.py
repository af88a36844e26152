"""Pictures of two domains: pairs, or two sets that do not belong together."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..arrays import Generator
from .imageset import DataError, ImageSet, settle


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Pairs(ImageSet):
    """Pictures of domain A, `images`, and of domain B, `targets`.

    targets  uint8 (M, C, H, W), read-only
    names    of the pairs: characters, or files
    groups   int64 (N,): pairs with one number are kept together where the set is split; () : each
             is a group of its own
    paired   is targets[i] what images[i] should become? Else M may differ from N
    checksum  of both domains' bytes, in order

    >>> data = Pairs(a, np.zeros(len(a), np.uint8), "edges", "edges/train", targets=b)
    """

    targets: np.ndarray = None  # type: ignore[assignment]
    names: tuple[str, ...] = ()
    groups: Sequence[int] = ()
    paired: bool = True

    def __post_init__(self):
        super().__post_init__()
        targets = np.ascontiguousarray(self.targets).view()
        if targets.dtype != np.uint8 or targets.ndim != 4:
            raise DataError(
                f"targets must be uint8 (M, C, H, W), not {targets.dtype} {targets.shape}"
            )
        if self.paired and len(targets) != len(self.images):
            raise DataError(f"{len(self.images)} images and {len(targets)} targets are no pairs")
        settle(self, [self.images, targets], targets=targets)

    @property
    def b(self) -> ImageSet:
        """Domain B by itself."""
        return ImageSet(self.targets, np.zeros(len(self.targets), np.uint8), self.name, self.source)

    def reversed(self) -> Pairs:
        """From B to A."""
        labels = self.labels if self.paired else np.zeros(len(self.targets), np.uint8)
        return dataclasses.replace(
            self, images=self.targets, targets=self.images, labels=labels,
        )  # fmt: skip

    def some(self, rows: np.ndarray) -> Pairs:
        """These pairs alone."""
        self._require("some")
        names = tuple(self.names[i] for i in rows) if self.names else ()
        groups = np.asarray(self.groups)[rows] if len(self.groups) else ()
        return dataclasses.replace(
            self, images=self.images[rows], targets=self.targets[rows], labels=self.labels[rows],
            names=names, groups=groups,
        )  # fmt: skip

    def split(self, share: float, seed: int = 0) -> tuple[Pairs, Pairs]:
        """(the rest, at least this share of the pairs): no group is in both."""
        self._require("split")
        groups = np.asarray(self.groups) if len(self.groups) else np.arange(len(self))
        numbers, counts = np.unique(groups, return_counts=True)
        order = Generator(seed).permutation(len(numbers))
        taken = np.searchsorted(np.cumsum(counts[order]), share * len(self)) + 1
        mask = np.isin(groups, numbers[order[:taken]])
        if mask.all() or not mask.any():
            raise DataError(f"{self.name}: {len(numbers)} groups are too few to split")
        return self.some(np.flatnonzero(~mask)), self.some(np.flatnonzero(mask))

    def apart(self, seed: int = 0) -> Pairs:
        """Half of the groups as A, the other half as B: nothing in A has its counterpart in B. As
        it is where it is not paired."""
        if not self.paired:
            return self
        first, second = self.split(0.5, seed)
        return dataclasses.replace(first, targets=second.targets, paired=False)

    def shuffled(self, seed: int = 0) -> Pairs:
        """Every picture of A with the counterpart of another one."""
        self._require("shuffled")
        order = Generator(seed).permutation(len(self))
        targets = np.empty_like(self.targets)
        targets[order] = self.targets[np.roll(order, 1)]
        return dataclasses.replace(self, targets=targets)

    def _require(self, what: str) -> None:
        if not self.paired:
            raise DataError(f"{what}: the pictures of {self.name} are not paired")
