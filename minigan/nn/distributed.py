"""A network whose gradients are the means of those of all processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ..autograd import Tensor
from ..distributed.collectives import ReduceOp, all_reduce, broadcast
from ..distributed.group import communicator, size
from .module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """Calls `module`, on each rank with its own part of the batch; `backward` leaves in `.grad` of
    its parameters the mean of all ranks' gradients, so that the ranks' optimisers make equal steps.

    Parameters and buffers are those of rank 0 from the beginning on; with `broadcast_buffers` its
    buffers (running statistics) are also before each forward pass in training mode. The names in
    `state_dict` begin with "module.", as torch's. Every rank must use the same parameters in the
    same order. The other options are accepted as in torch, and without effect.
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0,
        broadcast_buffers: bool = True, init_sync: bool = True, process_group: Any = None,
        bucket_cap_mb: float | None = None, find_unused_parameters: bool = False,
        check_reduction: bool = False, gradient_as_bucket_view: bool = False,
        static_graph: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        communicator(process_group)
        if device_ids is not None and len(device_ids) > 1:
            raise ValueError(
                f"DistributedDataParallel: device_ids={list(device_ids)}: one device for each rank"
            )
        wanted = [p for p in module.parameters() if p.requires_grad]
        if not wanted:
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter "
                "that requires a gradient."
            )
        self.module = module
        self.broadcast_buffers = broadcast_buffers
        self.require_backward_grad_sync = True
        if init_sync:
            for tensor in [*module.parameters(), *module.buffers()]:
                broadcast(tensor)
        for p in wanted:
            p.register_post_accumulate_grad_hook(self._average)

    def _average(self, leaf: Tensor) -> None:
        if self.require_backward_grad_sync and size() > 1 and leaf.grad is not None:
            all_reduce(leaf.grad, ReduceOp.AVG)

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """Inside, gradients are summed up on each rank by itself; the first `backward` behind it
        averages the sums."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    @property
    def per_example(self):
        return self.module.per_example

    def forward(self, *inputs: Any, **named: Any) -> Any:
        if self.training and self.broadcast_buffers and self.require_backward_grad_sync:
            for buffer in self.module.buffers():
                broadcast(buffer)
        return self.module(*inputs, **named)
