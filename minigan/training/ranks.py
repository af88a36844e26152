"""A run that several processes make together, on MPI: each plays with its rows of every batch.

What is trained is equal on all ranks after every round: parameters and optimisers, because all make
the same steps with the same sums of gradients, and what else a round changes, by `settle`. So the
checkpoint that the first rank writes is that of all.
"""

from __future__ import annotations

import functools
import hashlib
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..arrays import default_generator, drawing_rows
from ..autograd import Tensor
from ..distributed import group
from ..distributed.collectives import broadcast
from ..distributed.collectives import sums as sums_of_all
from ..distributed.nccl import links
from ..gan.games import Move
from ..gan.trainer import Trainer
from ..nn.batchnorm import _BatchNorm
from ..nn.syncbatchnorm import BATCH_NORMS, SyncBatchNorm
from .plane import points_per_example
from .runfolder import RunError

if TYPE_CHECKING:
    from .callbacks.callback import Callback


def join() -> None:
    """Become one of the processes that mpirun has started, if it has; only the first one speaks."""
    if not group.started_under_mpi() or group.is_initialized():
        return
    try:
        group.init_process_group()
    except ImportError:
        if group.started() == 1:  # as Slurm starts every program: it needs no MPI
            return
        raise
    if group.size() > 1 and group.rank() > 0:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")


def begin(trainer: Trainer, batches: Any, sync_bn: bool) -> str:
    """Share the work of this trainer with these batches among all ranks; says how, for people."""
    n, share = group.size(), getattr(batches, "share", None)
    if share is None:
        raise RunError(f"{type(batches).__name__} cannot be split among {n} processes")
    share(group.rank(), n, points_per_example(trainer.game))
    require_alike(_shapes(trainer, batches))
    here, whole = _rows(batches), sum(size for size, _, _ in batches.parts)
    trainer.share = here / whole
    # Rank r, with b of B rows, divides by the root of (1 - 1/b) of the variance. The ranks' mean,
    # weighted by b / B, is 1 - n/B of it.
    if not sync_bn and trainer.game.batch_size:
        trainer.game.batch_size /= n
    mixed = False
    for player in trainer.game.players.values():
        mixed = mixed or any(isinstance(m, BATCH_NORMS) for m in player.modules())
        if sync_bn:
            SyncBatchNorm.convert_sync_batchnorm(player)
        for tensor in [*player.parameters(), *player.buffers()]:
            broadcast(tensor)
    sizes = "/".join(map(str, group.told(here)))
    how = "of all processes together" if sync_bn else "of each process's rows (--sync-bn: of all)"
    return (
        f"{n} processes (MPI), {sizes} rows of each batch"
        + f"; batch normalisation by the statistics {how}" * mixed
        + ("" if batches.device.type == "cpu" else f"; {_by_gpus()}")
    )


def _by_gpus() -> str:
    way = "NCCL" if links() else "MPI, as NCCL is missing or GPUs are shared"
    return f"sums by {way}; every kernel is launched by itself"


def _shapes(trainer: Trainer, batches: Any) -> dict[str, Any]:
    """The sizes of what the ranks are about to exchange."""
    found: dict[str, Any] = {"batch": [size for size, _, _ in batches.parts]}
    for who, player in trainer.game.players.items():
        named = {**dict(player.named_parameters()), **dict(player.named_buffers())}
        found |= {f"{who}.{name}": tuple(tensor.shape) for name, tensor in named.items()}
    return found


def _rows(batches: Any) -> int:
    return sum(last - first for _, first, last in batches.parts)


def play(round: Callable, numbers: Any, trainer: Trainer, batches: Any) -> list[Move]:
    """round(numbers): the same moves on all ranks, each with its rows, for which it draws the
    random numbers that one process would draw for them."""
    if group.size() == 1:
        return round(numbers)
    with drawing_rows(*batches.parts):
        moves = round(numbers)
    settle(trainer)
    return moves


def require_alike(facts: dict[str, Any]) -> None:
    """RunError, on all ranks, where one has other options, data, networks or another program than
    the first. Nothing may be exchanged before: ranks that do not expect the same would wait for
    ever."""
    if group.size() == 1:
        return
    first, *others = group.told(facts | {"program": program()})
    for number, other in enumerate(others, 1):
        if differ := [k for k in sorted({*first, *other}) if first.get(k) != other.get(k)]:
            key = differ[0]
            raise RunError(
                f"rank {number} has another {key} than rank 0 ({other.get(key)!r}, not "
                f"{first.get(key)!r}): give all processes the same program, options and data"
            )


@functools.cache
def program() -> str:
    """A checksum of minigan's own text."""
    found = hashlib.sha256()
    folder = Path(__file__).parents[1]
    for path in sorted(folder.rglob("*.py")):
        found.update(f"{path.relative_to(folder).as_posix()}\n".encode() + path.read_bytes())
    return found.hexdigest()[:16]


def settle(trainer: Trainer) -> None:
    """After a round: what it changed beside parameters becomes equal on all ranks.

    Running statistics of batch normalisation, and numbers of the game (BEGAN's k), become the
    means of the ranks', weighted by their rows; its arrays (a pool of fakes) and the random state
    those of the first rank.
    """
    statistics = [
        tensor
        for player in trainer.game.players.values()
        for module in player.modules()
        if isinstance(module, _BatchNorm) and not isinstance(module, SyncBatchNorm)
        for tensor in (module.running_mean, module.running_var)
        if tensor is not None
    ]
    if statistics:
        _average(statistics, trainer.share or 1.0)
    state = trainer.game.state_dict()
    numbers, arrays = _leaves(state)
    said = group.told((trainer.share, default_generator.counter, numbers))
    default_generator.counter = said[0][1]
    for tensor in arrays:
        broadcast(tensor)
    if numbers and any(other[2] != numbers for other in said):
        mean = {key: _mean([(share, found[key]) for share, _, found in said]) for key in numbers}
        trainer.game.load_state_dict(_replaced(state, mean))


def _average(tensors: list[Tensor], share: float) -> None:
    for tensor, array in zip(tensors, sums_of_all([t.detach() * share for t in tensors])):
        tensor.array[...] = array.array
        tensor._version[0] += 1


def _mean(said: list[tuple[Any, Any]]) -> Any:
    """The mean of floats, weighted; of anything else that of the first rank."""
    if not all(isinstance(x, float) for _, x in said):
        return said[0][1]
    return math.fsum(share * x for share, x in said)


def _leaves(state: Any, path: tuple = ()) -> tuple[dict[tuple, Any], list[Tensor]]:
    """{where: number, string or None} and the Tensors in a state."""
    if isinstance(state, Tensor):
        return {}, [state]
    if not isinstance(state, (dict, list, tuple)):
        return {path: state}, []
    numbers: dict[tuple, Any] = {}
    arrays: list[Tensor] = []
    for key, value in state.items() if isinstance(state, dict) else enumerate(state):
        found, more = _leaves(value, (*path, key))
        numbers |= found
        arrays += more
    return numbers, arrays


def _replaced(state: Any, values: dict[tuple, Any], path: tuple = ()) -> Any:
    """The state with other numbers where there are some."""
    if isinstance(state, dict):
        return {k: _replaced(v, values, (*path, k)) for k, v in state.items()}
    if isinstance(state, (list, tuple)):
        return type(state)(_replaced(v, values, (*path, i)) for i, v in enumerate(state))
    return values.get(path, state)


def agreed(asked: int | None) -> int | None:
    """The signal by which any rank was asked to stop, the lowest rank's; None where none was."""
    return next((signal for signal in group.told(asked) if signal is not None), None)


def of_rank(callbacks: list[Callback]) -> list[Callback]:
    """What this rank does beside playing: the first one everything, the others what changes the
    run."""
    if group.rank() == 0:
        return callbacks
    return [c for c in callbacks if c.trains or c.everywhere]
