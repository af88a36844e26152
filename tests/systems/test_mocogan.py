"""MoCoGAN: what stays and what moves are apart, and each player descends its own."""

import numpy as np
import pytest
from small_runs import train

from minigan import cat, manual_seed, nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.gan.clips import (
    AFFINE,
    ContentTimesMotion,
    MoCoGAN,
    MovingContent,
    WarpedContent,
    clip_critic,
    frame_of,
    mixture,
)
from minigan.gan.penalties import R1
from minigan.systems import load_game
from minigan.systems.clips import Digits, middles
from minigan.systems.command import main
from minigan.training import save_checkpoint
from minigan.training.pretrained import saved_state

from .steps import assert_only, played

T, SHAPE = 5, (1, 4, 4)
log_sigmoid = lambda x: -np.logaddexp(0, -x)


class Draw(nn.Module):
    """Frames by a linear layer of content and motion."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(5, 16)

    def forward(self, content, motion):
        n, frames = motion.shape[:2]
        still = content[:, None].expand(n, frames, 3)
        return self.layer(cat([still, motion], 2).reshape(-1, 5)).tanh().reshape(-1, *SHAPE)


def small(recurrent=True, **penalised):
    draw = Draw()
    image_critic = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))
    critic = nn.Sequential(nn.Flatten(), nn.Linear(16 * T, 1))
    G = MovingContent(draw, 2, recurrent)
    return MoCoGAN(G, image_critic, critic, T, 3, 2, **penalised)


@pytest.fixture
def batch():
    return np.random.default_rng(0).uniform(-1, 1, (4, 1, T, 4, 4)).astype(np.float32)


def gru(G, noise):
    """z_M(t) by torch's formula, in NumPy: (N, T, motion) of eps (N, T + 1, motion)."""
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy() for p in G.path.parameters())
    sigmoid = lambda x: 1 / (1 + np.exp(-x))
    h, found = noise[:, 0], []
    for x in noise[:, 1:].swapaxes(0, 1):
        a, b = x @ w_ih.T + b_ih, h @ w_hh.T + b_hh
        (ar, az, au), (br, bz, bu) = np.split(a, 3, 1), np.split(b, 3, 1)
        r, z = sigmoid(ar + br), sigmoid(az + bz)
        h = (1 - z) * np.tanh(au + r * bu) + z * h
        found.append(h)
    return np.stack(found, 1)


@pytest.mark.parametrize("recurrent", [True, False])
def test_frames_of_content_and_motion(recurrent):
    game = small(recurrent)
    content, noise = game.inputs(3, Generator(1))
    c, eps = content.numpy(), noise.numpy()
    motion = gru(game.G, eps) if recurrent else eps[:, 1:]
    weight, bias = (p.detach().numpy() for p in game.G.draw.parameters())
    found = game.sample(content, noise).numpy()
    assert found.shape == (3, 1, T, 4, 4)
    for t in range(T):
        frame = np.tanh(np.concatenate([c, motion[:, t]], 1) @ weight.T + bias)
        np.testing.assert_allclose(found[:, 0, t].reshape(3, 16), frame, atol=2e-6)


def test_fresh_noise_knows_nothing_of_the_frame_before():
    """The control is off: what eps_1 is changes the first frame alone; with the GRU all of them."""
    for recurrent in (True, False):
        game = small(recurrent)
        content, noise = game.inputs(2, Generator(1))
        other = noise.numpy().copy()
        other[:, 1] += 1
        far = game.sample(content, noise).numpy() != game.sample(content, tensor_of(other)).numpy()
        assert far.any((0, 1, 3, 4)).tolist() == [True] + [recurrent] * (T - 1)


def test_content_times_motion():
    """Where motion's numbers are 0 nothing of content is seen; where they are 1, content alone."""
    manual_seed(0)
    both = ContentTimesMotion(3, 2, (1, 8, 8), 2, 6).eval()
    random = np.random.default_rng(0)
    content, motion = (
        tensor_of(random.normal(size=s).astype(np.float32)) for s in ((4, 3), (4, T, 2))
    )
    c = both.content(content).detach().numpy()
    m = both.motion(motion.reshape(4 * T, 2)).detach().numpy()
    found = lambda: both(content, motion).detach().numpy()
    drawn = lambda codes: both.frame(tensor_of(codes)).detach().numpy()
    assert found().shape == (4 * T, 1, 8, 8)
    np.testing.assert_allclose(found(), drawn(c.repeat(T, 0) * m), atol=1e-6)
    last = both.motion[-1]
    last.weight.data[:] = 0
    np.testing.assert_array_equal(found(), drawn(np.zeros((4 * T, 6), np.float32)))
    last.bias.data[:] = 1
    np.testing.assert_array_equal(found(), drawn(c.repeat(T, 0)))


def test_a_picture_that_is_warped():
    """All frames are the picture until motion says something; then each is moved by its own."""
    manual_seed(0)
    net = WarpedContent(3, 2, (1, 16, 16), 2, 6).eval()
    random = np.random.default_rng(0)
    content, motion = (
        tensor_of(random.normal(size=s).astype(np.float32)) for s in ((4, 3), (4, T, 2))
    )
    pictures = net.still(content).detach().numpy()[:, 0]
    found = lambda: net(content, motion).detach().numpy().reshape(4, T, 16, 16)
    last = net.affine[-1]
    last.weight.data[:] = 0
    for frame in found().swapaxes(0, 1):
        np.testing.assert_allclose(frame, pictures, atol=1e-5)
    last.bias.data[2] = 2.5  # an eighth of the plane, two pixels, to the left
    for frame in found().swapaxes(0, 1):
        np.testing.assert_allclose(frame[..., :-2], pictures[..., 2:], atol=1e-5)
        np.testing.assert_allclose(frame[..., -2:], pictures[..., [-1, -1]], atol=1e-5)
    last.weight.data[:] = np.eye(6, AFFINE, dtype=np.float32)
    clips = found()
    one = net(content[1:2], motion[1:2, 2:3]).detach().numpy()[0, 0]
    np.testing.assert_allclose(clips[1, 2], one, atol=1e-5)
    assert (clips[:, 0] != clips[:, 1]).any()


def test_a_frame_of_each_clip():
    clips = tensor_of(np.arange(6 * 2 * 3 * 4, dtype=np.float32).reshape(6, 2, 3, 2, 2))
    manual_seed(1)
    seen = set()
    for _ in range(20):
        found = frame_of(clips).numpy()
        for one, clip in zip(found, clips.numpy()):
            times = [t for t in range(3) if (one == clip[:, t]).all()]
            assert len(times) == 1
            seen.add(times[0])
    assert seen == {0, 1, 2}


def test_the_moves(batch, monkeypatch):
    """Their values in NumPy, and whose weights they change."""
    manual_seed(0)
    game, drawn = small(penalties=[R1(0.6)], penalty_examples=1), []
    noise = game.noise
    monkeypatch.setattr(game, "noise", lambda n, like: drawn.append(noise(n, like)) or drawn[-1])
    monkeypatch.setattr("minigan.gan.clips.frame_of", lambda clips: clips[:, :, 2])
    moves, kept = played(game, batch)
    assert [m.player for m in moves] == ["D_I", "D_V", "G"]
    assert [m.ascends for m in moves] == [True, True, False]

    def said(weights, name, x):
        p = weights[name]
        return x.reshape(len(x), -1) @ p["1.weight"].T + p["1.bias"]

    def made(weights, k):
        with_them = small()
        for name, p in with_them.G.named_parameters():
            p.data = tensor_of(weights["G"][name])
        return with_them.sample(*drawn[k]).numpy()

    fake = made(kept[0], 0)
    for move, name, real, false in (
        (moves[0], "D_I", batch[:, :, 2], fake[:, :, 2]), (moves[1], "D_V", batch, fake)
    ):  # fmt: skip
        value = log_sigmoid(said(kept[0], name, real)).mean()
        value += log_sigmoid(-said(kept[0], name, false)).mean()
        value -= 0.6 / 2 * (kept[0][name]["1.weight"] ** 2).sum()  # of a linear D
        np.testing.assert_allclose(move.value.item(), value, rtol=1e-5)
    fake = made(kept[1], 1)
    loss = -log_sigmoid(said(kept[1], "D_I", fake[:, :, 2])).mean()
    loss -= log_sigmoid(said(kept[1], "D_V", fake)).mean()
    np.testing.assert_allclose(moves[2].value.item(), loss, rtol=1e-5)
    assert_only("G", kept[1], kept[2])
    same = lambda n: all((kept[0][n][k] == kept[1][n][k]).all() for k in kept[0][n])
    assert same("G") and not same("D_I") and not same("D_V")
    assert any(name.startswith("path.") for name in kept[0]["G"])


def test_penalties_look_at_what_each_critic_sees(batch, monkeypatch):
    monkeypatch.setattr("minigan.gan.clips.frame_of", lambda clips: clips[:, :, 2])
    seen = []

    def penalty(critic, real, fake):
        seen.append((critic, real.numpy()))
        assert real.shape == fake.shape and not (real.numpy() == fake.numpy()).any()
        return real.mean() * 0

    game = small(penalties=[penalty], penalty_examples=2)
    played(game, batch)
    assert [critic for critic, _ in seen] == [game.D_I, game.D_V]
    np.testing.assert_array_equal(seen[0][1], batch[:2, :, 2])
    np.testing.assert_array_equal(seen[1][1], batch[:2])


def test_the_critic_of_clips_halves_what_it_sees():
    D = clip_critic((1, 10, 32, 32), 4)
    shapes = [tuple(m.weight.shape) for m in D if isinstance(m, nn.Conv3d)]
    assert shapes == [(4, 1, 3, 4, 4), (8, 4, 3, 4, 4), (16, 8, 3, 4, 4)]
    assert D(tensor_of(np.zeros((2, 1, 10, 32, 32), np.float32))).shape == (2, 1)
    with_trunk = clip_critic((1, 10, 32, 32), 4, hidden=7)
    linear = [tuple(m.weight.shape) for m in with_trunk if isinstance(m, nn.Linear)]
    assert linear == [(7, 16 * 3 * 4 * 4), (1, 7)]
    assert not any("Norm" in type(m).__name__ for m in with_trunk.modules())


def test_labels_and_paths_of_real_digits():
    from minigan.data import load_dataset
    from minigan.data.clips import moving_digits

    data = moving_digits(load_dataset("strokes", "test"), 40)
    clips = data.clips.astype(np.float32) / 127.5 - 1
    found = Digits(clips, "cpu")
    assert found.one == 1.0 and (found.label == data.labels).mean() > 0.6
    # the centre of its ink is always at the same place of it, but where the edge cuts some off
    away = middles(clips) - data.paths
    assert np.abs(away - away[:, :1]).max() < 1 and np.abs(away - away[:, :1]).mean() < 0.05
    assert 1 < found.step < 2.5 and 5 < found.kinds <= 10
    mixed = np.concatenate([clips[:20, :, :5], clips[20:, :, :5]], 2)
    assert Digits(mixed, "cpu").one < 0.5


def test_the_control_has_no_recurrent_network(tmp_path):
    assert train("mocogan", tmp_path / "r", 2, "--control") == 0
    game = load_game(tmp_path / "r").game
    assert game.G.path is None and not any("path" in n for n, _ in game.G.named_parameters())


def test_rates_may_fall_and_a_run_from_before_goes_on(tmp_path):
    """A run that says nothing of an option that came later has its default."""
    out = tmp_path / "r"
    assert train("mocogan", out, 4, "--epochs", "1", "--decay", "1", described=False) == 0
    path, state = saved_state(out)
    (rate,) = {g["lr"] for g in state["trainer"]["optimizers"]["G"]["param_groups"]}
    assert rate == pytest.approx(2e-4)  # of 5 steps 4 are done
    assert train("mocogan", tmp_path / "old", 4, described=False) == 0
    path, state = saved_state(tmp_path / "old")
    del state["config"]["decay"], state["config"]["kinds"]
    save_checkpoint(path, state)
    again = lambda *words: train("mocogan", tmp_path / "old", 6, "--resume", *words)
    assert again() == 2  # it had no kinds
    assert again("--kinds", "0") == 0
    c = load_game(tmp_path / "old").c
    assert c.decay == c.kinds == 0


def test_content_is_one_of_several_kinds():
    z = Generator(0).normal((4000, 6))
    found = mixture(tensor_of(z), 4).numpy()
    kind = z[:, :4].argmax(1)
    np.testing.assert_array_equal(found[:, :4], np.eye(4, dtype=np.float32)[kind] * 3)
    np.testing.assert_array_equal(found[:, 4:], z[:, 4:])
    assert (np.abs(np.bincount(kind) - 1000) < 120).all()
    plain = tensor_of(z)
    assert mixture(plain, 0) is plain
    said = main(["train", "mocogan", "--content", "4", "--kinds", "5", "--dataset", "strokes"])
    assert said == 2
