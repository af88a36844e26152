"""Checkpoints of runs: files of `minigan.save` named by the step, of which the newest are kept."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from ..data.saving import read, save

FOLDER, SUFFIX = "checkpoints", ".safetensors"
BEST = "best" + SUFFIX


class CheckpointError(ValueError):
    """A checkpoint cannot be read: the message names the file and what is wrong."""


def save_checkpoint(path: str | os.PathLike, tree: dict[str, Any]) -> None:
    """Write `tree` (nested dicts and lists of Tensors, arrays, numbers, strings, None) to `path`,
    atomically."""
    save(tree, path)


def load_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """What `save_checkpoint` wrote, with NumPy arrays for Tensors. CheckpointError for a missing,
    damaged or foreign file."""
    try:
        return read(path, foreign=False)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not a readable minigan checkpoint ({type(error).__name__}: {error})"
        ) from error


def path_of(folder: str | os.PathLike, step: int) -> Path:
    """Where the checkpoint of a step lies in a run's folder."""
    return Path(folder) / FOLDER / f"{step:08d}{SUFFIX}"


def checkpoints(folder: str | os.PathLike) -> list[Path]:
    """The checkpoints in a run's folder, the newest first; without the one that is kept as the
    best."""
    found = (Path(folder) / FOLDER).glob(f"*{SUFFIX}")
    return sorted((p for p in found if p.stem.isdecimal()), key=lambda p: int(p.stem), reverse=True)


def newest(folder: str | os.PathLike, say=print) -> tuple[Path, dict[str, Any]]:
    """The newest checkpoint in a run's folder that can be read, and what it holds.

    A damaged one is passed over, with a notice; CheckpointError if there is none, or none that can
    be read.
    """
    paths = checkpoints(folder)
    if not paths:
        raise CheckpointError(f"there is no checkpoint in {Path(folder) / FOLDER}")
    for path in paths:
        try:
            return path, load_checkpoint(path)
        except CheckpointError as error:
            if path is paths[-1]:
                raise
            say(f"{error}: the one before is used")
    raise AssertionError


def keep_newest(folder: str | os.PathLike, count: int) -> None:
    """Delete all checkpoints of a run but the `count` newest and the best."""
    for path in checkpoints(folder)[count:]:
        with contextlib.suppress(OSError):
            path.unlink()
