"""torch.cuda's names: is there a GPU, how many, and tensors on it. `minigan.cuda.FloatTensor(...)` raises DeviceError without one."""

from .backend import DeviceError, cuda_problem
from .backend import manual_seed as _manual_seed
from .ops.legacy import tensor_types

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor", "ShortTensor",
    "current_device", "device_count", "empty_cache", "get_device_name", "is_available", "manual_seed", "manual_seed_all",
    "max_memory_allocated", "memory_allocated", "set_device", "synchronize",
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


def max_memory_allocated(device=None) -> int:
    """Bytes that were taken from the GPU: what arrays occupied at most, as far as it was not given back."""
    return _cupy().get_default_memory_pool().total_bytes() if is_available() else 0
