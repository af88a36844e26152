"""Pickles that hold nothing but numbers, texts, lists, dicts and NumPy arrays, read without running
anything that they name.

A pickle is a program that may call any function of Python. Here the few names that NumPy's arrays
need stand for the classes below, which only keep what they are given; every other name is an error.
Nothing of NumPy is called before the whole file is read.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from ....data.imageset import DataError


class _Dtype:
    """numpy.dtype(code, ...), and what __setstate__ adds: the byte order."""

    def __init__(self, code: Any, *_: Any):
        self.code, self.order = code, "|"

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]

    def dtype(self) -> np.dtype:
        """For plain numbers only: no objects, no fields."""
        code = self.code.decode("ascii") if isinstance(self.code, bytes) else self.code
        dtype = (
            np.dtype(f"{self.order}{code}")
            if isinstance(code, str) and code[:1] in "biuf"
            else None
        )
        if dtype is None or dtype.kind not in "biuf":
            raise pickle.UnpicklingError(f"an array of {code!r}")
        return dtype


class _Array:
    """An array as __reduce__ takes it apart: (version, shape, dtype, is Fortran order, bytes)."""

    state: tuple

    def __setstate__(self, state: tuple) -> None:
        self.state = state

    def array(self) -> np.ndarray:
        _, shape, dtype, fortran, content = self.state
        content = content.encode("latin1") if isinstance(content, str) else content
        flat = np.frombuffer(content, dtype.dtype())
        return flat.reshape(shape, order="F" if fortran else "C")


class _Name:
    """numpy.ndarray where it is only named."""


def _reconstruct(kind: Any, shape: Any, code: Any) -> _Array:
    return _Array()


def _from_buffer(content: Any, dtype: Any, shape: Any, order: str) -> _Array:
    """Protocol 5's way."""
    array = _Array()
    array.state = (1, shape, dtype, order == "F", bytes(content))
    return array


def _encode(text: str, encoding: str) -> bytes:
    """_codecs.encode, by which Python 3 writes bytes in Python 2's protocols."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"a text encoded as {encoding!r}")
    return text.encode("latin1")


_CORE = ("numpy.core", "numpy._core")
_NAMES: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Name,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    **{(f"{core}.multiarray", "_reconstruct"): _reconstruct for core in _CORE},
    **{(f"{core}.numeric", "_frombuffer"): _from_buffer for core in _CORE},
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(
                f"it names {module}.{name}, which no file of this kind needs and which might run "
                "anything"
            )
        return _NAMES[module, name]


def _plain(value: Any) -> Any:
    """With arrays where their parts are, in a dict or list."""
    if isinstance(value, _Array):
        return value.array()
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def read_pickle(path: Path) -> dict[str, Any]:
    """The dict in a pickle, texts of Python 2 as latin1. DataError if there is anything else in the
    file, or it is damaged."""
    try:
        found = _plain(_Reader(io.BytesIO(path.read_bytes()), encoding="latin1").load())
    except Exception as e:  # damaged pickles fail in many ways
        raise DataError(
            f"{path}: not read: {e or type(e).__name__}; put the original file in its place"
        ) from e
    if not isinstance(found, dict):
        raise DataError(
            f"{path}: expected a dict, but it holds a {type(found).__name__}; put the original "
            "file in its place"
        )
    return {
        key.decode("latin1") if isinstance(key, bytes) else key: value
        for key, value in found.items()
    }
