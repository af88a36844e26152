"""How an array lies in memory: updates run over it as one flat piece, kernels want it in an order
of theirs."""

import numpy as np

from ..arrays import array_module, device_of, seam, to_device

__all__: list[str] = []  # no ops


def memory_order(array):
    """The order of its dimensions from the outermost in memory, such that `flat` gives a view; None
    if there are gaps.

    A C-ordered array: (0, 1, ...). A transposed one, e.g. a weight (out, in) that is stored as (in,
    out): (1, 0).
    """
    if array.flags.c_contiguous:
        return tuple(range(array.ndim))
    order = tuple(sorted(range(array.ndim), key=lambda i: -array.strides[i]))
    return order if array.transpose(order).flags.c_contiguous else None


def flat(array, order):
    """The elements in memory order `order`, as one dimension: a view if the array lies so, else a
    copy that does."""
    return array.transpose(order).ravel()


def full_like(array, value):
    """A new array of this shape, dtype, device and layout."""
    return array_module(array).full_like(array, value)


def conform(source, array):
    """`source` if it has the dtype, device and layout of `array`, else a copy of it that has.
    Shapes must agree."""
    if (
        source.dtype == array.dtype
        and device_of(source) == device_of(array)
        and memory_order(source) == memory_order(array)
    ):
        return source
    copy = full_like(array, 0)
    copy[...] = to_device(source, device_of(array))
    return copy


@seam.dispatched
def constant(like, values):
    """The NumPy array `values` beside the array `like`, for reading."""
    return array_module(like).asarray(values)


@seam.dispatched
def by_position(x):
    """The weight of a convolution, laid out as its device likes it: itself, or a copy."""
    return x


def join(arrays, axis):
    """The arrays (of one library) joined along an axis. CuPy joins more than 8 in one kernel and
    sends it their addresses, which a captured step cannot: on CUDA they are joined by eights."""
    xp = array_module(arrays[0])
    while xp is not np and len(arrays) > 8:
        arrays = [xp.concatenate(arrays[i : i + 8], axis=axis) for i in range(0, len(arrays), 8)]
    return xp.concatenate(arrays, axis=axis)
