"""torch.utils.tensorboard.SummaryWriter: tensorboardX's, which takes minigan's Tensors. pip install
'minigan[tensorboard]'"""

import functools
from typing import Any

from ...arrays import to_numpy
from ...autograd import Tensor

try:
    import tensorboardX
except ImportError as error:
    raise ImportError(
        "SummaryWriter needs the package tensorboardX: pip install 'minigan[tensorboard]'"
    ) from error

__all__ = ["SummaryWriter"]


def _plain(x: Any) -> Any:
    """x with arrays for Tensors (numbers for those of one element), in lists, tuples and dicts,
    too."""
    if isinstance(x, Tensor):
        array = to_numpy(x.array)
        return array if array.ndim else array.item()
    if isinstance(x, dict):
        return {k: _plain(v) for k, v in x.items()}
    return type(x)(map(_plain, x)) if type(x) in (list, tuple) else x


class SummaryWriter(tensorboardX.SummaryWriter):
    """tensorboardX.SummaryWriter(log_dir, ...), whose add_scalar, add_image, add_histogram ... take
    Tensors."""

    def add_graph(self, *args: Any, **kwargs: Any) -> None:
        """NotImplementedError: minigan.draw_tape draws networks."""
        raise NotImplementedError(
            "add_graph traces PyTorch's networks; minigan.draw_tape draws a tape, minigan.summary "
            "lists layers"
        )


def _taking_tensors(method: Any) -> Any:
    @functools.wraps(method)
    def call(self, *args, **named):
        return method(self, *map(_plain, args), **{k: _plain(v) for k, v in named.items()})

    return call


for _name in dir(tensorboardX.SummaryWriter):
    if _name.startswith("add_") and _name != "add_graph":
        setattr(SummaryWriter, _name, _taking_tensors(getattr(tensorboardX.SummaryWriter, _name)))
