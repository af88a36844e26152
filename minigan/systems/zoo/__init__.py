"""Finished generators that come with the package: `zoo:NAME` stands where the folder of a run may.

    python -m minigan draw zoo:cgan --label 7

index.json has, for each, its file's SHA-256, the command that trained it, and what was measured.
Weights are float16, what belongs to a channel (biases, statistics) float32. Players other than
those that draw are left out.

    python -m minigan.systems.zoo runs/cgan cgan        # puts one here
"""

from __future__ import annotations

import difflib
import hashlib
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from ...data.files import write_atomic
from ...data.saving import read, save
from ...training.runfolder import RunError

FOLDER = Path(__file__).parent
PREFIX = "zoo:"
ROOM = 8_000_000  # bytes of all files together


def index() -> dict[str, dict[str, Any]]:
    """name -> what index.json says of it."""
    path = FOLDER / "index.json"
    return json.loads(path.read_bytes()) if path.exists() else {}


def named(folder: Any) -> str | None:
    """NAME of "zoo:NAME"; None for the folder of a run."""
    text = str(folder)
    return text[len(PREFIX) :] if text.startswith(PREFIX) else None


def state_of(name: str) -> tuple[Path, dict[str, Any]]:
    """(file, state) as of a run's checkpoint. RunError for a name that is not there, or a file that
    is not the one of the index."""
    known = index()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise RunError(f"there is no {PREFIX}{name}{hint}: the zoo has {', '.join(known)}")
    path = FOLDER / known[name]["file"]
    if digest(path) != known[name]["sha256"]:
        raise RunError(f"{path} is not the file of the index (its SHA-256 differs): install anew")
    state = read(path, foreign=False)
    state["trainer"] = {"players": {p: _wide(w) for p, w in state.pop("players").items()}}
    return path, state | {"callbacks": {}, "partial": True}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def put(run: str, name: str) -> Path:
    """Put what draws in a run into the zoo; the file. ValueError where there is no room."""
    from ..loading import load_game

    _, game, c, step = load_game(run)
    players = {p: n for p, n in game.players.items() if p.startswith("G")}
    if not players:
        raise ValueError(f"{run} has no G of its own, but {', '.join(game.players)}")
    narrow = {p: _narrow(dict(n.state_dict())) for p, n in players.items()}
    path = FOLDER / f"{name}.safetensors"
    save({"config": vars(c), "step": step, "players": narrow}, path)
    told = json.loads((Path(run) / "config.json").read_bytes())
    measured = Path(run) / "measure.json"
    rows = json.loads(measured.read_bytes())["rows"] if measured.exists() else []
    entry = {
        "file": path.name, "sha256": digest(path), "system": c.system, "step": step,
        "command": _command(told.get("command", "")), "minigan": told.get("minigan"),
        "measured": {row["name"]: row["value"] for row in rows},
    }  # fmt: skip
    known = index() | {name: entry}
    total = sum((FOLDER / e["file"]).stat().st_size for e in known.values())
    if total > ROOM:
        path.unlink()
        raise ValueError(f"the zoo would have {total:,} bytes, and {ROOM:,} are allowed")
    text = json.dumps(dict(sorted(known.items())), indent=1)
    write_atomic(FOLDER / "index.json", f"{text}\n".encode())
    return path


def _command(text: str) -> str:
    """A run's command without what is of one machine."""
    words = shlex.split(text)
    for option in ("--out", "--data-dir"):
        while option in words:
            at = words.index(option)
            del words[at : at + 2]
    return shlex.join(w for w in words if w not in ("--quiet", "--resume"))


def _narrow(weights: dict[str, Any]) -> dict[str, np.ndarray]:
    arrays = {k: x.detach().cpu().numpy() for k, x in weights.items()}
    return {
        k: a.astype(np.float16) if a.ndim > 1 and a.dtype == np.float32 else a
        for k, a in arrays.items()
    }


def _wide(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {k: a.astype(np.float32) if a.dtype == np.float16 else a for k, a in weights.items()}
