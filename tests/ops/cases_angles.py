"""Cases: inverse trigonometric functions, and further functions of one or two numbers."""

import math
from statistics import NormalDist

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, apart, array, broadcast, one, scalar
from ops.cases_compose import strange

import minigan.ops as ops

INSIDE = {"low": -0.9, "high": 0.9}


def inverse_erf(y):
    return NormalDist().inv_cdf((y + 1) / 2) / math.sqrt(2)


def xlogy(x, y):
    return 0.0 if x == 0 else x * math.log(y)


def larger(x, y):
    return y if math.isnan(x) else x if math.isnan(y) else max(x, y)


def smaller(x, y):
    return y if math.isnan(x) else x if math.isnan(y) else min(x, y)


some_nan = st.tuples(strange(), strange()).map(
    lambda a: np.broadcast_arrays(a[0][0].ravel()[:1], a[1][0].ravel()[:1])
)

CASES = [
    Case("asin", one(**INSIDE), scalar(math.asin), tolerance=1e-4),
    Case("acos", one(**INSIDE), scalar(math.acos), tolerance=1e-4),
    Case("atan", one(), scalar(math.atan)),
    Case("atan2", broadcast(ranges=((0.2, 2.0), (-2.0, 2.0))), scalar(math.atan2), tolerance=1e-4),
    Case("atan2:origin", st.just((np.zeros(2), np.zeros(2))), scalar(math.atan2), orders=0),
    Case("asinh", one(), scalar(math.asinh)),
    Case("acosh", one(low=1.2, high=3.0), scalar(math.acosh), tolerance=1e-4),
    Case("atanh", one(**INSIDE), scalar(math.atanh), tolerance=1e-4),
    Case("hypot", broadcast(ranges=((0.2, 2.0), (-2.0, 2.0))), scalar(math.hypot)),
    Case("deg2rad", one(), scalar(math.radians), op="mul"),
    Case("rad2deg", one(), scalar(math.degrees), op="mul"),
    Case(
        "sinc",
        one(low=0.3, high=2.0),
        scalar(lambda x: math.sin(math.pi * x) / (math.pi * x)),
        op="sin",
        tolerance=1e-4,
    ),
    Case("sinc:zero", st.just((np.zeros(2),)), scalar(lambda x: 1.0), op="sin", orders=1),
    Case("erfc", one(), scalar(math.erfc), op="erf"),
    Case("erfinv", one(**INSIDE), scalar(inverse_erf), tolerance=1e-4),
    Case("xlogy", broadcast(ranges=((-2.0, 2.0), (0.2, 2.0))), scalar(xlogy)),
    Case(
        "xlogy:zero",
        st.just((np.array([0.0, 0.0, 1.0]), np.array([0.0, 2.0, 2.0]))),
        scalar(xlogy),
        orders=0,
    ),
    Case("logaddexp2", broadcast(), scalar(lambda x, y: math.log2(2**x + 2**y)), op="logsumexp"),
    Case(
        "div:floor",
        broadcast(ranges=((-2.0, 2.0), (0.4, 2.0))),
        scalar(lambda x, y: float(math.floor(x / y))),
        op="floor",
        orders=0,
        call=lambda x, y: ops.div(x, y, rounding_mode="floor"),
    ),
    Case(
        "div:trunc",
        broadcast(ranges=((-2.0, 2.0), (0.4, 2.0))),
        scalar(lambda x, y: float(math.trunc(x / y))),
        op="sign",
        orders=0,
        call=lambda x, y: ops.div(x, y, rounding_mode="trunc"),
    ),
    Case(
        "div:integers",
        st.just((np.array([7, -7, 6]), np.array([2, 2, -4]))),
        lambda x, y: np.array([3, -3, -1]),
        op=None,
        orders=0,
        bare=False,
        call=lambda x, y: ops.div(x, y, rounding_mode="trunc"),
    ),
    Case("ldexp", broadcast(), scalar(lambda x, y: x * 2.0**y), op="mul"),
    Case("fmax", apart(), scalar(larger), op="where"),
    Case("fmin", apart(), scalar(smaller), op="where"),
    Case("fmax:nan", some_nan, scalar(larger), op=None, orders=0),
    Case("fmin:nan", some_nan, scalar(smaller), op=None, orders=0),
    Case("copysign", broadcast(away=()), scalar(math.copysign), op="where", orders=0),
    Case("copysign:number", one(st.just(-1.5), away=(0.0,)), lambda x, y: -np.abs(x), op="abs"),
    Case(
        "heaviside",
        st.tuples(array(shape=(5,)).map(np.round), array(shape=(5,))),
        scalar(lambda x, v: v if x == 0 else float(x > 0)),
        op="where",
        orders=0,
    ),
    Case("rsub", broadcast(), lambda x, y: y - x, op="sub"),
    Case("positive", one(), lambda x: x, op=None, orders=0),
    Case("real", one(), lambda x: x, op=None, orders=0),
    Case("signbit", one(), scalar(lambda x: x < 0), orders=0),
    Case("isposinf", strange(), scalar(lambda x: x == math.inf), op="eq", orders=0),
    Case("isneginf", strange(), scalar(lambda x: x == -math.inf), op="eq", orders=0),
    Case("isreal", strange(), scalar(lambda x: True), op=None, orders=0),
]
