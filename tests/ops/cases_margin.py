"""Cases: losses of distances, margins and likelihoods, row by row; activations with thresholds, and
attention.
"""

import math

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, array, fill, one, scalar, seeds
from ops.cases_compose import pairs as distances
from ops.cases_loss import reduce, reduction

import minigan.ops as ops
import minigan.ops.attention as attention
import minigan.ops.margin as margin


@st.composite
def rows(draw, count, *options):
    """Matrices of one shape, options, a reduction."""
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 4)))
    return (
        *[fill(draw(seeds), shape) for _ in range(count)],
        *[draw(o) for o in options],
        draw(reduction),
    )


def p_norm(x, p, eps=1e-6):
    return sum(abs(v + eps) ** p for v in x) ** (1 / p)


def triplet(a, p, n, gap, order, swap, how):
    out = []
    for x, y, z in zip(a, p, n):
        far = p_norm(x - z, order)
        far = min(far, p_norm(y - z, order)) if swap else far
        out.append(max(0.0, gap + p_norm(x - y, order) - far))
    return reduce(np.array(out), how)


@st.composite
def with_signs(draw):
    x, y, how = draw(rows(2))
    sign = np.where(fill(draw(seeds), x.shape[:1]) > 0, 1, -1)
    return x + 0.1 * np.sign(x), y + 0.1 * np.sign(y), sign, 0.2, how


def cosine(x, y, target, gap, how):
    cos = [a @ b / math.sqrt((a @ a + 1e-12) * (b @ b + 1e-12)) for a, b in zip(x, y)]
    return reduce(
        np.array([1 - c if t == 1 else max(0.0, c - gap) for c, t in zip(cos, target)]), how
    )


@st.composite
def with_classes(draw, weight=False, many=False):
    x, how = draw(rows(1))
    rng = np.random.default_rng(draw(seeds))
    n, c = x.shape
    if many:  # classes up to the first -1, then anything
        target = np.array([rng.permutation(c) for _ in range(n)])
        for row in target:
            row[rng.integers(0, c + 1) :][:1] = -1
        return x, target, how
    return (
        x,
        rng.integers(0, c, n),
        draw(st.sampled_from([1, 2])),
        0.7,
        fill(3, (c,), 0.5, 2.0) if weight else None,
        how,
    )


def multi(x, target, p, gap, weight, how):
    loss = [
        sum(
            max(0.0, gap - r[t] + r[j]) ** p * (1 if weight is None else weight[t])
            for j in range(len(r))
            if j != t
        )
        / len(r)
        for r, t in zip(x, target)
    ]
    return reduce(np.array(loss), how)


def multilabel(x, target, how):
    loss = []
    for r, t in zip(x, target.tolist()):
        named = t[: t.index(-1)] if -1 in t else t
        loss.append(
            sum(max(0.0, 1 - r[i] + r[j]) for i in named for j in range(len(r)) if j not in named)
            / len(r)
        )
    return reduce(np.array(loss), how)


def soft(x, target, weight, how):
    loss = scalar(lambda a, t: math.log1p(math.exp(-a)) if t else math.log1p(math.exp(a)))(
        x, target
    )
    return reduce(
        np.array([sum(r * w for r, w in zip(row, weight)) / len(row) for row in loss]), how
    )


@st.composite
def with_labels(draw):
    x, how = draw(rows(1))
    return (
        x,
        (fill(draw(seeds), x.shape) > 0).astype(float),
        fill(draw(seeds), x.shape[1:], 0.5, 2.0),
        how,
    )


@st.composite
def gaussians(draw):
    x, t, full, how = draw(rows(2, st.booleans()))
    shape = (
        draw(st.sampled_from([x.shape, (len(x), 1), x.shape[:1]])) if x.shape[0] != 1 else x.shape
    )
    return x, t, fill(draw(seeds), shape, 0.2, 2.0), full, 1e-6, how


def gaussian(x, t, var, full, eps, how):
    var = var[:, None] if var.ndim < x.ndim else var
    loss = 0.5 * (np.log(var) + (x - t) ** 2 / var) + (0.5 * math.log(2 * math.pi) if full else 0)
    return reduce(loss, how)


def poisson(x, t, log_input, full, eps, how):
    def loss(a, n):
        y = math.exp(a) - n * a if log_input else a - n * math.log(a + eps)
        return y + (n * math.log(n) - n + 0.5 * math.log(2 * math.pi * n) if full and n > 1 else 0)

    return reduce(scalar(loss)(x, t), how)


counts = st.tuples(
    array(shape=(4,), low=0.2),
    array(shape=(4,), low=0.0, high=4.0, away=(1.0,)),
    st.booleans(),
    st.booleans(),
    st.just(1e-8),
    reduction,
)


# --- activations and normalisations ---


def shuffled(x, groups):
    n = x.shape[1] // groups
    return np.stack([x[:, g * n + k] for k in range(n) for g in range(groups)], 1)


def rms(x, shape, weight):
    flat = x.reshape(-1, math.prod(shape))
    return (
        np.array([r / math.sqrt(sum(r * r) / len(r) + np.finfo(float).eps) for r in flat]).reshape(
            x.shape
        )
        * weight
    )


def response(x, size):
    out = np.zeros_like(x)
    for c in range(x.shape[1]):
        near = x[:, max(0, c - size // 2) : c + (size - 1) // 2 + 1]
        out[:, c] = x[:, c] / (1 + 0.5 * (near**2).sum(1) / size) ** 0.75
    return out


def pair_norms(x, p):
    full = distances(x, x, p)
    return np.array([full[i, j] for i in range(len(x)) for j in range(i + 1, len(x))])


# --- attention ---


def attended(q, k, v, mask=None, causal=False):
    out = np.zeros((*q.shape[:-1], v.shape[-1]))
    for at in np.ndindex(q.shape[:-1]):
        scores = [q[at] @ key / math.sqrt(q.shape[-1]) for key in k[at[:-1]]]
        for j in range(len(scores)):
            if mask is not None:
                m = mask[at[-1], j]
                scores[j] += (0.0 if m else -math.inf) if mask.dtype == bool else m
            if causal and j > at[-1]:
                scores[j] = -math.inf
        share = np.exp(np.array(scores) - max(scores))
        out[at] = share / share.sum() @ v[at[:-1]]
    return out


@st.composite
def queries(draw):
    lead = draw(st.sampled_from([(), (2,), (1, 2)]))
    return tuple(fill(draw(seeds), (*lead, n, m)) for n, m in ((2, 3), (4, 3), (4, 2)))


def head_by_head(q, k, v, w, b, out_w, out_b, heads):
    """(L, N, E): projected, attended with each head, projected again."""
    size = q.shape[-1]
    q, k, v = [
        x @ w[i * size : (i + 1) * size].T + b[i * size : (i + 1) * size]
        for i, x in enumerate((q, k, v))
    ]
    n = size // heads
    parts = [
        attended(*[x[..., h * n : (h + 1) * n].swapaxes(0, 1) for x in (q, k, v)])
        for h in range(heads)
    ]
    return np.concatenate(parts, -1).swapaxes(0, 1) @ out_w.T + out_b


@st.composite
def projected(draw):
    shapes = [(2, 2, 4), (3, 2, 4), (3, 2, 4), (12, 4), (12,), (4, 4), (4,)]
    return (*[fill(draw(seeds), s) for s in shapes], draw(st.sampled_from([1, 2, 4])))


def attend(q, k, v, w, b, out_w, out_b, heads):
    return attention.multi_head_attention_forward(
        q, k, v, 4, heads, w, b, None, None, False, 0.0, out_w, out_b
    )[0]


MASK = np.array([[True, False, True, True], [True, True, False, False]])
KINK = {"away": (-0.5, 0.5)}

CASES = [
    Case(
        "triplet_margin_loss",
        rows(3, st.just(0.7), st.sampled_from([1, 2, 3]), st.booleans()),
        triplet,
        op="clamp",
        call=lambda a, p, n, gap, order, swap, how: margin.triplet_margin_loss(
            a, p, n, gap, order, swap=swap, reduction=how
        ),
    ),
    Case(
        "triplet_margin_with_distance_loss",
        rows(3),
        op=None,
        reference=lambda a, p, n, how: reduce(
            np.maximum(0, 1 + abs(a - p).sum(1) - abs(a - n).sum(1)), how
        ),
        call=lambda a, p, n, how: margin.triplet_margin_with_distance_loss(
            a, p, n, distance_function=lambda x, y: ops.abs(x - y).sum(1), reduction=how
        ),
    ),
    Case("cosine_embedding_loss", with_signs(), cosine, op="where", tolerance=1e-4),
    Case("multi_margin_loss", with_classes(), multi, op="clamp"),
    Case("multi_margin_loss:weight", with_classes(True), multi, op="clamp", constant=(4,)),
    Case("multilabel_margin_loss", with_classes(many=True), multilabel, op="clamp"),
    Case("multilabel_soft_margin_loss", with_labels(), soft, op="logsigmoid", constant=(1, 2)),
    Case("gaussian_nll_loss", gaussians(), gaussian, op="log", tolerance=1e-4),
    Case("poisson_nll_loss", counts, poisson, op=None, constant=(1,)),
    Case(
        "celu",
        one(st.sampled_from([1.0, 0.5]), away=(0.0,)),
        lambda x, a: scalar(lambda v: v if v > 0 else a * math.expm1(v / a))(x),
        op="elu",
    ),
    Case("hardshrink", one(**KINK), scalar(lambda v: v if abs(v) > 0.5 else 0.0), op="where"),
    Case(
        "softshrink",
        one(**KINK),
        scalar(lambda v: v - math.copysign(0.5, v) if abs(v) > 0.5 else 0.0),
        op="where",
    ),
    Case("tanhshrink", one(), scalar(lambda v: v - math.tanh(v)), op="tanh"),
    Case(
        "hardsigmoid",
        one(low=-4.0, high=4.0, away=(-3, 3)),
        scalar(lambda v: min(max(v + 3, 0), 6) / 6),
        op="hardtanh",
    ),
    Case(
        "threshold",
        one(st.just(0.5), st.just(-1.5), **KINK),
        lambda x, t, v: scalar(lambda a: a if a > t else v)(x),
        op="where",
    ),
    Case("channel_shuffle", one(st.just(2), shape=(2, 4, 2)), shuffled, op="permute"),
    Case(
        "rms_norm",
        st.tuples(array(shape=(2, 3, 4)), st.just((3, 4)), array(shape=(3, 4))),
        rms,
        op="rsqrt",
        tolerance=1e-4,
    ),
    Case(
        "local_response_norm",
        one(st.integers(1, 4), shape=(2, 4, 3)),
        response,
        call=lambda x, n: ops.local_response_norm(x, n, 0.5),
        op="_taps",
        tolerance=1e-4,
    ),
    Case(
        "local_response_norm:images",
        one(st.integers(1, 4), shape=(2, 4, 2, 3)),
        response,
        call=lambda x, n: ops.local_response_norm(x, n, 0.5),
        op="_taps",
        tolerance=1e-4,
    ),
    Case(
        "pdist", one(st.sampled_from([2.0, 3.0]), shape=(3, 2)), pair_norms, op=None, tolerance=1e-4
    ),
    Case("scaled_dot_product_attention", queries(), attended, op="softmax", tolerance=1e-4),
    Case(
        "scaled_dot_product_attention:mask",
        queries().map(lambda a: (*a, MASK)),
        attended,
        op="softmax",
        tolerance=1e-4,
    ),
    Case(
        "scaled_dot_product_attention:causal",
        queries(),
        lambda *a: attended(*a, causal=True),
        op="softmax",
        tolerance=1e-4,
        call=lambda *a: attention.scaled_dot_product_attention(*a, is_causal=True),
    ),
    Case(
        "multi_head_attention_forward",
        projected(),
        head_by_head,
        call=attend,
        op="softmax",
        tolerance=1e-3,
    ),
]
