"""torch.utils.data's names."""

from typing import Any

from ...data.collate import default_collate
from ...data.dataset import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    random_split,
)
from ...data.distributed import DistributedSampler
from ...data.loader import DataLoader
from ...data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler", "ConcatDataset", "DataLoader", "Dataset", "DistributedSampler",
    "IterableDataset", "RandomSampler", "Sampler", "SequentialSampler",
    "Subset", "SubsetRandomSampler", "TensorDataset", "WeightedRandomSampler", "default_collate",
    "get_worker_info", "random_split",
]  # fmt: skip


def get_worker_info() -> Any:
    """None, as in a main process: an IterableDataset is read from its beginning to its end in one
    place, whatever num_workers, and needs no parts."""
    return None
