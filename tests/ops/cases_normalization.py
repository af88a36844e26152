"""Cases: batch normalisation."""

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, distinct, fill, seeds

import minigan.ops as ops


@st.composite
def batches(draw, affine=True, running=False):
    """x (N, C, ...) of at least 2 values a channel, scales among which are zeros, shifts, eps."""
    shape = (draw(st.integers(2, 5)), draw(st.integers(1, 3)), *draw(st.lists(st.integers(1, 3), max_size=2)))
    x = distinct(draw(seeds), shape)
    c = shape[1]
    weight = fill(draw(seeds), (c,))
    weight = np.where(fill(draw(seeds), (c,)) > 1.2, 0.0, weight)
    eps = draw(st.sampled_from([1e-5, 0.8]))
    statistics = (fill(draw(seeds), (c,)), fill(draw(seeds), (c,), 0.3, 2.0)) if running else ()
    return (x, *statistics, weight, fill(draw(seeds), (c,)), eps) if affine else (x, *statistics, eps)


def batch_norm(x, weight, bias, eps, mean=None, var=None):
    """Channel by channel."""
    out = np.empty_like(x)
    for c in range(x.shape[1]):
        values = x[:, c]
        m = values.sum() / values.size if mean is None else mean[c]
        v = ((values - m) ** 2).sum() / values.size if var is None else var[c]
        out[:, c] = (values - m) / np.sqrt(v + eps) * weight[c] + bias[c]
    return out


def ones(x):
    return np.ones(x.shape[1]), np.zeros(x.shape[1])


CASES = [
    Case(
        "batch_norm", batches(), batch_norm, call=lambda x, w, b, eps: ops.batch_norm(x, None, None, w, b, True, eps=eps),
        card_args=lambda x, w, b, eps: (x, w, b, None, None, 0.1, eps), bare=False, tolerance=5e-4,
    ),
    Case(
        "batch_norm:not affine", batches(False), lambda x, eps: batch_norm(x, *ones(x), eps),
        call=lambda x, eps: ops.batch_norm(x, None, None, None, None, True, eps=eps),
        card_args=lambda x, eps: (x, None, None, None, None, 0.1, eps), bare=False, tolerance=5e-4,
    ),
    Case(
        "batch_norm:weight only", batches().map(lambda a: (a[0], a[1], a[3])), lambda x, w, eps: batch_norm(x, w, ones(x)[1], eps),
        call=lambda x, w, eps: ops.batch_norm(x, None, None, w, None, True, eps=eps), bare=False, tolerance=5e-4,
    ),
    Case(
        "batch_norm:evaluation", batches(running=True), lambda x, m, v, w, b, eps: batch_norm(x, w, b, eps, m, v),
        call=lambda x, m, v, w, b, eps: ops.batch_norm(x, m, v, w, b, False, eps=eps), op=None, constant=(1, 2), bare=False, tolerance=1e-4,
    ),
]  # fmt: skip
