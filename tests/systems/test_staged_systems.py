"""A system that is trained in stages, by the commands: trained, resumed in each, loaded, drawn."""

import sys
import types

import numpy as np
import pytest

from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import no_grad
from minigan.gan import Descend, Game
from minigan.systems import SYSTEMS, System, load_game
from minigan.systems.command import main
from minigan.systems.switched import Switched
from minigan.training import load_checkpoint
from minigan.training.checkpoint import newest


class Inverse(Game):
    """E learns to invert the finished G."""

    def __init__(self, encoder, generator, latent_dim):
        self.players = {"E": encoder}
        self.E, self.G, self.latent_dim = encoder, generator, latent_dim

    def moves(self, real):
        with no_grad():
            images = self.G(real.new_zeros(len(real), self.latent_dim).normal_())
        off = self.E(images) - self.E(real)
        yield Descend("E", (off * off).mean())

    def sample(self, latents):
        with no_grad():
            return self.G(latents)


class Staged(Switched):
    """G, then an encoder beside it."""

    paper = "nobody"

    def stages(self, c):
        return {"adversarial": 4, "inverse": 3}

    def game_after(self, players, c):
        assert c.stage == "inverse" and set(players) == {"G", "D"}
        encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, c.latent_dim))
        return Inverse(encoder, players["G"].requires_grad_(False).eval(), c.latent_dim)

    def optimizers(self, game, c):
        assert c.stage in ("adversarial", "inverse")
        return System.optimizers(self, game, c)

    def constraints(self, game, c):
        return {}


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    module = types.ModuleType("minigan.systems.staged_for_tests")
    module.Staged = Staged
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(SYSTEMS, "staged", ("staged_for_tests", "Staged"))


def train(out, *more):
    words = ["--dataset", "strokes", "--batch-size", "8", "--device", "cpu", "--quiet"]
    words += ["--no-doctor", "--sample-interval", "3", "--out", str(out), *more]
    return main(["train", "staged", *words])


def players(out):
    _, state = newest(out)
    found = state["trainer"]["players"]
    return {(p, k): np.asarray(v).tobytes() for p, net in found.items() for k, v in net.items()}


def test_a_staged_system(tmp_path, capsys):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert train(whole) == 0, capsys.readouterr().err
    for steps in ("2", "4", "6"):
        more = ["--resume"] * (steps != "2")
        assert train(parts, "--max-steps", steps, *more) == 0, capsys.readouterr().err
    assert load_game(parts).game.players.keys() == {"E"}
    assert train(parts, "--resume") == 0, capsys.readouterr().err
    assert players(whole) == players(parts) and newest(parts)[1]["step"] == 7
    game = load_game(parts).game
    left = load_checkpoint(parts / "checkpoints" / "stage0.safetensors")["players"]["G"]
    for name, value in game.G.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), left[name])
    assert main(["draw", str(parts), "--n", "2", "--out", str(tmp_path / "a.npz")]) == 0
    expected = game.sample(*game.inputs(2, Generator(0))).numpy()[:, 0]
    with np.load(tmp_path / "a.npz") as found:
        np.testing.assert_allclose(found["images"], (expected + 1) * 127.5, atol=0.51)
    (parts / "checkpoints" / "stage0.safetensors").unlink()
    assert main(["draw", str(parts)]) == 2
    said = capsys.readouterr().err
    assert "stage0.safetensors" in said and said.count("\n") == 1


def test_the_first_stage_is_loaded_as_it_is(tmp_path):
    assert train(tmp_path / "r", "--max-steps", "3") == 0
    assert set(load_game(tmp_path / "r").game.players) == {"G", "D"}
