"""Random numbers by compiled loops: the integers of `philox_reference`, and normal numbers of
float32 by polynomials."""

import math

import numpy as np

from ...arrays.random import DRAWS, normal_reference, uniform_reference
from .kernels import kernel


@kernel
def philox_fill(out, counter, k0, k1):
    """The same, into the uint32 array `out` of shape (n, 4); counter, k0, k1 are uint64. Sixteen
    blocks at a time, so that the compiler can use vectors."""
    low, s = np.uint64(0xFFFFFFFF), np.uint64(32)
    c0, c1 = np.empty(16, np.uint64), np.empty(16, np.uint64)
    c2, c3 = np.empty(16, np.uint64), np.empty(16, np.uint64)
    for first in range(0, out.shape[0], 16):
        for j in range(16):
            index = counter + np.uint64(first + j)
            c0[j], c1[j] = index & low, index >> s
            c2[j], c3[j] = np.uint64(0), np.uint64(0)
        a, b = k0, k1
        for _ in range(10):
            for j in range(16):
                p0 = c0[j] * np.uint64(0xD2511F53)
                p1 = c2[j] * np.uint64(0xCD9E8D57)
                c0[j], c1[j] = (p1 >> s) ^ c1[j] ^ a, p1 & low
                c2[j], c3[j] = (p0 >> s) ^ c3[j] ^ b, p0 & low
            a = (a + np.uint64(0x9E3779B9)) & low
            b = (b + np.uint64(0xBB67AE85)) & low
        for j in range(min(16, out.shape[0] - first)):
            out[first + j, 0], out[first + j, 1] = c0[j], c1[j]
            out[first + j, 2], out[first + j, 3] = c2[j], c3[j]


@kernel
def box_muller(bits, out):
    """float32 normal numbers out (2, n) from the uint32 bits (2 n or more): the formula of
    `Generator.normal`, with polynomials that the compiler can compute for many numbers at once
    (Moshier 1992, Cephes: logf, sinf, cosf; results within 3 units in the last place)."""
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
        c = (
            f(1)
            - f(0.5) * z
            + z
            * z
            * (
                f(4.166664568298827e-2)
                + z * (f(-1.388731625493765e-3) + z * f(2.443315711809948e-5))
            )
        )
        cos, sin = (s, c) if q & 1 else (c, s)
        out[0, i] = -radius * cos if (q + 1) & 2 else radius * cos
        out[1, i] = -radius * sin if q & 2 else radius * sin


@kernel
def unit_interval(bits, out):
    """float32 uniform on [0, 1) from as many uint32: the formula of `Generator.uniform`."""
    for i in range(out.size):
        out[i] = np.float32(bits[i] >> np.uint32(8)) * np.float32(2.0**-24)


def _integers32(generator, n, device):
    stream, blocks = generator.stream(), -(-n // 4)
    out = np.empty((blocks, 4), np.uint32)
    philox_fill(
        out,
        np.uint64(stream.counter),
        np.uint64(stream.seed & 0xFFFFFFFF),
        np.uint64(stream.seed >> 32),
    )
    stream.counter += blocks
    return out.reshape(-1)[:n]


def _normal(generator, shape, dtype, device):
    if dtype != np.float32:
        return normal_reference(generator, shape, dtype, device)
    n = math.prod(shape)
    half = -(-n // 2)
    both = np.empty((2, half), np.float32)
    box_muller(_integers32(generator, 2 * half, device), both)
    return both.reshape(-1)[:n].reshape(shape)


def _uniform(generator, shape, dtype, device):
    if dtype != np.float32:
        return uniform_reference(generator, shape, dtype, device)
    out = np.empty(math.prod(shape), np.float32)
    unit_interval(_integers32(generator, out.size, device), out)
    return out.reshape(shape)


DRAWS["uniform", "cpu"] = _uniform
DRAWS["integers32", "cpu"] = _integers32
DRAWS["normal", "cpu"] = _normal
