"""What comes with the package: each of the zoo is loaded, and draws; how one gets there."""

import json
import sys

import numpy as np
import pytest

from minigan.arrays import Generator, resolve_device
from minigan.systems import load_game, zoo
from minigan.systems.command import main, with_given
from minigan.training import RunError


@pytest.mark.parametrize("name", zoo.index())
def test_each_draws(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["draw", f"zoo:{name}", "--n", "4"]) == 0
    assert "written: drawn.png" in capsys.readouterr().out and (tmp_path / "drawn.png").exists()
    entry = zoo.index()[name]
    kind, game, c, step = load_game(f"zoo:{name}")
    assert (kind.name, step) == (entry["system"], entry["step"])
    assert entry["command"].startswith("python -m minigan train ") and "/" not in entry["command"]
    kind.ready(game, with_given(c, f"zoo:{name}"), resolve_device("cpu"))
    images = game.sample(*game.inputs(8, Generator(0))).numpy()
    assert np.abs(images).max() <= 1 and images.std() > 0.3
    assert all(x.dtype == np.float32 or x.dtype == np.int64
               for n in game.players.values() for x in n.state_dict().values())  # fmt: skip


def test_what_is_asked_for_is_drawn():
    """The package's classifier reads the sevens of zoo:cgan."""
    from minigan.metrics import describe, load_classifier

    _, game, _, _ = load_game("zoo:cgan")
    images = game.sample(*game.asked(game.inputs(50, Generator(0)), 7)).numpy()
    assert (describe(images, load_classifier()).digits == 7).mean() > 0.9


def test_together_they_are_small():
    files = [zoo.FOLDER / entry["file"] for entry in zoo.index().values()]
    assert 0 < sum(f.stat().st_size for f in files) <= zoo.ROOM
    assert {f.name for f in zoo.FOLDER.glob("*.safetensors")} == {f.name for f in files}


def test_what_is_not_there(capsys):
    assert main(["draw", "zoo:cgn"]) == 2
    assert "there is no zoo:cgn; did you mean 'cgan'?: the zoo has" in capsys.readouterr().err
    assert main(["measure", "zoo:cgan"]) == 2
    assert "zoo:cgan" in capsys.readouterr().err


def test_putting_one_there(tmp_path, monkeypatch, capsys):
    """Of a run of three steps: rounded to float16 it draws nearly the same; a changed file is
    refused."""
    run = tmp_path / "run"
    words = ["--dataset", "strokes", "--batch-size", "8", "--max-steps", "3", "--quiet"]
    words = ["train", "gan", *words, "--no-doctor", "--out", str(run)]
    monkeypatch.setattr(sys, "argv", ["/x/minigan/__main__.py", *words])
    assert main(words) == 0
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    path = zoo.put(run, "mine")
    assert path.stat().st_size < 3_200_000
    entry = json.loads((tmp_path / "index.json").read_text())["mine"]
    assert entry["command"] == (
        "python -m minigan train gan --dataset strokes --batch-size 8 --max-steps 3 --no-doctor"
    )
    here, there = load_game("zoo:mine").game, load_game(run).game
    assert list(here.players) == ["G"]
    inputs = here.inputs(4, Generator(0))
    np.testing.assert_allclose(here.sample(*inputs), there.sample(*inputs), atol=5e-3)
    monkeypatch.setattr(zoo, "ROOM", 1000)
    with pytest.raises(ValueError, match="1,000 are allowed"):
        zoo.put(run, "other")
    assert not (tmp_path / "other.safetensors").exists()
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(RunError, match="SHA-256 differs"):
        load_game("zoo:mine")
