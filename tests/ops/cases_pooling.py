"""Cases: pooling, and the cards behind the maximum."""

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from ops.case import Case, distinct, fill, seeds

from minigan.ops import max_pooling


@st.composite
def pooled(draw, dims, dilation=False, last=()):
    """x (N, C, ...) or (C, ...), kernel_size, stride, padding, [dilation], ceil_mode, then drawn
    values."""
    lead = draw(st.lists(st.integers(1, 2), min_size=1, max_size=2))
    sizes = [draw(st.integers(1, 6)) for _ in range(dims)]
    kernel = [draw(st.integers(1, 3)) for _ in range(dims)]
    stride = draw(st.one_of(st.none(), st.tuples(*[st.integers(1, 3)] * dims)))
    spread = [draw(st.integers(1, 2)) if dilation else 1 for _ in range(dims)]
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, spread)]
    padding = [draw(st.integers(0, k // 2)) for k in kernel]
    assume(all(n + 2 * p >= r for n, p, r in zip(sizes, padding, reach)))
    # else a window may hold padding only
    assume(not dilation or all(n >= d for n, d in zip(sizes, spread)))
    ceil_mode = draw(st.booleans())
    x = distinct(draw(seeds), (*lead, *sizes))
    geometry = [tuple(kernel), stride, tuple(padding)] + ([tuple(spread)] if dilation else [])
    if dims == 1 and draw(st.booleans()):
        geometry = [v if v is None else v[0] for v in geometry]
    return (x, *geometry, ceil_mode, *[draw(v) for v in last])


def each(value, dims):
    return (value,) * dims if isinstance(value, int) else value


def pool(reduce, dims, x, kernel, stride=None, padding=0, dilation=1, ceil_mode=False):
    """reduce(values inside the input, elements of the window that are not behind the padding),
    window by window."""
    kernel = each(kernel, dims)
    padding = each(padding, dims)
    dilation = each(dilation, dims)
    stride = kernel if stride is None else each(stride, dims)
    sizes = x.shape[-dims:]
    counts = []
    for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation):
        count = 1
        reach = (k - 1) * d + 1
        end = n + 2 * p
        while count * s + reach <= end or (
            ceil_mode and (count - 1) * s + reach < end and count * s < n + p
        ):
            count += 1
        counts.append(count)
    out = np.empty((*x.shape[:-dims], *counts))
    for at in np.ndindex(out.shape):
        values, elements = [], 0
        for offset in np.ndindex(*kernel):
            where = [
                o * s - p + i * d
                for o, s, p, i, d in zip(at[-dims:], stride, padding, offset, dilation)
            ]
            elements += all(w < n + p for w, n, p in zip(where, sizes, padding))
            if all(0 <= w < n for w, n in zip(where, sizes)):
                values.append(x[at[:-dims] + tuple(where)])
        out[at] = reduce(values, elements)
    return out


def average(
    dims, x, kernel, stride, padding, ceil_mode=False, count_include_pad=True, divisor=None
):
    return pool(
        lambda values,
        elements: sum(values) / (divisor or (elements if count_include_pad else len(values))),
        dims, x, kernel, stride, padding, 1, ceil_mode,
    )  # fmt: skip


def maximum(dims, *args):
    return pool(lambda values, _: max(values), dims, *args)


@st.composite
def adaptive(draw, dims):
    x = distinct(
        draw(seeds), tuple(draw(st.integers(1, 6)) for _ in range(draw(st.integers(1, 2)) + dims))
    )
    sizes = tuple(draw(st.integers(1, 7)) for _ in range(dims))
    return x, (sizes[0] if draw(st.booleans()) and len(set(sizes)) == 1 else sizes)


def adapt(reduce, dims, x, sizes):
    sizes = each(sizes, dims)
    out = np.empty((*x.shape[:-dims], *sizes))
    for at in np.ndindex(out.shape):
        window = [
            slice(o * n // m, -(-(o + 1) * n // m))
            for o, n, m in zip(at[-dims:], x.shape[-dims:], sizes)
        ]
        out[at] = reduce(x[at[:-dims] + tuple(window)].ravel().tolist())
    return out


def arithmetic_mean(values):
    return sum(values) / len(values)


@st.composite
def gathers(draw, scatter=False):
    """Values of each plane (h, w), positions in planes (H, W), repeated ones too."""
    lead = tuple(draw(st.integers(1, 3)) for _ in range(draw(st.integers(0, 2))))
    size, count = [tuple(draw(st.integers(1, 4)) for _ in range(2)) for _ in range(2)]
    index = (
        np.random.default_rng(draw(seeds))
        .integers(0, size[0] * size[1], (*lead, *count))
        .astype(np.int32)
    )
    x = fill(draw(seeds), (*lead, *(count if scatter else size)))
    return (x, index, (*lead, *size)) if scatter else (x, index)


def gather(x, index):
    return np.array(
        [x[(*at[:-2], i // x.shape[-1], i % x.shape[-1])] for at, i in np.ndenumerate(index)]
    ).reshape(index.shape)


def scatter(g, index, shape):
    out = np.zeros(shape)
    for at, i in np.ndenumerate(index):
        out[(*at[:-2], i // shape[-1], i % shape[-1])] += g[at]
    return out


flags = (st.booleans(),)
CASES = [
    Case("avg_pool1d", pooled(1, last=flags), lambda *a: average(1, *a), op="_taps"),
    Case(
        "avg_pool2d",
        pooled(2, last=(*flags, st.sampled_from([None, 3]))),
        lambda *a: average(2, *a),
        op="_taps",
    ),
    Case("adaptive_avg_pool1d", adaptive(1), lambda x, n: adapt(arithmetic_mean, 1, x, n), op=None),
    Case("adaptive_avg_pool2d", adaptive(2), lambda x, n: adapt(arithmetic_mean, 2, x, n), op=None),
    Case("max_pool1d", pooled(1, dilation=True), lambda *a: maximum(1, *a), op="plane_gather"),
    Case("max_pool2d", pooled(2, dilation=True), lambda *a: maximum(2, *a), op="plane_gather"),
    Case("adaptive_max_pool1d", adaptive(1), lambda x, n: adapt(max, 1, x, n), op="plane_gather"),
    Case("adaptive_max_pool2d", adaptive(2), lambda x, n: adapt(max, 2, x, n), op="plane_gather"),
    Case("plane_gather", gathers(), gather, call=max_pooling.plane_gather, card_args=lambda *a: a),
    Case(
        "plane_scatter",
        gathers(scatter=True),
        scatter,
        call=max_pooling.plane_scatter,
        card_args=lambda *a: a,
    ),
]
