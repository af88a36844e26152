"""Padding of the last dimensions: with a number, or with the input's own elements."""

import functools
from collections.abc import Sequence

import numpy as np

from ..arrays import array_module
from ..autograd import Tensor, op
from .taps import apply_taps, identity_taps, taps

__all__ = ["pad"]


@op(saves=("pads",))
def _pad_constant(x, pads, value):
    """x with `value` around it: `pads` holds (before, after) for each dimension, negative ones cut.

    dL/dx = g cut and padded with zeros: the same with the negatives of `pads`
    """
    y = array_module(x).full([n + a + b for n, (a, b) in zip(x.shape, pads)], value, x.dtype)
    inside = tuple(slice(max(a, 0), m - max(b, 0)) for m, (a, b) in zip(y.shape, pads))
    y[inside] = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, pads))]
    return y


@_pad_constant.backward
def _(g, need, pads):
    return _pad_constant(g, tuple((-a, -b) for a, b in pads), 0.0)


def _reflected(i, n):
    i = np.abs(i)
    return np.where(i < n, i, 2 * (n - 1) - i)


def _wrapped(i, n):
    low, high = max(i[0], 0), min(i[-1] + 1, n)  # what negative numbers leave
    return low + (i - low) % (high - low)


# mode -> (the input position of a position i outside [0, n), how many positions there may be on one
# side)
_MODES = {
    "reflect": (_reflected, lambda n: n - 1),
    "replicate": (lambda i, n: np.clip(i, 0, n - 1), lambda n: None),
    "circular": (_wrapped, lambda n: n),
}


@functools.lru_cache(maxsize=64)
def _pad_taps(n, before, after, mode):
    return taps(
        n + before + after,
        n,
        range(n + before + after),
        _MODES[mode][0](np.arange(-before, n + after), n),
    )


def pad(
    input: Tensor,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> Tensor:
    """The last dimensions of `input` made larger on both sides, as torch.nn.functional.pad.

    pad : (before, after) of the last dimension, then of the one before it, ...; negative numbers
        cut instead
    mode : "constant": with `value` (default 0), any dimensions. The others pad the 1 to 3
        dimensions after (N, C) or (C):
        "reflect": mirrored at the edge elements, which are not repeated (2 1 | 0 1 2 | 1 0); less
            than the size
        "replicate": with the edge elements (0 0 | 0 1 2 | 2 2)
        "circular": from the other side (1 2 | 0 1 2 | 0 1); at most the size
    """
    pads = [int(p) for p in pad]
    dims = len(pads) // 2
    shape = tuple(input.shape)
    if len(pads) % 2 or dims > len(shape):
        raise ValueError(
            f"pad: pad={tuple(pads)} must be two numbers for each padded dimension of the input, "
            f"whose shape is {shape}"
        )
    pairs = list(zip(pads[::2], pads[1::2]))[::-1]  # in the order of the dimensions
    for n, (a, b) in zip(shape[len(shape) - dims :], pairs):
        if n + a + b < (0 if mode == "constant" else 1):
            raise ValueError(
                f"pad: nothing is left of a dimension of size {n} after padding by ({a}, {b}); "
                f"input of shape {shape}"
            )
    if mode == "constant":
        return _pad_constant(
            input, ((0, 0),) * (len(shape) - dims) + tuple(pairs), 0.0 if value is None else value
        )
    if mode not in _MODES:
        raise ValueError(
            f"pad: mode={mode!r}; expected one of 'constant', {', '.join(map(repr, _MODES))}"
        )
    if value:
        raise ValueError(f"pad: value={value} has no meaning with mode={mode!r}")
    if dims not in (1, 2, 3) or len(shape) not in (dims + 1, dims + 2):
        raise ValueError(
            f"pad: mode={mode!r} with {2 * dims} numbers needs input of {dims + 1} or {dims + 2} "
            f"dimensions, got shape {shape}"
        )
    for n, pair in zip(shape[-dims:], pairs):
        limit = _MODES[mode][1](n)
        if limit is not None and max(pair) > limit:
            raise ValueError(
                f"pad: mode={mode!r} can add at most {limit} positions on a side of a dimension "
                f"of size {n}, asked for {pair}; input of shape {shape}"
            )
    return apply_taps(
        input,
        *[
            _pad_taps(n, a, b, mode) if a or b else identity_taps(n)
            for n, (a, b) in zip(shape[-dims:], pairs)
        ],
    )
