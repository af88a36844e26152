"""torch.nn.utils.rnn: sequences of different lengths in one Tensor."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arrays import to_numpy
from ..autograd import Tensor
from ..ops import as_tensor, cat, stack
from . import functional as F

__all__ = [
    "PackedSequence",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


def pad_sequence(
    sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0,
    padding_side: str = "right"
) -> Tensor:  # fmt: skip
    """Tensors (L_i, *) as one (L, N, *), or (N, L, *) with batch_first; `padding_value` at the end
    ("left": the start) of shorter ones."""
    if padding_side not in ("right", "left"):
        raise ValueError(f"pad_sequence: padding_side={padding_side!r}: expected 'right' or 'left'")
    longest = max(len(s) for s in sequences)

    def padded(s):
        missing = longest - len(s)
        sizes = (0, missing) if padding_side == "right" else (missing, 0)
        return F.pad(s, (0, 0) * (s.ndim - 1) + sizes, value=padding_value) if missing else s

    return stack([padded(s) for s in sequences], 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Any, batch_first: bool = False
) -> list[Tensor]:
    """What `pad_sequence` had been given, whose lengths were these."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[: int(n)] for row, n in zip(rows, lengths)]


class PackedSequence(NamedTuple):
    """Sequences of different lengths as recurrent layers take them: the longest first, and only
    their own elements.

    data : (sum of the lengths, *): the first elements of all sequences, then the second ones of
        those that have one, ...
    batch_sizes : int64, how many sequences have a first element, a second one, ...
    sorted_indices, unsorted_indices : the order of the sequences here in the batch, and back; None
        where it is the same
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None

    def to(self, *args: Any, **kwargs: Any) -> "PackedSequence":
        """The same with `data` (and the order) on another device or in another dtype."""
        data = self.data.to(*args, **kwargs)
        order = [None if i is None else i.to(data.device) for i in self[2:]]
        return PackedSequence(data, self.batch_sizes, *order)

    def cpu(self) -> "PackedSequence":
        """The same on the CPU."""
        return self.to("cpu")

    def cuda(self, device: Any = "cuda") -> "PackedSequence":
        """The same on a CUDA device."""
        return self.to(device)

    @property
    def is_cuda(self) -> bool:
        """Does the data live on a CUDA device?"""
        return self.data.is_cuda

    def lengths(self) -> np.ndarray:
        """Of each sequence, in the order here."""
        sizes = to_numpy(self.batch_sizes.array)
        return (sizes[:, None] > np.arange(sizes[0])).sum(0)


def _chosen(x, index, dim):
    return x.index_select(dim, as_tensor(index, device=x.device))


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Of a padded batch (L, N, *), or (N, L, *) with batch_first, what lies within the `lengths`
    (whole numbers, also a Tensor of them).

    enforce_sorted : RuntimeError where they are not the longest first; False: sort them
    """
    x = input.transpose(0, 1) if batch_first else input
    counts = np.array([int(n) for n in lengths], np.int64)
    if counts.shape != (x.shape[1],) or not counts.size or counts.min() < 1:
        raise RuntimeError(
            f"pack_padded_sequence: expected a length of at least 1 for each of {x.shape[1]} "
            f"sequences, got {counts.tolist()}"
        )
    if counts.max() > x.shape[0]:
        raise RuntimeError(
            f"pack_padded_sequence: a length is {counts.max()}, the batch has {x.shape[0]} elements"
        )
    order = back = None
    if not enforce_sorted:
        order = np.argsort(-counts, kind="stable")
        x, counts, back = _chosen(x, order, 1), counts[order], np.argsort(order)
    elif (np.diff(counts) > 0).any():
        raise RuntimeError(
            f"pack_padded_sequence: the lengths {counts.tolist()} are not sorted, the longest "
            "first: give enforce_sorted=False"
        )
    sizes = (counts > np.arange(counts[0])[:, None]).sum(1)
    rows = np.concatenate([t * len(counts) + np.arange(n) for t, n in enumerate(sizes)])
    data = _chosen(x.reshape(-1, *x.shape[2:]), rows, 0)
    place = data.device
    return PackedSequence(
        data,
        as_tensor(sizes),
        None if order is None else as_tensor(order, device=place),
        None if back is None else as_tensor(back, device=place),
    )


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Tensors (L_i, *) packed."""
    lengths = [len(s) for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0,
    total_length: int | None = None
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(a padded batch (L, N, *), or (N, L, *), the lengths), in the order before packing.

    total_length : L; default: the longest length
    """
    counts = sequence.lengths()
    if total_length is not None and total_length < counts[0]:
        raise ValueError(
            f"pad_packed_sequence: total_length={total_length}, and a sequence has {counts[0]}"
        )
    padded = padded_rows(sequence, padding_value, total_length)
    if sequence.unsorted_indices is not None:
        padded = padded.index_select(1, sequence.unsorted_indices)
        counts = counts[to_numpy(sequence.unsorted_indices.array)]
    return padded.transpose(0, 1) if batch_first else padded, as_tensor(counts)


def padded_rows(
    sequence: PackedSequence, padding_value: float = 0.0, total_length: int | None = None
) -> Tensor:
    """(L, N, *), in the order of the packed sequence."""
    data, sizes = sequence.data, to_numpy(sequence.batch_sizes.array)
    long, n = total_length or len(sizes), int(sizes[0])
    starts = np.cumsum(sizes) - sizes
    rows = np.full((long, n), len(data))  # the last row is padding
    for t, (start, size) in enumerate(zip(starts, sizes)):
        rows[t, :size] = np.arange(start, start + size)
    padding = data.new_full((1, *data.shape[1:]), padding_value)
    return _chosen(cat([data, padding]), rows.ravel(), 0).reshape((long, n, *data.shape[1:]))


def packed_like(rows: Tensor, sequence: PackedSequence) -> PackedSequence:
    """(L, N, *), in the order of a packed sequence, packed as it is."""
    return sequence._replace(data=pack_padded_sequence(rows, sequence.lengths()).data)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences, in the order before packing."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences))
