"""Checkpoints: any nesting of dicts and lists of Tensors, arrays, numbers and strings in one safetensors file.

The arrays are the file's tensors, the rest is JSON in its header; nothing in it can run code. Files are written atomically:
a reader, or a run killed at any moment, finds the old file or the new one whole.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..backend import is_array, to_numpy
from ..data.files import write_atomic


class CheckpointError(ValueError):
    """A checkpoint cannot be read: the message names the file and what is wrong."""


def _take_apart(tree: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(tree, Tensor):
        tree = tree.array
    if is_array(tree):
        arrays[path] = np.ascontiguousarray(to_numpy(tree)).reshape(tree.shape)
        return {"__array__": path}
    if isinstance(tree, dict):
        # JSON turns the keys into strings: those that were integers are marked.
        return {(f"#{k}" if isinstance(k, int) else k): _take_apart(v, f"{path}/{k}", arrays) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_take_apart(v, f"{path}/{i}", arrays) for i, v in enumerate(tree)]
    return tree.item() if isinstance(tree, np.generic) else tree


def _put_together(tree: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(tree, dict):
        if "__array__" in tree:
            return arrays[tree["__array__"]]
        return {(int(k[1:]) if k.startswith("#") else k): _put_together(v, arrays) for k, v in tree.items()}
    return [_put_together(v, arrays) for v in tree] if isinstance(tree, list) else tree


def save_checkpoint(path: str | os.PathLike, tree: dict[str, Any]) -> None:
    """Write `tree` (nested dicts and lists of Tensors, arrays, numbers, strings, None) to `path`, atomically."""
    from safetensors.numpy import save

    arrays: dict[str, np.ndarray] = {}
    rest = _take_apart(tree, "", arrays)
    write_atomic(Path(path), save(arrays, metadata={"minigan": json.dumps(rest)}))


def load_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """What `save_checkpoint` wrote, with NumPy arrays for Tensors. CheckpointError for a missing, damaged or foreign file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}
        return _put_together(json.loads(metadata["minigan"]), arrays)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is not a readable minigan checkpoint ({type(error).__name__}: {error})") from error
