"""Cases: names that are made of other ops."""

import math

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, array, broadcast, dim_of, fill, one, same, scalar, seeds
from ops.cases_indexing import gathers, scatters, selections

import minigan.ops as ops


@st.composite
def shifts(draw):
    """Integers, and by how many bits."""
    x, y = (np.asarray(v, np.int64) for v in (np.round(v * 4) for v in draw(broadcast())))
    return x, np.abs(y)


@st.composite
def bits(draw, count=2):
    """Integers or booleans of one shape."""
    make = np.random.default_rng(draw(seeds)).integers
    shape, kind = (
        (draw(st.integers(1, 3)), draw(st.integers(1, 3))),
        draw(st.sampled_from([np.int64, np.uint8, bool])),
    )
    return tuple(make(0, 2 if kind is bool else 9, shape).astype(kind) for _ in range(count))


@st.composite
def matrices(draw, *shapes):
    sizes = {c: draw(st.integers(1, 3)) for c in "bnmk"}
    return tuple(fill(draw(seeds), tuple(sizes[c] for c in s)) for s in shapes)


@st.composite
def strange(draw):
    """Some elements are NaN or infinite."""
    x = draw(array(max_dims=2))
    kind = np.random.default_rng(draw(seeds)).integers(0, 6, x.shape)
    return (np.select([kind == 0, kind == 1, kind == 2], [math.nan, math.inf, -math.inf], x),)


@st.composite
def put_along(draw):
    """x, dim, and what is put at different places along it: scatter's arguments."""
    x, dim, index, src = draw(scatters())
    order = np.argsort(np.random.default_rng(draw(seeds)).random(x.shape), axis=dim)
    index = order[tuple(slice(n) for n in np.minimum(index.shape, x.shape))]
    return x, dim, index, fill(draw(seeds), index.shape)


def scattered(x, dim, index, src):
    out = x.copy()
    for place in np.ndindex(index.shape):
        target = list(place)
        target[dim] = index[place]
        out[tuple(target)] = src if np.ndim(src) == 0 else src[place]
    return out


@st.composite
def slices(draw, distinct=True):
    """x, dim, positions along it, and slices to put there."""
    x, dim, index = draw(selections())
    index = np.unique(index) if distinct else index
    shape = list(x.shape)
    shape[dim] = len(index)
    return x, dim, index, fill(draw(seeds), tuple(shape))


def along(x, dim, index, source, combine):
    out = np.moveaxis(x.copy(), dim, 0)
    for k, i in enumerate(index):
        out[i] = combine(out[i], source if np.ndim(source) == 0 else np.moveaxis(source, dim, 0)[k])
    return np.moveaxis(out, 0, dim)


def different(x):
    """The different elements, and how often each occurs."""
    found = sorted(set(x.ravel().tolist()))
    return [np.array(found, x.dtype), np.array([x.ravel().tolist().count(v) for v in found])]


def mesh(*xs):
    return [
        np.array([x[i[d]] for i in np.ndindex(*[len(v) for v in xs])]).reshape([len(v) for v in xs])
        for d, x in enumerate(xs)
    ]


def pairs(x, y, p):
    return np.array([[sum(abs(a - b) ** p for a, b in zip(r, s)) ** (1 / p) for s in y] for r in x])


def inverted(x):
    # of n bits all that are not set: 2^n - 1 - x
    top = {"bool": 1, "uint8": 255}.get(x.dtype.name, -1)
    return np.vectorize(lambda a: top - a, otypes=[x.dtype])(x)


vectors = st.lists(array(min_dims=1, max_dims=1), min_size=1, max_size=3).map(tuple)
numbers = st.sampled_from([0.5, -2.0, 3])
repeats = st.tuples(array(min_dims=1), st.integers(0, 3)).flatmap(
    lambda a: st.tuples(st.just(a[0]), st.just(a[1]), dim_of(a[0]))
)
positive = {"low": 0.1, "high": 3.0}

CASES = [
    Case("log2", one(**positive), scalar(math.log2), op="log"),
    Case("log10", one(**positive), scalar(math.log10), op="log"),
    Case("exp2", one(), scalar(lambda x: 2.0**x), op="exp"),
    Case("logit", one(low=0.05, high=0.95), scalar(lambda x: math.log(x / (1 - x))), op="log"),
    Case("logit:eps", one(low=-0.5, high=1.5, away=(0.1, 0.9)),
        scalar(lambda x: math.log((x := min(max(x, 0.1), 0.9)) / (1 - x))),
         call=lambda x: ops.logit(x, 0.1), op="clamp"),
    Case("logaddexp", broadcast(), scalar(lambda x, y: math.log(math.exp(x) + math.exp(y))),
        op="logsumexp"),
    Case("tan", one(low=-1.2, high=1.2), scalar(math.tan), op="div", tolerance=1e-4),
    Case("sinh", one(), scalar(math.sinh), op="expm1"),
    Case("cosh", one(), scalar(math.cosh), op="exp"),
    Case("ceil", one(away=range(-2, 3)), scalar(lambda x: float(math.ceil(x))), op="floor"),
    Case("trunc", one(away=range(-2, 3)), scalar(lambda x: float(math.trunc(x)))),
    Case("frac", one(away=range(-2, 3)), scalar(lambda x: x - math.trunc(x)), op="sub"),
    Case("clamp_min", one(st.just(0.5), away=(0.5,)), lambda x, m: scalar(lambda v: max(v, m))(x),
        op="clamp"),
    Case("clamp_max", one(st.just(0.5), away=(0.5,)), lambda x, m: scalar(lambda v: min(v, m))(x),
        op="clamp"),
    Case("lerp", broadcast(3), scalar(lambda x, y, w: x + w * (y - x)), op="mul"),
    Case("lerp:number", broadcast(2, options=(numbers,)), lambda x, y, w: x + w * (y - x),
        op="mul"),
    Case("addcmul", broadcast(3, options=(numbers,)), lambda x, a, b, v: x + v * a * b, op="mul"),
    Case("addcmul:old order", same(3, options=(numbers,)), lambda x, a, b, v: x + v * a * b,
         call=lambda x, a, b, v: ops.addcmul(x, v, a, b), op="mul"),
    Case("addcdiv", broadcast(3, ((-2, 2), (-2, 2), (0.3, 2)), options=(numbers,)), lambda x, a, b,
        v: x + v * a / b, op="div"),
    Case("nan_to_num", strange(), lambda x: np.nan_to_num(x, nan=0.5, posinf=7.0, neginf=-7.0),
         call=lambda x: ops.nan_to_num(x, 0.5, 7, -7), orders=0),
    Case("nan_to_num:finite", one(), lambda x: x),
    Case("bitwise_and", bits(), lambda x, y: np.vectorize(lambda a, b: a & b, otypes=[x.dtype])(x,
            y), orders=0),
    Case("bitwise_or", bits(), lambda x, y: np.vectorize(lambda a, b: a | b, otypes=[x.dtype])(x,
            y), orders=0),
    Case("bitwise_xor", bits(), lambda x, y: np.vectorize(lambda a, b: a ^ b, otypes=[x.dtype])(x,
            y), orders=0),
    Case("bitwise_not", bits(1), inverted, orders=0),
    Case("bitwise_left_shift", shifts(), scalar(lambda x, y: x << y), orders=0),
    Case("bitwise_right_shift", shifts(), scalar(lambda x, y: x >> y), orders=0),
    Case("logical_xor", bits(), lambda x, y: scalar(lambda a, b: bool(a) != bool(b))(x, y), op="ne",
        orders=0),
    Case("isinf", strange(), scalar(math.isinf), op="eq", orders=0),
    Case("isclose", strange().map(lambda a: (a[0],
                a[0] * (1 + 2e-5 * (np.indices(a[0].shape).sum(0) % 2)))),
         scalar(lambda x, y: x == y or math.isfinite(y) and abs(x - y) <= 1e-8 + 1e-5 * abs(y)),
         orders=0),
    Case("scatter:put", put_along(), scattered, op="put"),
    Case("scatter:number", put_along().map(lambda a: (*a[:3], 1.5)), scattered, op="put"),
    Case("scatter:add", scatters(), lambda *a: scatter_sum(*a),
        call=lambda *a: ops.scatter(*a, reduce="add"), op="scatter"),
    Case("index_add", slices(False), lambda *a: along(*a, lambda old, new: old + new),
        op="setitem"),
    Case("index_copy", slices(), lambda *a: along(*a, lambda old, new: new), op="put"),
    Case("index_fill", slices().map(lambda a: (*a[:3], 2.5)),
        lambda *a: along(*a, lambda old, new: new), op="put"),
    Case("select", array(min_dims=2).map(lambda x: (x, 1, -1)), lambda x, d, i: np.take(x, i, d),
        op="getitem"),
    Case("take", gathers().map(lambda a: (a[0], a[2] % a[0].size)), lambda x,
        i: np.vectorize(lambda k: x.ravel()[k])(i), op="getitem"),
    Case("repeat_interleave", repeats, lambda x, n,
        d: np.stack([np.take(x, i // n, d) for i in range(n * x.shape[d])], d) if n else
         np.take(x, [], d), op="getitem"),
    Case("repeat_interleave:each", array(min_dims=1, max_dims=1).map(lambda x: (x,
                list(range(len(x))))),
         lambda x, n: np.array([v for v, k in zip(x, n) for _ in range(k)]), op="getitem"),
    Case("diag", st.tuples(array(min_dims=1, max_dims=1), st.integers(-2, 2)), lambda x,
        k: sum_at(x, k), op="setitem"),
    Case("diag:matrix", matrices("nm"), lambda x: np.array([x[i, i] for i in range(min(x.shape))]),
        op="diagonal"),
    Case("trace", matrices("nm"), lambda x: np.array(sum(x[i, i] for i in range(min(x.shape)))),
        op="sum"),
    Case("hstack", matrices("nm", "nk"), lambda *a: np.array([[*r, *s] for r, s in zip(*a)]),
        call=lambda *a: ops.hstack(a), op="cat"),
    Case("hstack:vectors", vectors, lambda *a: np.array([v for x in a for v in x]),
        call=lambda *a: ops.hstack(a), op="cat"),
    Case("vstack", matrices("nm", "m"), lambda *a: np.array([*a[0], a[1]]),
        call=lambda *a: ops.vstack(a), op="cat"),
    Case("fliplr", matrices("nm"), lambda x: np.array([r[::-1] for r in x]), op="flip"),
    Case("flipud", matrices("nm"), lambda x: np.array([*x][::-1]), op="flip"),
    Case("rot90", st.tuples(array(shape=(2, 3, 2)), st.integers(-1, 5)), lambda x,
        k: np.rot90(x, k), op=None),
    Case("broadcast_tensors", broadcast(), lambda *a: [sum_to_common(x, a) for x in a],
        op="expand"),
    Case("meshgrid", vectors, lambda *a: mesh(*a), op="expand"),
    Case("meshgrid:xy", matrices("n", "m"), lambda *a: [g.T for g in mesh(*a)],
         call=lambda *a: ops.meshgrid(a, indexing="xy"), op="expand"),
    Case("mv", matrices("nm", "m"), lambda a, v: np.array([sum(x * y for x, y in zip(r,
                        v)) for r in a]), op=None),
    Case("baddbmm", matrices("bnk", "bnm", "bmk"), lambda c, a,
        b: 2 * c + 0.5 * np.array([x @ y for x, y in zip(a, b)]),
         call=lambda *a: ops.baddbmm(*a, beta=2, alpha=0.5), op="matmul"),
    Case("dist", same(), lambda x, y: np.array(math.sqrt(sum((a - b) ** 2 for a, b in zip(x.ravel(),
                        y.ravel())))), op="norm2"),
    Case("cdist", matrices("nm", "km").map(lambda a: (*a, 3.0)), pairs, op=None),
    Case("std_mean", array(min_dims=1, shape=(4, 3)).map(lambda x: (x, 0)),
         lambda x,
         d: [np.array([math.sqrt(sum((v - sum(c) / 4) ** 2 for v in c) / 3) for c in x.T]),
             np.array([sum(c) / 4 for c in x.T])],
         op="mean"),
    Case("bincount", bits(1).map(lambda a: (a[0].astype(int).ravel(),)),
        lambda x: np.array([list(x).count(k) for k in range(max(x) + 1)]),
         op=None, orders=0, bare=False),
    Case("histc", one(low=0.0, high=1.0),
        lambda x: np.array([sum(k / 4 <= v < (k + 1) / 4 for v in x.ravel()) for k in range(4)],
            float),
         call=lambda x: ops.histc(x, 4, 0, 1), op=None, orders=0, bare=False),
    Case("unique", bits(1), different,
         call=lambda x: ops.unique(x, return_counts=True), op=None, orders=0, bare=False),
]  # fmt: skip


def scatter_sum(x, dim, index, src):
    out = x.copy()
    for place in np.ndindex(index.shape):
        target = list(place)
        target[dim] = index[place]
        out[tuple(target)] += src[place]
    return out


def sum_at(x, k):
    n = len(x) + abs(k)
    return np.array([[x[min(i, j)] if j - i == k else 0.0 for j in range(n)] for i in range(n)])


def sum_to_common(x, all):
    return x + np.zeros(np.broadcast_shapes(*[a.shape for a in all]))
