"""Cases: interpolation, pixels to channels, and the sparse maps behind them."""

import math

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, fill, seeds, shapes
from ops.cases_pooling import adapt, arithmetic_mean

from minigan.ops.taps import taps

DIMS = {"linear": (1,), "bilinear": (2,), "trilinear": (3,), "bicubic": (2,)}


@st.composite
def images(draw, mode):
    """x (N, C, ...), size, scale_factor, mode, align_corners."""
    dims = draw(st.sampled_from(DIMS.get(mode, (1, 2, 3))))
    x = fill(
        draw(seeds), (draw(st.integers(1, 2)), 2, *[draw(st.integers(1, 4)) for _ in range(dims)])
    )
    size = factor = None
    if draw(st.booleans()):
        size = tuple(draw(st.integers(1, 7)) for _ in range(dims))
    else:  # each leaves at least one pixel
        factor = tuple(
            draw(st.sampled_from([2, 3.0, 1.5, 0.5, 0.75, 1] if n > 1 else [2, 3, 1.5, 1.0]))
            for n in x.shape[2:]
        )
    if draw(st.booleans()):  # one number for all
        size, factor = size and size[0], factor and factor[0]
        factor = factor if factor is None or all(n * factor >= 1 for n in x.shape[2:]) else 2
    if "linear" in mode or mode == "bicubic":
        return x, size, factor, mode, draw(st.sampled_from([None, False, True]))
    return x, size, factor, mode


@st.composite
def smooth_images(draw):
    """The same with antialias=True."""
    mode = draw(st.sampled_from(["bilinear", "bicubic"]))
    *arguments, align = draw(images(mode))
    return (*arguments, align, None, True)


def cubic(d, a=-0.75):
    """Keys 1981, eq. 4."""
    d = abs(d)
    return (
        (a + 2) * d**3 - (a + 3) * d**2 + 1
        if d <= 1
        else a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
        if d < 2
        else 0.0
    )


def wide_weights(n, m, factor, mode, align):
    """The same with antialias: neighbours' weights, stretched where the image is made smaller, and
    made to add up to 1."""
    step = (
        ((n - 1) / (m - 1) if m > 1 else 0.0) if align else n / m if factor is None else 1 / factor
    )
    stretch, out = max(step, 1.0), np.zeros((m, n))
    for o in range(m):
        for i in range(n):
            d = (i + 0.5 - step * (o + 0.5)) / stretch
            out[o, i] = cubic(d, -0.5) if mode == "bicubic" else max(0, 1 - abs(d))
    return out / out.sum(1, keepdims=True)


def weights(n, m, factor, mode, align):
    """(m, n): how much of each input is in each output, along one dimension."""
    out = np.zeros((m, n))
    for o in range(m):
        ratio = n / m if factor is None else 1 / factor
        at = (o * (n - 1) / (m - 1) if m > 1 else 0.0) if align else (o + 0.5) * ratio - 0.5
        if mode == "nearest":
            out[o, min(math.floor(o * ratio + 1e-9), n - 1)] = 1
        elif mode == "nearest-exact":
            out[o, min(math.floor((o + 0.5) * ratio + 1e-9), n - 1)] = 1
        elif mode == "bicubic":
            for k in range(math.floor(at) - 1, math.floor(at) + 3):
                out[o, min(max(k, 0), n - 1)] += cubic(at - k)
        else:
            at = min(max(at, 0), n - 1)
            for i in range(n):
                out[o, i] = max(0, 1 - abs(at - i))
    return out


def interpolate(
    x, size=None, factor=None, mode="nearest", align=None, recompute=None, antialias=False
):
    dims = x.ndim - 2
    factors = factor if isinstance(factor, tuple) else (factor,) * dims
    sizes = (
        [int(n * f) for n, f in zip(x.shape[2:], factors)]
        if size is None
        else size
        if isinstance(size, tuple)
        else (size,) * dims
    )
    if mode == "area":
        return adapt(arithmetic_mean, dims, x, tuple(sizes))
    matrix = wide_weights if antialias else weights
    for axis, (m, f) in enumerate(zip(sizes, factors), start=2):
        x = np.moveaxis(
            np.tensordot(matrix(x.shape[axis], m, f, mode, align), x, (1, axis)), 0, axis
        )
    return x


@st.composite
def shuffles(draw, down):
    r = draw(st.integers(1, 3))
    *lead, c, h, w = draw(shapes(3, 5, 2))
    shape = (*lead, c, h * r, w * r) if down else (*lead, c * r * r, h, w)
    return fill(draw(seeds), shape), r


def shuffle(x, r):
    *lead, c, h, w = x.shape
    out = np.empty((*lead, c // (r * r), h * r, w * r))
    for *n, c, i, j in np.ndindex(out.shape):
        out[(*n, c, i, j)] = x[(*n, c * r * r + i % r * r + j % r, i // r, j // r)]
    return out


def unshuffle(x, r):
    *lead, c, h, w = x.shape
    out = np.empty((*lead, c * r * r, h // r, w // r))
    for *n, c, i, j in np.ndindex(x.shape):
        out[(*n, c * r * r + i % r * r + j % r, i // r, j // r)] = x[(*n, c, i, j)]
    return out


def matrix(t):
    """The dense matrix of Taps, from its triplets."""
    out = np.zeros((t.outputs, t.inputs))
    for o, i, w in zip(*t._triplets):
        out[o, i] += w
    return out


@st.composite
def mapped(draw):
    """x and one to three sparse matrices with any number of elements, repeated ones and empty rows
    among them."""
    dims = draw(st.integers(1, 3))
    x = fill(draw(seeds), draw(shapes(dims, dims + 2, 4 if dims < 3 else 3)))
    maps = []
    for n in x.shape[-dims:]:
        m, rng = draw(st.integers(1, 5)), np.random.default_rng(draw(seeds))
        count = draw(st.integers(0, 6))
        maps.append(
            taps(
                m,
                n,
                rng.integers(0, m, count),
                rng.integers(0, n, count),
                rng.uniform(-1, 1, count),
            )
        )
    return (x, *maps)


def apply(x, *maps):
    for axis, t in enumerate(maps, start=x.ndim - len(maps)):
        x = np.moveaxis(np.tensordot(matrix(t), x, (1, axis)), 0, axis)
    return x


CASES = [
    *[
        Case(
            "interpolate" if mode == "nearest" else f"interpolate:{mode}",
            images(mode),
            interpolate,
            op="_taps",
        )
        for mode in (
            "nearest",
            "nearest-exact",
            "linear",
            "bilinear",
            "trilinear",
            "bicubic",
            "area",
        )
    ],
    Case("interpolate:antialias", smooth_images(), interpolate, op="_taps"),
    Case("pixel_shuffle", shuffles(False), shuffle, op=None),
    Case("pixel_unshuffle", shuffles(True), unshuffle, op=None),
    Case("apply_taps", mapped(), apply, op="_taps"),
    Case(
        "apply_taps:planes",
        mapped().filter(lambda a: len(a) == 3),
        apply,
        op="_taps",
        card_args=lambda *a: a,
    ),
]
