"""Cases: padding."""

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, fill, seeds, shapes


@st.composite
def constant(draw, value=()):
    x = fill(draw(seeds), draw(shapes(1, 4, 3)))
    pads = []
    for n in x.shape[::-1][: draw(st.integers(0, x.ndim))]:
        before = draw(st.integers(-n, 2))
        pads += [before, draw(st.integers(-n - min(before, 0), 2))]
    return (x, tuple(pads), "constant", *[draw(v) for v in value])


@st.composite
def copied(draw, mode):
    """One to three dimensions after one or two; at most what the mode allows, or negative where it
    may be."""
    dims = draw(st.integers(1, 3))
    x = fill(draw(seeds), draw(shapes(dims + 1, dims + 2, 4 if dims < 3 else 3)))
    pads = []
    for n in x.shape[: -dims - 1 : -1]:
        most = {"reflect": n - 1, "replicate": 3, "circular": n}[mode]
        least = 0 if mode == "circular" else 1 - n
        before = draw(st.integers(least, most))
        pads += [before, draw(st.integers(max(least, 1 - n - min(before, 0)), most))]
    return x, tuple(pads), mode


def source(i, n, mode):
    """Where position i of the padded array comes from, one step after the other."""
    while not 0 <= i < n:
        if mode == "reflect":
            i = -i if i < 0 else 2 * (n - 1) - i
        elif mode == "circular":
            i += n if i < 0 else -n
        elif mode == "replicate":
            i = 0 if i < 0 else n - 1
        else:
            return None
    return i


def pad(x, pads, mode="constant", value=None):
    before, after = [0] * x.ndim, [0] * x.ndim
    for k in range(len(pads) // 2):
        before[-1 - k], after[-1 - k] = pads[2 * k], pads[2 * k + 1]
    out = np.empty([n + a + b for n, a, b in zip(x.shape, before, after)])
    for at in np.ndindex(out.shape):
        where = [source(i - a, n, mode) for i, a, n in zip(at, before, x.shape)]
        out[at] = (value or 0.0) if None in where else x[tuple(where)]
    return out


CASES = [
    Case("pad", constant(), pad, op="_pad_constant"),
    Case("pad:value", constant((st.sampled_from([1.5, -2, None]),)), pad, op="_pad_constant"),
    *[
        Case(f"pad:{mode}", copied(mode), pad, op="_taps")
        for mode in ("reflect", "replicate", "circular")
    ],
]
