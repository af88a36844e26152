"""CUDA kernels on a CPU: their sources compiled by the C++ compiler, their launches as loops over
blocks and threads.

Threads of a block that meet at __syncthreads are fibers (each has a stack of its own): each runs up
to the barrier, then the next one does, so that shared memory holds what it would on a GPU. A block
in which some threads end while others wait at a barrier is an error. With the address sanitizer an
access outside of the memory that a kernel was given is one, too:

    export LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libstdc++.so)"
    MINIGAN_SANITIZE=1 ASAN_OPTIONS=detect_leaks=0 pytest tests/fast/test_cuda_kernels.py
"""

import ctypes
import functools
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import numpy as np

COMPILER = shutil.which(os.environ.get("CXX", "g++")) or shutil.which("c++")

SHIM = r"""
#include <cmath>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ucontext.h>
using namespace std;
#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __restrict__
#define __forceinline__ inline
#define __launch_bounds__(n)
#define __align__(n) alignas(n)
struct uint3_ { unsigned x, y, z; };
static uint3_ threadIdx, blockIdx, blockDim, gridDim;
struct float4 { float x, y, z, w; };

#if defined(__GNUC__) && !defined(__clang__)  // GCC's own save three registers, and call nothing
typedef void* Mark[5];
#define SET_MARK __builtin_setjmp
#define GO_TO(mark) __builtin_longjmp(mark, 1)
#else
typedef jmp_buf Mark;
#define SET_MARK _setjmp
#define GO_TO(mark) _longjmp(mark, 1)
#endif

enum { STACK = 32768, MOST = 1024 };
// how each begins; from then on the marks say where it is: they ask no system call
static ucontext_t fibers[MOST];
static Mark scheduler, places[MOST];
static char* stacks = nullptr;
static unsigned current;
static bool done[MOST], begun[MOST], cooperative = false;
static void (*body)(void**);
static void** arguments;

static __attribute__((noinline)) void __syncthreads() {
    if (!cooperative) {
        fprintf(stderr, "a barrier in a kernel that was launched without fibers\n");
        abort();
    }
    if (!SET_MARK(places[current])) GO_TO(scheduler);
}
static void fiber() {
    for (;;) {  // one block after the other
        body(arguments);
        done[current] = true;
        if (!SET_MARK(places[current])) GO_TO(scheduler);
    }
}
static __attribute__((noinline)) void resume(unsigned t) {
    if (SET_MARK(scheduler)) return;
    if (begun[t]) GO_TO(places[t]);
    begun[t] = true;
    getcontext(&fibers[t]);
    fibers[t].uc_stack.ss_sp = stacks + (size_t)STACK * t;
    fibers[t].uc_stack.ss_size = STACK;
    fibers[t].uc_link = nullptr;
    makecontext(&fibers[t], fiber, 0);
    setcontext(&fibers[t]);
}
static void place(unsigned t) {
    threadIdx = {t % blockDim.x, t / blockDim.x % blockDim.y, t / (blockDim.x * blockDim.y)};
}

static int run_block() {
    const unsigned n = blockDim.x * blockDim.y * blockDim.z;
    if (!cooperative) {
        for (unsigned t = 0; t < n; t++) { place(t); body(arguments); }
        return 0;
    }
    if (!stacks) stacks = (char*)malloc((size_t)STACK * MOST);
    for (unsigned t = 0; t < n; t++) done[t] = false;
    for (unsigned left = n; left;) {
        unsigned ended = 0, waiting = 0;
        for (current = 0; current < n; current++) {
            if (done[current]) continue;
            place(current);
            resume(current);
            done[current] ? ended++ : waiting++;
        }
        left -= ended;
        if (ended && waiting) {  // some threads of the block never come to the barrier
            for (unsigned t = 0; t < n; t++) begun[t] = false;
            return 1;
        }
    }
    return 0;
}

static int run_grid(void (*kernel)(void**), void** values, const unsigned* dims, int with_fibers) {
    body = kernel, arguments = values, cooperative = with_fibers;
    gridDim = {dims[0], dims[1], dims[2]}, blockDim = {dims[3], dims[4], dims[5]};
    if (blockDim.x * blockDim.y * blockDim.z > MOST) return 2;
    for (unsigned z = 0; z < dims[2]; z++)
        for (unsigned y = 0; y < dims[1]; y++)
            for (unsigned x = 0; x < dims[0]; x++) {
                blockIdx = {x, y, z};
                if (int failed = run_block()) return failed;
            }
    return 0;
}
"""

KERNEL = re.compile(r'extern "C" __global__ void (?:__launch_bounds__\(\d+\) )?(\w+)\(([^)]*)\)')


def kernels(code):
    """{name: [types of the parameters]} of the kernels in a source."""
    found = {}
    for name, parameters in KERNEL.findall(code.replace("__restrict__", "")):
        found[name] = [re.sub(r"\s*\b\w+$", "", p.strip()).strip() for p in parameters.split(",")]
    return found


@functools.cache
def waiting(code):
    """The names of the functions in a source in which threads wait for each other."""
    found, size = {"__syncthreads"}, 0
    function = r"__device__ inline [\w&]+ (\w+)(\([^\n]*}\n|\(.*?\n}\n)"  # of one line, or more
    functions = re.findall(function, code, re.DOTALL)
    while size < len(found):
        size = len(found)
        found |= {name for name, body in functions if re.search(rf"\b({'|'.join(found)})\b", body)}
    return found


@functools.cache
def library(code):
    """The compiled source, loaded. It is kept in the folder for temporary files."""
    found = kernels(code)
    calls = []
    for name, types in found.items():
        values = ", ".join(f"*({t}*)a[{i}]" for i, t in enumerate(types))
        calls.append(f"static void call_{name}(void** a) {{ {name}({values}); }}")
        calls.append(
            f'extern "C" int launch_{name}(void** a, const unsigned* dims, int fibers) {{ return '
            f"run_grid(call_{name}, a, dims, fibers); }}"
        )
    text = "\n".join([SHIM, code, *calls])
    sanitize = ["-fsanitize=address"] if os.environ.get("MINIGAN_SANITIZE") else []
    options = [
        "-std=c++17",
        "-O1",
        "-shared",
        "-fPIC",
        "-Wl,-Bsymbolic",
        "-ffp-contract=off",
        "-Wall",
        "-Wno-unused",
        "-Wno-parentheses",
        "-Wno-unknown-pragmas",
        "-U_FORTIFY_SOURCE",  # to jump to another stack is no mistake here
        *sanitize,
    ]
    key = hashlib.sha256("\n".join([text, *options, COMPILER]).encode()).hexdigest()[:24]
    folder = pathlib.Path(tempfile.gettempdir()) / f"minigan-host-kernels-{os.getuid()}"
    folder.mkdir(exist_ok=True, mode=0o700)
    path = folder / f"{key}.so"
    if not path.exists():
        with tempfile.TemporaryDirectory() as work:
            source, built = pathlib.Path(work) / "k.cpp", pathlib.Path(work) / "k.so"
            source.write_text(text)
            made = subprocess.run(
                [COMPILER, *options, str(source), "-o", str(built)], capture_output=True, text=True
            )
            if made.returncode:
                raise RuntimeError(
                    "the kernels do not compile for the "
                    f"host:\n{made.stderr[:4000]}\n{numbered(code)}"
                )
            scratch = folder / f"{key}.{os.getpid()}"
            shutil.copy(built, scratch)
            os.replace(scratch, path)
    return ctypes.CDLL(str(path))


def dense(a):
    """Does the array fill its memory, in whatever order?"""
    order = sorted(range(a.ndim), key=lambda i: -a.strides[i])
    return a.transpose(order).flags.c_contiguous


def numbered(code):
    return "\n".join(f"{i:4} {line}" for i, line in enumerate(code.splitlines(), 1))


ELEMENTS = {
    "int": "i4",
    "u32": "u4",
    "i64": "i8",
    "u64": "u8",
    "double": "f8",
    "unsigned char": "u1",
    "unsigned short": "u2",
}
CTYPES = {
    "i64": np.int64,
    "u64": np.uint64,
    "u32": np.uint32,
    "int": np.int32,
    "double": np.float64,
    "float": np.float32,
}


class Function:
    """A kernel that is called as CuPy's RawKernel: function(grid, block, arguments)."""

    def __init__(self, code, name):
        self.name, self.types = name, kernels(code)[name]
        self.elements = ELEMENTS | {"REAL": "f8" if "#define REAL double" in code else "f4"}
        self.call = getattr(library(code), f"launch_{name}")
        body = code[re.search(rf"__global__ void [^;{{]*\b{name}\(", code).start() :]
        body = body.partition("\n}\n")[0]
        self.fibers = re.search(rf"\b({'|'.join(waiting(code))})\b", body) is not None

    def __call__(self, grid, block, args):
        if len(args) != len(self.types):
            raise TypeError(f"{self.name} takes {len(self.types)} arguments, got {len(args)}")
        kept, pointers = [], (ctypes.c_void_p * len(args))()
        for i, (a, kind) in enumerate(zip(args, self.types)):
            if kind.endswith("*"):
                if a is not None and not hasattr(a, "__cuda_array_interface__"):
                    raise TypeError(
                        f"{self.name}: argument {i} ({kind}) is {type(a).__name__}, no array on "
                        "the device"
                    )
                element = self.elements.get(kind.replace("const", "").strip(" *"))
                if (
                    a is not None
                    and element is not None
                    and a.dtype != element
                    and not (a.dtype.kind == "u" and element == "f8")
                ):
                    raise TypeError(
                        f"{self.name}: argument {i} is of {a.dtype}, the kernel takes {kind}"
                    )
                if a is not None and element is not None and a.size and not dense(a.storage):
                    raise TypeError(
                        f"{self.name}: argument {i} ({kind}) has gaps in memory: shape {a.shape}, "
                        f"strides {a.strides}"
                    )
                value = np.array(
                    0 if a is None else a.storage.__array_interface__["data"][0], np.uint64
                )
            elif kind in CTYPES:
                if getattr(a, "dtype", None) != CTYPES[kind]:
                    raise TypeError(
                        f"{self.name}: argument {i} is {a!r} ({getattr(a, 'dtype', type(a))}), "
                        f"the kernel takes {kind}"
                    )
                value = np.array(a)
            else:  # a structure by value
                value = a
                if not (isinstance(a, np.ndarray) and a.size == 1):
                    raise TypeError(f"{self.name}: argument {i} must be a structure of one element")
            kept.append(value)
            pointers[i] = value.__array_interface__["data"][0]
        dims = [max(1, int(n)) for n in (*grid, 1, 1)[:3]] + [
            max(1, int(n)) for n in (*block, 1, 1)[:3]
        ]
        if (
            dims[0] > 2**31 - 1
            or dims[1] > 65535
            or dims[2] > 65535
            or dims[3] * dims[4] * dims[5] > 1024
        ):
            raise ValueError(
                f"{self.name}: a GPU takes no grid of {dims[:3]} blocks of {dims[3:]} threads"
            )
        failed = self.call(pointers, (ctypes.c_uint * 6)(*dims), int(self.fibers))
        if failed:
            raise RuntimeError(f"{self.name}: threads of one block do not all come to a barrier")
