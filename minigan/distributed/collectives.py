"""torch.distributed's functions of Tensors. All ranks must call the same ones in the same order,
with Tensors of the same shapes and dtypes."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from ..arrays import array_module, device_of, seam, to_device, to_numpy
from ..arrays.device import on_gpu
from ..autograd import Tensor, no_grad, op, tensor_of
from . import group as group_of
from .nccl import links


class ReduceOp(enum.Enum):
    """How the ranks' numbers are combined. AVG: their sum divided by how many there are."""

    SUM = "add"
    AVG = "average"
    PRODUCT = "multiply"
    MIN = "minimum"
    MAX = "maximum"
    BAND = "bitwise_and"
    BOR = "bitwise_or"
    BXOR = "bitwise_xor"


class Work:
    """Of `async_op=True`: it is done already."""

    def wait(self, timeout: Any = None) -> bool:
        return True

    def is_completed(self) -> bool:
        return True


def combined(array: Any, how: ReduceOp = ReduceOp.SUM) -> Any:
    """A new array on the same device: all ranks' arrays combined, by NCCL where it can (see
    `nccl`), else by MPI (see `group.reduced`)."""
    average = how is ReduceOp.AVG
    combine = getattr(np, "add" if average else how.value)
    if on_gpu(array) and (linked := links()) and linked.can(array, combine):
        found = linked.reduced(array, combine)
    else:
        found = to_device(group_of.reduced(to_numpy(array), combine), device_of(array))
    return (found / group_of.size()).astype(found.dtype, copy=False) if average else found


@op
def all_sum(x: Tensor) -> Tensor:
    """y = the sum of all ranks' x.    dL/dx = the sum of all ranks' dL/dy, where L is the sum of
    all ranks' losses"""
    return combined(x) if group_of.size() > 1 else array_module(x).array(x)


@all_sum.backward
def _(g, need):
    return all_sum(g)


def sums(tensors: list[Tensor]) -> list[Tensor]:
    """The sums of all ranks' Tensors, as new Tensors outside the tape: one exchange for all of one
    dtype, in one flat buffer."""
    return [tensor_of(a) for a in seam.execute(_sums, [t.array for t in tensors])]


def _sums(arrays: list[Any]) -> list[Any]:
    found = list(arrays)
    for dtype in dict.fromkeys(a.dtype for a in arrays):
        places = [i for i, a in enumerate(arrays) if a.dtype == dtype]
        xp = array_module(arrays[places[0]])
        flat = combined(xp.concatenate([arrays[i].reshape(-1) for i in places]))
        start = 0
        for i in places:
            found[i] = flat[start : start + arrays[i].size].reshape(arrays[i].shape)
            start += arrays[i].size
    return found


def _write(tensor: Tensor, array: Any) -> None:
    """New values for a Tensor, outside the tape."""
    with no_grad():
        tensor.detach().copy_(tensor_of(to_device(array, device_of(tensor.array))))


def _done(async_op: bool) -> Work | None:
    return Work() if async_op else None


def all_reduce(
    tensor: Tensor, op: ReduceOp = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """Every rank's Tensor becomes that of all combined, in the order of the ranks."""
    group_of.communicator(group)
    _write(tensor, seam.execute(combined, tensor.array, op))
    return _done(async_op)


def reduce(
    tensor: Tensor, dst: int = 0, op: ReduceOp = ReduceOp.SUM, group: Any = None,
    async_op: bool = False
) -> Work | None:  # fmt: skip
    """As `all_reduce`, but only rank `dst` gets it."""
    group_of.communicator(group)
    found = seam.execute(combined, tensor.array, op)
    if group_of.rank() == _there(dst, "dst"):
        _write(tensor, found)
    return _done(async_op)


def broadcast(
    tensor: Tensor, src: int = 0, group: Any = None, async_op: bool = False
) -> Work | None:
    """Every rank's Tensor gets the values of that of rank `src`."""
    group_of.communicator(group)
    _write(tensor, group_of.broadcasted(to_numpy(tensor.array), _there(src, "src")))
    return _done(async_op)


def all_gather(
    tensor_list: list[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """tensor_list, one Tensor for each rank, gets the ranks' Tensors in their order."""
    n = group_of.communicator(group).size
    if len(tensor_list) != n:
        raise ValueError(f"all_gather: tensor_list has {len(tensor_list)} Tensors for {n} ranks")
    for place, array in zip(tensor_list, group_of.gathered(to_numpy(tensor.array))):
        _write(place, array)
    return _done(async_op)


def broadcast_object_list(object_list: list[Any], src: int = 0, group: Any = None) -> None:
    """Every rank's list gets the objects of that of rank `src`."""
    comm = group_of.communicator(group)
    object_list[:] = comm.bcast(object_list, _there(src, "src"))


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """object_list gets the ranks' objects in their order."""
    object_list[:] = group_of.communicator(group).allgather(obj)


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> Work | None:
    """Wait until all ranks are here."""
    group_of.communicator(group).Barrier()
    return _done(async_op)


def _there(number: int, what: str) -> int:
    if not 0 <= number < (n := group_of.communicator().size):
        raise ValueError(f"{what}={number}: the ranks are 0 to {n - 1}")
    return number
