"""Cases: convolutions, against loops over every element."""

import itertools

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from ops.case import Case, fill, seeds

import minigan.ops as ops
from minigan.ops.convolution import cards
from minigan.ops.convolution.geometry import Geometry


def pairs(x, w, geometry, transposed=False):
    """(index into x, index into w, index into y) of every product in a convolution. x and y (N,
    channels, ...)."""
    dims, groups = len(geometry.kernel), geometry.groups
    rows, columns = w.shape[0] // groups, w.shape[1]
    for n, o in itertools.product(range(len(x)), range(w.shape[0])):
        for p, t in itertools.product(np.ndindex(*geometry.out), np.ndindex(*geometry.kernel)):
            q = tuple(
                p[i] * geometry.stride[i] - geometry.padding[i] + t[i] * geometry.dilation[i]
                for i in range(dims)
            )
            if all(0 <= q[i] < geometry.size[i] for i in range(dims)):
                for c in range(columns):
                    yield (n, o // rows * columns + c, *q), (o, c, *t), (n, o, *p)


def conv(x, w, bias, geometry):
    y = np.zeros((len(x), len(w), *geometry.out))
    for a, b, c in pairs(x, w, geometry):
        y[c] += x[a] * w[b]
    return y if bias is None else y + bias.reshape(-1, *[1] * len(geometry.out))


def conv_transpose(y, w, bias, geometry):
    x = np.zeros((len(y), w.shape[1] * geometry.groups, *geometry.size))
    for a, b, c in pairs(x, w, geometry):
        x[a] += y[c] * w[b]
    return x if bias is None else x + bias.reshape(-1, *[1] * len(geometry.size))


def conv_weight(x, y, geometry):
    w = np.zeros((y.shape[1], x.shape[1] // geometry.groups, *geometry.kernel))
    for a, b, c in pairs(x, w, geometry):
        w[b] += x[a] * y[c]
    return w


@st.composite
def problems(draw, dims=None):
    """(x, y, w, geometry) of a random convolution; w (O, C / groups, ...)."""
    dims = draw(st.integers(1, 3)) if dims is None else dims
    side = (9, 6, 3)[dims - 1]

    def each(low, high):
        return tuple(draw(st.integers(low, high)) for _ in range(dims))

    kernel = each(1, 4 if dims < 3 else 2)
    stride = each(1, 3)
    dilation = each(1, 2)
    padding = each(0, 2)
    size = each(1, side)
    behind = each(0, 2)
    out = tuple(
        (n + p + q - (k - 1) * d - 1) // s + 1
        for n, p, q, k, d, s in zip(size, padding, behind, kernel, dilation, stride)
    )
    assume(min(out) >= 1)
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    n = draw(st.integers(1, 2))
    c = draw(st.integers(1, 2)) * groups
    o = draw(st.integers(1, 2)) * groups
    x = fill(draw(seeds), (n, c, *size))
    y = fill(draw(seeds), (n, o, *out))
    w = fill(draw(seeds), (o, c // groups, *kernel))
    return x, y, w, Geometry(size, out, kernel, stride, padding, dilation, groups)


@st.composite
def layers(draw, dims):
    """Arguments of conv{dims}d."""
    x, _, w, g = draw(problems(dims))
    assume(
        all(
            (n + 2 * p - (k - 1) * d - 1) >= 0
            for n, p, k, d in zip(g.size, g.padding, g.kernel, g.dilation)
        )
    )
    bias = fill(draw(seeds), (len(w),)) if draw(st.booleans()) else None
    return x, w, bias, g.stride, g.padding, g.dilation, g.groups


def by_layer(x, w, bias, stride, padding, dilation, groups):
    size, kernel = x.shape[2:], w.shape[2:]
    out = tuple(
        (n + 2 * p - (k - 1) * d - 1) // s + 1
        for n, p, k, d, s in zip(size, padding, kernel, dilation, stride)
    )
    return conv(x, w, bias, Geometry(size, out, kernel, stride, padding, dilation, groups))


@st.composite
def transposed_layers(draw, dims):
    """Arguments of conv_transpose{dims}d."""
    _, y, w, g = draw(problems(dims))
    extra = tuple(draw(st.integers(0, max(s, d) - 1)) for s, d in zip(g.stride, g.dilation))
    size = transposed_size(y, w, g.stride, g.padding, extra, g.dilation)
    assume(min(size) >= 1)
    bias = fill(draw(seeds), (w.shape[1] * g.groups,)) if draw(st.booleans()) else None
    return y, w, bias, g.stride, g.padding, extra, g.groups, g.dilation


def transposed_size(y, w, stride, padding, extra, dilation):
    sizes = zip(y.shape[2:], w.shape[2:], stride, padding, extra, dilation)
    return tuple((o - 1) * s - 2 * p + d * (k - 1) + e + 1 for o, k, s, p, e, d in sizes)


def by_transposed_layer(y, w, bias, stride, padding, extra, groups, dilation):
    size = transposed_size(y, w, stride, padding, extra, dilation)
    return conv_transpose(
        y, w, bias, Geometry(size, y.shape[2:], w.shape[2:], stride, padding, dilation, groups)
    )


CASES = [
    Case("channel_sums", st.just((np.arange(24.0).reshape(2, 3, 4) ** 1.5,)),
        lambda g: np.array([sum(g[:, c].ravel()) for c in range(3)])),
    Case("conv", problems().map(lambda a: (a[0], a[2], None, a[3])), conv, call=cards.conv),
    Case("conv:bias", problems().map(lambda a: (a[0], a[2], a[2].sum((1, *range(2, a[2].ndim))),
                a[3])), conv, call=cards.conv),
    Case("conv_transpose", problems().map(lambda a: (a[1], a[2], None, a[3])), conv_transpose,
        call=cards.conv_transpose),
    Case("conv_weight", problems().map(lambda a: (a[0], a[1], a[3])), conv_weight,
        call=cards.conv_weight),
    *[Case(f"conv{d}d", layers(d), by_layer, op="conv", call=getattr(ops, f"conv{d}d"),
            card_args=None) for d in (1, 2, 3)],
    *[
        Case(
            f"conv_transpose{d}d", transposed_layers(d), by_transposed_layer, op="conv_transpose",
            call=getattr(ops, f"conv_transpose{d}d"), card_args=None,
        )
        for d in (1, 2, 3)
    ],
]  # fmt: skip
