"""Cases: running products and extrema, differences and integrals; medians and quantiles."""

import math
import statistics

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, array, dim_of, distinct, fill, seeds, shapes
from ops.cases_reduction import reducible, rounded

import minigan.ops as ops
from minigan.autograd import OPS


@st.composite
def lines(draw, values=fill, min_side=1, options=()):
    """x and one of its dimensions, then options."""
    x = values(draw(seeds), draw(shapes(1, 3, 4, min_side)))
    return (x, draw(dim_of(x)), *[draw(o) for o in options])


def along(function):
    """Reference: function(list) -> list, or a number, of each line along dim."""

    def reference(x, dim=-1, *options):
        moved = np.moveaxis(x, dim, -1)
        out = np.array(
            [function(moved[i].tolist(), *options) for i in np.ndindex(moved.shape[:-1])]
        )
        out = out.reshape(moved.shape[:-1] + out.shape[1:])
        return np.moveaxis(out, -1, dim) if out.ndim == moved.ndim else out

    return reference


def products(values):
    return [math.prod(values[: i + 1]) for i in range(len(values))]


def best(values, pick):
    """The values, and the last positions, of the best so far."""
    found = [
        max((v if pick is max else -v, k) for k, v in enumerate(values[: i + 1]))[1]
        for i in range(len(values))
    ]
    return [values[k] for k in found], found


def running(pick):
    return lambda x, dim: [
        along(lambda v: best(v, pick)[0])(x, dim),
        along(lambda v: best(v, pick)[1])(x, dim),
    ]


def differences(values, n):
    for _ in range(n):
        values = [b - a for a, b in zip(values, values[1:])]
    return values


def area(values, dx):
    return sum((a + b) / 2 * dx for a, b in zip(values, values[1:]))


def areas(values, dx=1):
    return [area(values[: i + 2], dx) for i in range(len(values) - 1)]


def quantile(values, q, kind="linear"):
    values = sorted(v for v in values if not math.isnan(v))
    at = q * (len(values) - 1)
    low, high = values[math.floor(at)], values[math.ceil(at)]
    whole = {
        "lower": low,
        "higher": high,
        "midpoint": (low + high) / 2,
        "nearest": values[round(at)],
    }
    return whole[kind] if kind in whole else low + (high - low) * (at - math.floor(at))


KINDS = ["linear", "lower", "higher", "midpoint", "nearest"]
shares = st.sampled_from([0.0, 0.25, 0.4, 0.5, 0.9, 1.0])


@st.composite
def with_nan(draw):
    """Distinct numbers, some NaN, no line of which is all NaN; a dimension."""
    x = distinct(draw(seeds), (3, 4))
    x[draw(st.integers(0, 2)), draw(st.integers(0, 2))] = math.nan
    return x, draw(st.integers(-2, 1))


def place(x, dim, find):
    """[values, positions] of find(list) along dim; positions of the first equal element."""
    value = along(find)(x, dim)
    return [value, along(lambda v: v.index(find(v)))(x, dim).astype(np.int64)]


def numbers(find):
    """find of the numbers of a list."""
    return lambda values: find([v for v in values if not math.isnan(v)])


def spread(x, y):
    return (y[..., 1:] + y[..., :-1]) / 2 * np.diff(x)


CASES = [
    Case("cumprod", lines(), along(products)),
    Case("cumprod:zeros", lines(rounded), along(products)),
    Case("cummax", lines(distinct), running(max), op="gather"),
    Case("cummax:equal", lines(rounded), running(max), op="gather", orders=0),
    Case("cummin", lines(distinct), running(min), op="gather"),
    Case("cummin:equal", lines(rounded), running(min), op="gather", orders=0),
    Case(
        "running",
        lines(rounded).map(lambda a: (*a, True)),
        lambda x, dim, _: running(max)(x, dim)[1],
        orders=0,
        call=lambda x, dim, largest: OPS["_running"](x, dim % x.ndim, largest),
    ),
    Case(
        "diff",
        lines(options=(st.integers(1, 2),), min_side=3).map(lambda a: (a[0], a[2], a[1])),
        lambda x, n, d: along(lambda v: differences(v, n))(x, d),
        op=None,
    ),
    Case(
        "trapezoid",
        lines(min_side=2).map(lambda a: (*a, 0.5)),
        along(area),
        call=lambda x, d, dx: ops.trapezoid(x, dx=dx, dim=d),
        op=None,
    ),
    Case(
        "trapezoid:x",
        st.tuples(array(shape=(2, 4)), array(shape=(4,))),
        lambda y, x: spread(x, y).sum(-1),
        op="mul",
    ),
    Case(
        "cumulative_trapezoid",
        lines(min_side=2),
        along(areas),
        call=lambda x, d: ops.cumulative_trapezoid(x, dim=d),
        op="cumsum",
    ),
    Case(
        "median",
        reducible(distinct, single=True),
        lambda x, d, k: kept(place(x, d, statistics.median_low), d, k),
        op="gather",
    ),
    Case(
        "median:all",
        reducible(distinct, keep=False).map(lambda a: a[:1]),
        lambda x: np.array(statistics.median_low(x.ravel().tolist())),
    ),
    Case(
        "nanmedian",
        with_nan(),
        lambda x, d: place(x, d, numbers(statistics.median_low)),
        op="gather",
        orders=0,
    ),
    Case(
        "nanmedian:all",
        with_nan().map(lambda a: a[:1]),
        lambda x: np.array(numbers(statistics.median_low)(x.ravel().tolist())),
        op="median",
        orders=0,
    ),
    Case(
        "median:nan",
        st.just((np.array([[1.0, math.nan, 2.0]]), 1)),
        lambda x, d: [np.array([math.nan]), np.array([1])],
        op="gather",
        orders=0,
    ),
    Case(
        "kthvalue",
        array(shape=(3,)).map(lambda x: (distinct(3, (4, 3)), 2, 0)),
        lambda x, k, d: place(x, d, lambda v: sorted(v)[k - 1]),
        op="gather",
    ),
    Case(
        "mode",
        st.just((np.array([[1.0, 2.0, 2.0, 0.0], [3.0, 3.0, 1.0, 1.0]]),)),
        lambda x: [np.array([2.0, 1.0]), np.array([2, 3])],
        op="gather",
        orders=0,
    ),
    Case("msort", lines(distinct).map(lambda a: a[:1]), lambda x: along(sorted)(x, 0), op="gather"),
    Case(
        "quantile",
        lines(distinct, options=(shares,)).map(lambda a: (a[0], a[2], a[1])),
        lambda x, q, d: along(quantile)(x, d, q),
        op="gather",
        bare=False,
    ),
    Case(
        "quantile:all",
        lines(distinct, options=(shares,)).map(lambda a: (a[0], a[2])),
        lambda x, q: np.array(quantile(x.ravel().tolist(), q)),
        op="gather",
        bare=False,
    ),
    Case(
        "quantile:several",
        lines(distinct, options=(st.sampled_from(KINDS),)),
        bare=False,
        op="gather",
        tolerance=1e-4,
        constant=(1,),
        reference=lambda x, d, kind: np.stack(
            [along(quantile)(x, d, q, kind) for q in (0.1, 0.5, 0.75)]
        ),
        call=lambda x, d, kind: several(x, d, kind),
    ),
    Case(
        "nanquantile",
        with_nan().map(lambda a: (a[0], 0.4, a[1])),
        lambda x, q, d: along(quantile)(x, d, q),
        op="gather",
        bare=False,
        orders=0,
    ),
]


def kept(results, dim, keepdim):
    return [np.expand_dims(r, dim) for r in results] if keepdim else results


def several(x, dim, kind):
    return ops.quantile(x, [0.1, 0.5, 0.75], dim, interpolation=kind)
