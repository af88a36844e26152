"""A batch from a list of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import is_array
from ..autograd import Tensor, tensor_of
from ..ops import stack


def default_collate(batch: Sequence[Any]) -> Any:
    """Items of one kind as one batch: Tensors and arrays stacked, numbers as a Tensor (int64,
    float64, bool), strings as a list; dicts, tuples, named tuples and lists item by item. TypeError
    for other kinds."""
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(list(batch))
    if is_array(first) or isinstance(first, np.generic):
        arrays = [np.asarray(x) if isinstance(x, np.generic) else x for x in batch]
        if not is_array(arrays[0]) or arrays[0].dtype.kind in "fiub":
            return stack([tensor_of(a) for a in arrays])
    elif isinstance(first, (bool, int, float)):
        kind = (
            bool
            if isinstance(first, bool)
            else np.float64
            if any(isinstance(x, float) for x in batch)
            else np.int64
        )
        return tensor_of(np.array(batch, kind))
    elif isinstance(first, (str, bytes)):
        return list(batch)
    elif isinstance(first, Mapping):
        parts = {key: default_collate([item[key] for item in batch]) for key in first}
        return parts if type(first) is dict else type(first)(parts)  # type: ignore[call-arg]
    elif isinstance(first, (tuple, list)):
        if len({len(item) for item in batch}) != 1:
            lengths = sorted({len(item) for item in batch})
            raise RuntimeError(
                f"a batch of items of different lengths: {lengths}; give DataLoader a collate_fn"
            )
        columns = [default_collate(column) for column in zip(*batch)]
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    raise TypeError(
        f"no batch can be made of items like {first!r} ({type(first).__name__}): give DataLoader "
        "a collate_fn"
    )
