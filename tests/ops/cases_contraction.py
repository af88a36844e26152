"""Cases: tensordot and other products, covariances; more ways to join, cut and place."""

import itertools
import math

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, array, fill, one, seeds
from ops.cases_compose import matrices
from ops.cases_reduction import over, reducible

import minigan.ops as ops
import minigan.ops.arrange as arrange


def contracted(a, b, of_a, of_b):
    """tensordot by a loop over all elements of the result."""
    free_a, free_b = (
        [i for i in range(a.ndim) if i not in of_a],
        [i for i in range(b.ndim) if i not in of_b],
    )
    out = np.zeros([a.shape[i] for i in free_a] + [b.shape[i] for i in free_b])
    for at in np.ndindex(out.shape):
        for k in np.ndindex(*[a.shape[i] for i in of_a]):
            i, j = [0] * a.ndim, [0] * b.ndim
            for d, v in zip([*free_a, *of_a], [*at[: len(free_a)], *k]):
                i[d] = v
            for d, v in zip([*free_b, *of_b], [*at[len(free_a) :], *k]):
                j[d] = v
            out[at] += a[tuple(i)] * b[tuple(j)]
    return out


def covariance(x, weights=None, correction=1):
    n = x.shape[1]
    w = np.ones(n) if weights is None else weights
    mean = [sum(a * b for a, b in zip(r, w)) / sum(w) for r in x]
    free = n - correction if weights is None else sum(w) - correction * sum(w * w) / sum(w)
    return np.array(
        [
            [sum(c * (a - p) * (b - q) for a, b, c in zip(r, s, w)) / free for s, q in zip(x, mean)]
            for r, p in zip(x, mean)
        ]
    )


def correlation(x):
    c = covariance(x)
    return np.array(
        [[c[i, j] / math.sqrt(c[i, i] * c[j, j]) for j in range(len(c))] for i in range(len(c))]
    )


def vector_product(a, b):
    return np.array(
        [
            [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]]
            for p, q in zip(a, b)
        ]
    )


def numbers(function):
    return lambda values: function([v for v in values if not math.isnan(v)])


@st.composite
def some_nan(draw):
    x = fill(draw(seeds), (3, 4))
    x[draw(st.integers(0, 2)), draw(st.integers(0, 2))] = math.nan
    return x, draw(st.sampled_from([None, 0, 1, -1])), draw(st.booleans())


def parts(x, ends, dim):
    return [
        np.take(x, range(a, max(a, b)), dim)
        for a, b in itertools.pairwise([0, *ends, x.shape[dim]])
    ]


@st.composite
def joined(draw, *shapes):
    return tuple(fill(draw(seeds), s) for s in shapes)


def embedded(x, offset):
    n = x.shape[-1] + abs(offset)
    out = np.zeros((*x.shape[:-1], n, n))
    for at in np.ndindex(x.shape):
        i = at[-1]
        out[(*at[:-1], i + max(0, -offset), i + max(0, offset))] = x[at]
    return out


def blocks(*xs):
    out = np.zeros((sum(x.shape[0] for x in xs), sum(x.shape[1] for x in xs)))
    i = j = 0
    for x in xs:
        out[i : i + x.shape[0], j : j + x.shape[1]] = x
        i, j = i + x.shape[0], j + x.shape[1]
    return out


def windowed(x, dim, size, step):
    starts = range(0, x.shape[dim] - size + 1, step)
    return np.moveaxis(
        np.stack([np.stack([np.take(x, s + k, dim) for s in starts], dim) for k in range(size)]),
        0,
        -1,
    )


def masked(x, mask, source):
    out, values = x.copy(), iter(source.ravel())
    for at in np.ndindex(x.shape):
        if mask[at]:
            out[at] = next(values)
    return out


def put(x, index, value):
    out = x.copy()
    out[index] = value
    return out


MASK = np.array([[True, False, True], [False, True, False]])
sorted_values = np.array([-1.0, 0.0, 0.0, 1.5])
asked = np.array([[-2.0, 0.0], [1.0, 9.0]])

CASES = [
    Case(
        "tensordot",
        joined((2, 3, 2), (3, 2, 2)),
        lambda a, b: contracted(a, b, [0, 1], [1, 0]),
        call=lambda a, b: ops.tensordot(a, b, ([0, 1], [1, 0])),
        op="matmul",
    ),
    Case(
        "tensordot:count",
        joined((2, 3, 2), (3, 2, 4)).map(lambda a: (*a, 2)),
        lambda a, b, n: contracted(a, b, [1, 2], [0, 1]),
        op="matmul",
    ),
    Case(
        "tensordot:none",
        joined((2,), (3,)).map(lambda a: (*a, 0)),
        lambda a, b, n: contracted(a, b, [], []),
        op="matmul",
    ),
    Case("inner", joined((2, 3), (4, 3)), lambda a, b: contracted(a, b, [1], [1]), op="matmul"),
    Case(
        "vdot",
        joined((3,), (3,)),
        lambda a, b: np.array(sum(x * y for x, y in zip(a, b))),
        op="matmul",
    ),
    Case(
        "kron",
        matrices("nm", "kb"),
        lambda a, b: np.block([[v * b for v in r] for r in a]),
        op="mul",
    ),
    Case("cross", joined((2, 3), (2, 3)), vector_product, op="roll"),
    Case(
        "addmv",
        matrices("n", "nm", "m"),
        lambda c, a, v: 2 * c + 0.5 * np.array([sum(r * v) for r in a]),
        call=lambda *a: ops.addmv(*a, beta=2, alpha=0.5),
        op="matmul",
    ),
    Case(
        "addr",
        matrices("nm", "n", "m"),
        lambda c, a, b: 2 * c + 0.5 * np.array([[x * y for y in b] for x in a]),
        call=lambda *a: ops.addr(*a, beta=2, alpha=0.5),
        op="mul",
    ),
    Case(
        "addbmm",
        matrices("nk", "bnm", "bmk"),
        lambda c, a, b: 2 * c + 0.5 * sum(x @ y for x, y in zip(a, b)),
        call=lambda *a: ops.addbmm(*a, beta=2, alpha=0.5),
        op="matmul",
    ),
    Case("chain_matmul", matrices("nm", "mk", "kb"), lambda a, b, c: a @ (b @ c), op="matmul"),
    Case("cov", one(shape=(3, 5)), covariance, op="matmul"),
    Case(
        "cov:weights",
        st.tuples(array(shape=(2, 4)), array(shape=(4,), low=0.5)),
        lambda x, w: covariance(x, w),
        call=lambda x, w: ops.cov(x, aweights=w),
        op="matmul",
        tolerance=1e-4,
    ),
    Case("corrcoef", one(shape=(3, 6)), correlation, op="div", tolerance=1e-4),
    Case("nansum", some_nan(), over(numbers(sum)), op="sum"),
    Case("nanmean", some_nan(), over(numbers(lambda v: sum(v) / len(v))), op="div"),
    Case(
        "aminmax",
        reducible(min_dims=1).map(lambda a: (a[0], 0)),
        lambda x, d: [x.min(d), x.max(d)],
        call=lambda x, d: ops.aminmax(x, dim=d),
        op="extreme",
    ),
    # --- joining, cutting, placing ---
    Case("atleast_1d", one(), lambda x: x.reshape(-1) if not x.ndim else x, op=None, orders=0),
    Case("atleast_2d", one(min_dims=1, max_dims=1), lambda x: x[None], op="reshape"),
    Case("atleast_3d", one(min_dims=1, max_dims=1), lambda x: x[None, :, None], op="reshape"),
    Case(
        "dstack",
        joined((2, 3), (2, 3)),
        lambda a, b: np.array([[[p, q] for p, q in zip(r, s)] for r, s in zip(a, b)]),
        call=lambda *a: ops.dstack(a),
        op="cat",
    ),
    Case(
        "column_stack",
        joined((2,), (2, 3)),
        lambda a, b: np.array([[p, *r] for p, r in zip(a, b)]),
        call=lambda *a: ops.column_stack(a),
        op="cat",
    ),
    Case("block_diag", joined((2, 3), (1, 2), (2, 1)), blocks, op="setitem"),
    Case("diag_embed", st.tuples(array(shape=(2, 3)), st.integers(-2, 2)), embedded, op="setitem"),
    Case(
        "diag_embed:dims",
        one(shape=(2, 3)),
        lambda x: np.moveaxis(embedded(x, 0), (1, 2), (2, 0)),
        call=lambda x: ops.diag_embed(x, 0, 2, 0),
        op="setitem",
    ),
    Case("diagflat", one(shape=(2, 2)), lambda x: embedded(x.ravel(), 0), op="setitem"),
    Case(
        "tensor_split",
        one(st.integers(1, 6), st.just(1), shape=(2, 5)),
        lambda x, n, d: parts(
            x, [math.ceil(5 / n) * i if i < 5 % n else 5 // n * i + 5 % n for i in range(1, n)], d
        ),
        op="getitem",
    ),
    Case(
        "tensor_split:indices",
        one(st.just([1, 3, 3]), st.just(0), shape=(5, 2)),
        parts,
        op="getitem",
    ),
    Case("hsplit", one(st.just(2), shape=(3, 4)), lambda x, n: parts(x, [2], 1), op="getitem"),
    Case("vsplit", one(st.just([1, 2]), shape=(3, 4)), lambda x, n: parts(x, n, 0), op="getitem"),
    Case("dsplit", one(st.just(2), shape=(3, 1, 4)), lambda x, n: parts(x, [2], 2), op="getitem"),
    Case(
        "windows",
        one(st.integers(0, 1), st.integers(1, 3), st.integers(1, 2), shape=(4, 3)),
        windowed,
        call=arrange.windows,
        op="getitem",
    ),
    Case(
        "cartesian_prod",
        joined((2,), (3,)),
        lambda a, b: np.array([[p, q] for p in a for q in b]),
        op="cat",
    ),
    Case(
        "combinations",
        one(st.integers(1, 3), st.booleans(), shape=(4,)),
        op="getitem",
        reference=lambda x, r, again: np.array(
            [*(itertools.combinations_with_replacement if again else itertools.combinations)(x, r)]
        ),
    ),
    Case("vander", one(shape=(3,)), lambda x: np.array([[v * v, v, 1.0] for v in x]), op="pow"),
    Case(
        "masked_scatter",
        st.tuples(array(shape=(2, 3)), st.just(MASK), array(shape=(4,))),
        masked,
        op="where",
    ),
    Case(
        "slice_scatter",
        joined((2, 5), (2, 2)).map(lambda a: (*a, 1, 0, 4, 2)),
        op="put",
        reference=lambda x, v, d, a, b, s: put(x, (slice(None), slice(a, b, s)), v),
    ),
    Case(
        "select_scatter",
        joined((2, 3), (2,)).map(lambda a: (*a, 1, -1)),
        lambda x, v, d, i: put(x, (slice(None), i), v),
        op="put",
    ),
    Case(
        "diagonal_scatter",
        joined((3, 3), (2,)).map(lambda a: (*a, 1)),
        lambda x, v, k: put(x, ([0, 1], [1, 2]), v),
        op="put",
    ),
    Case(
        "argwhere",
        st.just((np.array([[0.0, 2.0], [3.0, 0.0]]),)),
        lambda x: np.array([[0, 1], [1, 0]]),
        op=None,
        orders=0,
        bare=False,
    ),
    Case(
        "searchsorted",
        st.just((sorted_values, asked)),
        lambda e, x: np.vectorize(lambda v: sum(e < v))(x),
        op=None,
        orders=0,
        bare=False,
    ),
    Case(
        "searchsorted:right",
        st.just((sorted_values, asked)),
        lambda e, x: np.vectorize(lambda v: sum(e <= v))(x),
        op=None,
        orders=0,
        bare=False,
        call=lambda e, x: ops.searchsorted(e, x, right=True),
    ),
    Case(
        "bucketize",
        st.just((asked, sorted_values)),
        lambda x, e: np.vectorize(lambda v: sum(e < v))(x),
        op=None,
        orders=0,
        bare=False,
    ),
    Case(
        "isin",
        st.just((asked, np.array([0.0, 9.0]))),
        lambda x, y: np.vectorize(lambda v: v in y.tolist())(x),
        op=None,
        orders=0,
        bare=False,
    ),
]
