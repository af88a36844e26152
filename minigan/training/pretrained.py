"""The generator of a saved run, and what it draws.

>>> G, config = load_generator("runs/mnist_gan")
>>> generate(G, Generator(0).normal((25, config["latent_dim"]))).shape
(25, 1, 28, 28)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from ..arrays import to_device, to_numpy
from ..autograd import Tensor, no_grad, raw, tensor_of
from ..gan.networks import NETWORKS
from ..gan.recalibrate import recalibrate_batch_norm
from .checkpoint import BEST, FOLDER, checkpoints, load_checkpoint, newest
from .runfolder import RunError


def build_networks(config: dict[str, Any]) -> tuple[nn.Module, nn.Module]:
    """New networks (generator, discriminator) as a run's config describes them.

    It names the "model" (one of NETWORKS), "latent_dim", "image_shape" (channels, height, width) and, for some, "features".
    """
    if config.get("model") not in NETWORKS:
        raise ValueError(f"model {config.get('model')!r}: expected one of {', '.join(NETWORKS)}")
    make_generator, make_discriminator = NETWORKS[config["model"]]
    options = {"features": config["features"]} if config.get("features") else {}
    shape = tuple(config["image_shape"])
    return make_generator(config["latent_dim"], shape, **options), make_discriminator(shape, **options)


def load_generator(folder: str | os.PathLike, device="cpu", averaged: bool = True, best: bool = False) -> tuple[nn.Module, dict[str, Any]]:
    """The generator that a run has saved, in evaluation mode, and the run's config.

    best : the state that an evaluation found best, not the newest
    averaged : with its averaged weights if there are some, else always with its last

    RunError if there is no saved run in the folder, or not one with networks of this package; CheckpointError for a damaged file.
    """
    if not checkpoints(folder):
        raise RunError(f"there is no saved model in {folder} (no checkpoints): train one, or name the folder of another run")
    if best:
        path = Path(folder) / FOLDER / BEST
        if not path.exists():
            raise RunError(f"{folder} has no best state ({path} does not exist): it was trained without evaluations")
        state = load_checkpoint(path)
    else:
        path, state = newest(folder)
    try:
        config = state["config"]
        generator, _ = build_networks(config)
        weights = state["trainer"]["players"]["G"]
        ema = state["callbacks"].get("Average", {"updates": 0})
        averaged = averaged and ema["updates"] > 0
        generator.load_state_dict(ema["averages"] | ema["buffers"] if averaged else weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise RunError(f"{path} holds no generator that can be built from its config ({type(error).__name__}: {error})") from error
    generator.to(device)
    if averaged:
        recalibrate_batch_norm(generator, config["latent_dim"])
    return generator.eval(), config


def generate(generator: nn.Module, latents: np.ndarray | Tensor, batch_size: int = 64) -> np.ndarray:
    """What the generator makes of latents (N, latent_dim): a NumPy array (N, C, H, W), made in batches without a tape."""
    device, latents = next(generator.parameters()).device, to_numpy(raw(latents))
    parts = np.split(latents, range(batch_size, len(latents), batch_size))
    with no_grad():
        return np.concatenate([generator(tensor_of(to_device(z, device))).cpu().numpy() for z in parts])
