"""Sources of CUDA kernels, compiled by NVRTC (through CuPy's RawModule) when one of them is first
launched.

A kernel is written for one floating-point type, REAL, and uses nothing but threadIdx, blockIdx,
__shared__ and __syncthreads: so the tests can compile the same text for the host and run every
kernel there. Numbers are passed as `long long` and `double`.
"""

import contextlib
from collections.abc import Iterator

import numpy as np

from ...arrays.device import array_module

SOURCES: dict[str, "Source"] = {}  # name -> source, of all that were made: the tests compile each
REALS = {"f": "float", "d": "double"}
OPTIONS = ("-std=c++17",)

PRELUDE = """
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

// a / b and a % b of numbers that are not negative: 32 bits are enough nearly always, and several
// times faster
__device__ inline i64 quotient(i64 a, i64 b) {
    return ((u64)a | (u64)b) >> 32 ? a / b : (i64)((u32)a / (u32)b);
}
__device__ inline i64 modulo(i64 a, i64 b) {
    return ((u64)a | (u64)b) >> 32 ? a % b : (i64)((u32)a % (u32)b);
}

// The sum of v over the threads of a block of blockDim.x (a power of two, at most 256), known to
// each of them.
__device__ inline double block_sum(double v) {
    __shared__ double tile[256];
    tile[threadIdx.x] = v;
    __syncthreads();
    for (u32 half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) tile[threadIdx.x] += tile[threadIdx.x + half];
        __syncthreads();
    }
    const double total = tile[0];
    __syncthreads();
    return total;
}
"""


class Source:
    """Kernels in one text. `launch` compiles it for the dtype and device of its first array.

    name : under which it is found in SOURCES
    code : CUDA C++ with `extern "C" __global__` functions; REAL is float or double
    """

    def __init__(self, name, code):
        self.name, self.code = name, code
        self._functions = {}
        SOURCES[name] = self

    def text(self, char):
        """The whole source for the dtype with this character ("f" or "d")."""
        return f"#define REAL {REALS[char]}\n{PRELUDE}\n{self.code}"

    def launch(self, kernel, like, grid, block, *args):
        """Run `kernel` on the device of the array `like`, with REAL its dtype (float where it has
        another).

        args : arrays of that device, None (a null pointer), whole numbers (long long), others
            (double), structures of one element
        """
        char = like.dtype.char if like.dtype.char in REALS else "f"
        xp = array_module(like)
        key = kernel, char, xp
        function = self._functions.get(key)
        if function is None:
            function = self._functions[key] = xp.RawModule(
                code=self.text(char), options=OPTIONS
            ).get_function(kernel)
        place, arrays = like.data.device_id, like.__class__
        values = []
        for a in args:
            kind = a.__class__
            if kind is arrays:
                if a.data.device_id != place:
                    raise TypeError(
                        f"arrays on cuda:{place} and cuda:{a.data.device_id} in one operation: "
                        "move one of them"
                    )
            elif kind is int or kind is bool:
                a = np.int64(a)
            elif kind is float:
                a = np.float64(a)
            values.append(a)
        with on_device(xp, place):
            function(grid, block, tuple(values))


@contextlib.contextmanager
def _switched(device) -> Iterator[None]:
    with device:
        yield


_stay = contextlib.nullcontext()


def on_device(xp, number):
    """Inside, GPU `number` is the current one."""
    return _stay if xp.cuda.runtime.getDevice() == number else _switched(xp.cuda.Device(number))


def blocks(n, size=256):
    """How many blocks of `size` threads n threads are."""
    return (-(-n // size),)
