"""Inference: its loss in NumPy, a G that stays as it was, whose run is named; the control."""

import json

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.gan import Inference, Trainer
from minigan.metrics.classifier import digest_of
from minigan.optim import SGD
from minigan.systems import load_game
from minigan.systems.command import main
from minigan.systems.inference import explained

from .test_command import train

RNG = np.random.default_rng(4)
Z, OTHER = RNG.normal(size=(2, 4, 2))


def linear(n_in, n_out, seed):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(np.random.default_rng(seed).normal(size=(n_out, n_in)))
    return layer


@pytest.mark.parametrize("paired", [True, False])
def test_the_encoder_moves_and_the_generator_does_not(paired):
    draws = [Z, OTHER]
    game = Inference(linear(3, 2, 0), linear(2, 3, 1), 2, paired=paired)
    game.latents = lambda n, like: tensor_of(draws.pop(0))
    e, g = (m.weight.detach().numpy().copy() for m in (game.E, game.G))
    trainer = Trainer(game, {"E": SGD(game.E.parameters(), lr=1.0)})
    (move,) = trainer.play(tensor_of(np.zeros((4, 3))))
    x = (Z if paired else OTHER) @ g.T
    left = x @ e.T - Z
    assert move.player == "E" and not move.ascends
    assert move.value.item() == pytest.approx((left**2).sum() / (4 * 2), rel=1e-9)
    # d/dE of the mean square: 2 (E x - z) x^T / (N d)
    np.testing.assert_allclose(game.E.weight.detach().numpy(), e - left.T @ x / 4, rtol=1e-9)
    np.testing.assert_array_equal(game.G.weight.numpy(), g)


def test_the_generator_is_frozen_and_no_state():
    G = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    game = Inference(linear(3, 2, 0), G, 2)
    assert not G.training and not any(p.requires_grad for p in G.parameters())
    assert game.state_dict() == {} and list(game.players) == ["E"]
    before = digest_of(G)
    game.E.to(minigan.float32)
    Trainer(game, {"E": SGD(game.E.parameters(), lr=0.1)}).play(minigan.zeros(4, 3))
    assert digest_of(G) == before
    G[0].weight = nn.Parameter(G[0].weight.numpy() + 1e-3)
    assert digest_of(G) != before


def test_explained():
    """Of what is right, of the mean alone, and of half the way between."""
    truth = RNG.normal(size=(5, 2))
    assert explained(truth, truth) == 1
    mean = np.broadcast_to(truth.mean(0), truth.shape)
    assert explained(mean, truth) == pytest.approx(0)
    assert explained((truth + mean) / 2, truth) == pytest.approx(0.75)


def test_z_is_of_the_distribution_that_the_generator_knows(tmp_path):
    assert train("gan", tmp_path / "finished", 2, "--latent", "uniform") == 0
    assert train("inference", tmp_path / "run", 2) == 0
    game = load_game(tmp_path / "run").game
    like = minigan.zeros(2000, 1)
    for z in (game.latents(2000, like), *game.inputs(2000, Generator(0))):
        assert abs(z.numpy()).max() <= 1 and z.numpy().std() == pytest.approx(3**-0.5, rel=0.02)


def test_a_run_names_whose_generator_it_is_for(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, gan = tmp_path / "run", tmp_path / "finished"
    assert train("inference", run, 2) == 0
    found = json.loads((run / "config.json").read_text())
    assert found["of"] == str(gan) and found["latent_dim"] == 100
    G = load_game(gan).game.players["G"]
    assert found["of_digest"] == digest_of(G) == digest_of(load_game(run).game.G)
    assert main(["measure", str(run), "--samples", "100"]) == 0
    rows = {r["name"]: r for r in json.loads((run / "measure.json").read_text())["rows"]}
    assert rows["R^2 of z"]["value"] < 0.1 and rows["test distance"]["target"] > 0
    capsys.readouterr()
    assert train("gan", gan, 4, "--resume") == 0  # it goes on: its G is another one
    assert main(["draw", str(run)]) == 2
    assert "is not the one of before" in capsys.readouterr().err


@pytest.mark.parametrize("of, said", [
    (None, "--of RUN: say whose G"),
    ("nowhere", "there is no saved model in nowhere"),
    ("cgan", "the pictures of cgan are not made of z alone"),
    ("vae", "the pictures of vae are not what its G gives"),
])  # fmt: skip
def test_runs_that_have_no_such_generator(of, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if of not in (None, "nowhere"):
        assert train(of, tmp_path / of, 2) == 0
    capsys.readouterr()
    words = ["--dataset", "strokes", *(["--of", of] if of else [])]
    assert main(["train", "inference", "--device", "cpu", *words]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1 and not (tmp_path / "runs").exists()
