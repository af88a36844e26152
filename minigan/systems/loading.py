"""A saved run's game, whatever the system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from ..gan import Game
from ..nn import Module
from ..training.pretrained import saved_state
from ..training.runfolder import RunError
from ..training.stages import left_by
from . import zoo
from .system import System, facts_of, in_stage

# runs of before there were systems name a game, or a kind of network
GAMES_OF_BEFORE = {"ebgan-pt": {"system": "ebgan", "pull_away": 0.1}}


class Loaded(NamedTuple):
    """What `load_game` found."""

    system: System
    game: Game  # its networks in evaluation mode
    c: Any  # the run's facts, as attributes
    step: int


def load_game(
    folder: str | os.PathLike, device="cpu", averaged: bool = True, best: bool = False
) -> Loaded:
    """The game that a run has saved, of any system.

    folder : or "zoo:NAME", one that comes with the package (`minigan.systems.zoo`), with the
        players that draw alone
    averaged : the generator with its averaged weights if there are some, else with its last
    best : the state that an evaluation found best, not the newest

    RunError where there is no saved run, or none of a system that is known; CheckpointError for a
    damaged file.
    """
    name = zoo.named(folder)
    path, state = saved_state(folder, best) if name is None else zoo.state_of(name)
    try:
        config = _named(state["config"])
        kind = _system(config)
        c = facts_of(kind.complete(config))
        game = _built(kind, c, Path(folder), state.get("stage", 0))
        players = state["trainer"]["players"]
        if state.get("partial"):
            game.players = {name: game.players[name] for name in players}
        for player, network in game.players.items():
            network.load_state_dict(players[player])
        game.load_state_dict(state["trainer"].get("game", {}))
        ema = state["callbacks"].get("Average", {"updates": 0})
        name = kind.averaged if averaged and ema["updates"] > 0 else None
        if name is not None:
            saved = ema["averages"] | ema["buffers"]
            game.players[name].load_state_dict(_under_all_names(game.players[name], saved))
    except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        raise RunError(
            f"{path} holds no game that can be built from its config "
            f"({type(error).__name__}: {error})"
        ) from error
    for network in game.to(device).players.values():
        network.eval()
    game.batch_size = state.get("statistics_of", getattr(c, "batch_size", None))
    if name is not None:
        game.recalibrate()
    return Loaded(kind, game, c, state["step"])


def _built(kind: System, c: Any, folder: Path, stage: int) -> Game:
    """The game with new networks; of a later stage, with what those before have left."""
    first, *later = [in_stage(c, name) for name in kind.stages(c)] or [c]
    game = _bound(kind, kind.game(first), first)
    players: dict[str, Module] = {}
    for number, facts in enumerate(later[:stage]):
        players |= game.players | game.kept
        for name, weights in left_by(folder, number)["players"].items():
            players[name].load_state_dict(weights)
        game = _bound(kind, kind.game_after(players, facts), facts)
    return game


def _under_all_names(network: Module, saved: dict[str, Any]) -> dict[str, Any]:
    """What is saved of parameters and buffers, which averages name once, under each name of those
    that several layers share."""
    members: dict[str, Any] = dict(network.named_parameters(remove_duplicate=False))
    members |= dict(network.named_buffers(remove_duplicate=False))
    named = {id(members[name]): name for name in saved if name in members}
    found = dict(saved)
    for name in network.state_dict():
        if name in members and id(members[name]) in named:
            found[name] = saved[named[id(members[name])]]
    return found


def _bound(kind: System, game: Game, c: Any) -> Game:
    """The game whose networks have the form that the constraints on its players give them."""
    for name, constraints in kind.constraints(game, c).items():
        for constraint in constraints:
            constraint.prepare(game.players[name])
    return game


def _named(config: dict[str, Any]) -> dict[str, Any]:
    """The config with the name of its system."""
    if "system" in config:
        return config
    game = config.get("game")
    if game is not None:
        return {"system": game} | config | GAMES_OF_BEFORE.get(game, {})
    return {"system": "gan"} | config


def _system(config: dict[str, Any]) -> System:
    from . import system
    from .cgan import CGANOfBefore

    found = system(config["system"])
    if config.get("game") == found.name == "cgan":
        found = CGANOfBefore()
        found.name = "cgan"
    return found
