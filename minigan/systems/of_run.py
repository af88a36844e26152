"""Systems that begin with a finished run: `--of RUN`."""

from __future__ import annotations

import os
from typing import Any

from ..autograd import no_grad
from ..metrics.classifier import digest_of
from .loading import Loaded, load_game
from .system import System


class OfRun(System):
    """It has a network of a finished run, frozen. Its own run saves only what it trains: the other
    one must stay where it is.

    whose : the player of the finished run that it is about
    """

    whose = "G"

    def options(self, parser):
        parser.add_argument(
            "--of", metavar="RUN", help=f"folder of the finished run whose {self.whose} it is about"
        )

    def check(self, found: Loaded) -> None:
        """ValueError or RuntimeError where the finished run's game is not of the kind that is
        needed; the text goes on after "RUN: "."""
        raise NotImplementedError

    def facts(self, data, c):
        if c.of is None:
            raise ValueError(f"--of RUN: say whose {self.whose} it is about, such as --of runs/gan")
        network, found = self.finished(c.of)
        if found.c.dataset != data.name:
            raise ValueError(
                f"{c.of} was trained on {found.c.dataset!r}, not on {data.name!r}: give it by "
                "--dataset, too"
            )
        own = {"of": os.path.abspath(c.of), "of_digest": digest_of(network)}
        return super().facts(data, c) | own | {"latent_dim": found.c.latent_dim}

    def finished(self, folder: str) -> tuple[Any, Loaded]:
        """(the frozen network, the run); ValueError where it is not what is needed."""
        found = load_game(folder)
        try:
            with no_grad():
                self.check(found)
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"{folder}: {error}") from error
        for player in found.game.players.values():
            player.requires_grad_(False)
        return found.game.players[self.whose], found

    def same(self, c: Any) -> Loaded:
        """The finished run; ValueError where its network is another one than at the beginning."""
        network, found = self.finished(c.of)
        if digest_of(network) != c.of_digest:
            raise ValueError(
                f"the {self.whose} of {c.of} is not the one of before: that run was trained on"
            )
        return found
