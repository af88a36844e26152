"""torch.cuda's names: is there a GPU, how many, and tensors on it. `minigan.cuda.FloatTensor(...)`
raises DeviceError without one."""

import sys
from types import SimpleNamespace

from ..arrays import DeviceError, cuda_problem
from ..arrays import manual_seed as _manual_seed
from ..arrays.seam import CaptureError
from ..machine import pools
from ..ops.seeding import get_rng_state as _get_rng_state
from ..ops.seeding import set_rng_state as _set_rng_state
from .amp import GradScaler, custom_bwd, custom_fwd
from .amp import autocast as _autocast
from .tensor_types import tensor_types

__all__ = [
    "BoolTensor", "ByteTensor", "CaptureError", "CharTensor", "DoubleTensor", "Event",
    "FloatTensor", "GradScaler",
    "HalfTensor", "IntTensor", "LongTensor", "ShortTensor", "autocast", "current_device",
    "custom_bwd", "custom_fwd", "device", "device_count",
    "empty_cache", "get_device_capability", "get_device_name", "get_device_properties",
    "get_rng_state", "get_rng_state_all", "graph", "init",
    "ipc_collect", "is_available", "is_bf16_supported", "is_initialized", "manual_seed",
    "manual_seed_all",
    "max_memory_allocated", "max_memory_reserved", "mem_get_info", "memory_allocated",
    "memory_reserved", "memory_summary",
    "reset_peak_memory_stats", "set_device", "set_rng_state", "set_rng_state_all", "synchronize",
]  # fmt: skip

(
    FloatTensor, DoubleTensor, HalfTensor, LongTensor, IntTensor, ShortTensor, CharTensor,
    ByteTensor, BoolTensor,
) = tensor_types("cuda", "cuda.")  # fmt: skip


def graph(step, warmup: int = 3):
    """`step` as launches of a CUDA graph: see `minigan.fast.replay.graph.graph`.

    Without the fast path it is `step` itself.
    """
    if "minigan.fast" not in sys.modules:
        return step
    from ..fast.replay.graph import graph

    return graph(step, warmup)


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


def autocast(enabled: bool = True, dtype=None, cache_enabled=None) -> _autocast:
    """`with minigan.cuda.autocast(): ...`: minigan.amp.autocast("cuda", dtype, enabled)."""
    return _autocast("cuda", dtype, enabled)


class Event:
    """A moment in the GPU's work: `record()`, and after `synchronize()` the milliseconds of
    `start.elapsed_time(end)`."""

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> None:
        self._event = _cupy().cuda.Event(block=blocking, disable_timing=not enable_timing)

    def record(self, stream=None) -> None:
        """Mark what the GPU has been told to do up to now."""
        self._event.record()

    def synchronize(self) -> None:
        """Wait until the GPU has come here."""
        self._event.synchronize()

    def query(self) -> bool:
        """Has the GPU come here?"""
        return self._event.done

    def elapsed_time(self, end_event: "Event") -> float:
        """Milliseconds from here to another event."""
        return _cupy().cuda.get_elapsed_time(self._event, end_event._event)


class device:
    """`with minigan.cuda.device(0): ...`: accepted for device 0 (None, -1), which "cuda" means;
    name others: "cuda:1"."""

    def __init__(self, device) -> None:
        set_device(0 if device is None else device)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


def init() -> None:
    """Nothing to do: CUDA starts when it is first used."""


def is_initialized() -> bool:
    """Can CUDA be used here? It starts when it is first used."""
    return is_available()


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Can products round to bfloat16 (on every GPU that minigan runs on)?"""
    return is_available()


def get_device_capability(device=None) -> tuple[int, int]:
    """(major, minor) of the GPU's compute capability."""
    properties = get_device_properties(device)
    return properties.major, properties.minor


def get_device_properties(device=None) -> SimpleNamespace:
    """name, major, minor, total_memory (bytes), multi_processor_count."""
    number = device if isinstance(device, int) else getattr(device, "index", None) or 0
    found = _cupy().cuda.runtime.getDeviceProperties(number)
    return SimpleNamespace(
        name=found["name"].decode(), major=found["major"], minor=found["minor"],
        total_memory=int(found["totalGlobalMem"]),
        multi_processor_count=found["multiProcessorCount"],
    )  # fmt: skip


def ipc_collect() -> None:
    """Nothing to do: no memory is shared with other processes."""


def set_device(device) -> None:
    """Only device 0 can be the one that "cuda" means; name others: "cuda:1"."""
    number = (
        device
        if isinstance(device, int)
        else getattr(device, "index", None) or int(str(device).partition(":")[2] or 0)
    )
    if number not in (0, -1):
        raise NotImplementedError(
            f"set_device({device!r}): minigan keeps no current device; name one for each tensor: "
            f"'cuda:{number}'"
        )


def get_device_name(device=0) -> str:
    """What the GPU calls itself."""
    number = device if isinstance(device, int) else getattr(device, "index", None) or 0
    return _cupy().cuda.runtime.getDeviceProperties(number)["name"].decode()


def manual_seed(seed: int) -> None:
    """Seed the generator, which is one for all devices."""
    _manual_seed(seed)


manual_seed_all = manual_seed


def get_rng_state(device=None) -> dict[str, int]:
    """The state of the generator, which is one for all devices."""
    return _get_rng_state()


def set_rng_state(new_state: dict[str, int], device=None) -> None:
    """Put the generator, which is one for all devices, into a state."""
    _set_rng_state(new_state)


def get_rng_state_all() -> list[dict[str, int]]:
    """The states of all GPUs: that of the one generator, for the one GPU."""
    return [_get_rng_state()]


def set_rng_state_all(new_states: list[dict[str, int]]) -> None:
    """Put the generator into the state of the first GPU."""
    for state in new_states[:1]:
        _set_rng_state(state)


def synchronize(device=None) -> None:
    """Wait until the GPU has done all it was told to; nothing to wait for without one."""
    if is_available():
        _cupy().cuda.runtime.deviceSynchronize()


def empty_cache() -> None:
    """Give memory that is kept for reuse back to the GPU."""
    if is_available():
        _cupy().get_default_memory_pool().free_all_blocks()
        pools.release()


def memory_allocated(device=None) -> int:
    """Bytes of the GPU's memory that arrays occupy now."""
    return _cupy().get_default_memory_pool().used_bytes() if is_available() else 0


def mem_get_info(device=None) -> tuple[int, int]:
    """(free, all) bytes of the GPU's memory, whoever uses it."""
    free, total = _cupy().cuda.runtime.memGetInfo()
    return int(free), int(total)


def memory_summary(device=None, abbreviated: bool = False) -> str:
    """A few lines for people: what arrays occupy, what is kept for reuse, and what the whole GPU
    has."""
    if not is_available():
        return "no CUDA device is used"
    pool, (free, total) = _cupy().get_default_memory_pool(), mem_get_info()
    used, kept = pool.used_bytes(), pool.total_bytes()
    rows = {
        "arrays": used, "kept for reuse (empty_cache() gives it back)": kept - used,
        "graphs": pools.private_bytes(),
        "used by others and by CUDA itself": max(total - free - pools.total_bytes(), 0),
        "free": free, "all": total,
    }  # fmt: skip
    width = max(map(len, rows))
    return "\n".join(
        [
            f"memory of {get_device_name()}",
            *[f"  {name:{width}} {n / 2**20:12,.1f} MiB" for name, n in rows.items()],
        ]
    )


def memory_reserved(device=None) -> int:
    """Bytes of the GPU's memory that arrays and graphs occupy or that are kept for reuse."""
    return pools.total_bytes(_cupy()) if is_available() else 0


def reset_peak_memory_stats(device=None) -> None:
    """Let `max_memory_allocated` begin anew: memory that is kept for reuse goes back to the GPU."""
    empty_cache()


def max_memory_allocated(device=None) -> int:
    """Bytes that were taken from the GPU: what arrays and graphs occupied at most, as far as it was
    not given back."""
    return pools.total_bytes(_cupy()) if is_available() else 0


max_memory_reserved = max_memory_allocated
