"""Random numbers: Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2,
3"), on every device.

A counter-based generator is a function: block i of a stream is philox(counter=i, key=seed). Its
whole state is therefore a seed and a counter; the same seed draws the same integers on CPU and
CUDA, and a run resumes by storing two numbers.
"""

import contextlib
import functools
import math
import threading

import numpy as np

from . import seam
from .device import CPU, array_module, module_for
from .device import device as place

# multipliers, and the Weyl constants that advance the key each round
M0, M1 = (0xD2511F53, 0xCD9E8D57)
W0, W1 = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10


def philox_reference(counter, key, n, xp=np):
    """Blocks counter .. counter+n-1 as uint32 of shape (n, 4): the definition, in array operations
    of either library."""
    u32, low = xp.uint32, 0xFFFFFFFF
    index = counter + xp.arange(n, dtype=xp.uint64)
    c = [(index & low), index >> xp.uint64(32), xp.zeros(n, xp.uint64), xp.zeros(n, xp.uint64)]
    k0, k1 = key & low, key >> 32
    for _ in range(ROUNDS):
        p0, p1 = c[0] * xp.uint64(M0), c[2] * xp.uint64(M1)
        c = [
            (p1 >> xp.uint64(32)) ^ c[1] ^ xp.uint64(k0),
            p1 & low,
            (p0 >> xp.uint64(32)) ^ c[3] ^ xp.uint64(k1),
            p0 & low,
        ]
        k0, k1 = (k0 + W0) & low, (k1 + W1) & low
    return xp.stack(c, axis=1).astype(u32)


# (name of a method of `Generator`, "cpu" or "cuda") -> a faster function of the same arguments:
# (generator, ..., device)
DRAWS: dict = {}


def _draw(name, device, *arguments):
    """What the fastest way to draw on this device gives, as one call of the step."""
    fits = device.type == "cpu" or getattr(module_for(device), "kernels", True)
    draw = DRAWS.get((name, device.type)) if fits else None
    return seam.execute(draw or REFERENCES[name], *arguments, device)


def integers32_reference(generator, n, device):
    """`Generator.integers32` in array operations."""
    stream, blocks = generator.stream(), -(-n // 4)
    out = philox_reference(stream.counter, stream.seed, blocks, module_for(device))
    stream.counter += blocks
    return out.reshape(-1)[:n]


def uniform_reference(generator, shape, dtype, device):
    """`Generator.uniform` in array operations."""
    n = math.prod(shape)
    if np.dtype(dtype) == np.float64:
        bits = generator.integers32(2 * n, device).reshape(-1, 2).astype(np.uint64)
        high, low = bits[:, 0] >> np.uint64(5), bits[:, 1] >> np.uint64(6)
        return (((high << np.uint64(26)) + low) * 2.0**-53).reshape(shape)
    # as many as the dtype holds: more would round up to 1
    digits = 11 if np.dtype(dtype) == np.float16 else 24
    bits = (generator.integers32(n, device) >> np.uint32(32 - digits)).astype(np.float32)
    return (bits * np.float32(2.0**-digits)).astype(dtype, copy=False).reshape(shape)


def normal_reference(generator, shape, dtype, device):
    """`Generator.normal` in array operations."""
    n = math.prod(shape)
    half = -(-n // 2)
    work = np.float64 if np.dtype(dtype) == np.float64 else np.float32
    uniform = generator.uniform((2, half), work, device)
    xp = array_module(uniform)
    radius = xp.sqrt(-2 * xp.log1p(-uniform[0]))
    angle = uniform[1] * work(2 * math.pi)
    both = xp.empty_like(uniform)
    xp.multiply(radius, xp.cos(angle), out=both[0])
    xp.multiply(radius, xp.sin(angle), out=both[1])
    return both.reshape(-1)[:n].astype(dtype, copy=False).reshape(shape)


def integers_reference(generator, low, high, shape, device):
    """`Generator.integers` in array operations."""
    bits = generator.integers32(math.prod(shape), device).astype(np.uint64)
    return ((bits * np.uint64(high - low)) >> np.uint64(32)).astype(np.int64).reshape(shape) + low


def permutation_reference(generator, n, device):
    """`Generator.permutation` in array operations."""
    bits = generator.integers32(2 * n, device).reshape(-1, 2).astype(np.uint64)
    keys = (bits[:, 0] << np.uint64(32)) | bits[:, 1]
    return keys.argsort(kind="stable") if isinstance(keys, np.ndarray) else keys.argsort()


REFERENCES = {
    "integers32": integers32_reference, "uniform": uniform_reference, "normal": normal_reference,
    "integers": integers_reference, "permutation": permutation_reference,
}  # fmt: skip


class Generator:
    """A stream of random arrays. State: `seed` (64 bits) and `counter` (blocks of four 32-bit
    integers drawn so far).

    device : accepted as in torch; the numbers are made where they are asked for
    """

    def __init__(self, seed=0, device=None):
        self.manual_seed(0 if isinstance(seed, (str, place)) else seed)

    def manual_seed(self, seed):
        """Start the stream of `seed` (an integer; its low 64 bits count) from its beginning."""
        self.seed, self.counter = int(seed) & 0xFFFFFFFFFFFFFFFF, 0
        return self

    def initial_seed(self):
        """The seed."""
        return self.seed

    def get_state(self):
        """{"seed", "counter"}: all that `set_state` needs to go on from here."""
        return {"seed": self.seed, "counter": self.counter}

    def set_state(self, state):
        self.seed, self.counter = int(state["seed"]) & 0xFFFFFFFFFFFFFFFF, int(state["counter"])

    def stream(self):
        """The generator that is drawn from: this one."""
        return self

    def integers32(self, n, device=CPU):
        """The next `n` uint32, uniform on [0, 2**32), as a flat array."""
        return _draw("integers32", device, self, n)

    def uniform(self, shape, dtype=np.float32, device=CPU):
        """Uniform on [0, 1): the top 24 bits of an integer for float32 (11 for float16), 53 bits of
        two for float64."""
        return _draw("uniform", device, self, tuple(shape), dtype)

    def normal(self, shape, dtype=np.float32, device=CPU):
        """Standard normal by Box and Muller: sqrt(-2 log u) cos(2 pi v) and its sine, u in (0,
        1]."""
        return _draw("normal", device, self, tuple(shape), dtype)

    def integers(self, low, high, shape, device=CPU):
        """int64, uniform on [low, high): the high part of a 64-bit product (bias below (high - low)
        / 2**32)."""
        if not 0 < high - low <= 2**32:
            raise ValueError(
                f"integers: low={low}, high={high}; expected low < high, at most 2**32 apart"
            )
        return _draw("integers", device, self, low, high, tuple(shape))

    def permutation(self, n, device=CPU):
        """A random order of 0 .. n-1 (int64): the stable sorting order of n random 64-bit keys."""
        return _draw("permutation", device, self, n)


class _Default(Generator):
    """The generator that is used where no other is given; inside `drawing_from` it draws from that
    one."""

    def stream(self):
        own = getattr(_thread, "generator", None)
        return self if own is None else own

    def uniform(self, shape, dtype=np.float32, device=CPU):
        return _rows_here(super().uniform, tuple(shape), dtype, device)

    def normal(self, shape, dtype=np.float32, device=CPU):
        return _rows_here(super().normal, tuple(shape), dtype, device)

    def integers(self, low, high, shape, device=CPU):
        draw = functools.partial(super().integers, low, high)
        return _rows_here(draw, tuple(shape), device)


_thread = threading.local()
default_generator = _Default(0)


def _rows_here(draw, shape, *how):
    """draw(shape, *how); inside `drawing_rows`, of what is drawn for whole batches these rows."""
    if not (parts := getattr(_thread, "rows", ())):
        return draw(shape, *how)
    with drawing_rows():  # what is drawn in order to draw has other rows
        for batch, first, last in parts:
            if shape and shape[0] and not shape[0] % (last - first):
                several = shape[0] // (last - first)  # parts of batches, one behind the other
                whole = draw((several * batch, *shape[1:]), *how)
                return seam.execute(_rows_of, whole, several, first, last)
        return draw(shape, *how)


def _rows_of(draws, several, first, last):
    """Of arrays for several batches, one behind the other, the rows first:last of each batch."""
    rest = draws.shape[1:]
    batches = draws.reshape(several, len(draws) // several, *rest)
    return batches[:, first:last].reshape(several * (last - first), *rest)


@contextlib.contextmanager
def drawing_rows(*parts):
    """Inside, and in this thread only, what the default generator draws for a part of a batch is
    what it would draw for these rows of the whole batch.

    parts : (rows of the whole batch, first row here, the one behind the last) of each stream

    So several processes, each with its rows, draw what one process draws. An array belongs to the
    batch if its length is that of the rows, or a multiple (real and fake examples together); all
    other arrays are the same for all rows.
    """
    _thread.rows, before = parts, getattr(_thread, "rows", ())
    try:
        yield
    finally:
        _thread.rows = before


@contextlib.contextmanager
def drawing_from(generator):
    """Inside, and in this thread only, the default generator draws from another: what several
    threads draw can be repeated."""
    _thread.generator, before = generator, getattr(_thread, "generator", None)
    try:
        yield
    finally:
        _thread.generator = before


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, from which every random op draws unless it is given another."""
    return default_generator.manual_seed(seed)
