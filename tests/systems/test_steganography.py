"""Steganography: messages are read back, what +-1 embedding does, the three losses written out in
NumPy, each move only where it belongs, the control."""

from types import SimpleNamespace

import numpy as np
import pytest

from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.gan import Steganography, Trainer
from minigan.gan.steganography import KERNEL, Residual, hide, reveal, rounded, steganalyser
from minigan.optim import SGD
from minigan.systems import system
from minigan.systems.steganography import detected
from minigan.viz import as_bytes

from .steps import assert_only, played

RNG = np.random.default_rng(5)
COVERS = RNG.integers(0, 256, (6, 1, 9, 9)).astype(np.uint8)


def test_messages_are_read_back_bit_for_bit():
    COVERS[0, 0, :3], COVERS[0, 0, 3:6] = 0, 255
    bits = RNG.integers(0, 2, (6, 81)).astype(np.uint8)
    stego = hide(COVERS, bits, key=12)
    np.testing.assert_array_equal(reveal(stego, 81, key=12), bits)
    np.testing.assert_array_equal(reveal(hide(COVERS, bits[:, :7], 3), 7, 3), bits[:, :7])
    assert (reveal(stego, 81, key=13) != bits).mean() > 0.3
    assert stego.dtype == np.uint8 and stego.shape == COVERS.shape


def test_embedding_changes_pixels_by_one_at_most():
    covers = RNG.integers(0, 256, (50, 1, 8, 8)).astype(np.uint8)
    covers[0], covers[1] = 0, 255
    bits = RNG.integers(0, 2, (50, 32)).astype(np.uint8)
    change = hide(covers, bits, 7).astype(int) - covers
    assert set(np.unique(change)) == {-1, 0, 1}
    assert set(np.unique(change[0])) == {0, 1} and set(np.unique(change[1])) == {-1, 0}
    # half of the 32 of 64 pixels have the wrong bit; up as often as down
    assert abs((change != 0).mean() - 0.25) < 0.02 and abs(change[2:].mean()) < 0.03
    same = hide(covers, reveal(covers, 32, 7), 7)
    np.testing.assert_array_equal(same, covers)


def test_words_in_a_picture():
    """As the system's docstring says."""
    bits = np.unpackbits(np.frombuffer(b"noon", np.uint8))[None]
    stego = hide(COVERS[:1], bits, key=1234)
    assert np.packbits(reveal(stego, bits.shape[1], key=1234)).tobytes() == b"noon"
    with pytest.raises(ValueError, match="81 pixels cannot hide 82 bits"):
        hide(COVERS, np.zeros((6, 82), np.uint8), 0)


def test_the_games_stego_is_a_message_of_that_rate():
    game = Steganography(nn.Identity(), nn.Identity(), nn.Identity(), 2, rate=0.4)
    levels = RNG.integers(0, 256, (200, 1, 8, 8))
    levels[:40], levels[40:80] = 0, 255
    cover = tensor_of((levels / 127.5 - 1).astype(np.float32))
    change = (game.stego(cover) - cover).numpy() * 127.5
    np.testing.assert_allclose(change, change.round(), atol=1e-3)
    change = change.round()
    assert abs((change != 0).mean() - 0.2) < 0.01
    assert set(np.unique(change[:40])) == {0, 1} and set(np.unique(change[40:80])) == {-1, 0}
    assert abs(change[80:].mean()) < 0.02


def test_rounding_is_that_of_files_and_lets_gradients_pass():
    x = tensor_of(RNG.uniform(-1, 1, (3, 1, 4, 4)).astype(np.float32)).requires_grad_()
    y = rounded(x)
    levels = (y.detach().numpy() + 1) * 127.5
    np.testing.assert_allclose(levels, as_bytes(x.detach().numpy()), atol=1e-3)
    (y * 3).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.full(x.shape, 3, np.float32))


def test_the_residual():
    x = RNG.integers(0, 40, (2, 1, 7, 6))
    kernel = np.array(KERNEL) / 12
    expected = np.zeros((2, 1, 3, 2))
    for i in range(3):
        for j in range(2):
            expected[:, :, i, j] = (x[:, :, i : i + 5, j : j + 5] * kernel).sum((2, 3))
    found = Residual(8.0)(tensor_of((x / 127.5 - 1).astype(np.float32))).numpy()
    np.testing.assert_allclose(found, np.clip(expected / 8, -1, 1), atol=2e-4)
    assert np.array(KERNEL).sum() == 0
    assert steganalyser(3)(tensor_of(np.zeros((2, 3, 28, 28), np.float32))).shape == (2, 1)


def linear(n_in, n_out):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(RNG.normal(size=(n_out, n_in)) * 0.5)
    return layer


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("alpha", [0.7, 1.0])
def test_losses_and_steps(monkeypatch, alpha):
    G, D, S = nn.Sequential(linear(2, 3), nn.Tanh()), linear(3, 1), linear(3, 1)
    game = Steganography(G, D, S, 2, alpha)
    z, real = RNG.normal(size=(2, 4, 2)), RNG.uniform(-1, 1, (4, 3))
    noise, draws = RNG.choice([-1, 0, 1], (4, 3)) / 127.5, list(z)
    monkeypatch.setattr(game, "latents", lambda n, like: tensor_of(draws.pop(0)))
    monkeypatch.setattr(game, "stego", lambda cover: cover + tensor_of(noise))
    (d, s, g), kept = played(game, real)
    for player, before, after in zip("DSG", kept, kept[1:]):
        assert_only(player, before, after)
    assert [(m.player, m.ascends) for m in (d, s, g)] == [("D", 1), ("S", 1), ("G", 0)]
    w, wd, ws = (kept[0][p][k] for p, k in (("G", "0.weight"), ("D", "weight"), ("S", "weight")))
    nearest = lambda x: np.round((x + 1) * 127.5) / 127.5 - 1
    fake = np.tanh(z[0] @ w.T)
    v = np.log(sigmoid(real @ wd.T)).mean() + np.log(1 - sigmoid(fake @ wd.T)).mean()
    np.testing.assert_allclose(d.value.item(), v)
    stego, cover = (x @ ws.T for x in (nearest(fake) + noise, nearest(fake)))
    np.testing.assert_allclose(
        s.value.item(), np.log(sigmoid(stego)).mean() + np.log(1 - sigmoid(cover)).mean()
    )
    wd, ws = kept[1]["D"]["weight"], kept[2]["S"]["weight"]  # as D and S are then
    fake = np.tanh(z[1] @ w.T)
    on_d, on_stego, on_cover = fake @ wd.T, (nearest(fake) + noise) @ ws.T, nearest(fake) @ ws.T
    hidden = -np.log(1 - sigmoid(on_stego)).mean() - np.log(sigmoid(on_cover)).mean()
    loss = -alpha * np.log(sigmoid(on_d)).mean() + (1 - alpha) * hidden
    np.testing.assert_allclose(g.value.item(), loss)
    by_x = -alpha * sigmoid(-on_d) * wd
    by_x = by_x + (1 - alpha) * (sigmoid(on_stego) - sigmoid(-on_cover)) * ws
    step = ((by_x / 4 * (1 - fake**2)).T @ z[1]) * 0.1
    np.testing.assert_allclose(kept[3]["G"]["0.weight"], w - step, rtol=1e-6)


def test_in_the_control_the_steganalyser_has_no_part():
    c = SimpleNamespace(image_shape=(1, 28, 28), latent_dim=4, alpha=0.7, rate=0.4, control=True,
                        lr=1e-3, b1=0.5, s_lr=1e-3)  # fmt: skip
    kind = system("steganography")
    game = kind.game(c)
    assert game.alpha == 1 and kind.game(SimpleNamespace(**vars(c) | {"control": False})).alpha < 1
    real = tensor_of(RNG.uniform(-1, 1, (4, 1, 28, 28)).astype(np.float32))
    # whatever S says, G moves alike
    ends = []
    for k in range(2):
        other = kind.game(c)
        for name in "DG":
            other.players[name].load_state_dict(game.players[name].state_dict())
        draws = [tensor_of(Generator(k).normal((4, 4))) for k in (1, 2)]
        other.latents = lambda n, like, draws=draws: draws.pop(0)
        players = other.players.items()
        Trainer(other, {n: SGD(m.parameters(), lr=0.1) for n, m in players}).play(real)
        ends.append(other.G.state_dict()["0.weight"].numpy())
    np.testing.assert_array_equal(*ends)


def test_a_new_steganalyser_finds_what_is_to_be_found():
    """In black pictures every changed pixel is seen; in pure noise none."""
    flat = np.zeros((300, 1, 28, 28), np.uint8)
    assert detected(flat, 0.4, "cpu") > 0.9
    noise = RNG.integers(0, 256, (300, 1, 28, 28)).astype(np.uint8)
    assert abs(detected(noise, 0.4, "cpu") - 0.5) < 0.12
