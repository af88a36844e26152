"""What a run's folder says of it."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...viz import read_metrics
from ...viz.svg import line_chart
from ..callbacks.doctor import KNOWN, NEEDED
from ..checkpoint import checkpoints

# curves that share a panel, with their names for people; what else is logged gets one of its own
PANELS: list[tuple[str, dict[str, str]]] = [
    ("Value and loss", {"d_value": "D's value (ascends)", "g_loss": "G's loss (descends)"}),
    ("D's output", {"d_real": "mean D(x), real", "d_fake": "mean D(G(z)), generated"}),
    ("The critic's output", {"critic_real": "mean f(x), real", "critic_fake": "mean f(G(z))"}),
]
NO_CURVE = {"step", "epoch", "stage", "doctor", "it_s"}
MOST_PANELS = 16


def config_of(folder: Path) -> dict[str, Any]:
    """What config.json says; {} where it is damaged or there is none."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl."""
    path = folder / "metrics.jsonl"
    return [row for row in read_metrics(path) if "step" in row] if path.exists() else []


def seconds_of(rows: list[dict[str, Any]]) -> float:
    """How long the steps took, by the speeds that were logged."""
    took, before = 0.0, 0
    for row in rows:
        took += (row["step"] - before) / row["it_s"] if row.get("it_s") else 0.0
        before = row["step"]
    return took


def curves_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Panels of curves: title, svg, and the last value of each curve."""
    usable = lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and abs(v) < 1e300
    steps = [row["step"] for row in rows]
    names = dict.fromkeys(name for row in rows for name in row if name not in NO_CURVE)
    losses = [n for n in names if n.endswith("_loss") and n != "g_loss"]
    panels = [*PANELS, *([("Other losses", {n: n for n in losses})] if losses else [])]
    known = {name for _, curves in panels for name in curves}
    panels += [(name, {name: name}) for name in names if name not in known]
    found = []
    for title, curves in panels[: MOST_PANELS + len(PANELS)]:
        values = {
            text: [row[name] if usable(row.get(name)) else math.nan for row in rows]
            for name, text in curves.items()
        }
        values = {text: v for text, v in values.items() if any(map(math.isfinite, v))}
        if values:
            last = {text: [x for x in v if math.isfinite(x)][-1] for text, v in values.items()}
            said = ", ".join(f"{text} ends at {x:.4g}" for text, x in last.items())
            svg = line_chart(steps, values, f"{title} over {steps[-1]} steps: {said}")
            found.append({"title": title, "svg": svg, "last": list(last.items())})
    return found


def notes_of(config: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What the doctor found: diseases, each with its first and last step, and a sentence."""
    seen: dict[str, list[int]] = {}
    for row in rows:
        for name in row.get("doctor") or ():
            seen.setdefault(name, [row["step"], row["step"]])[1] = row["step"]
    found = [
        {"name": name, "steps": steps, "what": KNOWN[name].what, "advice": KNOWN[name].advice}
        for name, steps in seen.items()
        if name in KNOWN
    ]
    last = rows[-1]["step"] if rows else 0
    judged = 500 + NEEDED * max(1, min(100, last // 10))
    if config.get("options", {}).get("no_doctor"):
        said = "Nobody looked for diseases (--no-doctor)."
    elif last < judged:
        said = f"{last} steps are too few to judge most of what may go wrong; it takes {judged}."
    else:
        said = "" if found else "Nothing found."
    return {"found": found, "said": said}


def networks_of(folder: Path) -> list[dict[str, Any]]:
    """Each player's parameters, with names and shapes, by the header of the newest checkpoint."""
    players: dict[str, list[tuple[str, list[int]]]] = {}
    for name, shape in _shapes(folder):
        if match := re.fullmatch(r"trainer/players/([^/]+)/(.+)", name):
            if not re.search(r"(running_(mean|var)|num_batches_tracked)$", match[2]):
                players.setdefault(match[1], []).append((match[2], shape))
    natural = lambda row: [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", row[0])]
    return [
        {"name": name, "numbers": sum(math.prod(s) for _, s in rows), "layers": sorted(
            rows, key=natural)}
        for name, rows in players.items()
    ]  # fmt: skip


def _shapes(folder: Path) -> Iterable[tuple[str, list[int]]]:
    """Of the arrays of the newest checkpoint, from its header alone."""
    for path in checkpoints(folder)[:1]:
        try:
            with open(path, "rb") as file:
                header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
            return [(k, v["shape"]) for k, v in header.items() if k != "__metadata__"]
        except (OSError, ValueError, KeyError, MemoryError, OverflowError):
            pass
    return []


ROW = dict.fromkeys(("value", "control", "ceiling", "target", "se"))  # what a row may lack


def measured_in(folder: Path) -> dict[str, Any]:
    """What `measure` found, or {}."""
    try:
        found = json.loads((folder / "measure.json").read_bytes())
        rows = [ROW | {"better": "up", "note": ""} | row for row in found["rows"] if row["name"]]
        return {"step": 0, "samples": 0, "control": ""} | found | {"rows": rows}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def commands_of(folder: Path, config: dict[str, Any]) -> list[tuple[str, str]]:
    """(what for, command), for a shell."""
    run, found = shlex.quote(str(folder)), []
    if command := config.get("command"):
        words = [w for w in shlex.split(command) if w not in ("--resume", "--new-data")]
        found = [
            ("Train it again", shlex.join(words)),
            ("Go on with it", shlex.join([*words, "--resume"])),
        ]
    if {"system", "game", "model"} & config.keys() and "image_shape" in config:
        found += [("Draw", f"python -m minigan draw {run} --n 25")]
        if classes := config.get("classes"):
            label = shlex.quote(str((config.get("class_names") or range(classes))[-1]))
            found += [("Draw one class", f"python -m minigan draw {run} --label {label} --n 20")]
        if "system" in config:
            found += [("Measure", f"python -m minigan measure {run} --control")]
        found += [
            ("G for other programs", f"python -m minigan export {run} --onnx G.onnx"),
            ("This page with G in it", f"python -m minigan report {run} --explore"),
        ]
    elif "system" in config:  # it makes no pictures
        found += [
            ("Draw", f"python -m minigan draw {run}"),
            ("Measure", f"python -m minigan measure {run} --control"),
        ]
    return found
