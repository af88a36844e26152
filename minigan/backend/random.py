"""Random numbers: Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), on every device.

A counter-based generator is a function: block i of a stream is philox(counter=i, key=seed). Its whole state is therefore
a seed and a counter; the same seed draws the same integers on CPU and CUDA, and a run resumes by storing two numbers.
"""

import contextlib
import math
import os
import threading

import numpy as np

from . import seam
from .cuda import philox
from .cuda.source import on_device
from .device import CPU, array_module, module_for
from .device import device as place
from .kernels import kernel

M0, M1 = 0xD2511F53, 0xCD9E8D57  # multipliers, and the Weyl constants that advance the key each round
W0, W1 = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10


def philox_reference(counter, key, n, xp=np):
    """Blocks counter .. counter+n-1 as uint32 of shape (n, 4): the definition, in array operations of either library."""
    u32, low = xp.uint32, 0xFFFFFFFF
    index = counter + xp.arange(n, dtype=xp.uint64)
    c = [(index & low), index >> xp.uint64(32), xp.zeros(n, xp.uint64), xp.zeros(n, xp.uint64)]
    k0, k1 = key & low, key >> 32
    for _ in range(ROUNDS):
        p0, p1 = c[0] * xp.uint64(M0), c[2] * xp.uint64(M1)
        c = [(p1 >> xp.uint64(32)) ^ c[1] ^ xp.uint64(k0), p1 & low, (p0 >> xp.uint64(32)) ^ c[3] ^ xp.uint64(k1), p0 & low]
        k0, k1 = (k0 + W0) & low, (k1 + W1) & low
    return xp.stack(c, axis=1).astype(u32)


@kernel
def philox_fill(out, counter, k0, k1):
    """The same, into the uint32 array `out` of shape (n, 4); counter, k0, k1 are uint64. Sixteen blocks at a time, so that the compiler
    can use vectors."""
    low, s = np.uint64(0xFFFFFFFF), np.uint64(32)
    c0, c1, c2, c3 = np.empty(16, np.uint64), np.empty(16, np.uint64), np.empty(16, np.uint64), np.empty(16, np.uint64)
    for first in range(0, out.shape[0], 16):
        for j in range(16):
            index = counter + np.uint64(first + j)
            c0[j], c1[j], c2[j], c3[j] = index & low, index >> s, np.uint64(0), np.uint64(0)
        a, b = k0, k1
        for _ in range(10):
            for j in range(16):
                p0 = c0[j] * np.uint64(0xD2511F53)
                p1 = c2[j] * np.uint64(0xCD9E8D57)
                c0[j], c1[j], c2[j], c3[j] = (p1 >> s) ^ c1[j] ^ a, p1 & low, (p0 >> s) ^ c3[j] ^ b, p0 & low
            a = (a + np.uint64(0x9E3779B9)) & low
            b = (b + np.uint64(0xBB67AE85)) & low
        for j in range(min(16, out.shape[0] - first)):
            out[first + j, 0], out[first + j, 1], out[first + j, 2], out[first + j, 3] = c0[j], c1[j], c2[j], c3[j]


@kernel
def box_muller(bits, out):
    """float32 normal numbers out (2, n) from the uint32 bits (2 n or more): the formula of `Generator.normal`, with polynomials that
    the compiler can compute for many numbers at once (Moshier 1992, Cephes: logf, sinf, cosf; results within 3 units in the last place)."""
    f = np.float32
    n = out.shape[1]
    for i in range(n):
        # 1 - u = 2^(e - 24) (1 + x), sqrt(1/2) <= 1 + x < sqrt(2)
        word = f(np.int32(0x1000000) - np.int32(bits[i] >> np.uint32(8))).view(np.int32)
        part = np.int32(word & np.int32(0x7FFFFF))
        high = np.int32(part > np.int32(0x3504F3))  # 1 + x would be above sqrt(2): half of it
        e = f(np.int32((word >> np.int32(23)) - np.int32(151) + high))
        x = np.int32(part | (np.int32(0x3F800000) - (high << np.int32(23)))).view(f) - f(1)
        z = x * x
        p = f(7.0376836292e-2) * x - f(1.1514610310e-1)
        p = p * x + f(1.1676998740e-1)
        p = p * x - f(1.2420140846e-1)
        p = p * x + f(1.4249322787e-1)
        p = p * x - f(1.6668057665e-1)
        p = p * x + f(2.0000714765e-1)
        p = p * x - f(2.4999993993e-1)
        p = p * x + f(3.3333331174e-1)
        log = e * f(0.693359375) + (x + (p * x * z - e * f(2.12194440e-4) - f(0.5) * z))
        radius = np.sqrt(f(-2) * log)
        # 4 v = q + r, -1/2 <= r <= 1/2: the angle is q quarters of a turn and r more
        t = f(np.int32(bits[n + i] >> np.uint32(8))) * f(2.0**-22)
        q = np.int32(t + f(0.5))
        r = (t - f(q)) * f(1.5707963267948966)
        z = r * r
        s = r + r * z * (f(-1.6666654611e-1) + z * (f(8.3321608736e-3) - z * f(1.9515295891e-4)))
        c = f(1) - f(0.5) * z + z * z * (f(4.166664568298827e-2) + z * (f(-1.388731625493765e-3) + z * f(2.443315711809948e-5)))
        cos, sin = (s, c) if q & 1 else (c, s)
        out[0, i] = -radius * cos if (q + 1) & 2 else radius * cos
        out[1, i] = -radius * sin if q & 2 else radius * sin


class Generator:
    """A stream of random arrays. State: `seed` (64 bits) and `counter` (blocks of four 32-bit integers drawn so far).

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

    def _stream(self):
        """The generator that is drawn from: this one."""
        return self

    def _kernels(self, device):
        """The array library of a GPU, where its kernels draw the numbers; None where they cannot."""
        xp = module_for(device)
        return xp if getattr(xp, "kernels", True) else None

    def integers32(self, n, device=CPU):
        """The next `n` uint32, uniform on [0, 2**32), as a flat array."""
        return seam.execute(self._integers32, n, device)

    def _integers32(self, n, device):
        if device.type != "cpu" and (there := self._kernels(device)) is not None:
            with on_device(there, device.index):
                return philox.bits(there, self._stream(), n)[:n]
        blocks, xp = -(-n // 4), module_for(device)
        if xp is np:
            out = np.empty((blocks, 4), np.uint32)
            philox_fill(out, np.uint64(self.counter), np.uint64(self.seed & 0xFFFFFFFF), np.uint64(self.seed >> 32))
        else:
            out = philox_reference(self.counter, self.seed, blocks, xp)
        self.counter += blocks
        return out.reshape(-1)[:n]

    def uniform(self, shape, dtype=np.float32, device=CPU):
        """Uniform on [0, 1): the top 24 bits of an integer for float32 (11 for float16), 53 bits of two for float64."""
        return seam.execute(self._uniform, tuple(shape), dtype, device)

    def _uniform(self, shape, dtype, device):
        if device.type != "cpu" and np.dtype(dtype).char in "fd" and (there := self._kernels(device)) is not None:
            with on_device(there, device.index):
                return philox.uniform(there, self._stream(), tuple(shape), dtype)
        n = math.prod(shape)
        if np.dtype(dtype) == np.float64:
            bits = self.integers32(2 * n, device).reshape(-1, 2).astype(np.uint64)
            high, low = bits[:, 0] >> np.uint64(5), bits[:, 1] >> np.uint64(6)
            return (((high << np.uint64(26)) + low) * 2.0**-53).reshape(shape)
        digits = 11 if np.dtype(dtype) == np.float16 else 24  # as many as the dtype holds: more would round up to 1
        bits = self.integers32(n, device) >> np.uint32(32 - digits)
        return (bits.astype(np.float32) * np.float32(2.0**-digits)).astype(dtype, copy=False).reshape(shape)

    def normal(self, shape, dtype=np.float32, device=CPU):
        """Standard normal by Box and Muller: sqrt(-2 log u) cos(2 pi v) and its sine, u in (0, 1]."""
        return seam.execute(self._normal, tuple(shape), dtype, device)

    def _normal(self, shape, dtype, device):
        if device.type != "cpu" and np.dtype(dtype).char in "fd" and (there := self._kernels(device)) is not None:
            with on_device(there, device.index):
                return philox.normal(there, self._stream(), tuple(shape), dtype)
        n = math.prod(shape)
        half = -(-n // 2)
        if dtype == np.float32 and device.type == "cpu":
            both = np.empty((2, half), np.float32)
            box_muller(self.integers32(2 * half), both)
            return both.reshape(-1)[:n].reshape(shape)
        work = np.float64 if np.dtype(dtype) == np.float64 else np.float32
        uniform = self.uniform((2, half), work, device)
        xp = array_module(uniform)
        radius = xp.sqrt(-2 * xp.log1p(-uniform[0]))
        angle = uniform[1] * work(2 * math.pi)
        both = xp.empty_like(uniform)
        xp.multiply(radius, xp.cos(angle), out=both[0])
        xp.multiply(radius, xp.sin(angle), out=both[1])
        return both.reshape(-1)[:n].astype(dtype, copy=False).reshape(shape)

    def integers(self, low, high, shape, device=CPU):
        """int64, uniform on [low, high): the high part of a 64-bit product (bias below (high - low) / 2**32)."""
        return seam.execute(self._integers, low, high, tuple(shape), device)

    def _integers(self, low, high, shape, device):
        span = high - low
        if not 0 < span <= 2**32:
            raise ValueError(f"integers: low={low}, high={high}; expected low < high, at most 2**32 apart")
        if device.type != "cpu" and (there := self._kernels(device)) is not None:
            with on_device(there, device.index):
                return philox.integers(there, self._stream(), low, span, tuple(shape))
        bits = self.integers32(math.prod(shape), device).astype(np.uint64)
        return ((bits * np.uint64(span)) >> np.uint64(32)).astype(np.int64).reshape(shape) + low

    def permutation(self, n, device=CPU):
        """A random order of 0 .. n-1 (int64): the stable sorting order of n random 64-bit keys."""
        return seam.execute(self._permutation, n, device)

    def _permutation(self, n, device):
        bits = self.integers32(2 * n, device).reshape(-1, 2).astype(np.uint64)
        keys = (bits[:, 0] << np.uint64(32)) | bits[:, 1]
        return keys.argsort(kind="stable") if isinstance(keys, np.ndarray) else keys.argsort()


class _Default(Generator):
    """The generator that is used where no other is given; inside `drawing_from` it draws from that one."""

    def _stream(self):
        own = getattr(_thread, "generator", None)
        return self if own is None else own

    def integers32(self, n, device=CPU):
        stream = self._stream()
        return super().integers32(n, device) if stream is self else stream.integers32(n, device)


_thread = threading.local()
default_generator = _Default(0)


@contextlib.contextmanager
def drawing_from(generator):
    """Inside, and in this thread only, the default generator draws from another: what several threads draw can be repeated."""
    _thread.generator, before = generator, getattr(_thread, "generator", None)
    try:
        yield
    finally:
        _thread.generator = before


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.seed


def seed() -> int:
    """Seed the default generator with a number that is different each time, and return it."""
    return default_generator.manual_seed(int.from_bytes(os.urandom(7), "little")).seed


def get_rng_state() -> dict[str, int]:
    """The state of the default generator."""
    return default_generator.get_state()


def set_rng_state(new_state: dict[str, int]) -> None:
    """Put the default generator into a state that `get_rng_state` gave."""
    default_generator.set_state(new_state)


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, from which every random op draws unless it is given another."""
    return default_generator.manual_seed(seed)
