"""Data sets as torch.utils.data has them: anything with `data[i]` and `len(data)`, and ways to make
one of others."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence
from typing import Any

from ..arrays import Generator, default_generator


class Dataset:
    """Base class of data sets: a subclass defines `__getitem__(index)` and `__len__()`."""

    def __class_getitem__(cls, kind: Any) -> Any:  # Dataset[Tensor], as torch's is annotated
        return cls

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index)")

    def __add__(self, other: Dataset) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Base class of data sets that can only be gone through: a subclass defines `__iter__()`."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__()")


class TensorDataset(Dataset):
    """Item i is the tuple of row i of each Tensor; all have the same first size."""

    def __init__(self, *tensors: Any):
        if not tensors or len({x.shape[0] for x in tensors}) != 1:
            raise ValueError(
                "TensorDataset: the first sizes must agree, got shapes "
                f"{[tuple(x.shape) for x in tensors]}"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> Any:
        return tuple(x[index] for x in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


class Subset(Dataset):
    """The items of `dataset` at `indices`, in that order."""

    def __init__(self, dataset: Any, indices: Sequence[int]):
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset):
    """One data set after the other."""

    def __init__(self, datasets: Any):
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: expected at least one data set")
        self.cumulative_sizes: list[int] = []
        for d in self.datasets:
            if isinstance(d, IterableDataset):
                raise ValueError(
                    "ConcatDataset: a data set without indices (IterableDataset) cannot be joined"
                )
            self.cumulative_sizes.append(
                len(d) + (self.cumulative_sizes[-1] if self.cumulative_sizes else 0)
            )

    def __getitem__(self, index: int) -> Any:
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"index {index} is out of range for {n} items")
        index %= n
        part = bisect.bisect_right(self.cumulative_sizes, index)
        return self.datasets[part][index - (self.cumulative_sizes[part - 1] if part else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


def random_split(
    dataset: Any, lengths: Sequence[float], generator: Generator = default_generator
) -> list[Subset]:
    """Random parts of the given lengths without common items; fractions that add up to 1 are
    shares."""
    n = len(dataset)
    if math.isclose(sum(lengths), 1) and all(0 <= x <= 1 for x in lengths):
        counts = [int(n * x) for x in lengths]
        for i in range(n - sum(counts)):
            counts[i % len(counts)] += 1
    else:
        counts = [int(x) for x in lengths]
    if sum(counts) != n:
        raise ValueError(
            f"random_split: lengths {list(lengths)} do not add up to {n}, the number of items"
        )
    order = generator.permutation(n).tolist()
    return [
        Subset(dataset, order[sum(counts[:i]) : sum(counts[: i + 1])]) for i in range(len(counts))
    ]
