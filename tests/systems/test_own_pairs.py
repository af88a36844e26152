"""Translators of own pictures: pairs side by side, or trainA and trainB; grey ones and coloured."""

import json

import numpy as np
import pytest
from PIL import Image

from minigan.systems import load_game
from minigan.systems.command import main

RNG = np.random.default_rng(0)


def write(path, *shape):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, shape, np.uint8)).save(path)


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "own"


def train(name, own, out, *more):
    words = ["--dataset", str(own), "--size", "16", "--features", "2", "--batch-size", "4"]
    words += ["--max-steps", "2", "--out", str(out), "--quiet", "--no-doctor", "--device", "cpu"]
    return main(["train", name, *words, *more])


@pytest.mark.parametrize("name", ["pix2pix", "pan"])
def test_pairs_side_by_side(name, own, tmp_path, capsys):
    """In both directions; pictures held out are those of `test`."""
    for i in range(6):
        write(own / "train" / f"{i}.png", 16, 32)
        write(own / "test" / f"{i}.png", 20, 40)
    run = tmp_path / "run"
    if name == "pan":
        assert train(name, own, run, "--direction", "BtoA") == 2
        assert "pictures of 16 pixels, halved 3 times" in capsys.readouterr().err
    more = ["--weights", "1", "1"] if name == "pan" else []
    assert train(name, own, run, "--direction", "BtoA", *more) == 0
    assert main(["measure", str(run), "--samples", "100"]) == 0
    rows = {r["name"]: r for r in json.loads((run / "measure.json").read_text())["rows"]}
    assert 0 <= rows["retrieval"]["value"] <= 1 and "of 6 held out" in rows["retrieval"]["note"]
    assert "right one of 12 is" in rows["retrieval"]["note"]
    assert main(["draw", str(run), "--n", "7", "--out", str(tmp_path / "seven")]) == 0
    assert len(list((tmp_path / "seven").iterdir())) == 7
    capsys.readouterr()
    assert main(["draw", str(run), "--text", "a"]) == 2
    assert "--text: own has no font" in capsys.readouterr().err
    assert train(name, own, run, "--resume", *more) == 2  # the other direction
    assert "direction was 'BtoA', now 'AtoB'" in capsys.readouterr().err


def test_two_folders(own, tmp_path, capsys):
    """Grey A, coloured B, of different numbers: no identity term, no truth to measure by."""
    for i in range(8):
        write(own / "trainA" / f"{i}.png", 16, 16)
        write(own / "trainB" / f"b{i // 2}.png", 24, 16, 3)
    run = tmp_path / "run"
    assert train("cyclegan", own, run) == 0
    game = load_game(run).game
    assert game.identity == 0 and game.source_shape == (1, 16, 16)
    write(tmp_path / "a.png", 30, 30)
    for words, shape in (([], (1, 16, 16, 3)), (["--back"], (1, 16, 16))):
        out = tmp_path / "made.npz"
        source = ["--from", str(tmp_path / "a.png"), "--out", str(out)]
        assert main(["draw", str(run), *words, *source]) == 0
        with np.load(out) as found:
            assert found["images"].shape == shape
    capsys.readouterr()
    assert main(["measure", str(run), "--samples", "100"]) == 2
    assert "truth of" in capsys.readouterr().err
    assert train("pix2pix", own, tmp_path / "other") == 2
    assert "pix2pix learns from pairs" in capsys.readouterr().err


def test_two_folders_of_pairs_are_taken_apart(own, tmp_path):
    """Named alike, they have a truth: cyclegan does not learn from it, and is measured by it."""
    for i in range(12):
        write(own / "trainA" / f"{i}.png", 16, 16)
        write(own / "trainB" / f"{i}.png", 16, 16)
    run = tmp_path / "run"
    assert train("cyclegan", own, run) == 0
    assert main(["measure", str(run), "--samples", "100"]) == 0
