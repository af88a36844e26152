"""Cases: picking elements and putting them back."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices, integer_array_indices
from ops.case import Case, array, card, dim_of, fill, one, seeds, shapes

import minigan.ops as ops


@st.composite
def basic(draw):
    x = draw(array(min_dims=1))
    return x, draw(basic_indices(x.shape, allow_newaxis=True, allow_ellipsis=True))


@st.composite
def integers(draw):
    """An array of indices for each of the first dimensions: any elements, repeated ones too."""
    x = draw(array(min_dims=1))
    count = draw(st.integers(1, x.ndim))
    return (x, *draw(integer_array_indices(x.shape[:count])))


@st.composite
def mixed(draw):
    """x[:, index] and the like: integer arrays between slices."""
    x = draw(array(min_dims=2))
    index = [slice(None)] * x.ndim
    dim = draw(st.integers(0, x.ndim - 1))
    index[dim] = draw(integer_array_indices((x.shape[dim],)))[0]
    if draw(st.booleans()):
        other = draw(st.integers(0, x.ndim - 1).filter(lambda d: d != dim))
        index[other] = draw(st.integers(0, x.shape[other] - 1))
    return x, tuple(index)


def numbers_first(x, index):
    """x[0, :, i] is x[0][:, i]."""
    for dim in reversed(range(x.ndim)):
        if not isinstance(index[dim], (slice, np.ndarray)):
            x = np.take(x, index[dim], dim)
    return x[tuple(i for i in index if isinstance(i, (slice, np.ndarray)))]


@st.composite
def masks(draw, part=True):
    x = draw(array(min_dims=1))
    return x, fill(draw(seeds), x.shape[: draw(st.integers(1, x.ndim)) if part else x.ndim]) > 0


@st.composite
def puts(draw):
    """What a gradient of x[index] is made from: values, the index, the shape of x."""
    x, *index = draw(integers()) if draw(st.booleans()) else draw(basic())
    index = tuple(index) if len(index) > 1 or isinstance(index[0], np.ndarray) else index[0]
    return fill(draw(seeds), x[index].shape), index, x.shape


def put(values, index, shape):
    out = np.zeros(int(np.prod(shape)))
    places = np.arange(out.size).reshape(shape)[index]
    for place, value in zip(np.ravel(places), np.ravel(values)):
        out[place] += value
    return out.reshape(shape)


@st.composite
def replacements(draw):
    """x, an index that names no position twice, and values that broadcast to it."""
    x, index = draw(st.one_of(basic(), masks(), masks(False)))
    where = np.arange(x.size).reshape(x.shape)[index]
    shape = tuple(n if draw(st.booleans()) else 1 for n in np.shape(where))
    return (
        x,
        index,
        draw(st.sampled_from([0.5, -2.0]))
        if draw(st.booleans()) and draw(st.booleans())
        else fill(draw(seeds), shape),
    )


def replaced(x, index, value):
    places = np.arange(x.size).reshape(x.shape)[index]
    out = x.ravel().copy()
    for place, v in zip(np.ravel(places), np.ravel(np.broadcast_to(value, np.shape(places)))):
        out[place] = v
    return out.reshape(x.shape)


@st.composite
def gathers(draw):
    """x, dim, and indices of at most x's sizes in the other dimensions."""
    x = draw(array(min_dims=1))
    dim = draw(dim_of(x))
    shape = [draw(st.integers(1, n)) for n in x.shape]
    shape[dim] = draw(st.integers(1, 5))
    return x, dim, np.random.default_rng(draw(seeds)).integers(0, x.shape[dim], shape)


def gather(x, dim, index):
    out = np.empty(index.shape)
    for place in np.ndindex(index.shape):
        source = list(place)
        source[dim] = index[place]
        out[place] = x[tuple(source)]
    return out


@st.composite
def scatters(draw):
    """x, dim, index and what is added there."""
    x, dim, index = draw(gathers())
    return x, dim, index, fill(draw(seeds), index.shape)


def scatter_add(x, dim, index, src):
    out = x.copy()
    for place in np.ndindex(index.shape):
        target = list(place)
        target[dim] = index[place]
        out[tuple(target)] += src[place]
    return out


@st.composite
def selections(draw):
    x = draw(array(min_dims=1))
    dim = draw(dim_of(x))
    n = draw(st.integers(0, 5))
    return x, dim, np.random.default_rng(draw(seeds)).integers(0, x.shape[dim], n)


@st.composite
def fills(draw):
    x = draw(array())
    shape = [n if draw(st.booleans()) else 1 for n in x.shape]
    return x, fill(draw(seeds), tuple(shape)) > 0, draw(st.sampled_from([0.0, -1.5, 3]))


def masked_fill(x, mask, value):
    mask = np.broadcast_to(mask, x.shape)
    out = x.copy()
    for index in np.ndindex(x.shape):
        out[index] = value if mask[index] else x[index]
    return out


@st.composite
def sparse(draw):
    return (np.asarray(np.round(fill(draw(seeds), draw(shapes(1, 3)), -1, 1))),)


def nonzero(x):
    found = [index for index in np.ndindex(x.shape) if x[index] != 0]
    return np.array(found, int).reshape(len(found), x.ndim)


def shaped(a):
    """A scatter's arguments from a gather's."""
    x, dim, index = a
    return fill(7, index.shape), dim % x.ndim, index, x.shape


def numpy_order(a):
    """take_along_dim's arguments from gather's; its indices have x's sizes in the other
    dimensions."""
    x, dim, index = a
    return (
        x[tuple(slice(None if d == dim % x.ndim else n) for d, n in enumerate(index.shape))],
        index,
        dim,
    )


def index_select(x, dim, index):
    return np.stack([np.take(x, k, dim) for k in index], dim) if len(index) else np.take(x, [], dim)


CASES = [
    Case("getitem", basic(), lambda x, i: x[i]),
    Case("getitem:operator", basic(), lambda x, i: x[i], call=lambda x, i: x[i]),
    Case("getitem:integers", integers(), lambda x, *i: x[i], call=lambda x, *i: ops.getitem(x, i)),
    Case("getitem:list", integers().map(lambda a: (a[0], tuple(i.tolist() for i in a[1:]))),
        lambda x, i: x[i]),
    Case("getitem:mixed", mixed(), numbers_first),
    Case("getitem:mask", masks(), lambda x, m: x[m]),
    Case("setitem", puts(), put),
    Case("put", replacements(), replaced, call=lambda *a: card("put")(*a)),
    Case("index_put", masks(False).map(lambda a: (a[0], (a[1],), a[0][a[1]] * 2)), lambda x, i,
        v: np.where(i[0], 2 * x, x), op="put"),
    Case("index_put:accumulate", integers().map(lambda a: (a[0], tuple(a[1:]),
                a[0][tuple(a[1:])] * 2)),
         lambda x, i, v: x + put(v, i, x.shape), call=lambda x, i, v: ops.index_put(x, i, v, True),
         op="setitem"),
    Case("gather", gathers(), gather),
    Case("take_along_dim", gathers().map(numpy_order), lambda x, i, d: gather(x, d, i),
        op="gather"),
    Case("scatter", gathers().map(shaped), lambda v, dim, i, s: scatter_add(np.zeros(s), dim, i, v),
        call=lambda *a: card("scatter")(*a)),
    Case("scatter_add", scatters(), scatter_add, op="scatter"),
    Case("index_select", selections(), index_select, op="getitem"),
    Case("masked_fill", fills(), masked_fill, op="where"),
    Case("masked_select", masks(False), lambda x,
        m: np.array([x[i] for i in np.ndindex(x.shape) if m[i]]), op="getitem"),
    Case("nonzero", sparse(), nonzero, op=None, orders=0, bare=False),
    Case("masked_scale", masks(False).map(lambda a: (a[0], a[1] * 2.0)), lambda x,
        m: np.where(m > 0, 2 * x, 0), constant=(1,)),
    Case("scales_of", one(low=0.0, high=1.0).map(lambda a: (*a, 0.4, 2.5)),
        lambda x, p, scale: np.where(x < p, 0, scale), orders=0, constant=(0,),
        call=card("scales_of"), op="scales_of"),
]  # fmt: skip
