"""examples/mnist_games.py: every game makes its steps, saves, and resumes in the same bits; one of
them with a state of its own."""

import importlib.util
import json
import pathlib

import numpy as np
import pytest

from minigan.data import strokes
from minigan.training import generate, load_checkpoint, load_generator

DIGITS = strokes(160)
ROOT = pathlib.Path(__file__).parents[2]
GAMES = ("ebgan", "ebgan-pt", "began", "magan", "unrolled", "madgan", "mrgan", "mdgan", "veegan")
BRIEF = (
    "--batch-size",
    "16",
    "--sample-interval",
    "4",
    "--quiet",
    "--no-doctor",
    "--device",
    "cpu",
)


def main(*arguments):
    """The command, in this process."""
    spec = importlib.util.spec_from_file_location(
        "mnist_games", ROOT / "examples" / "mnist_games.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.load_dataset = lambda *_, **__: DIGITS
    assert module.main([*BRIEF, *map(str, arguments)]) == 0


def players(folder, step):
    state = load_checkpoint(folder / "checkpoints" / f"{step:08d}.safetensors")["trainer"]
    return {
        (n, k): np.asarray(v).tobytes() for n, s in state["players"].items() for k, v in s.items()
    } | {"game": repr(state["game"])}


@pytest.mark.parametrize("game", GAMES)
def test_it_resumes_bit_for_bit(game, tmp_path):
    options = ("--game", game, "--period", 3)
    main(*options, "--max-steps", 8, "--out", tmp_path / "whole")
    main(*options, "--max-steps", 5, "--out", tmp_path / "parts")
    main(*options, "--max-steps", 8, "--out", tmp_path / "parts", "--resume")
    assert players(tmp_path / "whole", 8) == players(tmp_path / "parts", 8)
    assert (tmp_path / "whole" / "samples" / "0000008.png").stat().st_size > 500


def test_magan_in_the_middle_of_a_period(tmp_path):
    """The margin is known after 6 steps; 8 at once, and 7 then 1."""
    options = ("--game", "magan", "--period", 3)
    main(*options, "--max-steps", 8, "--out", tmp_path / "whole")
    main(*options, "--max-steps", 7, "--out", tmp_path / "parts")
    main(*options, "--max-steps", 8, "--out", tmp_path / "parts", "--resume")
    assert players(tmp_path / "whole", 8) == players(tmp_path / "parts", 8)
    rows = [
        json.loads(line) for line in (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()
    ]
    assert rows[-1]["margin"] > 0 and "margin" not in rows[0]
    G, config = load_generator(tmp_path / "whole")
    assert generate(G, np.zeros((2, config["latent_dim"]), np.float32)).shape == (2, 1, 28, 28)
