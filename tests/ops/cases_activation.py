"""Cases: activation functions and their derivative cards."""

import math

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, fill, one, same, scalar, seeds, shapes

slope = st.sampled_from([0.01, 0.2, 1.0, -0.5, 0.0])


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def normal_cdf(x):
    return math.erfc(-x / math.sqrt(2)) / 2


def gelu(x, approximate="none"):
    if approximate == "tanh":
        return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x * normal_cdf(x)


def softplus(x, beta=1.0, threshold=20.0):
    return x if beta * x > threshold else math.log1p(math.exp(beta * x)) / beta


@st.composite
def prelu_inputs(draw):
    shape = draw(shapes(1, 4))
    channels = shape[1] if len(shape) > 1 else 1
    x = fill(draw(seeds), shape, away=(0.0,))
    return x, fill(draw(seeds), (draw(st.sampled_from([1, channels])),))


@st.composite
def prelu_grad_inputs(draw):
    x, weight = draw(prelu_inputs())
    return fill(draw(seeds), x.shape), x, weight


def prelu_grad(g, x, weight):
    return np.where(x > 0, g, prelu(-abs(x), weight) / -abs(x) * g)


def prelu_weight_grad(g, x, weight):
    """By the definition: what a little more of each weight adds to sum g prelu(x)."""
    found = np.zeros(weight.shape)
    for i in range(len(weight)):
        more = weight.copy()
        more[i] += 1
        found[i] = (g * (prelu(x, more) - prelu(x, weight))).sum()
    return found


def prelu(x, weight):
    out = x.copy()
    for index in np.ndindex(x.shape):
        a = weight[0] if len(weight) == 1 else weight[index[1]]
        out[index] = x[index] if x[index] > 0 else a * x[index]
    return out


@st.composite
def halves(draw):
    shape = list(draw(shapes(1, 3)))
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    shape[dim] *= 2
    return fill(draw(seeds), tuple(shape)), dim


def glu(x, dim=-1):
    a, b = np.split(x, 2, dim)
    return a * np.vectorize(sigmoid)(b)


SELU = 1.6732632423543772848, 1.0507009873554804934  # the paper's constants

CASES = [
    Case("tanh", one(), scalar(math.tanh)),
    Case("tanh:large", one(low=-400.0, high=400.0, away=(0.0,)), scalar(math.tanh), orders=0),
    Case("tanh_grad", same(2, low=-0.9, high=0.9), scalar(lambda g, y: g * (1 - y**2))),
    Case("sigmoid", one(low=-5.0, high=5.0), scalar(sigmoid)),
    Case("sigmoid:large", one(low=-800.0, high=800.0), scalar(sigmoid), orders=0),
    Case("softplus", one(low=-5.0, high=5.0), scalar(softplus)),
    Case(
        "softplus:large",
        one(low=-800.0, high=800.0),
        scalar(lambda x: max(x, 0) + math.log1p(math.exp(-abs(x)))),
        orders=0,
    ),
    Case(
        "softplus:beta",
        one(st.sampled_from([0.5, 3.0]), st.sampled_from([20.0, 4.0]), low=-3, high=3),
        scalar(softplus),
    ),
    Case("logsigmoid", one(low=-5.0, high=5.0), scalar(lambda x: math.log(sigmoid(x)))),
    Case(
        "logsigmoid:large",
        one(low=-500.0, high=500.0),
        scalar(lambda x: min(x, 0) - math.log1p(math.exp(-abs(x)))),
        orders=0,
    ),
    Case("relu", one(away=(0.0,)), scalar(lambda x: max(x, 0.0))),
    Case("leaky_relu", one(slope, away=(0.0,)), scalar(lambda x, a: x if x > 0 else a * x)),
    Case("leaky_relu:default", one(away=(0.0,)), scalar(lambda x: x if x > 0 else 0.01 * x)),
    Case(
        "leaky_relu_grad",
        same(2, away=(0.0,), options=(slope,)),
        scalar(lambda g, x, a: g if x > 0 else a * g),
    ),
    Case(
        "elu",
        one(st.sampled_from([1.0, 0.5, 2.0]), away=(0.0,)),
        scalar(lambda x, a: x if x > 0 else a * (math.exp(x) - 1)),
    ),
    Case("elu:smooth", one(away=()), scalar(lambda x: x if x > 0 else math.exp(x) - 1), orders=1),
    Case(
        "selu",
        one(away=(0.0,)),
        scalar(lambda x: SELU[1] * (x if x > 0 else SELU[0] * (math.exp(x) - 1))),
        op=None,
    ),
    Case("gelu", one(low=-4.0, high=4.0), scalar(gelu)),
    Case(
        "gelu:tanh",
        one(st.just("tanh"), low=-4.0, high=4.0),
        lambda x, how: scalar(lambda v: gelu(v, how))(x),
    ),
    Case("silu", one(low=-5.0, high=5.0), scalar(lambda x: x * sigmoid(x))),
    Case("hardtanh", one(away=(-1.0, 1.0)), scalar(lambda x: min(max(x, -1.0), 1.0))),
    Case(
        "hardtanh:limits",
        one(st.just(-0.3), st.just(1.7), away=(-0.3, 1.7)),
        scalar(lambda x, a, b: min(max(x, a), b)),
    ),
    Case("prelu", prelu_inputs(), prelu),
    Case("prelu_grad", prelu_grad_inputs(), prelu_grad),
    Case("prelu_weight_grad", prelu_grad_inputs(), prelu_weight_grad),
    Case(
        "mish",
        one(low=-5.0, high=5.0),
        scalar(lambda x: x * math.tanh(math.log1p(math.exp(x)))),
        op=None,
    ),
    Case(
        "mish:large",
        one(low=-800.0, high=800.0),
        scalar(lambda x: x * math.tanh(softplus(x)) if x > -600 else 0.0),
        op=None,
        orders=0,
    ),
    Case(
        "hardswish",
        one(low=-5.0, high=5.0, away=(-3.0, 3.0)),
        scalar(lambda x: x * min(max(x + 3, 0), 6) / 6),
        op=None,
    ),
    Case("glu", halves(), glu, op=None),
]
