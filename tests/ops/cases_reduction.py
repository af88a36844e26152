"""Cases: reductions, each against Python's own functions of the list of elements that are
reduced."""

import math
import statistics

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, card, dim_of, distinct, fill, seeds, shapes

import minigan.ops as ops


@st.composite
def reducible(draw, values=fill, single=False, keep=True, min_side=1, min_dims=0):
    """An array, a dim (None, a number, several) and keepdim."""
    x = values(draw(seeds), draw(shapes(1 if single else min_dims, 3, 4, min_side)))
    options = [st.none()] if not single else []
    if x.ndim:
        options.append(dim_of(x))
        if not single:
            options.append(
                st.lists(st.integers(0, x.ndim - 1), min_size=1, max_size=x.ndim, unique=True).map(
                    tuple
                )
            )
    dim = draw(st.one_of(options))
    return (x, dim, draw(st.booleans())) if keep else (x, dim)


def signed(seed, shape):
    """Distinct absolute values, away from 0."""
    sign = np.sign(np.random.default_rng(seed + 1).uniform(-1, 1, shape))
    return np.asarray(distinct(seed, shape, 0.2, 2.0) * sign)


def rounded(seed, shape):
    """Many zeros and equal elements."""
    return np.asarray(np.round(fill(seed, shape, -1.4, 1.4)))


def axes(x, dim):
    if dim is None:
        return list(range(x.ndim))
    return [d % x.ndim for d in ([dim] if isinstance(dim, int) else dim)]


def over(function):
    """Reference: `function` of the list of elements that fall together."""

    def reference(x, dim=None, keepdim=False):
        gone = axes(x, dim)
        out = np.array([function(group) for group in groups(x, gone)])
        return out.reshape(
            [1 if i in gone else n for i, n in enumerate(x.shape) if keepdim or i not in gone]
        )

    return reference


def groups(x, gone):
    """The lists of elements that agree in the indices of all dimensions but `gone`."""
    for index in np.ndindex(tuple(1 if i in gone else n for i, n in enumerate(x.shape))):
        yield [
            v.item()
            for v in x[tuple(slice(None) if i in gone else k for i, k in enumerate(index))].flat
        ]


def along(function):
    """Reference: `function` of each list along one dimension, which gives a list."""

    def reference(x, dim, *options):
        rows = np.moveaxis(x, dim, -1)
        out = [
            function([v.item() for v in rows[index]], *options)
            for index in np.ndindex(rows.shape[:-1])
        ]
        return np.moveaxis(np.array(out).reshape(*rows.shape[:-1], -1), -1, dim)

    return reference


def p_norm(p):
    def norm(values):
        absolute = [abs(v) for v in values]
        if p == math.inf:
            return max(absolute)
        if p == -math.inf:
            return min(absolute)
        if p == 0:
            return float(sum(v != 0 for v in values))
        return sum(v**p for v in absolute) ** (1 / p)

    return norm


def logsumexp(values):
    return math.log(math.fsum(math.exp(v) for v in values))


def softmax(values):
    total = math.fsum(math.exp(v) for v in values)
    return [math.exp(v) / total for v in values]


@st.composite
def with_gradient(draw):
    """g, y and an axis."""
    y, dim = draw(reducible(single=True, keep=False))
    return fill(draw(seeds), y.shape), y, dim % y.ndim


def softmax_grad(g, y, dim):
    return y * g - y * np.expand_dims((y * g).sum(dim), dim)


def log_softmax_grad(g, y, dim):
    return g - np.exp(y) * np.expand_dims(g.sum(dim), dim)


def running(values):
    return [math.fsum(values[: i + 1]) for i in range(len(values))]


def order(values, descending=False):
    return sorted(range(len(values)), key=lambda i: (-values[i] if descending else values[i], i))


def sort(values, descending=False):
    return [values[i] for i in order(values, descending)]


def norm_case(p):
    return Case(
        f"norm:{p}", reducible(signed), lambda x, dim,
        keep: over(p_norm(2 if p == "fro" else p))(x, dim, keep),
        call=lambda x, dim, keep: ops.norm(x, p, dim, keep),
        op="norm2" if p in (2, "fro") else None,
    )  # fmt: skip


def with_extreme(a):
    """x, its smallest elements with size 1 where they were taken, and the dimensions."""
    x, gone = a[0], tuple(axes(*a[:2]))
    return x, x.min(gone, keepdims=True), gone


def share(x, y, gone):
    return np.where(x == y, 1 / (x == y).sum(gone, keepdims=True), 0.0)


def with_descending(a):
    return (*a, bool(a[0].size % 2))


single = reducible(distinct, single=True)
single_only = reducible(distinct, single=True, keep=False)
ties = reducible(rounded, single=True)

CASES = [
    Case("sum", reducible(), over(math.fsum)),
    Case("mean", reducible(), over(statistics.fmean)),
    Case("var", reducible(min_side=2, min_dims=1), over(statistics.variance), call=lambda x, d,
        k: ops.var(x, d, keepdim=k), op=None),
    Case("var:biased", reducible(), over(statistics.pvariance), call=lambda x, d,
        k: ops.var(x, d, False, k), op=None),
    Case("var:correction", reducible(min_side=3, min_dims=1),
        over(lambda v: statistics.pvariance(v) * len(v) / (len(v) - 2)),
         call=lambda x, d, k: ops.var(x, d, keepdim=k, correction=2), op=None),
    Case("var_mean", reducible(min_side=2, min_dims=1),
        lambda *a: [over(statistics.variance)(*a), over(statistics.fmean)(*a)],
         call=lambda x, d, k: ops.var_mean(x, d, keepdim=k), op=None),
    Case("std", reducible(distinct, min_side=2, min_dims=1), over(statistics.stdev),
         call=lambda x, d, k: ops.std(x, d, keepdim=k), op=None),
    Case("prod", reducible(single=True), over(math.prod)),
    Case("prod:all", reducible(keep=False).map(lambda a: a[:1]), over(math.prod)),
    Case("prod:with zeros", reducible(rounded, single=True), over(math.prod)),
    Case("amax", reducible(distinct), over(max), op="extreme", card_args=lambda x, d,
        k: (x, tuple(axes(x, d)), k, True)),
    Case("amin", reducible(distinct), over(min), op="extreme", card_args=lambda x, d,
        k: (x, tuple(axes(x, d)), k, False)),
    Case("amax:ties", reducible(rounded), over(max), op="extreme", orders=0),
    Case("share", reducible(rounded).map(with_extreme), share, call=card("share"), op="share",
        orders=0),
    Case("max", single, lambda *a: [over(max)(*a), over(lambda v: v.index(max(v)))(*a)],
        op="gather"),
    Case("min", single, lambda *a: [over(min)(*a), over(lambda v: v.index(min(v)))(*a)],
        op="gather"),
    Case("max:ties", ties, lambda *a: [over(max)(*a), over(lambda v: v.index(max(v)))(*a)],
        op="gather", orders=0),
    Case("min:ties", ties, lambda *a: [over(min)(*a), over(lambda v: v.index(min(v)))(*a)],
        op="gather", orders=0),
    Case("max:all", reducible(distinct).map(lambda a: a[:1]), over(max), op="extreme"),
    Case("min:all", reducible(distinct).map(lambda a: a[:1]), over(min), op="extreme"),
    Case("argmax", ties, over(lambda v: v.index(max(v))), op="argextreme", orders=0),
    Case("argmin", ties, over(lambda v: v.index(min(v))), op="argextreme", orders=0),
    Case("argmax:all", reducible(rounded).map(lambda a: a[:1]), over(lambda v: v.index(max(v))),
        op="argextreme", orders=0),
    Case("argsort", reducible(rounded, single=True, keep=False).map(with_descending), along(order),
        orders=0),
    Case("sort", single_only.map(with_descending), lambda *a: [along(sort)(*a), along(order)(*a)],
        op="gather"),
    Case("topk", single_only, lambda x, d: [along(lambda v: sort(v, True)[:2])(x, d),
            along(lambda v: order(v, True)[:2])(x, d)],
         call=lambda x, d: ops.topk(x, min(2, x.shape[d]), d), op="gather"),
    Case("cumsum", reducible(single=True, keep=False), along(running)),
    *[norm_case(p) for p in (2, "fro", 1, 3, 1.5, math.inf, -math.inf, 0)],
    Case("logsumexp", reducible(), over(logsumexp)),
    Case("logsumexp:large", reducible(lambda *a: fill(*a, -900, 900)),
        over(lambda v: max(v) + logsumexp([e - max(v) for e in v])),
         orders=0),
    Case("softmax", reducible(single=True, keep=False), along(softmax)),
    Case("softmax:large", reducible(lambda *a: fill(*a, -900, 900), single=True, keep=False),
         along(lambda v: softmax([e - max(v) for e in v])), orders=0),
    Case("log_softmax", reducible(single=True, keep=False),
        along(lambda v: [e - logsumexp(v) for e in v])),
    Case("log_softmax:large", reducible(lambda *a: fill(*a, -900, 900), single=True, keep=False),
         along(lambda v: [e - max(v) - logsumexp([f - max(v) for f in v]) for e in v]), orders=0),
    Case("softmax_grad", with_gradient(), softmax_grad),
    Case("log_softmax_grad", with_gradient(), log_softmax_grad),
    Case("all", reducible(rounded), over(lambda v: all(e != 0 for e in v)), op="logical", orders=0),
    Case("any", reducible(rounded), over(lambda v: any(e != 0 for e in v)), op="logical", orders=0),
    Case("count_nonzero", reducible(rounded, keep=False), over(lambda v: sum(e != 0 for e in v)),
        op=None, orders=0, bare=False),
]  # fmt: skip
