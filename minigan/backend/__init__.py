"""What an array is here: which library holds it, random numbers, compiled kernels, threads. No differentiation yet."""

from .blas import tame_blas  # isort: skip
from .memory import keep_freed_memory  # isort: skip

keep_freed_memory()
tame_blas()  # before anything here imports NumPy

from .device import (  # noqa: E402
    CPU,
    DeviceError,
    address,
    array_module,
    cuda_problem,
    device,
    device_of,
    is_array,
    module_for,
    resolve_device,
    to_device,
    to_numpy,
)
from .gemm import PLAIN, TRANSPOSED, gemm, gemm_address  # noqa: E402
from .kernels import kernel  # noqa: E402
from .layout import row_major  # noqa: E402
from .random import Generator, default_generator, drawing_from, get_rng_state, initial_seed, manual_seed, seed, set_rng_state  # noqa: E402
from .sums import total  # noqa: E402
from .threads import num_threads, parallel_chunks, parallel_ranges  # noqa: E402
from .tiles import product  # noqa: E402
from .warning import warn  # noqa: E402

__all__ = [
    "CPU", "PLAIN", "TRANSPOSED", "DeviceError", "Generator", "address", "array_module", "cuda_problem", "default_generator", "device",
    "device_of", "drawing_from", "gemm", "gemm_address", "get_rng_state", "initial_seed", "is_array", "kernel", "manual_seed",
    "module_for", "num_threads", "parallel_chunks", "parallel_ranges", "product", "resolve_device", "row_major", "seed", "set_rng_state",
    "to_device", "to_numpy", "total", "warn",
]  # fmt: skip
