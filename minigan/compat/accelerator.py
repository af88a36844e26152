"""torch.accelerator's names: the device that computes fastest here, CUDA or none."""

from ..arrays import device as _device
from .cuda import current_device as _current_device
from .cuda import device_count, is_available, set_device, synchronize

__all__ = [
    "current_accelerator", "current_device_idx", "current_device_index", "device_count",
    "is_available", "set_device_idx",
    "set_device_index", "synchronize",
]  # fmt: skip


def current_accelerator(check_available: bool = False) -> _device | None:
    """device("cuda"), or None where CUDA cannot be used."""
    return _device("cuda") if is_available() else None


current_device_index = current_device_idx = _current_device
set_device_index = set_device_idx = set_device
