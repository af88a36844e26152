"""The VAE: its bound written out in NumPy, steps by finite differences, the control."""

from types import SimpleNamespace

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays import CPU, Generator
from minigan.autograd import tensor_of
from minigan.data import load_dataset
from minigan.gan import VAE, Trainer, vae
from minigan.optim import SGD
from minigan.systems import system
from minigan.systems.evidence import some_images
from minigan.systems.vae import bounds

RNG = np.random.default_rng(4)
X = RNG.uniform(-1, 1, (4, 3))
EPS = RNG.normal(size=(4, 2))


def linear(n_in, n_out, seed):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(np.random.default_rng(seed).normal(size=(n_out, n_in)) * 0.7)
    return layer


@pytest.fixture
def eps(monkeypatch):
    """The draws of a move, one after the other."""
    draws = [EPS]
    monkeypatch.setattr(vae, "randn_like", lambda like: tensor_of(draws.pop(0)))
    return draws


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def kl(mean, log_var):
    return 0.5 * (np.exp(log_var) + mean**2 - 1 - log_var).sum(1)


def loss(e, g, coded=True):
    """The negative bound of X, by the textbook's sums."""
    told = X @ e.T
    mean, log_var = told[:, :2], told[:, 2:]
    z = mean + np.sqrt(np.exp(log_var)) * EPS if coded else EPS
    p, x = sigmoid(z @ g.T), (X + 1) / 2
    error = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(1)
    return (error + kl(mean, log_var)).mean()


def slope(f, at):
    """df/dat, by central differences."""
    found = np.zeros_like(at)
    for i in np.ndindex(*at.shape):
        e = np.zeros_like(at)
        e[i] = 1e-6
        found[i] = (f(at + e) - f(at - e)) / 2e-6
    return found


def stepped(game, x=X):
    """(moves, weights before, weights after one round), by SGD of rate 1."""
    before = {n: m.weight.detach().numpy().copy() for n, m in game.players.items()}
    trainer = Trainer(game, {n: SGD(m.parameters(), lr=1.0) for n, m in game.players.items()})
    moves = trainer.play(tensor_of(x))
    return moves, before, {n: m.weight.detach().numpy() for n, m in game.players.items()}


def test_gaussian_kl():
    """torch.distributions.kl_divergence(Normal(m, exp(l / 2)), Normal(0, 1)).sum(1)"""
    mean = np.array([[0.5, -1.0], [0.0, 2.0]])
    log_var = np.array([[0.3, -0.7], [0.0, 1.1]])
    found = vae.gaussian_kl(tensor_of(mean), tensor_of(log_var)).numpy()
    np.testing.assert_allclose(found, [0.748222055683706, 2.452083011973217], rtol=1e-12)


def test_reparametrize():
    minigan.manual_seed(0)
    mean = tensor_of(np.full((20_000, 2), [3.0, -1.0], np.float32))
    log_var = tensor_of(np.full((20_000, 2), np.log([4.0, 0.25]), np.float32))
    z = vae.reparametrize(mean, log_var).numpy()
    np.testing.assert_allclose(z.mean(0), [3, -1], atol=0.05)
    np.testing.assert_allclose(z.std(0), [2, 0.5], rtol=0.03)


@pytest.mark.parametrize("coded", [True, False])
def test_both_descend_the_negative_bound_from_one_point(eps, coded):
    game = VAE(linear(3, 4, 0), linear(2, 3, 1), 2, coded)
    moves, before, after = stepped(game)
    e, g = before["E"], before["G"]
    assert [(m.player, m.ascends) for m in moves] == [("E", False), ("G", False)]
    assert moves[0].value.item() == pytest.approx(loss(e, g, coded), rel=1e-9)
    np.testing.assert_allclose(after["E"], e - slope(lambda w: loss(w, g, coded), e), atol=1e-7)
    np.testing.assert_allclose(after["G"], g - slope(lambda w: loss(e, w, coded), g), atol=1e-7)


def test_the_control_learns_nothing_of_the_code(eps):
    """E moves down the divergence alone, and what is made again does not depend on x."""
    game = VAE(linear(3, 4, 0), linear(2, 3, 1), 2, coded=False)
    eps += [EPS, EPS]
    one, other = (game.reconstruct(tensor_of(x)).numpy() for x in (X, X[::-1].copy()))
    np.testing.assert_array_equal(one, other)
    _, before, after = stepped(game)
    only = slope(lambda w: kl(*np.split(X @ w.T, 2, 1)).mean(), before["E"])
    np.testing.assert_allclose(after["E"], before["E"] - only, atol=1e-7)
    c = SimpleNamespace(image_shape=(1, 4, 4), latent_dim=2, control=True)
    assert not system("vae").game(c).coded
    c.control = False
    assert system("vae").game(c).coded


def test_what_is_made_again_is_of_the_mean(eps):
    game = VAE(linear(3, 4, 0), linear(2, 3, 1), 2)
    e, g = (m.weight.detach().numpy() for m in game.players.values())
    expected = 2 * sigmoid((X @ e.T)[:, :2] @ g.T) - 1
    np.testing.assert_allclose(game.reconstruct(tensor_of(X)).numpy(), expected, rtol=1e-12)
    drawn = game.sample(tensor_of(EPS)).numpy()
    np.testing.assert_allclose(drawn, 2 * sigmoid(EPS @ g.T) - 1, rtol=1e-12)


def test_bounds_of_a_generator_that_does_not_use_z():
    """log p(x) is then known: the weighted bound nears it, the ELBO lacks the divergence."""
    game = VAE(linear(3, 4, 0), nn.Linear(2, 3), 2)
    game.E.to(minigan.float32)
    game.G.weight = nn.Parameter(np.zeros((3, 2), np.float32))
    game.G.bias = nn.Parameter(np.array([0.5, -1.0, 2.0], np.float32))
    p, x = sigmoid(np.array([0.5, -1.0, 2.0])), (X + 1) / 2
    log_p = (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(1).mean()
    lost = kl(*np.split(X @ game.E.weight.detach().numpy().T, 2, 1)).mean()
    elbo, weighted, told = bounds(game, X.astype(np.float32), CPU, draws=20_000)
    assert elbo == pytest.approx(log_p - lost, rel=1e-5) and told == pytest.approx(lost, rel=1e-5)
    assert weighted == pytest.approx(log_p, abs=0.05) and weighted > elbo


def test_shown_are_test_images_over_what_is_made_of_them_again(tmp_path):
    kind, c = system("vae"), SimpleNamespace(dataset="strokes", size=28, latent_dim=3)
    c.image_shape, c.control = (1, 28, 28), False
    data = kind.data(c)
    test = kind.shown(data, c)
    assert test.checksum == load_dataset("strokes", "test").checksum != data.checksum
    c.dataset = str(tmp_path)  # a folder has no test images
    assert kind.shown(data, c) is data
    game = kind.game(c)
    grid = kind.exhibit(game, test, Generator(0), CPU)()
    assert (grid.rows, grid.columns) == (6, 10) and len(grid.images) == 60
    rows, real = np.split(grid.images, 6), some_images(test, 20)
    np.testing.assert_array_equal(np.concatenate([rows[0], rows[2]]), real)
    again = game.reconstruct(tensor_of(real)).numpy()
    np.testing.assert_allclose(np.concatenate([rows[1], rows[3]]), again, atol=1e-6)
    z = game.inputs(20, Generator(0))
    np.testing.assert_allclose(np.concatenate(rows[4:]), game.sample(*z).numpy(), atol=1e-6)
