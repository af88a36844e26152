"""From the switches of a command line (`switches`) to the parts of a trainer.

G, D = build_players(config)              with D's layers as the switches ask for
Trainer(build_game(G, D, config), build_optimizers(game, config), build_constraints(config))

config : `switches.chosen`, "model", "latent_dim", "image_shape", "batch_size", "lr", "b1"
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from typing import Any

from .. import nn
from ..data import ImageSet
from ..gan.cgan import CGAN
from ..gan.constraints import CONSTRAINTS, Constraint, WeightClip
from ..gan.feature_matching import FeatureMatching
from ..gan.games import GAN
from ..gan.networks import build_networks
from ..gan.objectives import OBJECTIVES, Alpha, FDivergence, Minimax, Objective
from ..gan.penalties import PENALTIES, HistoricalAveraging, refuse_batch_statistics
from ..gan.trainer import Trainer
from ..gan.views import DiffAugment, InstanceNoise, Pack
from ..optim import SGD, Adam, Optimizer, RMSprop
from .memory import summary_of
from .switches import FEW, FEW_POLICY

KERNELS, KERNEL_DIM = 50, 5  # of minibatch discrimination


def conditions(options: argparse.Namespace, data: ImageSet) -> dict[str, int]:
    """For a run's config: how many classes the data have, where --conditional is given."""
    if not options.conditional:
        return {}
    return {"classes": data.require_classes("--conditional")}


def augmentation(augment: str | None, data: ImageSet) -> dict[str, str]:
    """For a run's config: the --augment that few pictures get, where it was left open."""
    if augment is not None or len(data) >= FEW:
        return {}
    print(
        f"{len(data)} pictures are few: --augment {FEW_POLICY}, so that D does not learn them by "
        "heart (--augment none: it sees them as they are)"
    )
    return {"augment": FEW_POLICY}


# --- from a config to the parts ---


def build_objective(config: dict[str, Any]) -> Objective:
    """The objective that a config names."""
    name, label = config["objective"], config["real_label"]
    make: Any = OBJECTIVES[name]
    kinds = [
        kind for kind in (Minimax, FDivergence) if isinstance(make, type) and issubclass(make, kind)
    ]
    if config["f_heuristic"] and FDivergence not in kinds:
        raise ValueError(f"--f-heuristic is for f-divergences, not for {name}")
    if label != 1 and Minimax not in kinds:
        raise ValueError(f"--real-label is for minimax and nonsaturating, not for {name}")
    if Minimax in kinds:
        return make(real_label=tuple(label) if isinstance(label, list) else label)
    if FDivergence in kinds:
        return make(
            **{"alpha": config["alpha"]} if make is Alpha else {},
            nonsaturating=config["f_heuristic"],
        )
    return make()


def build_game(
    G: nn.Module, D: nn.Module, config: dict[str, Any], kind: Callable[..., GAN] | None = None
) -> GAN:
    """The game of G and D.

    config : `chosen`, "latent_dim", "batch_size", and "classes" for a conditional one
    kind : makes another game of the same arguments
    """
    names, given = config["penalty"], config["penalty_weight"]
    if len(given) > len(names):
        raise ValueError(f"--penalty-weight: {len(given)} numbers for {len(names)} penalties")
    penalties = [PENALTIES[name](*given[i : i + 1]) for i, name in enumerate(names)]
    if any(p.of_gradients for p in penalties):
        refuse_batch_statistics(D)
    past = [
        [HistoricalAveraging(config["historical_averaging"])]
        if config["historical_averaging"]
        else []
        for _ in "DG"
    ]
    views: list[Any] = []
    if config["augment"] not in (None, "none"):
        views.append(DiffAugment(config["augment"]))
    if config["instance_noise"]:
        views.append(InstanceNoise(config["instance_noise"], config["noise_steps"]))
    if config["pack"] > 1:
        if config["batch_size"] % config["pack"]:
            raise ValueError(
                f"--pack {config['pack']} does not divide --batch-size {config['batch_size']}"
            )
        views.append(Pack(config["pack"]))
    if kind is None and config.get("classes"):
        kind = functools.partial(CGAN, classes=config["classes"])
    if config["feature_matching"]:
        if kind is not None:
            raise ValueError("--feature-matching is not for --conditional games")
        kind = FeatureMatching
    return (kind or GAN)(
        G, D, build_objective(config), config["latent_dim"], config["k"],
        penalties=[*penalties, *past[0]], g_penalties=past[1],
        penalty_examples=config.get("penalty_examples"),
        views=views, simultaneous=config["simultaneous"], g_steps=config.get("g_steps", 1),
        latent=config.get("latent", "normal"),
    )  # fmt: skip


def build_constraints(config: dict[str, Any]) -> dict[str, list[Constraint]]:
    """D's constraints."""
    return {
        "D": [
            WeightClip(config["clip"]) if name == "clip" else CONSTRAINTS[name]()
            for name in config["constraint"]
        ]
    }


def build_optimizers(game: GAN, config: dict[str, Any]) -> dict[str, Optimizer]:
    """Each player's optimiser. config: "optimizer", "lr", "d_lr", and Adam's "b1", "b2"."""

    def make(player: nn.Module, lr: float) -> Optimizer:
        if config["optimizer"] == "adam":
            return Adam(player.parameters(), lr, (config["b1"], config.get("b2", 0.999)))
        return (RMSprop if config["optimizer"] == "rmsprop" else SGD)(player.parameters(), lr)

    rates = {"D": config["lr"] if config["d_lr"] is None else config["d_lr"], "G": config["lr"]}
    return {name: make(player, rates[name]) for name, player in game.players.items()}


def build_trainer(G: nn.Module, D: nn.Module, config: dict[str, Any]) -> Trainer:
    """The trainer of their game."""
    game = build_game(G, D, config)
    return Trainer(game, build_optimizers(game, config), build_constraints(config))


# --- the players ---


def tables(G: nn.Module, D: nn.Module, config: dict[str, Any]) -> str:
    """The layers of the players of `build_players`, for people to read."""
    classes = config.get("classes", 0)
    generator = summary_of(G, (config["latent_dim"],), classes)
    return f"G\n{generator}\nD\n{summary_of(D, packed_shape(config), classes)}"


def packed_shape(config: dict[str, Any]) -> tuple[int, ...]:
    """The shape of what D judges at once: "image_shape", with the channels of "pack" images."""
    channels, *size = config["image_shape"]
    return (channels * config["pack"], *size)


def build_players(config: dict[str, Any]) -> tuple[nn.Module, nn.Module]:
    """New networks (generator, discriminator), as `build_networks` makes them, D adapted to the
    switches."""
    if config.get("d_features") and config["model"] == "mlp":
        raise ValueError(
            "--d-features is for networks with convolutions: --model mlp has no channels"
        )
    G, D = build_networks(config)
    if config["pack"] > 1:
        _, D = build_networks(config | {"image_shape": list(packed_shape(config))})
    return G, adapt(D, config)


def adapt(D: nn.Module, config: dict[str, Any]) -> nn.Module:
    """D with the layers that the switches d_norm and minibatch_discrimination ask for; it is
    changed and returned, on the CPU."""
    if config["d_norm"] != "batch":
        _replace_batch_norm(D, config["d_norm"])
    if config["minibatch_discrimination"]:
        if not isinstance(D, nn.Sequential) or not isinstance(D[-1], nn.Linear):
            raise ValueError(
                "--minibatch-discrimination needs a D that is a Sequential with a Linear at its end"
            )
        last = D.pop()
        D.append(nn.MinibatchDiscrimination(last.in_features, KERNELS, KERNEL_DIM))
        D.append(nn.Linear(last.in_features + KERNELS, last.out_features))
    return D


def _replace_batch_norm(module: nn.Module, kind: str) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            # One group of all channels: layer normalisation with a factor for each channel,
            # whatever the size of the maps.
            setattr(
                module,
                name,
                nn.GroupNorm(1, child.num_features) if kind == "layer" else nn.Identity(),
            )
        else:
            _replace_batch_norm(child, kind)
