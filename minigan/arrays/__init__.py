"""What an array is here: which library holds it, random numbers, compiled kernels, threads. No differentiation yet."""

from ..fast.cpu.blas import tame_blas
from ..fast.cpu.memory import keep_freed_memory

keep_freed_memory()
tame_blas()  # before anything here imports NumPy

from . import seam as seam  # noqa: E402
from .device import (
    CPU,
    DeviceError,
    address,
    array_module,
    cuda_problem,
    device,
    device_of,
    has_kernels,
    is_array,
    join,
    kernel_place,
    module_for,
    resolve_device,
    to_device,
    to_numpy,
)
from ..fast.cpu.gemm import PLAIN, TRANSPOSED, gemm, gemm_address  # noqa: E402
from ..fast.cpu.kernels import kernel  # noqa: E402
from ..fast.cpu.layout import row_major  # noqa: E402
from .random import Generator, default_generator, drawing_from, get_rng_state, initial_seed, manual_seed, seed, set_rng_state  # noqa: E402
from .sums import total  # noqa: E402
from ..fast.cpu.threads import num_threads, parallel_chunks, parallel_ranges  # noqa: E402
from ..fast.cpu.tiles import product  # noqa: E402
from .warning import warn  # noqa: E402

__all__ = [
    "CPU", "PLAIN", "TRANSPOSED", "DeviceError", "Generator", "address", "array_module", "cuda_problem", "default_generator", "device",
    "device_of", "drawing_from", "gemm", "gemm_address", "get_rng_state", "initial_seed",
    "has_kernels", "is_array", "join", "kernel", "kernel_place",
    "manual_seed",
    "module_for", "num_threads", "parallel_chunks", "parallel_ranges", "product", "resolve_device", "row_major", "seed", "set_rng_state",
    "to_device", "to_numpy", "total", "warn",
]  # fmt: skip
