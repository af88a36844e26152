"""`python -m minigan report` and `export`: a run for those who do not have it."""

from __future__ import annotations

import argparse
import inspect
from pathlib import Path
from typing import Any

from ..training.report import write_report
from ..training.report.facts import config_of
from . import SYSTEMS, load_game, system
from .export import export_onnx, packed, parts_of
from .system import System


def what(kind: System) -> dict[str, str]:
    """What a system is, for people."""
    said = {"paper": kind.paper, "control": kind.control}
    return {"title": kind.name, "text": summary(kind), **said}


def summary(what: Any) -> str:
    """The first paragraph of what a class, or that of an object, says of itself."""
    kind = what if inspect.isclass(what) else type(what)
    return inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def about_run(folder: str) -> dict[str, str]:
    """What a run has trained, for people; {} where its system is not known."""
    config = config_of(Path(folder))
    name = config.get("system") or config.get("game")
    return what(system(name)) if name in SYSTEMS else {}


def report(words: list[str]) -> int:
    p = argparse.ArgumentParser(
        prog="python -m minigan report",
        description="A page about a run, finished or not: one file that needs no other. Every run "
        "leaves one at its end; this writes it anew, with what was measured since.",
    )
    p.add_argument("run", help="folder of a run, such as runs/cgan")
    p.add_argument("--out", metavar="FILE.html", help="(default RUN/report.html)")
    p.add_argument(
        "--explore",
        action="store_true",
        help="G itself in the page: sliders of its latents draw new samples there, offline",
    )
    p.add_argument("--best", action="store_true", help="--explore: the state found best")
    options = p.parse_args(words)
    explore = None
    if options.explore:
        _, game, c, _ = load_game(options.run, best=options.best)
        explore = packed(game, c)
    path = write_report(options.run, about_run(options.run), explore, options.out)
    size = path.stat().st_size / 1e6
    weights = f", {len(explore['weights']) / 1e6:.1f} of them G's weights" if explore else ""
    print(f"written: {path} ({size:.1f} MB{weights})")
    return 0


def export(words: list[str]) -> int:
    p = argparse.ArgumentParser(
        prog="python -m minigan export",
        description="A network of a saved run as an ONNX file, for other programs: what `draw` "
        "shows, or another part (encoders, judges). Any number of examples, float32; checked "
        "against onnxruntime before it is written. Needs: pip install 'minigan[onnx]'",
    )
    p.add_argument("run", help="folder of a run, such as runs/cgan")
    p.add_argument("--onnx", metavar="FILE.onnx", required=True, help="the file to write")
    p.add_argument("--part", default=None, help="G, E, D, ... (default: G, or the first that is)")
    p.add_argument("--best", action="store_true", help="the state that evaluations found best")
    options = p.parse_args(words)
    kind, game, c, step = load_game(options.run, best=options.best)
    parts = parts_of(game, c)
    if not parts:
        raise ValueError(f"{kind.name} has no network that takes pictures or makes them")
    name = options.part or next(iter(parts))
    if name not in parts:
        raise ValueError(f"--part {name}: {kind.name} has the parts {', '.join(parts)}")
    about = {"system": kind.name, "step": str(step), "part": name}
    if names := getattr(c, "class_names", None):
        about["class_names"] = ", ".join(names)
    worst = export_onnx(parts[name], options.onnx, about)
    takes = ", ".join(
        f"{n} {x.dtype.name}{list(x.shape[1:])}" for n, x in parts[name].inputs(1, 0).items()
    )
    print(f"written: {options.onnx}, {name} of {takes} each; onnxruntime's results differ by at "
          f"most {worst:.1g}")  # fmt: skip
    if others := [other for other in parts if other != name]:
        print(f"other parts (--part): {', '.join(others)}")
    return 0
