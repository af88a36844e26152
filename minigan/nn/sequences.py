"""torch.nn.utils.rnn: sequences of different lengths in one Tensor."""

from collections.abc import Sequence
from typing import Any

from ..autograd import Tensor
from ..ops import stack
from . import functional as F

__all__ = [
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
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


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> Any:
    """NotImplementedError: minigan's recurrent layers take padded batches."""
    raise NotImplementedError(
        "packed sequences: minigan's recurrent layers take padded batches; give the batch as it "
        "is, and take output[i, lengths[i] - 1]"
    )


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> Any:
    """NotImplementedError: see `pack_padded_sequence`."""
    return pack_padded_sequence(pad_sequence(sequences), None)


def pad_packed_sequence(
    sequence: Any, batch_first: bool = False, padding_value: float = 0.0,
    total_length: int | None = None
) -> Any:  # fmt: skip
    """NotImplementedError: see `pack_padded_sequence`."""
    return pack_padded_sequence(sequence, None)
