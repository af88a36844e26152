"""Cases: ops that move, join and cut."""

import math

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, array, card, dim_of, fill, one, seeds, shapes

import minigan.ops as ops


@st.composite
def with_dims(draw, count=1, spare=0, distinct=False):
    """An array and `count` of its dimensions."""
    x = draw(array(min_dims=0 if spare else 1))
    dims = [draw(dim_of(x, spare)) for _ in range(count)]
    return (x, *dims)


@st.composite
def reshapes(draw):
    """An array and another shape of as many elements, perhaps with a -1."""
    x = draw(array())
    shape, left = [], x.size
    while left > 1 and draw(st.booleans()):
        n = draw(st.sampled_from([d for d in range(1, left + 1) if left % d == 0]))
        shape.append(n)
        left //= n
    shape.append(left)
    if draw(st.booleans()):
        shape[draw(st.integers(0, len(shape) - 1))] = -1
    return x, tuple(shape)


@st.composite
def permutations(draw):
    x = draw(array())
    return x, tuple(
        d if draw(st.booleans()) else d - x.ndim for d in draw(st.permutations(range(x.ndim)))
    )


@st.composite
def flattenings(draw):
    x = draw(array(min_dims=1))
    a, b = sorted(draw(st.tuples(st.integers(0, x.ndim - 1), st.integers(0, x.ndim - 1))))
    return x, a, draw(st.sampled_from([b, b - x.ndim]))


@st.composite
def squeezes(draw):
    shape = draw(st.lists(st.sampled_from([1, 1, 2, 3]), max_size=4))
    x = fill(draw(seeds), tuple(shape))
    return x, draw(st.none() | dim_of(x)) if x.ndim else None


def squeeze(x, dim):
    dims = range(x.ndim) if dim is None else [dim % x.ndim]
    return x.reshape([n for i, n in enumerate(x.shape) if not (n == 1 and i in dims)])


@st.composite
def expansions(draw):
    shape = draw(shapes(0, 4, 3))
    keep = draw(st.integers(0, len(shape)))
    source = tuple(n if draw(st.booleans()) else 1 for n in shape[keep:])
    wanted = tuple(
        -1 if i >= keep and source[i - keep] == n and draw(st.booleans()) else n
        for i, n in enumerate(shape)
    )
    return fill(draw(seeds), source), wanted


def expand(x, sizes):
    new = len(sizes) - x.ndim
    return np.broadcast_to(x, [x.shape[i - new] if n == -1 else n for i, n in enumerate(sizes)])


@st.composite
def repeats(draw):
    x = draw(array(max_dims=2, shape=shapes(0, 2, 3)))
    return x, tuple(draw(st.lists(st.integers(1, 3), min_size=x.ndim, max_size=x.ndim + 1)))


@st.composite
def some_dims(draw):
    x = draw(array(min_dims=1))
    return x, tuple(draw(st.lists(st.integers(0, x.ndim - 1), unique=True, max_size=x.ndim)))


def flip(x, dims):
    out = np.empty_like(x)
    for index in np.ndindex(x.shape):
        out[
            tuple(n - 1 - i if d in dims else i for d, (i, n) in enumerate(zip(index, x.shape)))
        ] = x[index]
    return out


@st.composite
def rolls(draw):
    x, dims = draw(some_dims())
    return x, tuple(draw(st.integers(-4, 4)) for _ in dims), dims


def roll(x, shifts, dims):
    out = np.empty_like(x)
    for index in np.ndindex(x.shape):
        target = list(index)
        for s, d in zip(shifts, dims):
            target[d] = (target[d] + s) % x.shape[d]
        out[tuple(target)] = x[index]
    return out


@st.composite
def joins(draw):
    """dim, arrays that differ in that dimension only."""
    x = draw(array(min_dims=1))
    dim = draw(dim_of(x))
    others = []
    for _ in range(draw(st.integers(0, 2))):
        shape = list(x.shape)
        shape[dim] = draw(st.integers(1, 3))
        others.append(fill(draw(seeds), tuple(shape)))
    return (dim, x, *others)


@st.composite
def stacks(draw):
    x = draw(array())
    return (
        draw(dim_of(x, 1)),
        x,
        *[fill(draw(seeds), x.shape) for _ in range(draw(st.integers(0, 2)))],
    )


@st.composite
def narrows(draw):
    x = draw(array(min_dims=1))
    dim = draw(dim_of(x))
    start = draw(st.integers(0, x.shape[dim] - 1))
    return (
        x,
        dim,
        draw(st.sampled_from([start, start - x.shape[dim]])),
        draw(st.integers(0, x.shape[dim] - start)),
    )


def narrow(x, dim, start, length):
    start %= x.shape[dim]
    return np.take(x, range(start, start + length), dim)


@st.composite
def splits(draw, sections):
    x = draw(array(min_dims=1))
    dim = draw(dim_of(x))
    n = x.shape[dim]
    if not sections:
        return x, draw(st.integers(1, n + 1)), dim
    cut = draw(st.integers(0, n))
    return x, [cut, n - cut], dim


def split(x, size, dim):
    n = x.shape[dim]
    edges = [*range(0, n, size), n] if isinstance(size, int) else [0, *np.cumsum(size)]
    return [np.take(x, range(a, b), dim) for a, b in zip(edges, edges[1:])]


def chunk(x, chunks, dim):
    return split(x, math.ceil(x.shape[dim] / chunks), dim)


@st.composite
def matrices(draw):
    x = draw(array(min_dims=2))
    return x, draw(st.integers(-3, 3))


def triangle(keep):
    def reference(x, diagonal):
        out = x.copy()
        for index in np.ndindex(x.shape):
            if not keep(index[-1] - index[-2], diagonal):
                out[index] = 0
        return out

    return reference


def diagonal(x, offset):
    found = [x[i, i + offset] for i in range(x.shape[0]) if 0 <= i + offset < x.shape[1]]
    return np.array(found).reshape(-1, *x.shape[2:])


def on_diagonal(values, shape, offset):
    out = np.zeros(shape)
    found = [(i, i + offset) for i in range(shape[0]) if 0 <= i + offset < shape[1]]
    for place, v in zip(found, values):
        out[place] = v
    return out


def bare(x):
    return isinstance(x, np.ndarray) or not hasattr(x, "array")


def moved(x, a, b):
    order = [d for d in range(x.ndim) if d != a % x.ndim]
    order.insert(b % x.ndim, a % x.ndim)
    return x.transpose(order)


def unflatten(x, dim, shape):
    dim %= x.ndim
    return x.reshape(*x.shape[:dim], *shape, *x.shape[dim + 1 :])


CASES = [
    Case("reshape", reshapes(), lambda x, s: x.reshape(s)),
    Case("reshape:numbers", reshapes(), lambda x, s: x.reshape(s), call=lambda x,
        s: ops.reshape(x, *s)),
    Case("view", reshapes(), lambda x, s: x.reshape(s), call=lambda x,
        s: ops.view(ops.contiguous(x), s), op="reshape"),
    Case("flatten", flattenings(), lambda x, a, b: x.reshape(*x.shape[:a], -1,
            *x.shape[b % x.ndim + 1 :]), op="reshape"),
    Case("ravel", one(), lambda x: np.array([v.item() for v in x.flat]), op="reshape"),
    Case("unflatten", with_dims().map(lambda a: (*a, (1, -1, 1))), unflatten, op="reshape"),
    Case("permute", permutations(), lambda x, dims: x.transpose(dims)),
    Case("transpose", with_dims(2), lambda x, a, b: np.swapaxes(x, a, b), op="permute"),
    Case("swapaxes", with_dims(2), lambda x, a, b: np.swapaxes(x, a, b), op="permute"),
    Case("t", one(max_dims=2), lambda x: x.T, op="permute"),
    Case("movedim", with_dims(2), moved, op="permute"),
    Case("movedim:several", one(min_dims=3).map(lambda a: (*a, (0, 2), (1, 0))), lambda x, a,
        b: x.transpose(2, 0, 1), op="permute"),
    Case("squeeze", squeezes(), squeeze, op="reshape"),
    Case("unsqueeze", with_dims(1, 1), lambda x, d: x.reshape(np.insert(x.shape, d % (x.ndim + 1),
                1).astype(int)), op="reshape"),
    Case("expand:-1", expansions(), expand, call=lambda x, sizes: ops.expand(x, sizes)),
    Case("expand:numbers", expansions(), expand, call=lambda x,
        sizes: ops.expand(x, *sizes) if sizes else ops.expand(x, ())),
    Case("broadcast_to", expansions().map(lambda a: (a[0], expand(*a).shape)), expand, op="expand"),
    Case("expand_as", expansions().map(lambda a: (a[0], expand(*a).copy())), lambda x,
        y: expand(x, y.shape), op="expand", constant=(1,)),
    Case("repeat", repeats(), np.tile),
    Case("tile", repeats().map(lambda a: (a[0], a[1][-1:])), np.tile, op="repeat"),
    Case("flip", some_dims(), flip),
    Case("roll", rolls(), roll),
    Case("roll:flattened", one(st.integers(-5, 5)), lambda x,
        s: roll(x.reshape(-1), (s,), (0,)).reshape(x.shape)),
    Case("cat", joins(), lambda dim, *xs: np.concatenate(xs, dim), call=lambda dim,
        *xs: ops.cat(xs, dim)),
    Case("cat:itself", one(min_dims=1), lambda x: np.concatenate([x, x]),
        call=lambda x: ops.cat([x, x])),
    Case("stack", stacks(), lambda dim, *xs: np.stack(xs, dim), call=lambda dim,
        *xs: ops.stack(xs, dim), op="cat"),
    Case("narrow", narrows(), narrow, op="getitem"),
    Case("split", splits(False), split, op="getitem"),
    Case("split:sections", splits(True), split, op="getitem"),
    Case("chunk", splits(False), chunk, op="getitem"),
    Case("unbind", with_dims(), lambda x, d: [np.take(x, i, d) for i in range(x.shape[d])],
        op="getitem"),
    Case("tril", matrices(), triangle(lambda offset, k: offset <= k), op="where"),
    Case("triu", matrices(), triangle(lambda offset, k: offset >= k), op="where"),
    Case("diagonal", matrices(), diagonal, call=lambda x,
        k: ops.movedim(ops.diagonal(x, k), -1, 0)),
    Case("on_diagonal", matrices().map(lambda a: (diagonal(*a), a[0].shape, a[1])), on_diagonal,
         call=lambda v, shape, k: card("on_diagonal")(np.moveaxis(v, 0,
                 -1) if bare(v) else ops.movedim(v, 0, -1), shape, k, 0, 1)),
    Case("clone", one(), lambda x: x),
    Case("contiguous", one(), lambda x: x, op=None),
    Case("contiguous:transposed", one(), lambda x: x.T,
        call=lambda x: ops.contiguous(ops.permute(x, tuple(range(x.ndim))[::-1])),
         op=None),
    Case("packed", one(), lambda x: x),
    Case("to", one(), lambda x: x, call=lambda x: ops.to(x, copy=True), op="convert", bare=False),
    Case("to:there and back", one(), lambda x: x.astype(np.float16).astype(np.float64),
         call=lambda x: ops.to(ops.to(x, np.float16), x.dtype),
         op="convert", bare=False, orders=0),
]  # fmt: skip
