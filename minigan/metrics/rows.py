"""What the metrics share: samples as rows of float64, and squared distances between rows in blocks
of bounded memory.

A metric of pairs needs memory for a float64 copy of its samples and a few arrays of BLOCK numbers,
never for all pairs at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Generator, array_module, device_of, is_array, to_device
from ..autograd import raw

# distances that are in memory at once: 32 MB, and a few times that for what is computed from them
BLOCK = 1 << 22
SAME = 1e-12  # squared distances below SAME (|x|^2 + |y|^2) are rounding errors of 0


class Estimate(NamedTuple):
    """A number, and the standard error of it that comes from the samples being finitely many."""

    value: float
    se: float


def as_rows(x: Any, name: str, least: int = 1) -> Any:
    """Samples (N, ...) as float64 (N, D): a NumPy or CuPy array, where x is.

    TypeError unless x holds floats; ValueError for NaN or infinity, or fewer than `least` samples.
    """
    x = raw(x)
    x = x if is_array(x) else np.asarray(x)
    if x.dtype.kind != "f":
        raise TypeError(
            f"{name} is {x.dtype}: expected floats (for pixels in [0, 1]: images / 255)"
        )
    if x.ndim < 1 or len(x) < least:
        raise ValueError(
            f"{name} has shape {tuple(x.shape)}: expected at least {least} samples, (N, ...)"
        )
    x = x.reshape(len(x), -1).astype(np.float64)
    if not bool(array_module(x).isfinite(x).all()):
        raise ValueError(f"{name} holds NaN or infinity")
    return x


def as_pair(x: Any, y: Any, names: tuple[str, str] = ("x", "y"), least: int = 1) -> tuple[Any, Any]:
    """Two sets of samples as rows; ValueError if their sizes differ, TypeError if they are on
    different devices."""
    x, y = as_rows(x, names[0], least), as_rows(y, names[1], least)
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"samples of {names[0]} have {x.shape[1]} numbers each, of {names[1]} {y.shape[1]}: "
            "expected as many"
        )
    if type(x) is not type(y):
        raise TypeError(f"{names[0]} and {names[1]} are on different devices: move one of them")
    return x, y


def beside(array: np.ndarray, like: Any) -> Any:
    """A NumPy array on the device of `like`."""
    return to_device(array, device_of(like))


def blocks(n: int, width: int) -> Iterator[slice]:
    """Slices of range(n), so that (slice) x width numbers are at most BLOCK (or one row)."""
    step = max(1, BLOCK // max(1, width))
    for start in range(0, n, step):
        yield slice(start, min(n, start + step))


def squared_norms(x: Any) -> Any:
    """|x_i|^2 of each row, (N,)."""
    return (x * x).sum(1)


def squared_distances(x: Any, y: Any, x_norms: Any = None, y_norms: Any = None) -> Any:
    """|x_i - y_j|^2 of float64 rows, (N, M), as |x|^2 + |y|^2 - 2 x.y: one matrix product. Never
    negative; exactly 0 for equal rows.

    x_norms, y_norms : `squared_norms` of each, if already known
    """
    scale = (squared_norms(x) if x_norms is None else x_norms)[:, None] + (
        squared_norms(y) if y_norms is None else y_norms
    )
    d = x @ y.T
    d *= -2
    d += scale
    d[d < SAME * scale] = 0
    return d


def subset(x: Any, n: int | None, seed: int = 0) -> Any:
    """n of the samples, chosen at random without repetition, in their order; all if n is None or
    not less than their number."""
    if n is None or n >= len(x):
        return x
    return x[np.sort(Generator(seed).permutation(len(x))[:n])]
