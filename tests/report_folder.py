"""A folder as runs leave it, for tests of its report."""

import json

import numpy as np

from minigan.viz import save_grid


def run_folder(folder, steps=20):
    """A folder as runs leave it: four pictures, twenty rows, measures."""
    folder.mkdir()
    config = {
        "system": "cgan", "classes": 10, "image_shape": [1, 28, 28], "dataset": "strokes",
        "options": {"lr": 0.01, "out": "<b>&"}, "minigan": "0.1.0",
        "command": "python -m minigan train cgan --out x --resume",
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    rows = [
        {"step": s, "epoch": 1, "d_value": -1.0 / s, "g_loss": 0.5, "it_s": 2.0, "kl": None,
            "frechet": float(s)} | ({"doctor": ["d_wins"]} if 5 <= s <= 9 else {})
        for s in range(1, steps + 1)
    ]  # fmt: skip
    (folder / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    for s in (5, 10, 15, 20):
        grid = np.random.default_rng(s).uniform(-1, 1, (4, 1, 28, 28)).astype(np.float32)
        save_grid(folder / "samples" / f"{s:07d}.png", grid, 2, 2)
        save_grid(folder / "samples" / "last_weights" / f"{s:07d}.png", grid, 2, 2)
    row = {"name": "right digit", "value": 0.98, "control": 0.1, "ceiling": 0.99, "target": 0.97,
           "se": None, "better": "up", "note": "of <samples>"}  # fmt: skip
    found = {"step": 20, "samples": 100, "control": "shuffled", "rows": [row]}
    (folder / "measure.json").write_text(json.dumps(found))
    return folder
