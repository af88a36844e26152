"""Cases: recurrent layers over a sequence, against loops over steps, examples and units in Python's
numbers."""

import math

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, fill, seeds


@st.composite
def inputs(draw, gates, states=1, bias=False, options=()):
    """x (T, N, gates H), `states` arrays (N, H), weight (gates H, H), and (gates H,) or None for a
    bias."""
    steps = draw(st.integers(1, 3))
    rows = draw(st.integers(1, 3))
    n = draw(st.integers(1, 3))
    shapes = [(steps, rows, gates * n), *[(rows, n)] * states, (gates * n, n)]
    arrays = [fill(draw(seeds), s, -1.0, 1.0) for s in shapes]
    if bias:
        arrays.append(fill(draw(seeds), (gates * n,)) if draw(st.booleans()) else None)
    return (*arrays, *[draw(o) for o in options])


def sigmoid(v):
    return 1 / (1 + math.exp(-v))


def recurrent(weight, h, row):
    """Number `row` of W h."""
    return sum(weight[row, k] * h[k] for k in range(len(h)))


def over_steps(x, states, step):
    """step(x of one step and example, states) -> states, for all; the states of all steps, each (T,
    N, H)."""
    results = [np.zeros((*x.shape[:2], s.shape[1])) for s in states]
    for example in range(x.shape[1]):
        now = [s[example] for s in states]
        for t in range(len(x)):
            now = step(x[t, example], *now)
            for result, value in zip(results, now):
                result[t, example] = value
    return results


def rnn(x, h, weight, nonlinearity="tanh"):
    f = math.tanh if nonlinearity == "tanh" else lambda v: max(v, 0.0)
    return over_steps(
        x, [h], lambda x, h: [[f(x[j] + recurrent(weight, h, j)) for j in range(len(h))]]
    )[0]


def lstm(x, h, c, weight):
    def step(x, h, c):
        n = len(h)
        hs = []
        cs = []
        for j in range(n):
            i, f, u, o = (x[k * n + j] + recurrent(weight, h, k * n + j) for k in range(4))
            cs.append(sigmoid(f) * c[j] + sigmoid(i) * math.tanh(u))
            hs.append(sigmoid(o) * math.tanh(cs[-1]))
        return hs, cs

    return np.stack(over_steps(x, [h, c], step))


def gru(x, h, weight, bias=None):
    def step(x, h):
        n, hs = len(h), []
        for j in range(n):
            ar, az, au = (
                recurrent(weight, h, k * n + j) + (0.0 if bias is None else bias[k * n + j])
                for k in range(3)
            )
            r, z = sigmoid(x[j] + ar), sigmoid(x[n + j] + az)
            hs.append((1 - z) * math.tanh(x[2 * n + j] + r * au) + z * h[j])
        return [hs]

    return over_steps(x, [h], step)[0]


CASES = [
    Case("rnn_steps", inputs(1), rnn),
    Case("rnn_steps:relu", inputs(1, options=(st.just("relu"),)), rnn),
    Case("lstm_steps", inputs(4, states=2), lstm),
    Case("gru_steps", inputs(3, bias=True), gru),
]
