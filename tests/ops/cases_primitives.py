"""Cases: the ops of the engine itself, and of several processes."""

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, fill, one, seeds, shapes

import minigan.distributed  # noqa: F401  its card


@st.composite
def expansions(draw):
    """An array and a shape that it broadcasts to."""
    shape = draw(shapes(0, 3, 3))
    source = [n if draw(st.booleans()) else 1 for n in shape][draw(st.integers(0, len(shape))) :]
    return fill(draw(seeds), tuple(source)), shape


def expand(x, shape):
    out = np.empty(shape)
    for index in np.ndindex(shape):
        tail = index[len(shape) - x.ndim :]
        out[index] = x[tuple(0 if n == 1 else i for i, n in zip(tail, x.shape))]
    return out


def sum_to(g, shape):
    out = np.zeros(shape)
    for index in np.ndindex(g.shape):
        tail = index[g.ndim - len(shape) :]
        out[tuple(0 if n == 1 else i for i, n in zip(tail, shape))] += g[index]
    return out


@st.composite
def contractions(draw):
    x, shape = draw(expansions())
    return fill(draw(seeds), shape), x.shape


CASES = [
    Case("identity", one(), lambda x: x),
    Case("cut", one(), lambda x: x, orders=0),
    Case("expand", expansions(), expand),
    Case("sum_to", contractions(), sum_to),
    Case("all_sum", one(), lambda x: x),  # of one process; of several: tests/distributed
    Case("_drawn", one().flatmap(lambda args: st.just((*args, *args))), lambda x, parameter: x),
]
