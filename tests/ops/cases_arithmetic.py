"""Cases: arithmetic, comparisons, where, clamp."""

import math

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, apart, array, broadcast, fill, one, same, scalar, seeds, shapes

number = st.floats(-2, 2).map(lambda v: round(v, 3))
positive = (0.2, 2.0)


@st.composite
def with_number(draw, low=-2.0, high=2.0, away=()):
    return draw(array(low=low, high=high, away=away)), draw(number)


@st.composite
def coarse(draw, count=2):
    """Arrays of few values, so that many elements are equal."""
    return tuple(np.round(x) for x in draw(broadcast(count)))


@st.composite
def booleans(draw, count=2):
    return tuple(x > 0 for x in draw(broadcast(count)))


@st.composite
def divided(draw):
    """x and y, of either sign, with x / y away from integers."""
    rng, shape = np.random.default_rng(draw(seeds)), draw(shapes())
    y = np.asarray(rng.uniform(0.5, 2.0, shape) * rng.choice([-1, 1], shape))
    return np.asarray((rng.integers(-3, 3, shape) + rng.uniform(0.2, 0.8, shape)) * y), y


@st.composite
def choices(draw):
    condition, x, y = draw(broadcast(3))
    return condition > 0, x, y


@st.composite
def special(draw):
    """Some elements NaN or infinite."""
    x = fill(draw(seeds), draw(shapes()))
    kind = np.random.default_rng(draw(seeds)).integers(0, 6, x.shape)
    return (
        np.choose(
            kind,
            [
                x,
                x,
                x,
                np.full(x.shape, np.nan),
                np.full(x.shape, np.inf),
                np.full(x.shape, -np.inf),
            ],
        ),
    )


@st.composite
def to_clamp(draw):
    low, high = draw(st.sampled_from([(-1.0, None), (None, 0.5), (-0.5, 1.0)]))
    return draw(array(away=(-1.0, -0.5, 0.5, 1.0))), low, high


@st.composite
def fractional_powers(draw):
    """Positive bases and any exponent, as an array."""
    return draw(broadcast(2, ((0.3, 2.0), (-2.0, 2.0))))


def clamp(x, low, high):
    return min(max(x, -math.inf if low is None else low), math.inf if high is None else high)


def compare(name, function):
    return Case(name, coarse(), scalar(function), orders=0)


CASES = [
    Case("add", broadcast(), scalar(lambda x, y: x + y)),
    Case("add:alpha", broadcast(options=(number,)), scalar(lambda x, y, a: x + a * y)),
    Case("add:number", with_number(), scalar(lambda x, y: x + y)),
    Case("sub", broadcast(), scalar(lambda x, y: x - y)),
    Case("sub:alpha", broadcast(options=(number,)), scalar(lambda x, y, a: x - a * y)),
    Case("sub:from number", with_number(), scalar(lambda x, y: y - x), call=lambda x, y: y - x),
    Case("mul", broadcast(), scalar(lambda x, y: x * y)),
    Case("mul:number", with_number(), scalar(lambda x, y: x * y)),
    Case("mul:itself", one(), scalar(lambda x: x * x), call=lambda x: x * x),
    Case(
        "div", broadcast(away=(0.0,), ranges=((-2.0, 2.0), (0.4, 2.0))), scalar(lambda x, y: x / y)
    ),
    Case(
        "div:negative divisor",
        broadcast(ranges=((-2.0, 2.0), (-2.0, -0.4))),
        scalar(lambda x, y: x / y),
    ),
    Case(
        "div:of number", with_number(0.4, 2.0), scalar(lambda x, y: y / x), call=lambda x, y: y / x
    ),
    Case("neg", one(), scalar(lambda x: -x)),
    Case("pow", fractional_powers(), scalar(lambda x, e: x**e)),
    Case("pow:number", with_number(0.3, 2.0), scalar(lambda x, e: x**e)),
    Case("pow:whole number", one(st.integers(0, 5)), scalar(lambda x, e: x**e)),
    Case(
        "pow:negative number",
        one(st.integers(-3, -1), low=-2.0, high=-0.5),
        scalar(lambda x, e: x**e),
    ),
    Case(
        "pow:of number",
        st.tuples(array(), st.floats(0.3, 2.0)),
        scalar(lambda e, x: x**e),
        call=lambda e, x: x**e,
    ),
    Case("maximum", apart(), scalar(max)),
    Case("minimum", apart(), scalar(min)),
    Case("where", choices(), scalar(lambda c, x, y: x if c else y)),
    Case(
        "where:number",
        choices().map(lambda a: (a[0], a[1], 0.5)),
        scalar(lambda c, x, y: x if c else y),
    ),
    Case(
        "where:first number",
        choices().map(lambda a: (a[0], -1.5, a[1])),
        scalar(lambda c, x, y: x if c else y),
    ),
    Case("clamp", to_clamp(), lambda x, low, high: scalar(lambda v: clamp(v, low, high))(x)),
    compare("eq", lambda x, y: x == y),
    compare("ne", lambda x, y: x != y),
    compare("lt", lambda x, y: x < y),
    compare("le", lambda x, y: x <= y),
    compare("gt", lambda x, y: x > y),
    compare("ge", lambda x, y: x >= y),
    Case("logical_and", booleans(), scalar(lambda x, y: x and y), orders=0),
    Case("logical_or", booleans(), scalar(lambda x, y: x or y), orders=0),
    Case("logical_not", booleans(1), scalar(lambda x: not x), orders=0),
    Case("isfinite", special(), scalar(math.isfinite), orders=0),
    Case("isnan", special(), scalar(math.isnan), orders=0),
    Case("floor", one(away=(-2.0, -1.0, 0.0, 1.0, 2.0)), scalar(lambda x: float(math.floor(x)))),
    Case("round", one(away=(-1.5, -0.5, 0.5, 1.5)), scalar(lambda x: float(round(x)))),
    Case(
        "round:ties",
        same(1).map(lambda a: (np.round(2 * a[0]) / 2,)),
        scalar(lambda x: float(round(x))),
        orders=0,
    ),
    Case(
        "remainder",
        one(st.sampled_from([5.0, -5.0]), away=(0.0,)),
        scalar(lambda x, y: x - math.floor(x / y) * y),
    ),
    Case("remainder:both", divided(), scalar(lambda x, y: x - math.floor(x / y) * y)),
    Case(
        "fmod", one(st.sampled_from([0.7, -0.7]), away=(-1.4, -0.7, 0, 0.7, 1.4)), scalar(math.fmod)
    ),
    Case("fmod:both", divided(), scalar(math.fmod)),
    Case(
        "floor_divide",
        one(st.just(0.7), away=(-1.4, -0.7, 0, 0.7, 1.4)),
        scalar(lambda x, y: float(x // y)),
    ),
    Case("floor_divide:both", divided(), scalar(lambda x, y: float(x // y))),
    Case(
        "floor_divide:integers",
        booleans().map(lambda a: (a[0] * 7 - 4, a[1] * 5 - 2)),
        scalar(lambda x, y: x // y),
        orders=0,
    ),
]
