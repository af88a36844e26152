"""The code of docs/adding.md works as it is written there."""

import pathlib
import re

import numpy as np
import pytest

import minigan
from minigan import data, gan, nn
from minigan.autograd import OPS, gradcheck, gradgradcheck, tensor_of
from minigan.nn import activation as layers
from minigan.ops import activation as cards
from minigan.optim import SGD

TEXT = (pathlib.Path(__file__).parents[1] / "docs" / "adding.md").read_text(encoding="utf-8")


def code(heading, where):
    """The names that the block of code under a heading makes, in a module like `where`."""
    block = re.search(rf"^## {heading}$.*?```python\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE)[1]
    names = dict(vars(where))
    exec(block, names)
    return names


@pytest.fixture
def squareplus(monkeypatch):
    monkeypatch.setattr(
        minigan.ops, "squareplus", code("An op", cards)["squareplus"], raising=False
    )
    yield minigan.ops.squareplus
    del OPS["squareplus"]  # the table of cases asks for a case of every op


def test_an_op(squareplus):
    x = tensor_of(np.array([-3.0, 0.0, 0.7]), requires_grad=True)
    np.testing.assert_allclose(
        squareplus(x).detach().numpy(), [(13**0.5 - 3) / 2, 1, (0.7 + 4.49**0.5) / 2]
    )
    assert gradcheck(squareplus, (x,)) and gradgradcheck(squareplus, (x,))
    assert squareplus(minigan.tensor([0, 3])).dtype == np.float32


def test_a_layer(squareplus):
    layer = code("A layer", layers)["Squareplus"]()
    assert layer.per_example and layer(minigan.zeros(2)).tolist() == [1, 1]


def test_a_game():
    noisy = code("A game", gan.games)["Noisy"]
    game = noisy(nn.Linear(2, 1), nn.Linear(1, 1), gan.NonSaturating(), latent_dim=2, deviation=0.5)
    moves = gan.Trainer(game, {n: SGD(p.parameters(), 0.1) for n, p in game.players.items()}).play(
        minigan.ones(8, 1)
    )
    assert [m.player for m in moves] == ["D", "G"]


def test_a_data_set(monkeypatch):
    monkeypatch.setitem(data.DATASETS, "checkers", code("A data set", data)["_checkers"])
    images = data.load_dataset("checkers").images
    assert images.shape == (1000, 1, 28, 28) and images[0, 0, :2, :2].tolist() == [
        [0, 255],
        [255, 0],
    ]


def test_every_file_that_a_recipe_names_is_there():
    root = pathlib.Path(__file__).parents[1]
    assert not [
        f for f in re.findall(r"`((?:minigan|tests)/[\w/.]+)`", TEXT) if not (root / f).exists()
    ]


def test_a_system(tmp_path, monkeypatch):
    from minigan import systems
    from minigan.systems import command, switched

    monkeypatch.setattr(switched, "Hinge", code("A system", switched)["Hinge"], raising=False)
    monkeypatch.setitem(systems.SYSTEMS, "hinge", ("switched", "Hinge"))
    words = ["--dataset", "strokes", "--max-steps", "2", "--quiet", "--no-doctor", "--device"]
    assert command.main(["train", "hinge", *words, "cpu", "--out", str(tmp_path / "run")]) == 0
    loaded = systems.load_game(tmp_path / "run")
    assert loaded.c.objective == "hinge" and type(loaded.game.objective).__name__ == "Hinge"
    assert command.main(["draw", str(tmp_path / "run"), "--n", "2"]) == 0
