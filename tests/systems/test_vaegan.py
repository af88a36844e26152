"""VAEGAN: its three losses written out in NumPy, each move only where it belongs; the control; its
measures."""

from types import SimpleNamespace

import numpy as np
import pytest

from minigan import nn
from minigan.autograd import tensor_of
from minigan.gan import VAE, VAEGAN, Minimax, Trainer, vae
from minigan.optim import SGD
from minigan.systems import system
from minigan.systems.vaegan import sharpness

RNG = np.random.default_rng(4)
X = RNG.uniform(-1, 1, (4, 3))
EPS, PRIOR = RNG.normal(size=(2, 4, 2))
GAMMA = 0.3


def linear(n_in, n_out, seed):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(np.random.default_rng(seed).normal(size=(n_out, n_in)) * 0.7)
    return layer


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def losses(e, g, d, last):
    """(KL, L, L_GAN, -E log D(x~) - E log D(x_p)) of Larsen et al. 2016, Algorithm 1."""
    told = X @ e.T
    mean, log_var = told[:, :2], told[:, 2:]
    kl = 0.5 * (np.exp(log_var) + mean**2 - 1 - log_var).sum(1).mean()
    again = 2 * sigmoid((mean + np.exp(log_var / 2) * EPS) @ g.T) - 1
    fresh = 2 * sigmoid(PRIOR @ g.T) - 1
    layer = lambda x: np.tanh(x @ d.T)
    says = lambda x: sigmoid(layer(x) @ last.T)
    near = 0.5 * ((layer(X) - layer(again)) ** 2).sum(1).mean()
    gan = np.log(says(X)).mean() + np.log(1 - says(again)).mean() + np.log(1 - says(fresh)).mean()
    return kl, near, gan, -np.log(says(again)).mean() - np.log(says(fresh)).mean()


def slope(f, at):
    found = np.zeros_like(at)
    for i in np.ndindex(*at.shape):
        e = np.zeros_like(at)
        e[i] = 1e-6
        found[i] = (f(at + e) - f(at - e)) / 2e-6
    return found


def weights(game):
    d = game.D
    return [m.weight.detach().numpy().copy() for m in (game.E, game.G, d[0], d[2])]


@pytest.mark.parametrize("saturating", [True, False])
def test_each_moves_by_its_own_loss_from_one_point(monkeypatch, saturating):
    draws = [EPS, PRIOR]
    monkeypatch.setattr(vae, "randn_like", lambda like: tensor_of(draws.pop(0)))
    D = nn.Sequential(linear(3, 5, 2), nn.Tanh(), linear(5, 1, 3))
    objective = Minimax() if saturating else None
    game = VAEGAN(linear(3, 4, 0), linear(2, 3, 1), D, 2, GAMMA, objective=objective)
    e, g, d, last = weights(game)
    kl, near, gan, wants = losses(e, g, d, last)
    # with the paper's -L_GAN, the term of x has no part in G's gradient, nor in its value
    real = np.log(sigmoid(np.tanh(X @ d.T) @ last.T)).mean()
    wants = gan - real if saturating else wants
    trainer = Trainer(game, {n: SGD(m.parameters(), lr=1.0) for n, m in game.players.items()})
    moves = trainer.play(tensor_of(X))
    assert [(m.player, m.ascends) for m in moves] == [("E", False), ("G", False), ("D", True)]
    expected = kl + near, GAMMA * near + wants, gan
    np.testing.assert_allclose([m.value.item() for m in moves], expected, rtol=1e-9)
    after = weights(game)
    of_e = slope(lambda w: sum(losses(w, g, d, last)[:2]), e)
    by_g = (lambda f: f[2] - real) if saturating else lambda f: f[3]
    total = lambda w: GAMMA * losses(e, w, d, last)[1] + by_g(losses(e, w, d, last))
    of_d = slope(lambda w: losses(e, g, w, last)[2], d)
    of_last = slope(lambda w: losses(e, g, d, w)[2], last)
    steps = e - of_e, g - slope(total, g), d + of_d, last + of_last
    for found, value in zip(after, steps, strict=True):
        np.testing.assert_allclose(found, value, atol=1e-7)


def test_the_control_is_a_vae_without_a_discriminator():
    c = SimpleNamespace(image_shape=(1, 8, 8), latent_dim=2, gamma=0.5, control=False,
                        lr=1e-3, b1=0.5)  # fmt: skip
    kind = system("vaegan")
    game = kind.game(c)
    assert list(game.players) == ["E", "G", "D"] and game.gamma == 0.5
    c.control = True
    control = kind.game(c)
    assert type(control) is VAE and list(control.players) == ["E", "G"] and control.coded
    for name, player in control.players.items():
        same = [tuple(p.shape) for p in game.players[name].parameters()]
        assert [tuple(p.shape) for p in player.parameters()] == same


def test_sharpness():
    """Of one bright pixel: 9 Laplacians, of which -4 one, 1 four and 0 four; of a slope: none."""
    dot = np.zeros((1, 1, 5, 5))
    dot[0, 0, 2, 2] = 1
    assert sharpness(dot) == pytest.approx((16 + 4) / 9)
    ramp = np.broadcast_to(np.arange(5.0), (2, 1, 5, 5))
    assert sharpness(ramp) == 0
    noisy = np.random.default_rng(0).normal(size=(3, 1, 9, 9))
    blurred = (noisy[..., 1:] + noisy[..., :-1]) / 2
    assert sharpness(blurred) < 0.7 * sharpness(noisy)
