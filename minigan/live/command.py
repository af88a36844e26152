"""python -m minigan live [RUN]"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import webbrowser
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..systems import load_game
from ..training.cli import number

if TYPE_CHECKING:
    from .server import Server

ABOUT = """A page in the browser: games in the plane that one draws, plays a move at a time and
changes while they run; digits, or pictures of a folder, as they are learned; saved runs to walk
through. It is for this machine alone: nothing is fetched from other hosts, and none is let in."""


def live(words: list[str]) -> int:
    p = argparse.ArgumentParser(prog="python -m minigan live", description=ABOUT)
    p.add_argument("run", nargs="?", help="folder of a saved run to walk through")
    p.add_argument(
        "--port", type=number(int, 0, 65535), default=0, help="(default: any that is free)"
    )
    p.add_argument(
        "--runs", default="runs", help="where runs are written, and found (default %(default)s)"
    )
    p.add_argument("--data-dir", help="folder with the four idx files of MNIST")
    p.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    options = p.parse_args(words)
    if options.run is not None:
        load_game(options.run)  # RunError where there is none: before there is a page
    try:
        import aiohttp  # noqa: F401
    except ImportError as error:
        raise ValueError(
            "the page needs aiohttp: pip install 'minigan[live]' (or aiohttp itself)"
        ) from error
    from .views import server_of

    server = server_of(options.run, options.runs, options.data_dir)
    try:
        return asyncio.run(_serve(server, options.port, _opener(options.no_browser)))
    except OSError as error:
        if not options.port:
            raise
        raise ValueError(
            f"port {options.port} cannot be had ({error.strerror or error}): name another one, or "
            "leave --port out"
        ) from error


async def _serve(server: Server, port: int, ready: Callable[[str], None]) -> int:
    """Until Ctrl-C (130) or SIGTERM (143): the exit code."""
    asked, stop = [0], asyncio.Event()

    def end(number: int) -> None:
        asked[0] = number
        stop.set()

    for which in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C ends it at once
            asyncio.get_running_loop().add_signal_handler(which, end, which)
    await server.serve(port, ready, stop)
    print("\nended; if pictures were learned, that run is saved")
    return 128 + asked[0]


def _opener(silent: bool) -> Callable[[str], None]:
    def ready(address: str) -> None:
        print(f"live at {address}\nCtrl-C ends it", flush=True)
        if not silent:
            webbrowser.open(address)

    return ready
