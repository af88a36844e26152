"""torch.cuda's names: is there a GPU, how many, and tensors on it. `minigan.cuda.FloatTensor(...)` raises DeviceError without one."""

from .backend import DeviceError, cuda_problem
from .backend import manual_seed as _manual_seed
from .backend.precision import rounded
from .ops.legacy import tensor_types
from .utils.graph import CaptureError, graph

__all__ = [
    "BoolTensor", "ByteTensor", "CaptureError", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor",
    "ShortTensor", "autocast", "current_device", "device_count", "empty_cache", "get_device_name", "graph", "is_available",
    "manual_seed", "manual_seed_all", "max_memory_allocated", "mem_get_info", "memory_allocated", "memory_summary", "set_device",
    "synchronize",
]  # fmt: skip

(
    FloatTensor, DoubleTensor, HalfTensor, LongTensor, IntTensor, ShortTensor, CharTensor, ByteTensor, BoolTensor,
) = tensor_types("cuda", "cuda.")  # fmt: skip


def is_available() -> bool:
    """Can CUDA be used here (CuPy, a driver, a GPU)?"""
    return cuda_problem() is None


def _cupy():
    if problem := cuda_problem():
        raise DeviceError(problem)
    import cupy

    return cupy


def device_count() -> int:
    """How many GPUs there are; 0 where CUDA cannot be used."""
    return _cupy().cuda.runtime.getDeviceCount() if is_available() else 0


def current_device() -> int:
    """The number of the GPU that "cuda" means: 0."""
    _cupy()
    return 0


def autocast(dtype="bfloat16", enabled: bool = True):
    """`with minigan.cuda.autocast(): ...`: products of float32 matrices, convolutions included, round their inputs to bfloat16 and sum
    up in float32. Everything else, losses and optimisers among it, stays float32; parameters, too."""
    if str(dtype).rpartition(".")[2] not in ("bfloat16", "bf16"):
        raise ValueError(f"autocast: dtype={dtype!r}: expected 'bfloat16', in which products need no scaling of the loss")
    return rounded(enabled)


def set_device(device) -> None:
    """Only device 0 can be the one that "cuda" means; name others: "cuda:1"."""
    number = device if isinstance(device, int) else getattr(device, "index", None) or int(str(device).partition(":")[2] or 0)
    if number not in (0, -1):
        raise NotImplementedError(f"set_device({device!r}): minigan keeps no current device; name one for each tensor: 'cuda:{number}'")


def get_device_name(device=0) -> str:
    """What the GPU calls itself."""
    number = device if isinstance(device, int) else getattr(device, "index", None) or 0
    return _cupy().cuda.runtime.getDeviceProperties(number)["name"].decode()


def manual_seed(seed: int) -> None:
    """Seed the generator, which is one for all devices."""
    _manual_seed(seed)


manual_seed_all = manual_seed


def synchronize(device=None) -> None:
    """Wait until the GPU has done all it was told to; nothing to wait for without one."""
    if is_available():
        _cupy().cuda.runtime.deviceSynchronize()


def empty_cache() -> None:
    """Give memory that is kept for reuse back to the GPU."""
    if is_available():
        _cupy().get_default_memory_pool().free_all_blocks()


def memory_allocated(device=None) -> int:
    """Bytes of the GPU's memory that arrays occupy now."""
    return _cupy().get_default_memory_pool().used_bytes() if is_available() else 0


def mem_get_info(device=None) -> tuple[int, int]:
    """(free, all) bytes of the GPU's memory, whoever uses it."""
    free, total = _cupy().cuda.runtime.memGetInfo()
    return int(free), int(total)


def memory_summary(device=None, abbreviated: bool = False) -> str:
    """A few lines for people: what arrays occupy, what is kept for reuse, and what the whole GPU has."""
    if not is_available():
        return "no CUDA device is used"
    pool, (free, total) = _cupy().get_default_memory_pool(), mem_get_info()
    used, kept = pool.used_bytes(), pool.total_bytes()
    rows = {
        "arrays": used, "kept for reuse (empty_cache() gives it back)": kept - used,
        "used by others, by graphs and by CUDA itself": max(total - free - kept, 0), "free": free, "all": total,
    }  # fmt: skip
    width = max(map(len, rows))
    return "\n".join([f"memory of {get_device_name()}", *[f"  {name:{width}} {n / 2**20:12,.1f} MiB" for name, n in rows.items()]])


def max_memory_allocated(device=None) -> int:
    """Bytes that were taken from the GPU: what arrays occupied at most, as far as it was not given back."""
    return _cupy().get_default_memory_pool().total_bytes() if is_available() else 0
