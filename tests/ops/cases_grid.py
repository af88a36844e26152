"""Cases: sampling at points, patches, pooling of three dimensions and by norms."""

import itertools
import math

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, distinct, fill, seeds
from ops.cases_pooling import adapt, adaptive, arithmetic_mean, average, maximum, pooled

import minigan.ops.max_pooling as pooling
import minigan.ops.patches as patches
from minigan.ops import pooling3d


def positions(g, n, align):
    return (g + 1) * (n - 1) / 2 if align else ((g + 1) * n - 1) / 2


def inside(x, n, padding, align):
    """Where padding puts a position; None: outside."""
    if padding == "zeros":
        return x
    if padding == "reflection":
        low, high = (0, n - 1) if align else (-0.5, n - 0.5)
        while high > low and not low <= x <= high:
            x = 2 * low - x if x < low else 2 * high - x
        x = x if high > low else 0
    return min(max(x, 0), n - 1)


def cubic(d, a=-0.75):
    d = abs(d)
    return (
        (a + 2) * d**3 - (a + 3) * d**2 + 1
        if d <= 1
        else a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
        if d < 2
        else 0.0
    )


def sampled(x, grid, mode="bilinear", padding="zeros", align=False):
    """Pixel by pixel, as torch's documentation describes it."""
    sizes = x.shape[2:]
    out = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    for at in np.ndindex(grid.shape[:-1]):
        where = [positions(g, n, align) for g, n in zip(grid[at][::-1], sizes)]
        taps = []
        for p, n in zip(where, sizes):
            if mode == "bicubic":
                first = math.floor(p)
                near = [
                    (inside(k, n, padding, align), cubic(p - k))
                    for k in range(first - 1, first + 3)
                ]
            else:
                p = inside(p, n, padding, align)
                first = math.floor(p)
                near = (
                    [(round(p), 1.0)]
                    if mode == "nearest"
                    else [(first, first + 1 - p), (first + 1, p - first)]
                )
            taps.append(near)
        for corner in itertools.product(*taps):
            pixel = tuple(int(i) for i, _ in corner)
            if all(0 <= i < n for i, n in zip(pixel, sizes)):
                out[(at[0], slice(None), *at[1:])] += x[(at[0], slice(None), *pixel)] * math.prod(
                    w for _, w in corner
                )
    return out


@st.composite
def images_and_grids(draw, dims, modes):
    sizes, points = [[draw(st.integers(1, 3)) for _ in range(dims)] for _ in range(2)]
    n = draw(st.integers(1, 2))
    mode, padding = (
        draw(st.sampled_from(modes)),
        draw(st.sampled_from(["zeros", "border", "reflection"])),
    )
    x = fill(draw(seeds), (n, 2, *sizes))
    return x, fill(draw(seeds), (n, *points, dims), -1.6, 1.6), mode, padding, draw(st.booleans())


@st.composite
def maps(draw, dims):
    size = (2, 1, *[draw(st.integers(1, 3)) for _ in range(dims)])
    return fill(draw(seeds), (2, dims, dims + 1)), size, draw(st.booleans())


def mapped(theta, size, align):
    out = np.zeros((size[0], *size[2:], len(size) - 2))
    for at in np.ndindex(out.shape[:-1]):
        point = [
            0 if n == 1 else -1 + 2 * i / (n - 1) if align else (2 * i + 1) / n - 1
            for i, n in zip(at[1:], size[2:])
        ][::-1]
        out[at] = theta[at[0]] @ np.array([*point, 1.0])
    return out


@st.composite
def windows(draw):
    x = fill(
        draw(seeds), (2, draw(st.integers(1, 2)), draw(st.integers(3, 5)), draw(st.integers(3, 5)))
    )
    pair = lambda a, b: (draw(st.integers(a, b)), draw(st.integers(a, b)))
    return x, (draw(st.integers(1, 2)), 2), pair(1, 2), pair(0, 1), pair(1, 2)


def out_size(size, kernel, dilation, padding, stride):
    return [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, d, p, s in zip(size, kernel, dilation, padding, stride)
    ]


def unfolded(x, kernel, dilation, padding, stride):
    out = out_size(x.shape[2:], kernel, dilation, padding, stride)
    y = np.zeros((*x.shape[:2], *kernel, *out))
    for at in np.ndindex(y.shape):
        i, j = [
            o * s - p + k * d for o, s, p, k, d in zip(at[4:], stride, padding, at[2:4], dilation)
        ]
        if 0 <= i < x.shape[2] and 0 <= j < x.shape[3]:
            y[at] = x[at[0], at[1], i, j]
    return y.reshape(len(x), -1, math.prod(out))


def folded(y, size, kernel, dilation, padding, stride):
    out = out_size(size, kernel, dilation, padding, stride)
    y = y.reshape(len(y), -1, *kernel, *out)
    x = np.zeros((*y.shape[:2], *size))
    for at in np.ndindex(y.shape):
        i, j = [
            o * s - p + k * d for o, s, p, k, d in zip(at[4:], stride, padding, at[2:4], dilation)
        ]
        if 0 <= i < size[0] and 0 <= j < size[1]:
            x[at[0], at[1], i, j] += y[at]
    return x


@st.composite
def columns(draw):
    x, *geometry = draw(windows())
    out = out_size(x.shape[2:], *geometry)
    return (
        fill(draw(seeds), (2, math.prod(geometry[0]) * x.shape[1], math.prod(out))),
        x.shape[2:],
        *geometry,
    )


def card_geometry(x, *geometry):
    return x, patches._geometry("unfold", x.shape[2:], *geometry)


def fold_geometry(y, size, *geometry):
    return y, patches._geometry("fold", size, *geometry)


@st.composite
def pooled_once(draw, dims):
    """Maxima and their positions: what a max_unpool gets, and a size that it can come from."""
    x = distinct(draw(seeds), (2, 1, *[draw(st.integers(2, 5)) for _ in range(dims)]))
    pool = (pooling.max_pool1d, pooling.max_pool2d, pooling3d.max_pool3d)[dims - 1]
    y, at = pool(x, 2, return_indices=True)
    return y, at.array, 2, None, 0, x.shape[2:]


def put_back(y, at, kernel, stride, padding, size):
    out = np.zeros((*y.shape[:2], math.prod(size)))
    for i in np.ndindex(y.shape):
        out[(*i[:2], at[i])] = y[i]
    return out.reshape(*y.shape[:2], *size)


@st.composite
def norms(draw, dims):
    x = fill(draw(seeds), (1, 2, *[draw(st.integers(2, 4)) for _ in range(dims)]), 0.2, 2.0)
    return x, draw(st.sampled_from([2, 3.0])), 2, draw(st.sampled_from([None, 1]))


def norm_pool(dims):
    def reference(x, p, kernel, stride):
        return average(
            dims, x**p * kernel**dims, kernel, kernel if stride is None else stride, 0
        ) ** (1 / p)

    return reference


CASES = [
    Case(
        "grid_sample",
        images_and_grids(2, ["bilinear", "bicubic"]),
        sampled,
        op="plane_gather",
        tolerance=2e-3,
    ),
    Case(
        "grid_sample:nearest",
        images_and_grids(2, ["nearest"]),
        sampled,
        op="plane_gather",
        orders=0,
    ),
    Case(
        "grid_sample:3d",
        images_and_grids(3, ["bilinear"]),
        sampled,
        op="plane_gather",
        tolerance=2e-3,
    ),
    Case("affine_grid", maps(2), mapped, op="matmul"),
    Case("affine_grid:3d", maps(3), mapped, op="matmul"),
    Case("unfold", windows(), unfolded, card_args=card_geometry),
    Case("fold", columns(), folded, card_args=fold_geometry),
    Case(
        "avg_pool3d",
        pooled(3, last=(st.booleans(), st.sampled_from([None, 3]))),
        lambda *a: average(3, *a),
        op="_taps",
    ),
    Case("adaptive_avg_pool3d", adaptive(3), lambda x, n: adapt(arithmetic_mean, 3, x, n), op=None),
    Case("max_pool3d", pooled(3, dilation=True), lambda *a: maximum(3, *a), op="plane_gather"),
    Case("adaptive_max_pool3d", adaptive(3), lambda x, n: adapt(max, 3, x, n), op="plane_gather"),
    Case("max_unpool1d", pooled_once(1), put_back, op="put"),
    Case("max_unpool2d", pooled_once(2), put_back, op="put"),
    Case("max_unpool3d", pooled_once(3), put_back, op="put"),
    Case("lp_pool1d", norms(1), norm_pool(1), op="_taps", tolerance=1e-4),
    Case("lp_pool2d", norms(2), norm_pool(2), op="_taps", tolerance=1e-4),
    Case("lp_pool3d", norms(3), norm_pool(3), op="_taps", tolerance=1e-4),
]
