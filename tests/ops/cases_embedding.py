"""Cases: rows picked from a table, and added back into it."""

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, fill, seeds, shapes

import minigan.ops.embedding as embedding


@st.composite
def picks(draw, padding=True):
    """Row numbers, repeated ones too, a table, and a row without gradient or None."""
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    index = np.random.default_rng(draw(seeds)).integers(0, rows, draw(shapes(0, 3)))
    return (
        index,
        fill(draw(seeds), (rows, columns)),
        *([draw(st.none() | st.integers(-rows, rows - 1))] if padding else []),
    )


@st.composite
def puts(draw):
    index, table, padding = draw(picks())
    return fill(draw(seeds), (*index.shape, table.shape[1])), index, table.shape, padding


def pick(table, index):
    return np.array([table[i].tolist() for i in index.ravel()]).reshape(
        *index.shape, table.shape[1]
    )


def put(g, index, shape, padding):
    out = np.zeros(shape)
    for at, i in np.ndenumerate(index):
        if padding is None or i != padding % shape[0]:
            out[i] += g[at]
    return out


CASES = [
    # The row without gradient keeps its value but not its derivative, which finite differences of
    # all rows would not show.
    Case(
        "embedding", picks(padding=False), lambda index, table: pick(table, index), op="pick_rows"
    ),
    Case(
        "embedding:padding",
        picks(),
        lambda index, table, p: pick(table, index),
        op="pick_rows",
        orders=0,
    ),
    Case("pick_rows", picks(False).map(lambda a: (a[1], a[0])), pick, call=embedding.pick_rows),
    Case(
        "add_rows",
        puts(),
        put,
        call=lambda g, i, s, p: embedding.add_rows(g, i, s, p and p % s[0]),
        card_args=lambda *a: a,
    ),
]
