"""What the page sees of a game in the plane."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from ..data.toy import TOYS
from ..gan import CONSTRAINTS, OBJECTIVES, PENALTIES
from ..systems.sharing import summary
from ..training.divergence import Diverged
from .plane import LIMIT, NONE, Choice, PlaneGame, drawn, presets
from .view import Post, Turn, View

FRAME = 1 / 30  # seconds from picture to picture, if a picture takes no longer than half of them
JUDGED = 0.3  # seconds between looks at how good the samples are
SLOW = 3.0  # rounds a second, up to which each move is shown by itself


class PlaneView(View):
    """Plays a `PlaneGame` for those who watch.

    speed : rounds a second; None: as many as can be
    """

    name = "plane"

    def __init__(self, post: Post, turn: Turn):
        super().__init__(post, turn)
        self.choice = Choice()
        self.drawing: np.ndarray | None = None
        self.speed: float | None = None
        self.shown = self.judged = self.due = self.cost = 0.0
        self.frames = 0
        self.blas = ThreadpoolController()
        self.game: PlaneGame

    def patience(self) -> float | None:
        if not (self.running and self.watched):
            return None
        return max(0.0, self.due - time.perf_counter())

    @contextlib.contextmanager
    def computing(self) -> Iterator[None]:
        # matrices this small gain nothing from threads, and on a busy machine lose much
        with super().computing(), self.blas.limit(limits=1, user_api="blas"):
            yield

    # --- playing ---

    def begin(self) -> None:
        """A new game of the choice."""
        self.error = ""
        self.game = PlaneGame(self.choice, self.drawing if self.choice.data == "drawn" else None)
        self.post("data", {"points": self.game.real.numpy()}, limit=self.game.plane.limit)
        self.show_state()
        self.show()

    def advance(self) -> None:
        """Play until the next picture is due, or the next move at slow motion."""
        slow = self.speed is not None and self.speed <= SLOW
        began = time.perf_counter()
        if self.speed is not None:
            # two halves of a round
            self.due = max(self.due + (0.5 if slow else 1) / self.speed, began)
        while True:
            ended = self.turn_or_fault()
            now = time.perf_counter()
            if not self.running or slow or (ended and self.speed is not None):
                break
            if now - self.shown >= max(FRAME, 1.5 * self.cost):
                break
        if slow or not self.running or now - self.shown >= FRAME:
            self.show()

    def turn_or_fault(self) -> bool:
        try:
            return self.game.turn()
        except Diverged as fault:
            self.fail(f"The training diverged at step {fault.step}: {fault}")
            return True

    def fail(self, text: str) -> None:
        """The game is over: it can only be begun anew."""
        self.running = False
        self.error = text
        self.show_state()

    def show(self) -> None:
        """Post a picture of the game as it is."""
        if self.error:
            return
        began = time.perf_counter()
        try:
            seen = self.game.look()
        except Diverged as fault:
            return self.fail(f"The training diverged: {fault}")
        if began - self.judged > JUDGED or not self.running:
            self.game.judge(seen["samples"])
            self.judged = began
        seen |= {"losses": self.game.losses.array(), "quality": self.game.quality.array()}
        self.frames += 1
        self.post(
            "frame", seen, step=self.game.step, moved=self.game.moved, frames=self.frames,
            logistic=bool(getattr(getattr(self.game.game, "objective", None), "logistic", False)),
            reach=self.game.reach,
        )  # fmt: skip
        self.shown, self.cost = began, time.perf_counter() - began

    # --- commands ---

    def do_start(self) -> None:
        if self.error:
            self.begin()
        self.running = True
        self.due = time.perf_counter()
        self.show_state()

    def do_step(self) -> None:
        """To the end of the round."""
        self.running = False
        while not self.error and not self.turn_or_fault():
            pass
        self.show_state()
        self.show()

    def do_half(self) -> None:
        """The next move alone: D's, then G's."""
        self.running = False
        if not self.error:
            self.turn_or_fault()
        self.show_state()
        self.show()

    def do_restart(self) -> None:
        """New networks; it goes on playing if it played."""
        self.begin()

    def do_choose(self, **given: Any) -> None:
        """Other data, another game: a new one begins. Other switches: the same networks go on."""
        choice = self.choice.changed(given)
        if choice.data == "drawn" and self.drawing is None:
            raise ValueError("nothing is drawn yet: draw something first")
        before, self.choice = self.choice, choice
        if choice.same_players(before) and not self.error:
            self.game.switch(choice)
            self.show_state()
            self.show()
        else:
            self.begin()

    def do_draw(self, points: Any) -> None:
        """Learn from these points from now on."""
        points = np.asarray(points, np.float64)
        drawn(points)  # ValueError where they are none
        self.drawing = points
        self.choice = self.choice.changed({"data": "drawn"})
        self.begin()

    def do_rate(self, player: str, rate: float) -> None:
        self.game.set_rate(player, rate)
        self.show_state()

    def do_speed(self, rounds: float | None) -> None:
        if rounds is not None and not (isinstance(rounds, (int, float)) and 0.1 <= rounds <= 1e4):
            raise ValueError(f"speed {rounds!r}: expected 0.1 to 10,000 rounds a second, or null")
        self.speed = rounds
        self.due = time.perf_counter()
        self.show_state()

    def state(self) -> dict[str, Any]:
        own = presets()[self.choice.game].switches is None
        return super().state() | {
            "choice": asdict(self.choice), "own": own, "rates": self.game.rates,
            "speed": self.speed, "about": presets()[self.choice.game].about,
            "means": None if self.game.plane.means is None else self.game.plane.means.tolist(),
            "step": self.game.step,
        }  # fmt: skip

    @staticmethod
    def menus() -> dict[str, Any]:
        """What can be chosen, by name, with what the package says of it."""
        about = lambda kinds: {name: summary(kind) for name, kind in kinds.items()}
        return {
            "data": [*TOYS, "drawn"], "limit": LIMIT,
            "games": {name: p.about for name, p in presets().items()},
            "objectives": {n: summary(o()) for n, o in OBJECTIVES.items()},
            "penalties": {NONE: "No penalty."} | about(PENALTIES),
            "constraints": {NONE: "No constraint."} | about(CONSTRAINTS),
        }  # fmt: skip
