"""Can CUDA be used here, and if not, why?"""

import functools
import sys

from . import pools

INSTALL_HINT = "pip install 'minigan[cuda12]' (CUDA 12) or 'minigan[cuda13]' (CUDA 13)"


@functools.cache
def cuda_problem():
    """None where CUDA can be used, else one sentence that says why not and what would help."""
    try:
        import cupy
    except Exception as error:  # a broken CuPy fails in many ways; each of them means: no CUDA here
        return (
            f"CUDA needs CuPy, which does not import here ({type(error).__name__}): {INSTALL_HINT}"
        )
    try:
        count = cupy.cuda.runtime.getDeviceCount()
        if count:
            (cupy.zeros(2, "float32") + 1).sum().item()  # a kernel really compiles and runs
    except Exception as error:
        return _why_not(cupy, error)
    return (
        None if count else "CuPy is installed but this machine shows no CUDA device; see nvidia-smi"
    )


def _why_not(cupy, error):
    """What CuPy's first use says, and what helps."""
    first_line = (str(error).splitlines() or [""])[0]
    why = f"({type(error).__name__}: {first_line})"
    driver, built = (_version(cupy, name) for name in ("driverGetVersion", "runtimeGetVersion"))
    if driver == 0:
        return (
            f"CuPy is installed but there is no NVIDIA driver {why}: install the driver, see "
            "nvidia-smi"
        )
    if driver is not None and built is not None and driver // 1000 < built // 1000:
        wheel = (
            f"pip uninstall cupy-cuda{built // 1000}x; pip install "
            f"cupy-cuda{driver // 1000}x, or a newer driver"
        )
        return (
            f"the driver knows CUDA {_dotted(driver)}, this CuPy is made for CUDA "
            f"{_dotted(built)} {why}: {wheel}"
        )
    if isinstance(error, MemoryError):
        return f"the GPU has no memory left {why}{memory_left(cupy)}"
    if "nvrtc" in first_line.lower() or "CUDA_PATH" in first_line:
        return (
            f"CuPy finds the GPU, but no compiler for its kernels {why}: pip install "
            f"'cupy-cuda{(built or 13000) // 1000}x[ctk]'"
        )
    return f"CuPy is installed but finds no usable GPU {why}; see nvidia-smi, or {INSTALL_HINT}"


def _version(cupy, name):
    """A version number of CUDA (13010: 13.1), None where it cannot be asked."""
    try:
        return int(getattr(cupy.cuda.runtime, name)())
    except Exception:
        return None


def _dotted(version):
    return f"{version // 1000}.{version % 1000 // 10}"


def memory_left(cupy=None):
    """What the GPU's memory is used for, as the end of a sentence; "" where it cannot be asked."""
    try:
        cupy = cupy or sys.modules["cupy"]
        free, total = cupy.cuda.runtime.memGetInfo()
        ours = pools.total_bytes(cupy)
    except Exception:
        return ""
    gib = 2**30
    others = max(total - free - ours, 0)
    text = (
        f"; of {total / gib:.1f} GiB {free / gib:.1f} are free, {ours / gib:.1f} are this program's"
    )
    return text + (
        f", {others / gib:.1f} are other programs' (nvidia-smi lists them)" if others > gib else ""
    )
