"""Random numbers on CUDA: Philox 4x32-10 (Salmon et al. 2011), the integers and formulas of
minigan/arrays/random.py.

While a step is captured, a kernel reads the seed and where in the stream the step begins from
device memory, which every replay fills anew; otherwise they are arguments.
"""

import numpy as np

from ...arrays.device import module_for
from ...arrays.random import DRAWS, normal_reference, uniform_reference
from .recorder import current_capture
from .source import Source, blocks, on_device

PHILOX = Source("philox", """
struct Four32 { u32 v[4]; };

__device__ inline Four32 philox(u32 c0, u32 c1, u32 c2, u32 c3, u32 k0, u32 k1) {
    for (int round = 0; round < 10; round++) {
        const u64 p0 = (u64)0xD2511F53u * c0, p1 = (u64)0xCD9E8D57u * c2;
        const u32 high0 = (u32)(p0 >> 32), high1 = (u32)(p1 >> 32);
        c0 = high1 ^ c1 ^ k0, c1 = (u32)p1, c2 = high0 ^ c3 ^ k1, c3 = (u32)p0;
        k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}

__device__ inline Four32 philox(u64 index, u64 seed) {
    return philox((u32)index, (u32)(index >> 32), 0, 0, (u32)seed, (u32)(seed >> 32));
}

// Integer i of the stream from block `counter` on.
__device__ inline u32 integer(i64 i, u64 seed, u64 counter) {
    return philox(counter + i / 4, seed).v[i % 4];
}

// Uniform on [0, 1) from 24 bits of one integer or 53 of two.
__device__ inline float uniform(i64 i, u64 seed, u64 counter, float) {
    return (float)(integer(i, seed, counter) >> 8) * 5.9604644775390625e-8f;
}
__device__ inline double uniform(i64 i, u64 seed, u64 counter, double) {
    const u64 high = integer(2 * i, seed, counter) >> 5,
        low = integer(2 * i + 1, seed, counter) >> 6;
    return (double)((high << 26) + low) * 1.1102230246251565e-16;
}

#define PLACE if (state) { seed = state[0]; counter += state[1]; }
#define INDEX const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x; if (i >= n) return;

extern "C" __global__ void bits(u32* out, const u64* state, u64 seed, u64 counter, i64 n) {
    INDEX PLACE
    const Four32 four = philox(counter + i, seed);  // n blocks
    for (int j = 0; j < 4; j++) out[4 * i + j] = four.v[j];
}

extern "C" __global__ void fill_uniform(REAL* out, const u64* state, u64 seed, u64 counter, i64 n) {
    INDEX PLACE
    out[i] = uniform(i, seed, counter, (REAL)0);
}

// Box and Muller: of n numbers the first half are sqrt(-2 log(1 - u)) cos(2 pi v), the others the
// sines.
extern "C" __global__ void fill_normal(
        REAL* out, const u64* state, u64 seed, u64 counter, i64 half, i64 n) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= half) return;
    PLACE
    const REAL radius = sqrt((REAL)-2 * log1p(-uniform(i, seed, counter, (REAL)0)));
    const REAL angle = (REAL)6.283185307179586 * uniform(half + i, seed, counter, (REAL)0);
    out[i] = radius * cos(angle);
    if (half + i < n) out[half + i] = radius * sin(angle);
}

extern "C" __global__ void fill_integers(
        i64* out, const u64* state, u64 seed, u64 counter, i64 low, u64 span, i64 n) {
    INDEX PLACE
    out[i] = (i64)(((u64)integer(i, seed, counter) * span) >> 32) + low;
}
""")  # fmt: skip


def _advance(stream, count):
    """(state array or None, seed, counter) for the next `count` integers of a generator, which goes
    on behind them."""
    recorder, seed = current_capture(), stream.seed
    counter = stream.counter
    state = None
    if recorder is not None:
        state, begin = recorder.random(stream)
        seed, counter = 0, counter - begin
    stream.counter += -(-count // 4)
    return state, np.uint64(seed), np.uint64(counter)


def _launch(name, device, generator, out, threads, count, *rest):
    """Fill `out` by `threads` threads from the next `count` integers of the generator."""
    with on_device(module_for(device), device.index):
        PHILOX.launch(
            name, out, blocks(threads), (256,), out, *_advance(generator.stream(), count), *rest
        )


def _empty(device, shape, dtype):
    with on_device(module_for(device), device.index):
        return module_for(device).empty(shape, dtype)


def bits(generator, n, device):
    """`Generator.integers32`."""
    count = -(-n // 4)
    out = _empty(device, count * 4, np.uint32)
    if count:
        _launch("bits", device, generator, out, count, n, count)
    return out[:n]


def uniform(generator, shape, dtype, device):
    """`Generator.uniform`."""
    if np.dtype(dtype).char not in "fd":
        return uniform_reference(generator, shape, dtype, device)
    out = _empty(device, shape, dtype)
    if out.size:
        _launch(
            "fill_uniform",
            device,
            generator,
            out,
            out.size,
            out.size * (2 if out.dtype == np.float64 else 1),
            out.size,
        )
    return out


def normal(generator, shape, dtype, device):
    """`Generator.normal`."""
    if np.dtype(dtype).char not in "fd":
        return normal_reference(generator, shape, dtype, device)
    out = _empty(device, shape, dtype)
    half = -(-out.size // 2)
    if half:
        count = 2 * half * (2 if out.dtype == np.float64 else 1)
        _launch("fill_normal", device, generator, out, half, count, half, out.size)
    return out


def integers(generator, low, high, shape, device):
    """`Generator.integers`."""
    out = _empty(device, shape, np.int64)
    if out.size:
        _launch(
            "fill_integers",
            device,
            generator,
            out,
            out.size,
            out.size,
            low,
            np.uint64(high - low),
            out.size,
        )
    return out


DRAWS["integers32", "cuda"] = bits
DRAWS["uniform", "cuda"] = uniform
DRAWS["normal", "cuda"] = normal
DRAWS["integers", "cuda"] = integers
