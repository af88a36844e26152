"""torch.optim.swa_utils: a network whose weights are averages of another's, and the rate that goes
with it. See also `EMA`."""

import copy
import math
from typing import Any

from ..arrays import array_module
from ..autograd import Tensor, no_grad, tensor_of
from ..nn.batchnorm import _BatchNorm
from ..nn.module import Module
from .schedule import LRScheduler, for_each

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def get_ema_avg_fn(decay: float = 0.999) -> Any:
    """f(average, value, number averaged) = decay average + (1 - decay) value"""
    if not 0 <= decay <= 1:
        raise ValueError(f"get_ema_avg_fn: decay must be from 0 to 1, got {decay}")
    return no_grad()(lambda average, value, count: decay * average + (1 - decay) * value)


def get_swa_avg_fn() -> Any:
    """f(average, value, number averaged) = average + (value - average) / (number + 1): the mean of
    all"""
    return no_grad()(lambda average, value, count: average + (value - average) / (count + 1))


def _in_lists(function):
    def update(averages, values, count):
        for average, value in zip(averages, values):
            average.copy_(function(average, value, count) if average.is_floating_point() else value)

    return no_grad()(update)


def get_ema_multi_avg_fn(decay: float = 0.999) -> Any:
    """As `get_ema_avg_fn`, for lists, in place."""
    return _in_lists(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> Any:
    """As `get_swa_avg_fn`, for lists, in place."""
    return _in_lists(get_swa_avg_fn())


class AveragedModel(Module):
    """A copy of `model` whose parameters are averages of those at each `update_parameters(model)`.
    Izmailov et al. 2018

    avg_fn, multi_avg_fn : how: get_swa_avg_fn() and the like; default the mean of all
    use_buffers : are buffers averaged, too? Else they are copied.

    State: n_averaged, and the model's under "module.".
    """

    n_averaged: Tensor

    def __init__(
        self, model: Module, device: Any = None, avg_fn: Any = None, multi_avg_fn: Any = None,
        use_buffers: bool = False
    ) -> None:  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: pass avg_fn or multi_avg_fn, not both")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module.to(device)
        first = next(model.parameters()).array
        self.register_buffer("n_averaged", tensor_of(array_module(first).zeros((), "int64")))
        self.average = multi_avg_fn or _in_lists(avg_fn or get_swa_avg_fn())
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the present parameters of `model` into the averages; the first time they are
        copied."""
        both = self.use_buffers
        own = [*self.module.parameters(), *(self.module.buffers() if both else ())]
        new = [
            x.detach().to(o.device)
            for x, o in zip([*model.parameters(), *(model.buffers() if both else ())], own)
        ]
        with no_grad():
            if self.n_averaged.item() == 0:
                for average, value in zip(own, new):
                    average.copy_(value)
            else:
                self.average([o.detach() for o in own], new, self.n_averaged)
            if not both:
                for average, value in zip(self.module.buffers(), model.buffers()):
                    average.copy_(value.detach().to(average.device))
            self.n_averaged.add_(1)


def update_bn(loader: Any, model: Module, device: Any = None) -> None:
    """Compute the running statistics of all BatchNorm layers anew, as means over the batches of
    `loader` (or their first columns)."""
    layers = {
        m: m.momentum
        for m in model.modules()
        if isinstance(m, _BatchNorm) and m.track_running_stats
    }
    if not layers:
        return
    was_training = model.training
    model.train()
    with no_grad():
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None
        for batch in loader:
            batch = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(batch if device is None else batch.to(device))
    for layer, momentum in layers.items():
        layer.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the present rate to swa_lr in anneal_epochs, along a cosine ("cos") or a line
    ("linear"); then it stays."""

    def __init__(
        self, optimizer: Any, swa_lr: Any, anneal_epochs: int = 10, anneal_strategy: str = "cos",
        last_epoch: int = -1
    ) -> None:  # fmt: skip
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"SWALR: anneal_strategy={anneal_strategy!r}: expected 'cos' or 'linear'"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(
                f"SWALR: anneal_epochs must be an integer, at least 0, got {anneal_epochs!r}"
            )
        self.anneal_epochs, self.anneal_strategy = anneal_epochs, anneal_strategy
        self.optimizer = optimizer
        for group, lr in zip(optimizer.param_groups, for_each(self, optimizer, "swa_lr", swa_lr)):
            group["swa_lr"] = lr
        super().__init__(optimizer, last_epoch)

    def _share(self, t):
        part = max(0.0, min(1.0, t / max(1, self.anneal_epochs)))
        return part if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * part)) / 2

    first_lr = LRScheduler.current_lr

    def get_lr(self):
        """The rate moves from where it is, so that another schedule may run beside this one, as in
        torch."""
        t = self.last_epoch if self.anneal_epochs else max(1, self.last_epoch)
        before, now = self._share(max(0, t - 1)), self._share(t)
        rates = []
        for group in self.optimizer.param_groups:
            start = 0.0 if before == 1 else (group["lr"] - group["swa_lr"] * before) / (1 - before)
            rates.append(
                group["swa_lr"] if before == 1 else group["swa_lr"] * now + start * (1 - now)
            )
        return rates
