"""Batch normalisation with the statistics of all processes' batches together."""

from __future__ import annotations

from typing import Any

from ..arrays import array_module
from ..autograd import Tensor, no_grad, tensor_of
from ..distributed.collectives import all_sum
from ..distributed.group import size
from ..ops import cat
from ..ops.normalization import batch_norm, check_parameters
from .batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d, _BatchNorm
from .module import Module

__all__ = ["SyncBatchNorm"]


KEPT = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


class SyncBatchNorm(_BatchNorm):
    __doc__ = f"""Batch normalisation of (N, C, ...) whose mean and variance are those of the
    batches of all ranks together (`minigan.distributed`); by itself, and in evaluation, as
    BatchNorm.\n\n    {_BatchNorm.__doc__}"""

    sizes = {n: f"{n}-D (N, C{', ...' * (n > 2)})" for n in range(2, 7)}

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True, process_group: Any = None,
        device=None, dtype=None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        if process_group is not None:
            raise NotImplementedError("SyncBatchNorm: process_group: there is one, of all ranks")
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input):
        mean, var, weight, bias, training, momentum, eps = self.arguments(input)
        if not (self.training and size() > 1):
            return batch_norm(input, mean, var, weight, bias, training, momentum, eps)
        if input.array.dtype.char == "e":
            raise NotImplementedError("SyncBatchNorm: float16 input; convert it with .float()")
        check_parameters(
            "batch_norm", input, running_mean=mean, running_var=var, weight=weight, bias=bias
        )
        return _together(input, mean, var, weight, bias, momentum, eps)

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """`module` with a SyncBatchNorm, of the same parameters and buffers, for each BatchNorm in
        it. It is changed and returned; if it is a BatchNorm itself, a new one is."""
        if isinstance(module, (BatchNorm1d, BatchNorm2d, BatchNorm3d)):
            new = cls(
                module.num_features, module.eps, module.momentum, module.affine,
                module.track_running_stats, process_group, bias=module.bias is not None,
            )  # fmt: skip
            for name in KEPT:
                setattr(new, name, getattr(module, name))
            new.training = module.training
            return new
        for name, child in list(module.named_children()):
            changed = cls.convert_sync_batchnorm(child, process_group)
            if changed is not child:
                setattr(module, name, changed)
        return module


# who mixes the examples of a batch in training
BATCH_NORMS = (BatchNorm1d, BatchNorm2d, BatchNorm3d, SyncBatchNorm)


def _together(
    x: Tensor, running_mean: Any, running_var: Any, weight: Any, bias: Any, momentum: Any, eps: Any
) -> Tensor:
    """Batch normalisation in ops, with two sums over all ranks: of x and of how many there are,
    then of the squared distances from the mean. Every derivative follows from that of `all_sum`."""
    axes = (0, *range(2, x.ndim))
    seen = (1, -1) + (1,) * (x.ndim - 2)  # a number for each channel, as x is broadcast with it
    array = x.array
    here = tensor_of(_filled(array, array.size // max(array.shape[1], 1)))
    sums = all_sum(cat([x.sum(axes), here]))
    count = sums[-1:].detach()
    mean = sums[:-1] / count
    d = x - mean.reshape(seen)
    var = all_sum((d * d).sum(axes)) / count
    with no_grad():
        unbiased = var.detach() * (count / (count - 1).clamp(min=1))
        for running, new in ((running_mean, mean.detach()), (running_var, unbiased)):
            if running is not None:
                running.add_((new - running) * momentum)
    y = d * (var + eps).rsqrt().reshape(seen)
    y = y if weight is None else y * weight.reshape(seen)
    return y if bias is None else y + bias.reshape(seen)


def _filled(array: Any, value: int) -> Any:
    """(1,) with this value, like `array`."""
    return array_module(array).full(1, value, array.dtype)
