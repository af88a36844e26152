"""The generator of a saved run, and what it draws.

>>> G, config = load_generator("runs/mnist_gan")
>>> generate(G, *inputs_of(config, 25)).shape
(25, 1, 28, 28)
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from ..arrays import Generator, to_device, to_numpy
from ..autograd import Tensor, no_grad, raw, tensor_of
from ..gan.latents import calibration_inputs, sample_inputs
from ..gan.networks import build_networks
from ..gan.recalibrate import recalibrate_batch_norm
from .checkpoint import BEST, FOLDER, checkpoints, load_checkpoint, newest
from .runfolder import RunError


def saved_state(folder: str | os.PathLike, best: bool = False) -> tuple[Path, dict[str, Any]]:
    """(file, state) of a run's newest checkpoint, or of the one that an evaluation found best;
    RunError where there is none, CheckpointError for a damaged file."""
    if not checkpoints(folder):
        raise RunError(
            f"there is no saved model in {folder} (no checkpoints): train one, or name the folder "
            "of another run"
        )
    if not best:
        return newest(folder)
    path = Path(folder) / FOLDER / BEST
    if not path.exists():
        raise RunError(
            f"{folder} has no best state ({path} does not exist): it was trained without "
            "evaluations"
        )
    return path, load_checkpoint(path)


def load_generator(
    folder: str | os.PathLike, device="cpu", averaged: bool = True, best: bool = False,
    build: Callable[[dict[str, Any]], nn.Module] = lambda config: build_networks(config)[0],
    player: str = "G",
) -> tuple[nn.Module, dict[str, Any]]:  # fmt: skip
    """The generator that a run has saved, in evaluation mode, and the run's config.

    build : makes it new from the config, where it is not one of `build_networks`;
    player : its name in the game
    best : the state that an evaluation found best, not the newest
    averaged : with its averaged weights if there are some, else always with its last

    RunError if there is no saved run in the folder, or not one with networks of this package;
    CheckpointError for a damaged file.
    """
    path, state = saved_state(folder, best)
    try:
        config = state["config"]
        generator = build(config)
        weights = state["trainer"]["players"][player]
        ema = state["callbacks"].get("Average", {"updates": 0})
        averaged = averaged and ema["updates"] > 0
        generator.load_state_dict(ema["averages"] | ema["buffers"] if averaged else weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise RunError(
            f"{path} holds no generator that can be built from its config "
            f"({type(error).__name__}: {error})"
        ) from error
    generator.to(device)
    if averaged:
        place = next(generator.parameters()).device
        recalibrate_batch_norm(
            generator,
            calibration_inputs(
                config.get("latent_dim", 0), config.get("classes", 0), place, _latent(config)
            ),
            state.get("statistics_of", config.get("batch_size")),
        )
    return generator.eval(), config


def inputs_of(config: dict[str, Any], n: int, seed: int = 0) -> tuple[Tensor, ...]:
    """What the generator of a run with this config makes n samples of: latents, and labels where it
    has classes."""
    return sample_inputs(
        n,
        Generator(seed),
        config["latent_dim"],
        config.get("classes", 0),
        latent=_latent(config),
    )


def _latent(config: dict[str, Any]) -> str:
    """The distribution of a run's latent vectors."""
    return config.get("latent", "normal")


def generate(
    generator: nn.Module, *inputs: np.ndarray | Tensor, batch_size: int = 64
) -> np.ndarray:
    """What the generator makes of latents (N, latent_dim), and labels (N,) if it is conditional: a
    NumPy array (N, C, H, W), made in batches without a tape."""
    device, arrays = next(generator.parameters()).device, [to_numpy(raw(x)) for x in inputs]
    parts = []
    with no_grad():
        for i in range(0, max(1, len(arrays[0])), batch_size):
            part = [tensor_of(to_device(a[i : i + batch_size], device)) for a in arrays]
            parts.append(generator(*part).cpu().numpy())
    return np.concatenate(parts)
