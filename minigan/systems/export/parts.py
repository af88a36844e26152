"""The networks of a game that can be exported, and what each of them takes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import nn
from ...arrays import Generator
from ...autograd import Tensor, no_grad, tensor_of
from ...gan import Game
from ...gan.recalibrate import evaluating


@dataclass
class Part:
    """A function of a run: G, an encoder, a translator, a judge.

    call : Tensors -> Tensor;  inputs : (how many, seed) -> its arguments by name
    modules : the networks that it is made of
    """

    name: str
    call: Callable[..., Tensor]
    inputs: Callable[[int, int], dict[str, Tensor]]
    modules: tuple[nn.Module, ...]

    def exact(self, n: int, seed: int) -> np.ndarray:
        """What it makes of inputs(n, seed), computed in float64."""
        inputs = self.inputs(n, seed).values()
        for module in self.modules:
            module.double()
        try:
            with no_grad():
                found = self.call(*(x.double() if x.is_floating_point() else x for x in inputs))
            return found.numpy()
        finally:
            for module in self.modules:
                module.float()  # back to the very same numbers


def parts_of(game: Game, c: Any) -> dict[str, Part]:
    """The parts of a run's game, those that make pictures first. "G" is what `draw` shows, where
    one network makes it in one go: pictures in [-1, 1]. c : the run's facts"""
    found: dict[str, Part] = {}
    if type(game).pictured is not Game.pictured:  # what they make are no pictures
        return found
    inputs = _inputs_of(game)
    makes = callable(getattr(game, "G", None)) and not hasattr(game, "generators")
    # pixel by pixel, or token by token: G tells logits there
    by_parts = type(game).frames is not Game.frames or "tokens" in game.columns
    if (makes or game.source_shape is not None) and not by_parts:
        networks = (*game.players.values(), *game._parts().values())
        modules = tuple(m for m in networks if isinstance(m, nn.Module))
        found["G"] = Part("G", game.sample, inputs, modules)
        with contextlib.suppress(ValueError):  # most have one direction
            back = game.reversed()
            found["G back"] = Part("G back", back.sample, _inputs_of(back), modules)
    for name, player in game.players.items():
        if name not in found and (part := _of_player(name, player, inputs, c)):
            found[name] = part
    classifier: Any = getattr(game, "classifier", None)  # of parts of a player, perhaps
    if callable(classifier) and not isinstance(classifier, nn.Module):
        classifier = classifier(1)  # of two domains the target
    if isinstance(classifier, nn.Module) and classifier not in game.players.values():
        if part := _of_player("C", classifier, inputs, c):
            found.setdefault("C", part)
    return dict(sorted(found.items(), key=lambda item: not item[0].startswith("G")))


def _inputs_of(game: Any) -> Callable[[int, int], dict[str, Tensor]]:
    """What a game's samples are made of, by name: latents, and labels or what is seen; of
    translators pictures, some noise here."""
    shape = game.source_shape
    if shape is None:
        names = "latents", "labels" if game.classes else "seen"
        return lambda n, seed: dict(zip(names, game.inputs(n, Generator(seed))))

    def pictures(n, seed):
        given = tensor_of((Generator(seed).uniform((n, *shape)) * 2 - 1).astype("float32"))
        made_of = game.inputs_of(given, Generator(seed + 1))
        return dict(zip(("latents", "pictures") if len(made_of) > 1 else ("pictures",), made_of))

    return pictures


def _of_player(name: str, player: Any, inputs: Callable, c: Any) -> Part | None:
    """A player with what it takes, which is tried: images (or frames), or the game's inputs, alone
    or with what goes with latents."""
    what = "frames" if hasattr(c, "frame_shape") else "images"
    shape = tuple(getattr(c, f"{what[:-1]}_shape", ()))

    def images(n, seed):
        uniform = Generator(seed).uniform((n, *shape)) * 2 - 1
        return {what: tensor_of(uniform.astype("float32"))}

    def with_rest(n, seed):
        return images(n, seed) | {k: x for k, x in inputs(n, seed).items() if k != "latents"}

    def call(*args):
        with evaluating(player), no_grad():
            found = player(*args)
            return found[0] if isinstance(found, tuple) else found

    for offered in (images, with_rest, inputs, lambda n, s: dict(list(inputs(n, s).items())[:1])):
        try:
            call(*offered(2, 0).values())
            return Part(name, call, offered, (player,))
        except Exception:  # it takes something else
            continue
    return None
