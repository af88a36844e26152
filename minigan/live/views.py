"""The server with the three parts of the page."""

from __future__ import annotations

from pathlib import Path

from .images import ImagesView
from .plane_view import PlaneView
from .server import Server
from .view import Turn
from .walk import WalkView


def server_of(run: str | None = None, runs: str = "runs", data_dir: str | None = None) -> Server:
    """A server, not yet listening.

    run : folder of a saved run, which is open from the beginning
    runs : where runs are found, and written
    data_dir : of MNIST
    """
    turn, folder = Turn(), Path(runs)
    menus = {"plane": PlaneView.menus(), "images": ImagesView.menus(), "run": run}
    return Server(
        lambda post: [
            PlaneView(post, turn),
            ImagesView(post, turn, folder, data_dir),
            WalkView(post, turn, folder, run),
        ],
        menus,
    )
