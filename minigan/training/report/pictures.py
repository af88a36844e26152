"""The pictures of a run as text for a page, within a number of bytes."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np

KINDS = {".png": "image/png", ".gif": "image/gif", ".jpg": "image/jpeg", ".svg": "image/svg+xml"}
FRAMES = 48  # at most
SHOWN_APART = {"curves.png"}  # drawn anew


def shots_of(folder: Path) -> list[Path]:
    """The files of samples over time, by step."""
    found = (folder / "samples").glob("*")
    return sorted(p for p in found if p.suffix in {*KINDS, ".txt"} and p.stem.isdecimal())


def frames_of(folder: Path, room: int) -> list[dict[str, Any]]:
    """Samples over time, evenly spread, the first and the last among them: {"step", and "image" (a
    data address) or "text"}, together at most `room` bytes."""
    paths = shots_of(folder)
    sizes = [size_in_page(p) for p in paths]
    for count in range(min(FRAMES, len(paths)), 0, -1):
        chosen = np.unique(np.linspace(len(paths) - 1, 0, count).round().astype(int))
        if sum(sizes[i] for i in chosen) <= room or count <= 12:
            return [frame(paths[i], room // count) for i in chosen]
    return []


def frame(path: Path, room: int) -> dict[str, Any]:
    if path.suffix == ".txt":
        return {"step": int(path.stem), "text": path.read_text("utf-8", "replace")[:room]}
    return {"step": int(path.stem), "image": in_page(path, room)}


def others_of(folder: Path, room: int) -> list[dict[str, str]]:
    """Other pictures of the run: what its last weights draw, and those beside its samples."""
    last = sorted((folder / "samples" / "last_weights").glob("*.png"))[-1:]
    beside = sorted(p for p in folder.glob("*.png") if p.name not in SHOWN_APART)
    named = [*(("By the last weights, not the averaged ones", p) for p in last),
             *((p.name, p) for p in beside)]  # fmt: skip
    found: list[dict[str, str]] = []
    for text, path in named[:12]:
        if (size := size_in_page(path)) <= room:
            room -= size
            found.append({"text": text, "image": in_page(path, size)})
    return found


def size_in_page(path: Path) -> int:
    """Bytes of a file in base64."""
    return -(-path.stat().st_size // 3) * 4


def in_page(path: Path, room: int) -> str:
    """A data address with a picture, made smaller where it would take more than `room` bytes."""
    content, kind = path.read_bytes(), KINDS[path.suffix]
    if size_in_page(path) > room and kind != "image/svg+xml":
        content, kind = smaller(content, max(1000, room * 3 // 4)), "image/jpeg"
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def smaller(content: bytes, room: int) -> bytes:
    """A picture as a JPEG of at most `room` bytes, or 32 pixels wide."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as opened:
        image = opened.convert("L" if opened.mode in ("1", "L") else "RGB")
    while True:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=85)
        if len(found := buffer.getvalue()) <= room or image.width <= 32:
            return found
        image = image.resize((max(32, image.width * 4 // 5), max(1, image.height * 4 // 5)))
