"""The game's switches on a command line: one set of options for every script that trains G against
D.

parser.set_defaults(**recipe(words, model))   what suits the --model
add_networks(parser, model)                   --model, --features
add_switches(parser)                          --objective, --penalty, --constraint, ...
config |= chosen(options)                     what a run notes, and compares when it is resumed

`options` makes the parts that such a config describes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from ..gan.constraints import CONSTRAINTS
from ..gan.latents import LATENTS
from ..gan.networks import NETWORKS
from ..gan.objectives import OBJECTIVES
from ..gan.penalties import PENALTIES
from .cli import number

# what a model is trained with, where the command line does not say otherwise; conv's was found by
# measurement: narrow maps, R1 at one example of a batch, and batches of 32, which come as far as
# those of 16 (with a narrower D) in two minutes of a core, and further afterwards
RECIPES: dict[str, dict[str, Any]] = {
    "mlp": {"epochs": 30, "ema": 0.999},
    "conv": {
        "epochs": 32, "ema": 0.9995, "batch_size": 32, "latent_dim": 64, "b2": 0.99,
        "penalty": ["r1"], "penalty_weight": [1.0], "penalty_examples": 1,
    },
    "dcgan": {"epochs": 5, "ema": 0.99},
}  # fmt: skip
OPTIMIZERS = ("adam", "rmsprop", "sgd")
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


def add_networks(
    parser: argparse._ActionsContainer, model: str = "mlp", models: Sequence[str] = tuple(NETWORKS)
) -> None:
    """Add --model, one of `models` (default: `model`), and --features, which `build_networks`
    reads."""
    texts = {
        "conv": "small convolutions with R1", "mlp": "the classic layers",
        "dcgan": "Radford et al.'s",
    }  # fmt: skip
    said = "; ".join(f"{name}: {texts[name]}" for name in models)
    parser.add_argument(
        "--model", choices=models, default=model,
        help=f"{said} (default %(default)s); it chooses the defaults of other options",
    )  # fmt: skip
    if "dcgan" in models:
        parser.add_argument(
            "--features", type=number(int, 1),
            help="channels of the layers next to the images (default: conv 16, dcgan 64)",
        )  # fmt: skip


def add_switches(parser: argparse.ArgumentParser) -> None:
    """Add the options; docs/games.md says what each one is."""
    p = parser.add_argument_group("the game (docs/games.md)")
    _add_rules(p)
    _add_penalties(p)
    _add_views(p)


def _add_rules(p: argparse._ActionsContainer) -> None:
    """What the players want, when they move and by what."""
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
    p.add_argument("--optimizer", choices=OPTIMIZERS, default="adam", help="(default %(default)s)")
    p.add_argument(
        "--d-lr",
        type=number(float, above=0),
        help="D's learning rate: two time scales (default: that of G)",
    )


def _add_penalties(p: argparse._ActionsContainer) -> None:
    """What holds D back."""
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


def _add_views(p: argparse._ActionsContainer) -> None:
    """What D sees, and its layers."""
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
        help="channels of D's layer next to the images (default: as many as G has)",
    )
    p.add_argument(
        "--d-norm",
        choices=("batch", "layer", "none"),
        default="batch",
        help="in D, instead of batch normalisation; penalties of gradients need another "
        "(default %(default)s)",
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


def chosen(options: argparse.Namespace) -> dict[str, Any]:
    """The switches' values, as a run's config has them."""
    parser = argparse.ArgumentParser()
    add_switches(parser)
    return {name: getattr(options, name) for name in vars(parser.parse_args([]))}
