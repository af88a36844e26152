"""Does a training fit into memory? Known before it begins: afterwards the system would end the
program without a word.

What is counted is what surely is there at once: a run that is refused could not have been made.
"""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np

from .. import nn
from ..arrays import CPU
from ..distributed import group
from ..machine.memory import available_memory
from ..nn import parameter
from ..nn.summary import Summary, summary

COPIES = 3  # of the state while a checkpoint is put together: itself, its parts as bytes, the file
STATES = {"adam": 2, "rmsprop": 1, "sgd": 0}  # arrays of an optimiser beside each parameter
GIB = 2**30


class NoRoom(ValueError):
    """The networks, or a step with them, need more memory than there is: the message has the
    numbers, and what to lower."""


def free_memory(place) -> int | None:
    """Bytes that are free on a device; None where nobody tells."""
    if place.type == "cpu":
        return available_memory()
    import cupy

    return cupy.cuda.runtime.memGetInfo()[0] + cupy.get_default_memory_pool().free_bytes()


@contextlib.contextmanager
def room_for_networks(lower: str, optimizer: str = "adam", place=CPU):
    """Inside, making layers is refused (NoRoom) as soon as their parameters could not be trained
    here: with the optimiser's arrays and a checkpoint of both in the computer's memory, and on a
    GPU in that of the GPU, too.

    lower : what the user can lower, such as "--features or --latent-dim"
    """
    arrays = 1 + STATES[optimizer]
    left = [(COPIES * arrays, free_memory(CPU), "")]
    if place.type != "cpu":
        left.append((arrays, free_memory(place), " on the GPU"))
    made = 0

    def watch(size: int) -> None:
        nonlocal made
        made += size
        for copies, free, where in left:
            if free is not None and copies * made > free:
                raise NoRoom(
                    f"the networks need more memory{where} than there is: {made // 4:,} "
                    f"parameters and more, with {optimizer}'s arrays"
                    f"{' and a checkpoint' * (copies > arrays)} at least "
                    f"{copies * made / GIB:.1f} GiB, {free / GIB:.1f} GiB are free; lower {lower}"
                )

    parameter.watchers.append(watch)
    try:
        yield
    finally:
        parameter.watchers.remove(watch)


def summary_of(
    network: nn.Module, shape: tuple[int, ...], classes: int = 0, batch_size: int = 2
) -> Summary:
    """Its `summary` for examples of this shape; with labels beside them if there are classes."""
    if not classes:
        return summary(network, shape, batch_size)
    return summary(network, [shape, ()], batch_size, [np.float32, np.int64])


def outputs(network: nn.Module, shape: tuple[int, ...], classes: int = 0) -> int:
    """Numbers that the layers with weights give for one example of this shape: what backward needs
    to know of each."""
    rows = summary_of(network, shape, classes, 0).rows
    shapes = [s for _, _, s, params in rows if params and isinstance(s, tuple) and len(s) > 1]
    return sum(math.prod(s[1:]) for s in shapes)


def require_room(
    G: nn.Module,
    D: nn.Module,
    config: dict[str, Any],
    d_shape: tuple[int, ...],
    lower: str,
    place=CPU,
) -> None:
    """NoRoom if what is about to be trained does not fit: G, D, their optimisers' arrays, G's
    average and a checkpoint; or the gradients and what is kept for backward in one step, of a batch
    through G and two through D. (Of several processes each has its part of a batch.)

    config : of the run: "latent_dim", "batch_size", "optimizer", "ema"; d_shape : of one example
        for D
    """
    classes = config.get("classes", 0)
    sizes = [4 * sum(p.numel() for p in network.parameters()) for network in (G, D)]
    state = (1 + STATES[config.get("optimizer", "adam")]) * sum(sizes) + (
        sizes[0] if config["ema"] else 0
    )
    rows = max(1, config["batch_size"] // group.size())
    step = (
        4 * rows * (outputs(G, (config["latent_dim"],), classes) + 2 * outputs(D, d_shape, classes))
    )
    need = (
        state + step
        if place.type != "cpu"
        else max(COPIES * state - sum(sizes), state - sum(sizes) + step)
    )
    free = free_memory(place)
    if free is not None and need > free:
        raise NoRoom(
            f"training needs at least {need / GIB:.1f} GiB of "
            f"memory{' on the GPU' * (place.type != 'cpu')} (parameters, averages and the "
            f"optimisers' arrays {state / GIB:.1f}, a step of {rows} examples "
            f"{step / GIB:.1f}), {free / GIB:.1f} GiB are free; lower --batch-size, {lower}"
        )
