"""What a system is: a paper's game on networks on data, what one looks at, and what shows that it
works."""

from __future__ import annotations

import argparse
import difflib
import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Generator
from ..data import DATASETS, ImageSet, load_dataset
from ..data.batches import Batches
from ..data.imageset import shortened
from ..gan import Game
from ..gan.constraints import Constraint
from ..nn import Module
from ..optim import Adam, Optimizer
from ..optim.lr_scheduler import LambdaLR
from ..training.callbacks import Callback, Schedule
from ..training.cli import number
from ..viz import Picture
from .writing import sampled, written


class Row(NamedTuple):
    """A number that shows whether a system works.

    value : of the trained run;  se : its standard error, if it is known
    ceiling : what real data reach in its place
    better : "up" or "down";  target : the number to reach, with its source in `note`
    The control's value is that of a run in which the system's idea is switched off.
    """

    name: str
    value: float
    ceiling: float = math.nan
    better: str = "up"
    target: float = math.nan
    se: float = math.nan
    note: str = ""


class System:
    """One entry of `SYSTEMS`. A subclass says what its paper says; how it is trained, saved,
    resumed, drawn from and measured is done by the commands, for all alike.

    paper : authors, year, title, number
    defaults : of options, where they are not those of `System`
    averaged : the player whose weights are averaged, and draw or classify then; None where none is
    hands_on : of a system in stages: do later ones go on with the averaged weights?
    control : what `--control` switches off
    control_epochs : how many times as many epochs the control makes: where its steps are that much
        cheaper, and it shall learn for as many seconds
    draws : does it make something that can be drawn: pictures, which the doctor looks at, or what
        it writes itself?
    writes : what that is, such as "texts", and `Game.pictured` shows it; "" where it is pictures
    """

    name = ""  # of the command; `SYSTEMS` sets it
    paper = ""
    control = ""
    control_epochs = 1.0
    draws = True
    writes = ""
    averaged: str | None = "G"
    hands_on = False
    defaults: dict[str, Any] = {}

    # --- options: every one of them is a fact of the run, which resuming compares ---

    def options(self, parser: argparse._ActionsContainer) -> None:
        """Add the system's own; a subclass calls this one, too, or replaces it."""
        adam_options(parser)
        parser.add_argument(
            "--latent-dim", type=number(int, 1), default=100, help="(default %(default)s)"
        )

    def data_options(self, parser: argparse._ActionsContainer) -> None:
        """The options that say what it learns from."""
        p = parser
        p.add_argument(
            "--dataset",
            default="mnist",
            help=f"{', '.join(DATASETS)}, a folder of pictures (a subfolder for each class), or a "
            ".csv or .json of their names and labels (default %(default)s)",
        )
        p.add_argument(
            "--size",
            type=number(int, 8),
            help="pixels of a side, of own pictures (default 28) or glyphs (default 32)",
        )
        p.add_argument(
            "--data-dir",
            help="folder with the four idx files (default: $MINIGAN_DATA, the cache, or a "
            "download)",
        )

    def recipe(self, words: Sequence[str]) -> dict[str, Any]:
        """Defaults that depend on other options of a command line."""
        return {}

    def complete(self, config: dict[str, Any]) -> dict[str, Any]:
        """A saved run's config with the defaults of options that it does not have: they came
        later."""
        p = argparse.ArgumentParser()
        self.options(p)
        p.set_defaults(**self.defaults)
        return {"control": False} | vars(p.parse_args([])) | config

    # --- the parts, in the order in which they are made; `c` has the run's facts as attributes ---

    def data(self, c: Any, split: str = "train") -> ImageSet:
        """The data set, or its test images; of a saved run, c.pictures says what it was given."""
        name = getattr(c, "pictures", c.dataset)
        return load_dataset(name, split, getattr(c, "data_dir", None), size=c.size)

    def test_of(self, c: Any) -> Any:
        """The test images of what a saved run was given (c.pictures, c.size); of a folder, its
        own."""
        return self.data(c, "test" if c.pictures in DATASETS else "train")

    def examples(self, data: Any) -> float:
        """How many there are, of which a batch takes some; infinity where it draws them with
        replacement."""
        return len(data)

    def facts(self, data: ImageSet, c: Any) -> dict[str, Any]:
        """What the run's config says of the data: all that `game` needs to know of them."""
        return {"image_shape": list(data.images.shape[1:])}

    def game(self, c: Any) -> Game:
        """The game with new networks, on the CPU, from the config alone."""
        raise NotImplementedError

    def stages(self, c: Any) -> dict[str, int]:
        """Of a system that is trained in stages: their names, in order, and how many steps each
        has. All that makes parts gets the name as `c.stage` then. {}: there is one, of --epochs."""
        return {}

    def game_after(self, players: dict[str, Module], c: Any) -> Game:
        """The game of a later stage, from the players of those before, as they were trained, and
        the config."""
        raise NotImplementedError

    def begin(self, game: Game, data: Any, c: Any, device: Any) -> None:
        """What the networks, on the device, take from the data before the first step."""

    def optimizers(self, game: Game, c: Any) -> dict[str, Optimizer]:
        """Each player's; a D of two time scales has the rate of an option --d-lr, where given."""
        d_lr = getattr(c, "d_lr", None)
        rates = {"D": c.lr if d_lr is None else d_lr}
        return {
            name: Adam(player.parameters(), rates.get(name, c.lr), (c.b1, 0.999))
            for name, player in game.players.items()
        }

    def constraints(self, game: Game, c: Any) -> dict[str, list[Constraint]]:
        """What players must obey after their steps."""
        return {}

    def callbacks(self, trainer: Any, c: Any, steps: int) -> list[Callback]:
        """What else is done in a run of so many steps, such as a schedule of rates; of a run in
        stages trainer is None."""
        return []

    def batches(self, game: Game, data: Any, c: Any, device: Any) -> Any:
        """What the game's rounds are played with: batches of its columns."""
        return Batches(data, c.batch_size, c.seed, device, game.columns)

    def shown(self, data: Any, options: Any) -> Any:
        """The data that `exhibit` shows something of: those that it learns from, or others."""
        return data

    def held_out(self, data: Any, options: Any) -> Any:
        """The test images of a data set; of a folder, its own."""
        return self.data(options, "test") if options.dataset in DATASETS else data

    def exhibit(self, game: Game, data: Any, generator: Generator, device: Any) -> Callable[
        [], Picture
    ]:  # fmt: skip
        """What is shown while it is trained (see `Game.exhibit`); `data`: what `shown` gives."""
        return game.exhibit(generator, device)

    def ready(self, game: Game, c: Any, device: Any) -> None:
        """What a saved run's game needs of the data before it draws (see `Game.inputs`); c.pictures
        says where own ones are."""

    def write(self, game: Game, c: Any, options: Any, random: Generator, device: Any) -> str:
        """Of a system that `writes`: `draw` by a saved run's game, with its options; what was
        written, for people."""
        if options.sources or options.label is not None:
            raise ValueError(f"{self.name} makes {self.made_by(game)}, of no pictures and of no "
                             "label: leave out --from and --label")  # fmt: skip
        samples = sampled(game, game.inputs(options.n, random, device))
        return written(game, samples, self.made_by(game), options)

    def made_by(self, game: Game) -> str:
        """What a game of a system that `writes` makes, where that depends on its data."""
        return self.writes

    def of_text(
        self, game: Game, c: Any, text: str, device: Any, n: int, random: Generator
    ) -> np.ndarray:
        """What a saved run's game makes of a text, n pictures where it draws several: float32 (N,
        C, H, W) in [-1, 1]."""
        raise ValueError(f"--text: {self.name} makes nothing of texts")

    def measure(self, game: Game, c: Any, samples: int, device: Any) -> list[Row]:
        """The numbers that show whether it works, of so many samples; c.folder is the run's, for
        pictures of them."""
        raise NotImplementedError


def adam_options(parser: argparse._ActionsContainer) -> None:
    """Add what `System.optimizers` reads."""
    p = parser
    p.add_argument(
        "--lr",
        type=number(float, above=0),
        default=2e-4,
        help="Adam's learning rate (default %(default)s)",
    )
    p.add_argument(
        "--b1",
        type=number(float, 0, below=1),
        default=0.5,
        help="Adam's decay of the mean (default %(default)s)",
    )


def b2_option(parser: argparse._ActionsContainer) -> None:
    """Add --b2, of systems that do not always have Adam's own."""
    parser.add_argument(
        "--b2",
        type=number(float, 0, below=1),
        default=0.999,
        help="Adam's decay of the variance (default %(default)s)",
    )


def counts(parser: argparse._ActionsContainer, *options: tuple[str, int, str]) -> None:
    """Add options for whole numbers from 1: (name, default, what it is)."""
    for name, default, what in options:
        parser.add_argument(
            f"--{name}", type=number(int, 1), default=default,
            help=f"{what} (default {default})",
        )  # fmt: skip


def weights(
    parser: argparse._ActionsContainer, *options: tuple[str, float, str], most: float = math.inf
) -> None:
    """Add options for numbers from 0 to `most`: (name, default, what it is)."""
    for name, default, what in options:
        parser.add_argument(
            f"--{name}", type=number(float, 0, most), default=default,
            help=f"{what} (default {default:g})",
        )  # fmt: skip


def add_decay(parser: argparse._ActionsContainer, default: float = 0.5) -> None:
    """The option --decay, which `falling_rates` reads."""
    parser.add_argument(
        "--decay", type=number(float, 0, 1), default=default,
        help="share of all epochs, the last ones, in which rates fall to 0 along a line, "
        "wherever --max-steps ends (default %(default)s)",
    )  # fmt: skip


def falling_rates(trainer: Any, c: Any, steps: int) -> list[Callback]:
    """What lets the rates of all optimisers fall to 0 in the last share c.decay of so many steps;
    runs without that option keep their rates."""
    if not getattr(c, "decay", 0.0):
        return []
    first = round(steps * (1 - c.decay))
    factor = lambda step: min(1.0, (steps - step) / max(1, steps - first))
    return [Schedule(*[LambdaLR(o, factor) for o in trainer.optimizers.values()])]


def labels_of(data: ImageSet, who: str) -> dict[str, Any]:
    """For the config of a conditional system: how many classes its data have, and of own pictures
    their names. DataError where the labels are of no use."""
    names = {"class_names": list(data.classes)} if data.classes else {}
    return {"classes": data.require_classes(who)} | names


def unchanged(what: str, now: Sequence[Any], then: Sequence[Any], data: Any) -> None:
    """ValueError where the words, labels, ... of data are others than when a run learnt from them:
    numbers would stand for something else."""
    if list(now) != list(then):
        raise ValueError(
            f"{data.source} has changed since the run: its {what} are others; measure with the "
            "data that it has learnt from"
        )


def label_of(text: str, c: Any) -> int:
    """The number of a class that is given by its name (or number); ValueError, with the nearest
    name, where there is none. c : the run's facts."""
    names = list(getattr(c, "class_names", ()))
    if text in names:
        return names.index(text)
    whole = [name for name in names if name.lstrip("-").isdecimal()]
    if text.lstrip("-").isdecimal() and (not names or len(whole) < len(names)):
        return int(text)  # where names are numbers themselves, others would be taken for names
    near = difflib.get_close_matches(text, names, 1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    known = shortened(names, repr) if names else f"0 to {c.classes - 1}"
    raise ValueError(f"there is no label {text!r}{hint}: they are {known}")


def facts_of(config: dict[str, Any]) -> SimpleNamespace:
    """A config with its entries as attributes, as `System.game` takes it."""
    return SimpleNamespace(**config)


def in_stage(c: Any, name: str) -> SimpleNamespace:
    """A run's facts in one of its stages."""
    return SimpleNamespace(**vars(c) | {"stage": name})
