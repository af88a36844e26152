"""The page itself."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

from ...data.files import write_atomic
from ..runfolder import RunError, holds_run
from . import facts, pictures

PAGE = "report.html"
LIMIT = 5_000_000  # bytes of the page
ROOM = 3_600_000  # of them for pictures


class MissingJinja(ImportError):
    """The package that makes pages is not installed: the message says how to install it."""


def write_report(
    folder: str | os.PathLike, about: dict[str, str] | None = None, explore: Any = None,
    path: str | os.PathLike | None = None,
) -> Path:  # fmt: skip
    """Write a run's report.html, one file that needs no other; its path.

    about : "title", "text", "paper" and "control" of what was trained, where they are known
    explore : what `minigan.systems.explore.packed` gives: G itself in the page
    path : of the page, where it is not RUN/report.html

    RunError where there is no run in the folder, MissingJinja without jinja2, ValueError for a
    damaged metrics.jsonl.
    """
    folder = Path(folder)
    if not holds_run(folder):
        raise RunError(f"there is no run in {folder}: name the folder of one, such as runs/gan")
    page = template().render(content(folder, about or {}, explore))
    path = folder / PAGE if path is None else Path(path)
    # a file name may have bytes that are no text: they are written out as \udcff
    write_atomic(path, page.encode("utf-8", "backslashreplace"))
    return path


def template() -> Any:
    """The page as jinja2 knows it."""
    try:
        import jinja2
    except ImportError as error:
        raise MissingJinja("a report needs jinja2: pip install jinja2") from error
    return environment(jinja2).get_template("page.html")


@functools.cache
def environment(jinja2: Any) -> Any:
    """Made once: it keeps the page, compiled."""
    here = jinja2.FileSystemLoader(Path(__file__).parent)
    return jinja2.Environment(
        loader=here, autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip


def content(folder: Path, about: dict[str, str], explore: Any) -> dict[str, Any]:
    """What the page says, by the names of its template."""
    config, rows = facts.config_of(folder), facts.rows_of(folder)
    room = max(400_000, ROOM - (len(explore["weights"]) if explore else 0))
    title = about.get("title") or config.get("system") or config.get("game") or folder.name
    frames = pictures.frames_of(folder, room * 3 // 4)
    left = room - sum(len(f.get("image", f.get("text", ""))) for f in frames)
    last = max([row["step"] for row in rows[-1:]] + [f["step"] for f in frames[-1:]], default=0)
    data = config.get("trained_on") or [{}]
    return {
        "title": title,
        "about": dict.fromkeys(("text", "paper", "control"), "") | about,
        "folder": str(folder),
        "step": last,
        "epoch": rows[-1].get("epoch") if rows else None,
        "seconds": facts.seconds_of(rows),
        "dataset": config.get("dataset"),
        "images": data[-1].get("images"),
        "image_shape": config.get("image_shape"),
        "is_control": bool(config.get("control")),
        "frames": frames,
        "others": pictures.others_of(folder, left),
        "measured": facts.measured_in(folder),
        "curves": facts.curves_of(rows),
        "notes": facts.notes_of(config, rows),
        "networks": facts.networks_of(folder),
        "options": config.get("options") or {
            k: v for k, v in config.items() if k not in ("trained_on", "command")},
        "versions": {k: config[k] for k in ("minigan", "python", "numpy", "threads")
                     if k in config},
        "checksum": config.get("checksum"),
        "commands": facts.commands_of(folder, config),
        "explore": explore,
    }  # fmt: skip
