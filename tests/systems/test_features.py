"""Features of a finished D: what they are, the regressions' loss, what is frozen, the control."""

import numpy as np
import pytest

from minigan import nn
from minigan.autograd import tensor_of
from minigan.gan.readout import Layers, Readout, Regression
from minigan.systems import load_game
from minigan.systems.command import main
from minigan.training import load_checkpoint

from .steps import assert_descends, assert_only, played

RNG = np.random.default_rng(3)


def trained(out, *words):
    options = ["--dataset", "strokes", "--batch-size", "8", "--max-steps", "3", "--no-doctor"]
    more = ["--device", "cpu", "--quiet", "--out", str(out)]
    return main(["train", *words, *options, *more])


def test_features_are_maxima_of_the_activations_in_a_grid():
    conv = nn.Conv2d(1, 2, 1)
    net = nn.Sequential(conv, nn.ReLU(), nn.Flatten(), nn.Linear(2 * 8 * 8, 3), nn.Tanh())
    x = RNG.normal(size=(2, 1, 8, 8)).astype("float32")
    found = Layers(net)(tensor_of(x)).detach().numpy()
    w, b = conv.weight.detach().numpy().reshape(2), conv.bias.detach().numpy()
    maps = np.maximum(x * w[:, None, None] + b[:, None, None], 0)
    pooled = [
        [maps[n, c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max() for c in range(2)
         for i in range(4) for j in range(4)] for n in range(2)
    ]  # fmt: skip
    hidden = np.tanh(
        maps.reshape(2, -1) @ net[3].weight.detach().numpy().T + net[3].bias.detach().numpy()
    )
    np.testing.assert_allclose(found, np.concatenate([pooled, hidden], 1), rtol=2e-5, atol=1e-6)
    assert not Layers(nn.Sequential(nn.BatchNorm1d(3), nn.ReLU())).per_example
    with pytest.raises(ValueError, match="without activations"):
        Layers(nn.Sequential(nn.Linear(2, 2)))


def test_losses_and_steps_of_both_regressions():
    images, labels = RNG.normal(size=(4, 3)), np.array([1, 0, 1, 1])
    base = nn.Sequential(nn.Linear(3, 5), nn.Tanh()).double()
    features = Layers(base).eval().requires_grad_(False)
    players = Regression(5, 2).double(), Regression(3, 2).double()
    for k, player in enumerate(players):
        player.linear.weight = nn.Parameter(RNG.normal(size=player.linear.weight.shape))
        player.standardise(tensor_of(RNG.normal(2, 3, (9, (5, 3)[k]))))
    game = Readout(features, nn.Identity(), *players, latent_dim=2, decay=0.1)
    moves, (start, end) = played(game, images, labels)
    seen = np.tanh(images @ base[0].weight.numpy().T + base[0].bias.numpy())

    def loss(x, player, w):
        x = (x - player.mean.numpy()) / player.length.numpy()
        logits = x @ w.T  # the biases are 0
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        return -np.log(p[range(4), labels]).mean() + 0.1 * (w**2).sum()

    for move, name, x in zip(moves, "CP", (seen, images)):
        w = start[name]["linear.weight"]
        player = game.players[name]
        assert (move.player, move.ascends) == (name, False)
        np.testing.assert_allclose(move.value.item(), loss(x, player, w))
        assert_descends(lambda w: loss(x, player, w), w, end[name]["linear.weight"])
    assert_only("P", {"P": start["P"]}, {"P": end["P"]})


def test_standardised_features():
    regression = Regression(3, 2)
    x = RNG.normal(2, 3, (50, 3)).astype("float32")
    x[:, 1] = 7
    regression.standardise(tensor_of(x))
    regression.linear.weight = nn.Parameter(np.eye(3, dtype="float32")[:2])
    y = regression(tensor_of(x)).detach().numpy()
    np.testing.assert_allclose(y[:, 0], (x[:, 0] - x[:, 0].mean()) / x[:, 0].std(ddof=1), rtol=1e-4)
    np.testing.assert_array_equal(y[:, 1], 0)
    assert set(regression.state_dict()) == {"mean", "length", "linear.weight", "linear.bias"}


def test_the_finished_networks_are_frozen_and_not_saved(tmp_path, capsys):
    finished, run, control = tmp_path / "gan", tmp_path / "run", tmp_path / "control"
    words = ["features", "--of", str(finished), "--labels", "20"]
    assert trained(finished, "gan") == 0
    before = load_game(finished).game.players["D"].state_dict()
    assert trained(run, *words) == 0 and trained(control, *words, "--control") == 0
    saved = load_checkpoint(sorted(run.glob("checkpoints/0*"))[-1])["trainer"]
    assert set(saved["players"]) == {"C", "P"} and not saved["game"]
    here, there = load_game(run).game.features.network, load_game(control).game.features.network
    for name, value in before.items():
        np.testing.assert_array_equal(here.state_dict()[name].numpy(), value.numpy())
    # the control's D is another, and the same each time that the run is loaded
    again = load_game(control).game.features.network.state_dict()
    for name, value in there.state_dict().items():
        np.testing.assert_array_equal(again[name].numpy(), value.numpy())
    assert (there[1].weight.numpy() != before["1.weight"].numpy()).mean() > 0.9
    # both regressions of the control saw the same labelled images
    first, second = (load_game(x).game.players["P"].state_dict() for x in (run, control))
    for name, value in first.items():
        np.testing.assert_array_equal(second[name].numpy(), value.numpy())


def test_what_it_cannot_be_about(tmp_path, capsys):
    finished, conditional = tmp_path / "gan", tmp_path / "cgan"
    assert trained(finished, "gan") == 0 and trained(conditional, "cgan") == 0
    run = tmp_path / "run"
    capsys.readouterr()
    for words, said in (
        ((), "--of RUN: say whose D it is about"),
        (("--of", str(tmp_path / "no")), "there is no saved model"),
        (("--of", str(conditional)), "the D of cgan does not judge single pictures"),
    ):
        assert trained(run, "features", *words) == 2
        found = capsys.readouterr().err
        assert said in found and found.count("\n") == 1
    assert trained(run, "features", "--of", str(finished)) == 0
    resumed = ["gan", "--resume", "--epochs", "1"]
    options = ["--dataset", "strokes", "--batch-size", "8", "--max-steps", "5", "--no-doctor"]
    more = ["--device", "cpu", "--quiet", "--out", str(finished)]
    assert main(["train", *resumed, *options, *more]) == 0  # it is another D now
    capsys.readouterr()
    assert main(["measure", str(run)]) == 2
    assert "is not the one of before" in capsys.readouterr().err
