"""`save` and `load`: any nesting of dicts and lists of Tensors, arrays, numbers and strings in one
safetensors file.

The arrays are the file's tensors, the rest is JSON in its header; nothing in it can run code. A
plain state dict is a file that every program for safetensors reads, and their files are read too.
Files are written atomically: a reader, or a run killed at any moment, finds the old file or the new
one whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import device, is_array, to_device, to_numpy
from ..autograd import Tensor, tensor_of
from .files import write_atomic


class SavedFileError(ValueError):
    """A file cannot be loaded: the message names it, and says what is wrong and what to do."""


# --- trees and their parts ---


def _key(key: Any, path: str) -> str:
    """A key of a dict as a string: JSON has no others. Those that could be mistaken for our own
    marks are marked too."""
    if isinstance(key, int) and not isinstance(key, bool):
        return f"#{key}"
    if not isinstance(key, str):
        raise TypeError(
            f"save: {path or 'the dict'} has the key {key!r}; keys must be strings or integers"
        )
    return f"##{key}" if key.startswith(("#", "__")) else key


def _unkey(key: str) -> str | int:
    return key[2:] if key.startswith("##") else int(key[1:]) if key.startswith("#") else key


def _take_apart(tree: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(tree, Tensor):
        tree = tree.array
    if is_array(tree):
        while path in arrays or path == "__metadata__":  # the format's own name for its header
            path += "'"
        arrays[path] = np.ascontiguousarray(to_numpy(tree)).reshape(tree.shape)
        return {"__array__": path}
    if isinstance(tree, Mapping):
        return {
            _key(k, path): _take_apart(v, f"{path}/{k}" if path else str(k), arrays)
            for k, v in tree.items()
        }
    if isinstance(tree, (list, tuple)):
        items = [
            _take_apart(v, f"{path}/{i}" if path else str(i), arrays) for i, v in enumerate(tree)
        ]
        return items if isinstance(tree, list) else {"__tuple__": items}
    if isinstance(tree, np.generic):
        return tree.item()
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return tree
    hint = ""
    if hasattr(tree, "state_dict"):
        hint = "; save its state_dict()"
    elif hasattr(tree, "__dict__"):
        hint = "; of an object such as argparse's options save vars(...)"
    what = f"{path or 'the object'} is {type(tree).__name__}"
    raise TypeError(
        f"save: {what}: only Tensors, numbers, strings, dicts and lists go in a file{hint}"
    )


def _put_together(tree: Any, arrays: Mapping[str, Any]) -> Any:
    if isinstance(tree, dict):
        if "__array__" in tree:
            return arrays[tree["__array__"]]
        if "__tuple__" in tree:
            return tuple(_put_together(v, arrays) for v in tree["__tuple__"])
        return {_unkey(k): _put_together(v, arrays) for k, v in tree.items()}
    return [_put_together(v, arrays) for v in tree] if isinstance(tree, list) else tree


# --- files ---


def _digest(arrays: Mapping[str, np.ndarray], rest: str) -> str:
    """Of all that was saved: the format itself has no checksum, and a flipped bit would be another
    number."""
    digest = hashlib.sha256(rest.encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def save(obj: Any, f: Any) -> None:
    """Write nested dicts, lists and tuples of Tensors, arrays, numbers, strings and None to a file.

    f : a path (written atomically, folders are made), or an object with write()

    OrderedDicts come back as dicts, Parameters as Tensors, arrays as Tensors. TypeError for objects
    of other kinds.
    """
    from safetensors.numpy import save as pack

    arrays: dict[str, np.ndarray] = {}
    rest = json.dumps(_take_apart(obj, "", arrays))
    content = pack(arrays, metadata={"minigan": rest, "sha256": _digest(arrays, rest)})
    if hasattr(f, "write"):
        f.write(content)
    else:
        write_atomic(f, content)


def read(f: Any, foreign: bool = True) -> Any:
    """What `save` wrote, with NumPy arrays for Tensors; of a file of another program the dict of
    its arrays.

    foreign : are files of other programs, which have no checksum, taken?

    SavedFileError for a damaged or foreign file, OSError if it cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load as unpack

    name = "the file" if hasattr(f, "read") else os.fspath(f)
    if hasattr(f, "read"):
        content = f.read()
    else:
        with open(f, "rb") as file:
            content = file.read()
    if content[:4] == b"PK\x03\x04" or (content[:1] == b"\x80" and content[8:9] != b"{"):
        raise SavedFileError(
            f"{name} is a pickle (PyTorch's own format), which could run code. Convert it where "
            "PyTorch is: "
            "safetensors.torch.save_file(torch.load(path, map_location='cpu', weights_only=True), "
            "'weights.safetensors')"
        )
    try:
        arrays = unpack(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        ours = header.get("__metadata__", {})
        if "minigan" not in ours and "sha256" not in ours:
            if not foreign:
                raise ValueError("minigan has not written it")
            return arrays
        if _digest(arrays, ours["minigan"]) != ours["sha256"]:
            raise ValueError("its checksum does not fit what it holds")
        return _put_together(json.loads(ours["minigan"]), arrays)
    except (
        SafetensorError,
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        RecursionError,
    ) as error:
        raise SavedFileError(
            f"{name} is damaged, or no safetensors file ({type(error).__name__}: {error})"
        ) from error


def load(
    f: Any, map_location: Any = None, *, weights_only: bool = True, mmap: bool | None = None
) -> Any:
    """What `save` wrote, or the dict of Tensors of any safetensors file.

    f : a path, or an object with read()
    map_location : where the Tensors go, a device or its name; default, and for torch's functions
        and dicts: the CPU
    weights_only, mmap : accepted; there is never anything else in a file

    SavedFileError for a damaged or foreign file (also PyTorch's pickles: the message says how to
    convert them), OSError if it cannot be read.
    """
    place = (
        None
        if map_location is None or callable(map_location) or isinstance(map_location, Mapping)
        else device(map_location)
    )

    def boxed(tree: Any) -> Any:
        if is_array(tree):
            return tensor_of(tree if place is None else to_device(tree, place))
        if isinstance(tree, dict):
            return {k: boxed(v) for k, v in tree.items()}
        return type(tree)(boxed(v) for v in tree) if isinstance(tree, (list, tuple)) else tree

    return boxed(read(f))
