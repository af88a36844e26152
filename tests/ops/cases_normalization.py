"""Cases: batch, instance, layer and group normalisation."""

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, distinct, fill, seeds

import minigan.ops as ops


@st.composite
def batches(draw, affine=True, running=False):
    """x (N, C, ...) of at least 2 values a channel, scales among which are zeros, shifts, eps."""
    shape = (
        draw(st.integers(2, 5)),
        draw(st.integers(1, 3)),
        *draw(st.lists(st.integers(1, 3), max_size=2)),
    )
    x = distinct(draw(seeds), shape)
    c = shape[1]
    weight = fill(draw(seeds), (c,))
    weight = np.where(fill(draw(seeds), (c,)) > 1.2, 0.0, weight)
    eps = draw(st.sampled_from([1e-5, 0.8]))
    statistics = (fill(draw(seeds), (c,)), fill(draw(seeds), (c,), 0.3, 2.0)) if running else ()
    return (
        (x, *statistics, weight, fill(draw(seeds), (c,)), eps) if affine else (x, *statistics, eps)
    )


def batch_norm(x, weight, bias, eps, mean=None, var=None):
    """Channel by channel."""
    out = np.empty_like(x)
    for c in range(x.shape[1]):
        values = x[:, c]
        m = values.sum() / values.size if mean is None else mean[c]
        v = ((values - m) ** 2).sum() / values.size if var is None else var[c]
        out[:, c] = (values - m) / np.sqrt(v + eps) * weight[c] + bias[c]
    return out


def leaky(v, slope):
    return np.where(v > 0, v, slope * v)


def ones(x):
    return np.ones(x.shape[1]), np.zeros(x.shape[1])


@st.composite
def examples(draw, kind, affine):
    """x (N, C, ...), the option of layer or group normalisation, weight, bias, eps."""
    groups, each = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
    sizes[-1] += 1  # more than one value each
    x = distinct(draw(seeds), (draw(st.integers(1, 3)), groups * each, *sizes))
    shape = x.shape[1:2]
    option = ()
    if kind == "layer":
        shape = x.shape[draw(st.integers(1, x.ndim - 1)) :]
        option = (shape,)
    elif kind == "group":
        option = (groups,)
    parameters = (fill(draw(seeds), shape), fill(draw(seeds), shape)) if affine else ()
    return (x, *option, *parameters, draw(st.sampled_from([1e-5, 0.8])))


def normalised(x, axes, eps):
    """Over `axes`, one set after the other."""
    out = np.empty_like(x)
    others = [i for i in range(x.ndim) if i not in axes]
    for at in np.ndindex(*[x.shape[i] for i in others]):
        where = [slice(None)] * x.ndim
        for i, k in zip(others, at):
            where[i] = k
        values = x[tuple(where)]
        m = values.sum() / values.size
        out[tuple(where)] = (values - m) / np.sqrt(((values - m) ** 2).sum() / values.size + eps)
    return out


def per_channel(x, v):
    return v if np.ndim(v) == 0 else np.reshape(v, (1, -1) + (1,) * (x.ndim - 2))


def instance_norm(x, weight, bias, eps):
    return normalised(x, range(2, x.ndim), eps) * per_channel(x, weight) + per_channel(x, bias)


def layer_norm(x, shape, weight, bias, eps):
    return normalised(x, range(x.ndim - np.ndim(weight), x.ndim), eps) * weight + bias


def group_norm(x, groups, weight, bias, eps):
    split = x.reshape(x.shape[0], groups, -1, *x.shape[2:])
    return normalised(split, range(2, split.ndim), eps).reshape(x.shape) * per_channel(
        x, weight
    ) + per_channel(x, bias)


CASES = [
    Case(
        "batch_norm", batches(), batch_norm, call=lambda x, w, b,
        eps: ops.batch_norm(x, None, None, w, b, True, eps=eps),
        card_args=lambda x, w, b, eps: (x, w, b, None, None, 0.1, eps), bare=False, tolerance=5e-4,
    ),
    Case(
        "batch_norm:not affine", batches(False), lambda x, eps: batch_norm(x, *ones(x), eps),
        call=lambda x, eps: ops.batch_norm(x, None, None, None, None, True, eps=eps),
        card_args=lambda x, eps: (x, None, None, None, None, 0.1, eps), bare=False, tolerance=5e-4,
    ),
    Case(
        "batch_norm:weight only", batches().map(lambda a: (a[0], a[1], a[3])), lambda x, w,
        eps: batch_norm(x, w, ones(x)[1], eps),
        call=lambda x, w, eps: ops.batch_norm(x, None, None, w, None, True, eps=eps), bare=False,
        tolerance=5e-4,
    ),
    Case(
        "batch_norm:evaluation", batches(running=True), lambda x, m, v, w, b,
        eps: batch_norm(x, w, b, eps, m, v),
        call=lambda x, m, v, w, b, eps: ops.batch_norm(x, m, v, w, b, False, eps=eps), op=None,
        constant=(1, 2), bare=False, tolerance=1e-4,
    ),
    Case(
        "instance_norm", examples("instance", True), instance_norm, call=lambda x, w, b,
        e: ops.instance_norm(x, None, None, w, b, eps=e),
        op="_group_norm", tolerance=1e-3,
    ),
    Case(
        "instance_norm:not affine", examples("instance", False), lambda x,
        e: normalised(x, range(2, x.ndim), e),
        call=lambda x, e: ops.instance_norm(x, eps=e), op="_group_norm", tolerance=1e-3,
    ),
    Case("layer_norm", examples("layer", True), layer_norm, op="_group_norm", tolerance=1e-3),
    Case(
        "layer_norm:not affine", examples("layer", False), lambda x, s,
        e: normalised(x, range(x.ndim - len(s), x.ndim), e),
        call=lambda x, s, e: ops.layer_norm(x, s, eps=e), op="_group_norm", tolerance=1e-3,
    ),
    Case(
        "group_norm", examples("group", True), group_norm, op="_group_norm", tolerance=1e-3,
        card_args=lambda x, g, w, b, e: (x, w, b, g, e),
    ),
    Case(
        "group_norm:single", examples("group", True).map(lambda a: (a[0].reshape(*a[0].shape[:2],
                    -1)[:, :, 0], *a[1:-1], 0.8)), group_norm,
        op="_group_norm", tolerance=1e-3, card_args=lambda x, g, w, b, e: (x, w, b, g, e),
    ),
    Case(
        "group_norm:weight only", examples("group", True).map(lambda a: (*a[:3], a[4])), lambda x,
        g, w, e: group_norm(x, g, w, 0.0, e),
        call=lambda x, g, w, e: ops.group_norm(x, g, w, eps=e), op="_group_norm", tolerance=1e-3,
    ),
    Case(
        "group_norm:not affine", examples("group", False), lambda x, g,
        e: group_norm(x, g, 1.0, 0.0, e),
        call=lambda x, g, e: ops.group_norm(x, g, eps=e), op="_group_norm", tolerance=1e-3,
    ),
]  # fmt: skip
