"""Tensors on other devices and in other dtypes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import device, device_of, to_device
from ..autograd import Tensor, op, raw
from ..autograd._types import DType, Place

__all__ = ["to"]


def move(array: Any, place: Any = None, dtype: Any = None, copy: bool = False) -> Any:
    """`array` on `place` with `dtype`; the same array where nothing changes and `copy` is not asked
    for."""
    out = array if place is None else to_device(array, place)
    if dtype is not None and out.dtype != dtype:
        out = out.astype(dtype)
    return out.copy() if copy and out is array else out


_place = device  # the parameter of `to` has this name


@op(saves=("place", "dtype", "old_place", "old_dtype"), mixed=True)
def _convert(x, place, dtype, old_place, old_dtype):
    """On another device and in another dtype.    dL/dx = g converted back"""
    return move(x, place, dtype, copy=True)


@_convert.backward
def _(g, need, place, dtype, old_place, old_dtype):
    return _convert(g, old_place, old_dtype, place, dtype or old_dtype)


def to(
    input: Tensor,
    *args: Any,
    dtype: DType = None,
    device: Place = None,
    copy: bool = False,
    non_blocking: bool = False,
    memory_format: Any = None,
    other: Tensor | None = None,
) -> Tensor:
    """`input` on another device or in another dtype; itself where nothing changes.

    to(dtype), to(device), to(device, dtype), to(other): dtypes are NumPy's or their names, devices
    "cpu", "cuda:0", ...
    memory_format : accepted, here and in `clone` and `contiguous`; minigan lays arrays out itself
    """
    place, kind = parse_to(args if other is None else (other,), device, dtype)
    here = device_of(raw(input))
    if not copy and (kind is None or kind == input.dtype) and (place is None or place == here):
        return input
    return _convert(input, place, kind, None if place is None else here, input.dtype)


def parse_to(
    args: Sequence[Any], device: Place = None, dtype: DType = None
) -> tuple[_place | None, np.dtype | None]:
    """(device, dtype) that the arguments of torch's `to` name, of Tensors and Modules: a device, a
    dtype, both, or a Tensor that has both. None: as before."""
    place, kind = device, dtype
    for a in args:
        if isinstance(a, Tensor):
            place, kind = a.device, a.dtype
        elif isinstance(a, bool):
            continue  # non_blocking, by position
        elif _is_place(a):
            place = a
        elif a is not None:
            kind = a
    if isinstance(place, int):
        place = _place("cuda", place)
    return None if place is None else _place(place), None if kind is None else np.dtype(kind)


def _is_place(a):
    """Is it a device, a CUDA index, or a string that names one?"""
    return isinstance(a, (_place, int)) or (
        isinstance(a, str) and a.partition(":")[0] in ("cpu", "cuda")
    )
