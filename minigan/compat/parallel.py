"""nn.parallel: DataParallel, for programs that wrap their networks in it, and
DistributedDataParallel."""

from typing import Any

from ..nn import Module
from ..nn.distributed import DistributedDataParallel as DistributedDataParallel


def data_parallel(
    module: Module, inputs: Any, device_ids: Any = None, output_device: Any = None, dim: int = 0,
    module_kwargs: Any = None
) -> Any:  # fmt: skip
    """module(*inputs, **module_kwargs), on the device where it is. device_ids with more than one
    device: NotImplementedError."""
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    return DataParallel(module, device_ids)(*inputs, **(module_kwargs or {}))


class DataParallel(Module):
    """Calls `module` with all of the batch, on the device where it is: what torch's does where
    there are no several GPUs.

    The names in `state_dict` begin with "module.", as torch's. device_ids with more than one
    device: NotImplementedError.
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        if device_ids is not None and len(device_ids) > 1:
            raise NotImplementedError(
                f"DataParallel: device_ids={list(device_ids)}: minigan computes on one device; "
                "leave it out"
            )
        self.module = module

    @property
    def per_example(self):
        return self.module.per_example

    def forward(self, *inputs: Any, **named: Any) -> Any:
        return self.module(*inputs, **named)
