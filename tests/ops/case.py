"""A case: an op, a naive reference for it, and a strategy that draws arguments. The tests of an op
all come from its cases.

A reference is a loop over elements in Python's numbers, or the textbook formula in plain NumPy:
never minigan's own code. Values are random numbers from a drawn seed, inside the domain where the
op is smooth almost everywhere; hypothesis draws what the structure of the arguments is (shapes,
broadcasting, dimensions, options).
"""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import minigan
from minigan.engine import OPS, primitives


@dataclasses.dataclass
class Case:
    """One way to call one op.

    name : the function, or "function:variant"
    inputs : strategy that draws the arguments, a tuple; float64 arrays, integer or boolean arrays,
        options
    reference : the same result from NumPy arrays; a tuple where the op returns one
    call : how the function is called with them (default: positionally)
    op : the card that is tested (default: the function's name; a leading _ is found by itself);
        None for a function made of others
    orders : how many orders of derivative exist
    constant : positions of float arrays that are not differentiated
    bare : does the function take bare arrays?
    tolerance : relative, of float32 against float64
    card_args : the arguments of the card, from those drawn, where they are not the same (for kernel
        against formula)
    """

    name: str
    inputs: st.SearchStrategy
    reference: Callable
    call: Callable = None
    op: str | None = ""
    orders: int = 2
    constant: tuple = ()
    bare: bool = True
    tolerance: float = 2e-5
    card_args: Callable = None

    def __post_init__(self):
        function = self.name.partition(":")[0]
        if self.op == "":
            self.op = function
        if self.op is not None and self.op not in OPS:
            self.op = f"_{self.op}"  # a card behind a public function of the same name
        if self.call is None:
            self.call = function_named(function)
            if self.call is OPS.get(self.op):
                self.card_args = self.card_args or (lambda *args: args)

    def differentiable(self, args):
        """Positions of the arguments that the derivatives are taken with respect to."""
        return [
            i
            for i, a in enumerate(args)
            if isinstance(a, np.ndarray) and a.dtype.kind == "f" and i not in self.constant
        ]

    def __repr__(self):
        return self.name


def function_named(name):
    """The public function of that name, else the card."""
    for module in families():
        if inspect.isfunction(vars(module).get(name)):
            return vars(module)[name]
    return card(name)


def card(name):
    """The op of that name, public or not."""
    return OPS[name] if name in OPS else OPS[f"_{name}"]


def families():
    """The modules of ops."""
    found = [
        importlib.import_module(f"minigan.ops.{m.name}")
        for m in pkgutil.iter_modules(minigan.ops.__path__)
    ]
    # no functions for users
    aids = (
        "axes",
        "each",
        "inplace",
        "legacy",
        "methods",
        "operators",
        "writes",
        "dtypes",
        "update",
        "rows",
    )
    return [*[m for m in found if not m.__name__.endswith(aids)], primitives]


def scalar(function):
    """The reference of an elementwise op: Python's `function` on one element after the other,
    arguments broadcast."""

    def reference(*args):
        arrays = np.broadcast_arrays(*args)
        out = [
            function(*[x.item() for x in elements])
            for elements in zip(*[a.reshape(-1) for a in arrays])
        ]
        return np.array(out).reshape(arrays[0].shape)

    return reference


# --- strategies ---

seeds = st.integers(0, 2**32 - 1)


def shapes(min_dims=0, max_dims=3, max_side=4, min_side=1):
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(
        tuple
    )


def fill(seed, shape, low=-2.0, high=2.0, away=(), gap=0.02):
    """Random numbers between low and high, none within `gap` of the values in `away` (kinks,
    poles)."""
    x = np.random.default_rng(seed).uniform(low, high, shape)
    for point in away:
        near = np.abs(x - point) < gap
        x = np.where(near, point + np.where(x < point, -gap, gap) * 1.5, x)
    return np.asarray(x)


@st.composite
def array(draw, shape=None, low=-2.0, high=2.0, away=(), min_dims=0, max_dims=3):
    """A float64 array; `shape` may be a strategy."""
    if shape is None:
        shape = shapes(min_dims, max_dims)
    shape = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    return fill(draw(seeds), shape, low, high, away)


def one(*options, **how):
    """Arguments (x, *options): one array, then values drawn from strategies."""
    return st.tuples(array(**how), *options)


@st.composite
def same(draw, count=2, low=-2.0, high=2.0, away=(), options=()):
    """`count` arrays of one shape, then options."""
    shape = draw(shapes())
    return (
        *[fill(draw(seeds), shape, low, high, away) for _ in range(count)],
        *[draw(o) for o in options],
    )


@st.composite
def broadcast(draw, count=2, ranges=((-2.0, 2.0),), away=(), options=()):
    """`count` arrays whose shapes broadcast, then options; `ranges` holds (low, high) of each, or
    one for all."""
    found = draw(
        mutually_broadcastable_shapes(num_shapes=count, max_dims=3, max_side=3)
    ).input_shapes
    ranges = ranges * count if len(ranges) == 1 else ranges
    return (
        *[fill(draw(seeds), s, low, high, away) for s, (low, high) in zip(found, ranges)],
        *[draw(o) for o in options],
    )


@st.composite
def apart(draw, gap=0.05):
    """Two broadcasting arrays that nowhere come closer than `gap` to each other."""
    x, y = draw(broadcast())
    for _ in range(4):  # pushing one element changes its distance to several others
        difference = np.broadcast_to(x - y, np.broadcast_shapes(x.shape, y.shape))
        if (np.abs(difference) >= gap).all():
            return x, y
        y = y + 0.37
    return x, y + 10.0


def dim_of(x, spare=0):
    """Strategy: a dimension of the array, counted from either end (`spare` more positions for ops
    that insert one)."""
    n = x.ndim + spare
    return st.integers(-n, n - 1)


def distinct(seed, shape, low=-2.0, high=2.0):
    """Random numbers no two of which are close: extrema are then unique, and stay so within a
    gradient check."""
    n = int(np.prod(shape, dtype=int))
    rng = np.random.default_rng(seed)
    steps = (np.arange(n) + rng.uniform(0.25, 0.75, n)) / max(n, 1)
    return np.asarray(low + (high - low) * rng.permutation(steps)).reshape(shape)
