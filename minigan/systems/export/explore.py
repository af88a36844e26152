"""G of a run inside a page: what it computes, as training/report/generator.js reads it."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import numpy as np

from ...ops.taps import Taps
from ...training import report
from .forms import dense
from .parts import parts_of
from .trace import Batch, ExportError, Step, Value, folded, trace

LARGEST = 250_000  # numbers that are kept in float32; more of them in float16
SHOWN = 280  # pixels of the screen that a sample is wide


def known_ops() -> set[str]:
    """What generator.js can compute."""
    text = (Path(report.__file__).parent / "generator.js").read_text("utf-8")
    body = text[text.index("const ops = {") : text.index("\n};", text.index("const ops = {"))]
    return set(re.findall(r"^  (\w+):", body, re.M))


def packed(game: Any, c: Any, kind: str | None = None) -> dict[str, Any]:
    """A run's G as JSON for the page, with its numbers in base64.

    kind : "float32" or "float16"; by default the smaller one for large networks

    ExportError where it makes no pictures, or an op is none of the page's.
    """
    part = next((p for name, p in parts_of(game, c).items() if name.startswith("G")), None)
    if part is None or "latents" not in part.inputs(1, 0) or game.source_shape is not None:
        raise ExportError(
            "--explore shows what a G makes of latents in one go, and there is none here (a "
            "translator makes pictures of pictures; PixelCNN draws pixel by pixel)"
        )
    graph = folded(trace(part.call, lambda n: part.inputs(n, 0)))
    one = part.inputs(1, 0)
    shape = _for_one(graph.out.shape)
    if len(shape) != 4 or shape[1] not in (1, 3):
        raise ExportError(f"--explore shows pictures (C, H, W), and G makes {shape[1:]}")
    store = _Store()
    steps = [_step(step, store) for step in graph.steps]
    if unknown := {s["op"] for s in steps} - known_ops():
        raise ExportError(f"--explore: {', '.join(sorted(unknown))}: the page has no such op")
    total = sum(a.size for a in store.floats)
    kind = kind or ("float32" if total <= LARGEST else "float16")
    flat = np.concatenate([a.reshape(-1) for a in store.floats] or [np.zeros(0)])
    classes = getattr(c, "class_names", None) or [str(i) for i in range(game.classes)]
    return {
        "kind": kind, "numbers": total, "constants": store.constants, "steps": steps,
        "weights": base64.b64encode(flat.astype("<f2" if kind == "float16" else "<f4").tobytes())
        .decode(),
        "inputs": [
            {"name": name, "number": v.number, "shape": _for_one(v.shape),
             "fixed": None if name in ("latents", "labels") else one[name].numpy().ravel().tolist()}
            for name, v in graph.inputs.items()
        ],
        "out": graph.out.number, "classes": list(classes), "latents": _latents(game, one),
        "height": shape[2], "width": shape[3], "scale": max(1, SHOWN // shape[3]),
    }  # fmt: skip


def _latents(game: Any, one: dict[str, Any]) -> list[dict[str, Any]]:
    """A slider for each number of z; codes, which mean something, come first."""
    count, codes = one["latents"].shape[1], getattr(game, "codes", 0)
    bell = game.latent == "normal"
    z = [{"name": f"z{i + 1}", "most": 3 if bell else 1, "normal": bell, "index": i}
         for i in range(count - codes)]  # fmt: skip
    c = [{"name": f"c{i + 2}", "most": 2, "normal": False, "index": count - codes + i}
         for i in range(codes)]  # fmt: skip
    return c + z


def _for_one(shape: Any) -> list[int]:
    """A shape for one example."""
    return [n.times if isinstance(n, Batch) else int(n) for n in shape]


class _Store:
    """Constant arrays: floats one behind the other, others as they are."""

    def __init__(self):
        self.constants: list[dict[str, Any]] = []
        self.floats: list[np.ndarray] = []
        self.at = 0

    def put(self, x: np.ndarray) -> dict[str, int]:
        entry: dict[str, Any] = {"shape": list(x.shape)}
        if x.dtype.kind == "f":
            entry["at"] = self.at
            self.floats.append(x)
            self.at += x.size
        else:
            entry["values"] = x.astype(int).ravel().tolist()
        self.constants.append(entry)
        return {"constant": len(self.constants) - 1}


def _step(step: Step, store: _Store) -> dict[str, Any]:
    args: Any = step.args
    if step.op in ("reshape", "expand"):
        args = (args[0], _for_one(step.out.shape))
    elif step.op == "convert":
        args = args[:1]
    elif step.op == "getitem":
        args = (args[0], *_places(*args), _for_one(step.out.shape))
    elif step.op in ("conv", "conv_transpose") and len(args[3].size) != 2:
        raise ExportError(f"--explore: {step.op} of {len(args[3].size)} dimensions: of two only")
    args = [_argument(a, store) for a in args]
    return {"op": step.op, "args": args, "out": step.out.number}


def _argument(x: Any, store: _Store) -> Any:
    if isinstance(x, Value):
        return {"value": x.number}
    if isinstance(x, Taps):
        return store.put(dense(x))
    if isinstance(x, np.ndarray):
        return store.put(x)
    if hasattr(x, "_asdict"):
        return {name: list(v) if isinstance(v, tuple) else v for name, v in x._asdict().items()}
    if isinstance(x, (list, tuple)):
        return _for_one(x)
    if isinstance(x, np.generic):
        return x.item()
    return x


def _places(x: Value, index: Any) -> tuple[int, list[int]]:
    """Where the first element of x[index] is among those of x, and how far apart its neighbours
    are: a view of numbers that are their own places tells."""
    shape = _for_one(x.shape)
    try:
        view = np.arange(int(np.prod(shape))).reshape(shape)[index]
    except (IndexError, TypeError) as error:
        raise ExportError(f"--explore: getitem by {index!r}") from error
    if view.base is None:
        raise ExportError("--explore: getitem by arrays: the page has slices only")
    return int(view.flat[0]), [s // view.itemsize for s in view.strides]
