"""Checkpoints of runs: files of `minigan.save`, with arrays for Tensors."""

from __future__ import annotations

import os
from typing import Any

from ..data.saving import read, save


class CheckpointError(ValueError):
    """A checkpoint cannot be read: the message names the file and what is wrong."""


def save_checkpoint(path: str | os.PathLike, tree: dict[str, Any]) -> None:
    """Write `tree` (nested dicts and lists of Tensors, arrays, numbers, strings, None) to `path`, atomically."""
    save(tree, path)


def load_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """What `save_checkpoint` wrote, with NumPy arrays for Tensors. CheckpointError for a missing, damaged or foreign file."""
    try:
        return read(path)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not a readable minigan checkpoint ({type(error).__name__}: {error})") from error
