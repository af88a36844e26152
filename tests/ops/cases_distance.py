"""Cases: lengths and angles."""

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, array, broadcast, dim_of, fill, seeds


def p_norm(v, p):
    return max(abs(x) for x in v) if p == np.inf else sum(abs(x) ** p for x in v) ** (1 / p)


@st.composite
def vectors(draw):
    """x without zeros (kinks of norms), p, dim."""
    x = draw(array(min_dims=1, away=(0.0,)))
    return x, draw(st.sampled_from([2.0, 1.0, 3])), draw(dim_of(x))


def normalize(x, p=2.0, dim=1, eps=1e-12):
    return np.apply_along_axis(lambda v: v / max(p_norm(v, p), eps), dim, x)


@st.composite
def pairs(draw):
    """Two broadcasting arrays of at least one dimension, none of whose vectors is near 0, and a
    dimension."""
    x, y = draw(broadcast(ranges=((0.2, 2.0),)).filter(lambda a: max(v.ndim for v in a) > 0))
    flip = np.where(fill(draw(seeds), x.shape) > 0, 1, -1)
    dims = max(x.ndim, y.ndim)
    return x * flip, y, draw(st.integers(-dims, dims - 1))


def cosine(x, y, dim=1, eps=1e-8):
    x, y = np.broadcast_arrays(x, y)
    x, y = np.moveaxis(x, dim, -1), np.moveaxis(y, dim, -1)
    out = np.empty(x.shape[:-1])
    for at in np.ndindex(out.shape):
        out[at] = sum(a * b for a, b in zip(x[at], y[at])) / (
            max(p_norm(x[at], 2), eps) * max(p_norm(y[at], 2), eps)
        )
    return out


@st.composite
def distances(draw):
    x, y = draw(pairs())[:2]
    return (
        x + 4,
        y,
        draw(st.sampled_from([2.0, 1.0, 3.0])),
        draw(st.sampled_from([1e-6, 0.1])),
        draw(st.booleans()),
    )


def distance(x, y, p=2.0, eps=1e-6, keepdim=False):
    d = np.asarray(x - y + eps)
    out = np.array([p_norm(v, p) for v in d.reshape(-1, d.shape[-1])]).reshape(d.shape[:-1])
    return out[..., None] if keepdim else out


CASES = [
    Case("normalize", vectors(), normalize, op=None),
    Case("cosine_similarity", pairs(), cosine, op=None),
    Case("pairwise_distance", distances(), distance, op=None),
]
