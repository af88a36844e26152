"""Ctrl-C and SIGTERM, turned into a wish."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import Any


class StopSignals:
    """Inside, Ctrl-C and SIGTERM only set `asked` to the signal's number; a second Ctrl-C stops at
    once (KeyboardInterrupt)."""

    def __init__(self) -> None:
        self.asked: int | None = None
        self.old: dict[int, Any] = {}

    def _ask(self, number, frame):
        self.asked = number
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self.old = {s: signal.signal(s, self._ask) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *exc):
        for number, handler in self.old.items():
            with contextlib.suppress(TypeError):
                signal.signal(number, handler)
