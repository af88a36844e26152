"""PoseGAN: poses are imagined of those before them; frames are drawn of poses."""

import numpy as np
import pytest
from small_runs import train

from minigan import manual_seed, nn
from minigan.arrays import CPU, Generator
from minigan.autograd import tensor_of
from minigan.data.clips import walkers
from minigan.gan.clips import clip_critic
from minigan.gan.completion import OfBoth
from minigan.gan.poses import (
    SPOT,
    PoseGAN,
    PoseVAE,
    Prediction,
    Recognition,
    Renderer,
    spots,
)
from minigan.systems import load_game, system
from minigan.systems.command import main, with_given

from .steps import played

J, PAST, FUTURE, Z = 3, 2, 4, 2
log_sigmoid = lambda x: -np.logaddexp(0, -x)


@pytest.fixture
def poses():
    return np.random.default_rng(0).uniform(-1, 1, (4, PAST + FUTURE, J, 2)).astype(np.float32)


def vae(shuffled=False):
    manual_seed(0)
    E, P = Recognition(J, Z, 5), Prediction(J, Z, 5, FUTURE)
    return PoseVAE(E, P, PAST, Z, (8, 8), 0.5, shuffled)


def test_spots_are_where_joints_are():
    poses = np.array([[[[0.25, -0.75], [0.0, 0.5]]]], np.float32)
    found = spots(tensor_of(poses), (4, 8)).numpy()
    assert found.shape == (1, 2, 1, 4, 8)
    y, x = np.meshgrid((np.arange(4) + 0.5) / 2 - 1, (np.arange(8) + 0.5) / 4 - 1, indexing="ij")
    for j, (right, down) in enumerate(poses[0, 0]):
        expected = np.exp(-((x - right) ** 2 + (y - down) ** 2) / (2 * SPOT**2))
        np.testing.assert_allclose(found[0, j, 0], expected, rtol=1e-5, atol=1e-7)


def lstm(network, x, h, c):
    """All h, and the last states, by torch's formula, in NumPy."""
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy().astype(float) for p in network.parameters())
    sigmoid, found = lambda a: 1 / (1 + np.exp(-a)), []
    for step in x.swapaxes(0, 1):
        i, f, g, o = np.split(step @ w_ih.T + b_ih + h @ w_hh.T + b_hh, 4, 1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        found.append(h)
    return np.stack(found, 1), h, c


@pytest.mark.parametrize("shuffled", [False, True])
def test_poses_go_on_from_the_last_one(poses, shuffled):
    game, zero = vae(shuffled), np.zeros((4, 5))
    z = np.random.default_rng(1).normal(size=(4, Z)).astype(np.float32)
    past = np.roll(poses[:, :PAST], 1, 0) if shuffled else poses[:, :PAST]
    _, h, c = lstm(game.P.read, past.reshape(4, PAST, -1), zero, zero)
    hs, *_ = lstm(game.P.imagine, np.repeat(z[:, None], FUTURE, 1), h, c)
    weight, bias = (p.detach().numpy() for p in game.P.out.parameters())
    moved = (hs @ weight.T + bias).reshape(4, FUTURE, J, 2)
    found = game.imagined(tensor_of(poses[:, :PAST].copy()), tensor_of(z)).numpy()
    np.testing.assert_allclose(found, past[:, -1:] + moved.cumsum(1), atol=1e-5)


def test_the_bound_of_poses(poses, monkeypatch):
    game, drawn = vae(), []

    def reparametrize(mean, log_var):
        drawn.append((mean.detach().numpy(), log_var.detach().numpy()))
        return mean

    monkeypatch.setattr("minigan.gan.poses.reparametrize", reparametrize)
    moves, kept = played(game, poses)
    assert [(m.player, m.ascends) for m in moves] == [("E", False), ("P", False)]
    (mean, log_var), before = drawn[0], vae()
    made = before.imagined(tensor_of(poses[:, :PAST].copy()), tensor_of(mean)).numpy()
    error = ((poses[:, PAST:] - made) ** 2).reshape(4, -1).sum(1) / (2 * 0.5**2)
    kl = 0.5 * (np.exp(log_var) + mean**2 - 1 - log_var).sum(1)
    np.testing.assert_allclose(moves[0].value.item(), (error + kl).mean(), rtol=1e-4)
    for name in ("E", "P"):
        assert any((kept[0][name][k] != kept[1][name][k]).any() for k in kept[0][name])


@pytest.mark.parametrize("shuffled", [False, True])
def test_the_moves_of_the_second_stage(poses, shuffled):
    clips = np.random.default_rng(2).uniform(-1, 1, (4, 1, PAST + FUTURE, 8, 8))
    clips = clips.astype(np.float32)
    manual_seed(0)
    G = Renderer(1, J, 2)
    D = OfBoth(nn.Sequential(nn.Flatten(), nn.Linear((1 + J) * FUTURE * 64, 1)), flat=False)
    game = PoseGAN(G, D, Prediction(J, Z, 5, FUTURE), PAST, Z, 3.0, shuffled)
    told = np.roll(poses, 1, 0) if shuffled else poses
    seen = spots(tensor_of(told[:, PAST:].copy()), (8, 8))
    fake = G(tensor_of(clips[:, :, PAST - 1].copy()), seen).detach().numpy()
    moves, kept = played(game, clips, poses)
    assert [(m.player, m.ascends) for m in moves] == [("D", True), ("G", False)]

    def said(weights, x):
        both = np.concatenate([x, seen.numpy()], 1).reshape(4, -1)
        return both @ weights["D"]["network.1.weight"].T + weights["D"]["network.1.bias"]

    real = clips[:, :, PAST:]
    value = log_sigmoid(said(kept[0], real)).mean() + log_sigmoid(-said(kept[0], fake)).mean()
    np.testing.assert_allclose(moves[0].value.item(), value, rtol=1e-4)
    loss = -log_sigmoid(said(kept[1], fake)).mean() + 3 * np.abs(real - fake).mean()
    np.testing.assert_allclose(moves[1].value.item(), loss, rtol=1e-4)
    for name, before, after in (("D", 0, 1), ("G", 1, 2)):
        other = "G" if name == "D" else "D"
        change = lambda n: any((kept[before][n][k] != kept[after][n][k]).any() for k in kept[0][n])
        assert change(name) and not change(other)
    assert not any(p.requires_grad for p in game.P.parameters())


def test_the_renderer_and_its_critic():
    G, frame = Renderer(3, J, 2), np.zeros((2, 3, 16, 16), np.float32)
    seen = np.zeros((2, J, 5, 16, 16), np.float32)
    clips = G(tensor_of(frame), tensor_of(seen))
    assert clips.shape == (2, 3, 5, 16, 16)
    D = OfBoth(clip_critic((3 + J, 5, 16, 16), 2), flat=False)
    assert D(clips, tensor_of(seen)).shape == (2, 1)


def test_own_clips_and_poses(tmp_path, capsys):
    """Every tenth is held out; the rows of a run that ends in each stage."""
    data = walkers(60, frames=6, side=16)
    own = tmp_path / "own.npz"
    np.savez(own, clips=data.clips[:, 0], poses=data.poses)
    run = tmp_path / "run"
    more = ["--dataset", str(own)]
    assert train("posegan", run, 6, *more) == 0, capsys.readouterr().err
    kind, game, c, _ = load_game(run)
    c = with_given(c, run)
    assert len(kind.data(c)) == 54 and len(kind.data(c, "test")) == 6
    rows = {row.name: row for row in kind.measure(game, c, 100, CPU)}
    assert rows["persistence"].value > 0 and rows["frame error"].value > 0
    assert rows["of the best"].value <= rows["of one"].value
    truth = kind.data(c, "test").poses
    still = truth[:, 2:] - truth[:, 1:2]
    expected = np.sqrt((still**2).sum(-1)).mean() * 8
    assert rows["persistence"].value == pytest.approx(expected, rel=1e-5)
    assert rows["pose error"].target == rows["persistence"].value
    assert train("posegan", tmp_path / "first", 2, *more) == 0
    kind, game, c, _ = load_game(tmp_path / "first")
    names = [r.name for r in kind.measure(game, with_given(c, tmp_path / "first"), 9, CPU)]
    assert names[0] == "pose error" and "frame error" not in names
    assert main(["draw", str(tmp_path / "first"), "--n", "2"]) == 0


def test_the_control_is_shuffled(tmp_path):
    for words, shuffled in ((["--control"], True), ([], False)):
        out = tmp_path / f"r{shuffled}"
        assert train("posegan", out, 6, *words) == 0
        game = load_game(out).game
        assert game.shuffled is shuffled
        kind = system("posegan")
        game.clips = game.poses = np.zeros((3, 6, 9, 2), np.float32)
        assert kind.writes == "clips"
        past = np.random.default_rng(0).normal(size=(3, 2, 9, 2)).astype(np.float32)
        z = Generator(0).normal((3, 8))
        found = game.imagined(tensor_of(past), tensor_of(z)).numpy()
        changed = past.copy()
        changed[0] += 1
        other = game.imagined(tensor_of(changed), tensor_of(z)).numpy()
        differs = (found != other).any((1, 2, 3)).tolist()
        assert differs == ([False, True, False] if shuffled else [True, False, False])
