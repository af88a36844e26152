"""examples/mnist_games.py: every game of it is a system with some options, makes its steps, saves,
and resumes in the same bits; one of them with a state of its own."""

import json
import pathlib

import numpy as np
import pytest
from load_script import load_script

from minigan.data import strokes
from minigan.systems import SYSTEMS, System, load_game
from minigan.systems import system as systems
from minigan.training import generate, load_checkpoint, load_generator

DIGITS = strokes(160)
ROOT = pathlib.Path(__file__).parents[2]
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
mnist_games = load_script(ROOT / "examples" / "mnist_games.py")


@pytest.fixture(autouse=True)
def few_digits(monkeypatch):
    monkeypatch.setattr(System, "data", lambda self, c, split="train": DIGITS)


def main(*arguments):
    """The command, in this process."""
    assert mnist_games.main([*BRIEF, *map(str, arguments)]) == 0


def players(folder, step):
    state = load_checkpoint(folder / "checkpoints" / f"{step:08d}.safetensors")["trainer"]
    return {
        (n, k): np.asarray(v).tobytes() for n, s in state["players"].items() for k, v in s.items()
    } | {"game": repr(state["game"])}


def test_its_games_are_systems():
    assert {words[0] for words in mnist_games.GAMES.values()} <= SYSTEMS.keys()
    assert all(systems(words[0]).paper for words in mnist_games.GAMES.values())


@pytest.mark.parametrize("game", mnist_games.GAMES)
def test_it_resumes_bit_for_bit(game, tmp_path):
    options = ("--game", game)
    main(*options, "--max-steps", 8, "--out", tmp_path / "whole")
    main(*options, "--max-steps", 5, "--out", tmp_path / "parts")
    main(*options, "--max-steps", 8, "--out", tmp_path / "parts", "--resume")
    assert players(tmp_path / "whole", 8) == players(tmp_path / "parts", 8)
    assert (tmp_path / "whole" / "samples" / "0000008.png").stat().st_size > 500
    found = load_game(tmp_path / "whole")
    assert found.system.name == mnist_games.GAMES[game][0]
    if found.system.name == "ebgan":
        assert found.game.pull_away == found.c.pull_away == (0.1 if game == "ebgan-pt" else 0)


def test_options_are_those_of_the_system(tmp_path, capsys):
    with pytest.raises(SystemExit):
        mnist_games.main(["--game", "began", "--help"])
    said = capsys.readouterr().out
    assert "ebgan-pt" in said and "--gamma" in said and "--resume" in said
    for words in (["--game", "nothing"], ["--game", "began", "--margin", "3"]):
        with pytest.raises(SystemExit) as stopped:
            mnist_games.main(words)
        assert stopped.value.code == 2


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
