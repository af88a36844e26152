"""A saved run, to walk through."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ..systems import load_game
from ..training.runfolder import holds_run
from .explore import Explorer
from .view import Post, Turn, View

FRAME = 1 / 15
PACE = 0.12  # of the way, a second


class Exploring(View):
    """A view with an `Explorer`, whose sliders and classes the page has."""

    explorer: Explorer | None = None

    def explored(self) -> None:
        """Post what the explorer shows now."""
        picture = self.explorer and self.explorer.picture()
        if picture is not None:
            self.post("explored", {"png": picture}, way=self._needed().way)

    def _needed(self) -> Explorer:
        if self.explorer is None:
            raise ValueError("there is nothing to explore yet")
        return self.explorer

    def do_set(self, i: int, value: float | None) -> None:
        self._needed().set(i, value)
        self.explored()

    def do_release(self) -> None:
        """No slider holds a number any more."""
        self._needed().values.clear()
        self.show_state()
        self.explored()

    def do_label(self, label: int | None) -> None:
        self._needed().ask(label)
        self.show_state()
        self.explored()

    def do_sort(self) -> None:
        self._needed().sort()
        self.show_state()

    def do_other(self) -> None:
        """Other latents."""
        explorer = self._needed()
        explorer.choose_ends(explorer.seed + 1)
        self.show_state()
        self.explored()

    def state(self) -> dict[str, Any]:
        return super().state() | {"explorer": self.explorer and self.explorer.state()}


class WalkView(Exploring):
    """The third part of the page.

    runs : the folder in which runs lie
    given : the folder of the run that the command names
    """

    name = "walk"

    def __init__(self, post: Post, turn: Turn, runs: Path, given: str | None):
        super().__init__(post, turn)
        self.runs = runs
        self.given = given
        self.folder = ""
        self.about = ""
        self.direction = 1.0
        self.shown = 0.0

    def folders(self) -> list[str]:
        """Those that can be opened."""
        found = [str(p) for p in sorted(self.runs.glob("*")) if p.is_dir() and holds_run(p)]
        return list(dict.fromkeys([self.given, *found] if self.given else found))

    def begin(self) -> None:
        if self.given:
            self.obey({"do": "open", "run": self.given})
        else:
            self.show_state()

    def patience(self) -> float | None:
        if not (self.running and self.watched):
            return None
        return max(0.0, self.shown + FRAME - time.perf_counter())

    def advance(self) -> None:
        now = time.perf_counter()
        explorer = self._needed()
        passed = min(now - self.shown, 2 * FRAME)
        explorer.way += self.direction * PACE * passed
        if not 0 < explorer.way < 1:
            explorer.way = min(1.0, max(0.0, explorer.way))
            self.direction *= -1
        self.shown = now
        self.explored()

    def do_open(self, run: str) -> None:
        """One of `folders()`: no other place of the disk."""
        if run not in self.folders():
            raise ValueError(f"there is no saved run {run!r} in {self.runs}")
        self.running = False
        loaded = load_game(run)
        if loaded.system.writes:
            name, what = loaded.system.name, loaded.system.writes
            raise ValueError(f"{name} makes {what}: python -m minigan draw {run}")
        self.explorer = Explorer(loaded.game, list(getattr(loaded.c, "class_names", ())) or None)
        if self.explorer.can_walk:
            self.explorer.sort()
        self.folder = run
        self.about = (
            f"{loaded.system.name}, {getattr(loaded.c, 'dataset', '?')}, step {loaded.step}"
        )
        self.show_state()
        self.explored()

    def do_runs(self) -> None:
        """Look again which there are."""
        self.show_state()

    def do_start(self) -> None:
        if not self._needed().can_walk:
            raise ValueError("this system's samples are not made of latent vectors: no way to walk")
        self.running = True
        self.shown = time.perf_counter()
        self.show_state()

    def do_way(self, t: float) -> None:
        if not (isinstance(t, (int, float)) and 0 <= t <= 1):
            raise ValueError(f"way {t!r}: expected 0 to 1")
        self._needed().way = float(t)
        self.explored()

    def state(self) -> dict[str, Any]:
        return super().state() | {
            "folder": self.folder, "folders": self.folders(), "about": self.about,
            "walks": bool(self.explorer and self.explorer.can_walk),
        }  # fmt: skip
