"""A part of the page: a thread of its own that obeys commands and posts what is to be seen."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from ..arrays import default_generator
from . import wire

Post = Callable[[str, str, str | bytes], None]  # (view, kind of message, message)


class Turn:
    """One view computes at a time; whoever does finds the random numbers as it left them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

        self.waiting = 0

    def take(self, state: dict[str, Any] | None = None) -> None:
        """Wait for it; go on with these random numbers."""
        self.waiting += 1
        self.lock.acquire()
        self.waiting -= 1
        if state is not None:
            default_generator.set_state(state)

    def give(self) -> dict[str, Any]:
        """Let others compute. The state of the random numbers, for `take`."""
        state = default_generator.get_state()
        self.lock.release()
        if self.waiting:
            time.sleep(1e-3)  # who waits wakes up
        return state


class View(threading.Thread):
    """Subclasses say what they do with a command, `do_<name>(**arguments)`, and `advance`.

    post : where messages go; it may be called from any thread
    turn : shared by all views
    """

    name = ""

    def __init__(self, post: Post, turn: Turn):
        super().__init__(name=f"minigan {self.name}", daemon=True)
        self.view = type(self).name
        self.inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.turn = turn
        self.running = False
        self.watched = False  # is any page there?
        self.alive = True
        self.error = ""
        self._post = post
        self._random: dict[str, Any] | None = None

    # --- what the thread does ---

    def run(self) -> None:
        with self.computing():
            self.begin()
        while self.alive:
            for command in self.commands(self.patience()):
                with self.computing():
                    self.obey(command)
            if self.patience() == 0:
                with self.computing():
                    self.advance()

    @contextlib.contextmanager
    def computing(self) -> Iterator[None]:
        """Inside it is this view's turn."""
        self.turn.take(self._random)
        try:
            yield
        except Exception as error:  # a fault of ours: the page tells, the terminal says where
            traceback.print_exc()
            self.running = False
            self.error = f"{type(error).__name__}: {error}"
            self.post("state", **View.state(self))
        finally:
            self._random = self.turn.give()

    def begin(self) -> None:
        """Before the first command."""

    def patience(self) -> float | None:
        """How many seconds to wait for commands before `advance`; None: as long as it takes."""
        return None

    def advance(self) -> None:
        """Go on by a bit."""

    def tell(self, command: dict[str, Any]) -> None:
        """Ask for something, from any thread: {"do": name, ...}."""
        self.inbox.put(command)

    def commands(self, wait: float | None) -> Iterator[dict[str, Any]]:
        """Those that came; if there is none, wait so many seconds for one (None: as long as it
        takes)."""
        try:
            yield self.inbox.get(wait != 0, wait)
            while True:
                yield self.inbox.get_nowait()
        except queue.Empty:
            return

    def obey(self, command: dict[str, Any]) -> None:
        """Do what a command says; what cannot be done is told to the page."""
        arguments = dict(command)
        method = getattr(self, f"do_{arguments.pop('do', '')}", None)
        if method is None:
            return self.complain(f"there is no command {command.get('do')!r}")
        try:
            method(**arguments)
        except (ValueError, TypeError, OSError) as error:
            self.complain(str(error))

    def do_watched(self, yes: bool) -> None:
        """The first page came, or the last one went: nobody is played for."""
        self.watched = yes

    def do_quit(self) -> None:
        """The program ends."""
        self.alive = False

    def do_pause(self) -> None:
        self.running = False
        self.show_state()

    def complain(self, text: str) -> None:
        """Something that was asked for cannot be done."""
        self.post("complaint", text=text)

    def state(self) -> dict[str, Any]:
        """What the page's controls show."""
        return {"running": self.running, "error": self.error}

    def show_state(self) -> None:
        self.post("state", **self.state())

    def post(self, kind: str, arrays: dict[str, Any] | None = None, **values: Any) -> None:
        values["view"] = self.view
        message = wire.text(kind, **values) if arrays is None else wire.binary(
            kind, arrays, **values
        )  # fmt: skip
        self._post(self.view, kind, message)
