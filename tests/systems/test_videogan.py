"""VideoGAN: a foreground, a mask, and a background that stands still."""

import numpy as np
import pytest
from small_runs import train

from minigan import manual_seed, nn
from minigan.arrays import Generator
from minigan.gan.clips import TwoStreams, VideoGAN
from minigan.gan.penalties import R1
from minigan.systems import load_game
from minigan.systems.videogan import in_time, varying

from .steps import assert_only, played

SHAPE = (3, 4, 8, 8)
log_sigmoid = lambda x: -np.logaddexp(0, -x)


def small(two=True, sparsity=0.1, **penalised):
    D = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 64, 1))
    return VideoGAN(TwoStreams(5, SHAPE, 2, two), D, 5, sparsity, **penalised)


def parts(game, latents):
    """(f, m, b) of G's networks, in NumPy."""
    drawn = game.G.foreground(latents).detach().numpy()
    sigmoid = 1 / (1 + np.exp(-drawn[:, 3:]))
    return np.tanh(drawn[:, :3]), sigmoid, game.G.background(latents).detach().numpy()


def test_a_clip_is_made_of_three():
    game = small()
    game.G.eval()
    (latents,) = game.inputs(2, Generator(0))
    f, m, b = parts(game, latents)
    assert f.shape == (2, *SHAPE) and m.shape == (2, 1, 4, 8, 8) and b.shape == (2, 3, 8, 8)
    expected = m * f + (1 - m) * b[:, :, None]
    np.testing.assert_allclose(game.sample(latents).numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(game.masks(latents).numpy(), m, atol=1e-6)


def test_what_the_mask_leaves_stands_still():
    """With a mask of 0 a clip is its background, in all frames."""
    game = small()
    last = game.G.foreground[-1]
    last.weight.data[:, 3:] = 0
    last.bias.data[3:] = -50
    (latents,) = game.inputs(2, Generator(0))
    clips = game.sample(latents).numpy()
    assert in_time(clips).max() < 1e-12 and clips.std() > 0.01


@pytest.mark.parametrize("frames", [4, 5])
def test_any_number_of_frames(frames):
    game = VideoGAN(TwoStreams(5, (1, frames, 16, 16), 2), nn.Flatten(), 5)
    assert game.sample(*game.inputs(2, Generator(0))).shape == (2, 1, frames, 16, 16)


@pytest.mark.parametrize("two", [True, False])
def test_the_moves(two, monkeypatch):
    manual_seed(0)
    game, drawn = small(two, 0.5, penalties=[R1(0.6)], penalty_examples=1), []
    latents = game.latents
    monkeypatch.setattr(
        game, "latents", lambda n, like: drawn.append(latents(n, like)) or drawn[-1]
    )
    real = np.random.default_rng(0).uniform(-1, 1, (4, *SHAPE)).astype(np.float32)
    seen = []
    masked = game.G.masked
    monkeypatch.setattr(game.G, "masked", lambda z: seen.append(masked(z)) or seen[-1])
    moves, kept = played(game, real)
    assert [(m.player, m.ascends) for m in moves] == [("D", True), ("G", False)]
    said = lambda w, x: x.reshape(4, -1) @ w["D"]["1.weight"].T + w["D"]["1.bias"]
    fake = seen[0][0].numpy()
    value = log_sigmoid(said(kept[0], real)).mean() + log_sigmoid(-said(kept[0], fake)).mean()
    value -= 0.6 / 2 * (kept[0]["D"]["1.weight"] ** 2).sum()  # of a linear D
    np.testing.assert_allclose(moves[0].value.item(), value, rtol=1e-5)
    fake = seen[1][0].detach().numpy()
    loss = -log_sigmoid(said(kept[1], fake)).mean()
    if two:
        loss += 0.5 * np.abs(seen[1][1].detach().numpy()).mean()
    np.testing.assert_allclose(moves[1].value.item(), loss, rtol=1e-5)
    assert_only("D", kept[0], kept[1])
    changed = {k for k in kept[1]["G"] if (kept[1]["G"][k] != kept[2]["G"][k]).any()}
    streams = {name.split(".")[0] for name in changed}
    assert streams == ({"foreground", "background"} if two else {"foreground"})
    assert all((kept[1]["D"][k] == kept[2]["D"][k]).all() for k in kept[1]["D"])
    assert ("mask" in game.measure(moves)) == two


def test_the_variance_that_is_measured():
    clips = np.zeros((1, 1, 2, 2, 4), np.float32)
    clips[0, 0, 1] = np.sqrt(np.arange(8)).reshape(2, 4)  # variances 0, 1/4, ..., 7/4
    np.testing.assert_allclose(in_time(clips).ravel(), np.arange(8) / 4, rtol=1e-6)
    assert varying(clips, 0, 0.5) == pytest.approx(np.mean([0, 1, 2, 3]) / 4)
    assert varying(clips, 0.75, 1) == pytest.approx(6.5 / 4)


def test_the_control_has_one_stream(tmp_path):
    assert train("videogan", tmp_path / "r", 2, "--control") == 0
    game = load_game(tmp_path / "r").game
    assert game.G.background is None and game.masks(*game.inputs(2, Generator(0))) is None
    assert game.sample(*game.inputs(2, Generator(0))).shape == (2, 3, 4, 16, 16)
