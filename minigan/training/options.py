"""The game's switches on a command line: one set of options for every script that trains G against
D.

parser.set_defaults(**recipe(words, model))   what suits the --model
add_switches(parser)                      --objective, --penalty, --constraint, ...
config |= chosen(options)                 what a run notes, and compares when it is resumed
G, D = build_players(config)              with D's layers as the switches ask for
Trainer(build_game(G, D, config), build_optimizers(game, config), build_constraints(config))
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Sequence
from typing import Any

from .. import nn
from ..data import ImageSet
from ..gan.cgan import CGAN
from ..gan.constraints import CONSTRAINTS, Constraint, WeightClip
from ..gan.feature_matching import FeatureMatching
from ..gan.games import GAN
from ..gan.latents import LATENTS
from ..gan.networks import build_networks
from ..gan.objectives import OBJECTIVES, Alpha, FDivergence, Minimax, Objective
from ..gan.penalties import PENALTIES, HistoricalAveraging, refuse_batch_statistics
from ..gan.trainer import Trainer
from ..gan.views import DiffAugment, InstanceNoise, Pack
from ..optim import SGD, Adam, Optimizer, RMSprop
from .cli import number
from .memory import summary_of

# what a model is trained with, where the command line does not say otherwise; conv's was found by
# measurement: narrow maps, small batches and R1
RECIPES: dict[str, dict[str, Any]] = {
    "mlp": {"epochs": 30, "ema": 0.999},
    "conv": {
        "epochs": 12, "ema": 0.9995, "batch_size": 16, "latent_dim": 64, "b2": 0.99,
        "penalty": ["r1"], "penalty_weight": [1.0], "penalty_examples": 1,
    },
    "dcgan": {"epochs": 5, "ema": 0.99},
}  # fmt: skip
OPTIMIZERS = ("adam", "rmsprop", "sgd")
KERNELS, KERNEL_DIM = 50, 5  # of minibatch discrimination
FEW, FEW_POLICY = 2000, "translation"  # D would know so few pictures by heart


def labels(text: str) -> float | list[float]:
    """An argparse type: "0.9", or "0.8,1" for a range."""
    try:
        values = [float(part) for part in text.split(",")]
        if len(values) <= 2:
            return values[0] if len(values) == 1 else values
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(
        f"expected a number such as 0.9, or two such as 0.8,1, not {text!r}"
    )


def add_switches(parser: argparse.ArgumentParser) -> None:
    """Add the options; docs/games.md says what each one is."""
    p = parser.add_argument_group("the game (docs/games.md)")
    p.add_argument(
        "--objective",
        choices=OBJECTIVES,
        default="nonsaturating",
        help="what D and G want (default %(default)s)",
    )
    p.add_argument(
        "--alpha",
        type=number(float, -1e6, 1e6),
        default=0.5,
        help="of the alpha divergence (default %(default)s)",
    )
    p.add_argument(
        "--f-heuristic",
        action="store_true",
        help="f-divergences: G ascends E T(G(z)), as in nonsaturating",
    )
    p.add_argument(
        "--real-label",
        type=labels,
        default=1.0,
        metavar="A[,B]",
        help="label smoothing: what D shall say of real ones, or a range (default %(default)s)",
    )
    p.add_argument(
        "--k",
        type=number(int, 1),
        default=1,
        help="ascents of D for each descent of G (default %(default)s)",
    )
    p.add_argument(
        "--g-steps",
        type=number(int, 1),
        default=1,
        help="descents of G in a round; many of them make it collapse (default %(default)s)",
    )
    p.add_argument("--simultaneous", action="store_true", help="both gradients at the same point")
    p.add_argument(
        "--latent",
        choices=LATENTS,
        default="normal",
        help="distribution of z: N(0, 1) or U(-1, 1) (default %(default)s)",
    )
    p.add_argument(
        "--feature-matching",
        action="store_true",
        help="G matches the mean features of D's last layer but one",
    )
    p.add_argument(
        "--penalty",
        choices=PENALTIES,
        nargs="*",
        default=[],
        help="subtracted from what D ascends; --penalty without a name: none (default: conv: r1 of "
        "weight 1 at one example, others: none)",
    )
    p.add_argument(
        "--penalty-weight",
        type=number(float, 0),
        nargs="+",
        default=[],
        help="of each --penalty (default: the papers')",
    )
    p.add_argument(
        "--penalty-examples",
        type=number(int, 1),
        metavar="N",
        help="how many of a batch's examples a --penalty looks at (default: all)",
    )
    p.add_argument(
        "--historical-averaging",
        type=number(float, 0),
        default=0.0,
        metavar="W",
        help="weight of both players' distance from their past mean (default 0: none)",
    )
    p.add_argument(
        "--constraint",
        choices=CONSTRAINTS,
        nargs="+",
        default=[],
        help="that D obeys after each step",
    )
    p.add_argument(
        "--clip",
        type=number(float, above=0),
        default=0.01,
        help="limit of --constraint clip (default %(default)s)",
    )
    p.add_argument(
        "--instance-noise",
        type=number(float, 0),
        default=0.0,
        metavar="STD",
        help="on all that D sees (default 0: none)",
    )
    p.add_argument(
        "--noise-steps",
        type=number(int, 1),
        help="D's steps until the noise is 0 (default: it stays)",
    )
    p.add_argument(
        "--augment",
        metavar="POLICY",
        help="color,translation,cutout or some of these, on all that D sees; none (default: "
        f"{FEW_POLICY} where there are fewer than {FEW} pictures, else none)",
    )
    p.add_argument(
        "--pack",
        type=number(int, 1),
        default=1,
        help="examples that D judges at once (default %(default)s)",
    )
    p.add_argument(
        "--minibatch-discrimination",
        action="store_true",
        help="D sees how close the examples of a batch are",
    )
    p.add_argument(
        "--d-features",
        type=number(int, 1),
        help="channels of D's layer next to the images (default: as many as G has, conv half)",
    )
    p.add_argument(
        "--d-norm",
        choices=("batch", "layer", "none"),
        default="batch",
        help="in D, instead of batch normalisation; penalties of gradients need another "
        "(default %(default)s)",
    )
    p.add_argument("--optimizer", choices=OPTIMIZERS, default="adam", help="(default %(default)s)")
    p.add_argument(
        "--d-lr",
        type=number(float, above=0),
        help="D's learning rate: two time scales (default: that of G)",
    )


def recipe(words: Sequence[str] | None, model: str) -> dict[str, Any]:
    """Defaults for the --model that a command line asks for, or else for `model`; a --penalty that
    it asks for has its own ones."""
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("--model", nargs="?", default=model)
    p.add_argument("--penalty", nargs="*")
    asked, _ = p.parse_known_args(words)
    given = RECIPES.get(asked.model, {})
    return {k: v for k, v in given.items() if asked.penalty is None or "penalty" not in k}


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


def chosen(options: argparse.Namespace) -> dict[str, Any]:
    """The switches' values, as a run's config has them."""
    parser = argparse.ArgumentParser()
    add_switches(parser)
    return {name: getattr(options, name) for name in vars(parser.parse_args([]))}


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
