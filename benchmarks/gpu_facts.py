"""What a machine has: versions, whether Numba compiles with this NumPy, what CUDA says, which
cuBLAS is loaded."""

import importlib.metadata
import os
import platform
import subprocess
import time

import minigan
from minigan.arrays import cuda_problem
from minigan.fast.cpu.kernels import kernel

PACKAGES = (
    "numpy", "numba", "cupy-cuda13x", "cupy-cuda12x", "nvidia-cublas", "nvidia-cuda-nvrtc", "torch",
    "jax", "scipy", "matplotlib", "pillow",
    "safetensors", "tqdm", "platformdirs", "pytest", "pytest-xdist", "hypothesis",
)  # fmt: skip


@kernel
def _doubled(x, y):
    for i in range(x.size):
        y[i] = 2 * x[i]


def said(function):
    """What it returns, or how it fails."""
    try:
        return function()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def compiled():
    import numpy as np

    began, x = time.perf_counter(), np.arange(4.0, dtype=np.float32)
    y = np.empty_like(x)
    _doubled(x, y)
    return (
        f"a kernel compiles in {time.perf_counter() - began:.1f} s, "
        f"{'right' if (y == 2 * x).all() else 'wrong'}"
    )


def cublas():
    from minigan.fast.cuda.cublas import _library

    library = _library()
    with open("/proc/self/maps", encoding="utf-8") as file:
        places = sorted({line.split()[-1] for line in file if "libcublas.so" in line})
    return f"{library._name} {places}"


def main():
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs")
    print(", ".join(f"{p} {version(p)}" for p in PACKAGES))
    print(f"Numba: {said(compiled)}")
    print(f"CUDA: {cuda_problem() or 'usable'}")
    print(f"cuBLAS: {said(cublas)}")
    print(said(minigan.cuda.memory_summary))
    print(
        said(
            lambda: (
                subprocess.run(["nvidia-smi"], capture_output=True, text=True, timeout=10).stdout
            )
        )
    )


if __name__ == "__main__":
    main()
