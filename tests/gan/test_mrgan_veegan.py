"""MRGAN, MDGAN, VEEGAN: values written out in NumPy, steps by finite differences, and who moves
when."""

import math

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.autograd import tensor_of
from minigan.gan import MDGAN, MRGAN, VEEGAN, Trainer
from minigan.optim import SGD, Adam

RNG = np.random.default_rng(4)
X = RNG.normal(size=(5, 3))


def linear(n_in, n_out, seed):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(np.random.default_rng(seed).normal(size=(n_out, n_in)))
    return layer


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def fixed(game):
    rng, drawn = np.random.default_rng(9), []

    def latents(n, like):
        drawn.append(rng.normal(size=(n, game.latent_dim)))
        return tensor_of(drawn[-1])

    game.latents = latents
    return drawn


def weights(game):
    return {n: m.weight.detach().numpy().copy() for n, m in game.players.items()}


def played(game, lr=0.1):
    """Moves, latents, and the players' weights before and after each of them."""
    drawn, kept = fixed(game), [weights(game)]
    trainer = Trainer(game, {n: SGD(m.parameters(), lr=lr) for n, m in game.players.items()})
    moves = []
    for turn in game.moves(tensor_of(X)):
        turn = turn if isinstance(turn, tuple) else (turn,)
        trainer.perform(*turn)
        moves += turn
        kept.append(weights(game))
    return moves, drawn, kept


def assert_step(loss, before, after, lr=0.1, sign=-1):
    """after = before -+ lr dloss, by central differences."""
    for i in np.ndindex(*before.shape):
        e = np.zeros_like(before)
        e[i] = 1e-6
        slope = (loss(before + e) - loss(before - e)) / 2e-6
        assert after[i] == pytest.approx(before[i] + sign * lr * slope, abs=1e-8)


def square(a):
    return (a**2).sum(1).mean()


def test_mrgan():
    game = MRGAN(linear(2, 3, 0), linear(3, 1, 1), linear(3, 2, 2), 2, lambda1=0.3, lambda2=0.6)
    assert list(game.players) == ["D", "G", "E"]
    moves, drawn, (before, middle, after) = played(game)
    assert [(m.player, m.ascends) for m in moves] == [("D", True), ("G", False), ("E", False)]
    g = before["G"]
    e = before["E"]
    d = middle["D"]
    value = (
        np.log(sigmoid(X @ before["D"].T)).mean()
        + np.log(1 - sigmoid(drawn[0] @ g.T @ before["D"].T)).mean()
    )
    assert moves[0].value.item() == pytest.approx(value, rel=1e-12)

    def r(g, e):
        again = X @ e.T @ g.T
        return 0.3 * square(X - again) - 0.6 * np.log(sigmoid(again @ d.T)).mean()

    def loss(g, e):
        return r(g, e) - np.log(sigmoid(drawn[1] @ g.T @ d.T)).mean()

    assert moves[1].value.item() == pytest.approx(loss(g, e), rel=1e-12)
    assert moves[2].value.item() == pytest.approx(r(g, e), rel=1e-12)
    assert_step(lambda g: loss(g, e), g, after["G"])
    assert_step(lambda e: r(g, e), e, after["E"])  # at the old G: both move at once
    assert game.measure(moves)["e_loss"] == pytest.approx(r(g, e))


def test_mrgan_makes_d_believe_in_reconstructions():
    """The sign: with lambda2 alone E and G raise D(G(E(x)))."""
    game = MRGAN(linear(2, 3, 0), linear(3, 1, 1), linear(3, 2, 2), 2, lambda1=0.0, lambda2=1.0)
    moves, _, (_, before, after) = played(game, 0.02)
    d = before["D"]
    assert (X @ after["E"].T @ before["G"].T @ d.T).mean() > (
        X @ before["E"].T @ before["G"].T @ d.T
    ).mean()


def test_mdgan():
    game = MDGAN(linear(2, 3, 0), linear(3, 1, 1), linear(3, 1, 5), linear(3, 2, 2), 2, weight=0.25)
    moves, drawn, (w0, w1, w2, w3, w4) = played(game)
    assert [(m.player, m.ascends) for m in moves] == [
        ("D", True),
        ("G", False),
        ("E", False),
        ("D2", True),
        ("G", False),
    ]

    def logs(real, fake, d):
        return np.log(sigmoid(real @ d.T)).mean() + np.log(1 - sigmoid(fake @ d.T)).mean()

    def manifold(g, e):
        again = X @ e.T @ g.T
        return square(X - again) - 0.25 * np.log(sigmoid(again @ w1["D"].T)).mean()

    assert moves[0].value.item() == pytest.approx(
        logs(X, X @ w0["E"].T @ w0["G"].T, w0["D"]), rel=1e-12
    )
    assert (
        moves[1].value.item()
        == pytest.approx(manifold(w0["G"], w0["E"]), rel=1e-12)
        == moves[2].value.item()
    )
    assert_step(lambda g: manifold(g, w0["E"]), w1["G"], w2["G"])
    assert_step(lambda e: manifold(w0["G"], e), w1["E"], w2["E"])
    again = X @ w2["E"].T @ w2["G"].T
    assert moves[3].value.item() == pytest.approx(
        logs(again, drawn[0] @ w2["G"].T, w2["D2"]), rel=1e-12
    )
    assert moves[4].value.item() == pytest.approx(
        -np.log(sigmoid(drawn[1] @ w2["G"].T @ w3["D2"].T)).mean(), rel=1e-12
    )
    assert_step(lambda g: -np.log(sigmoid(drawn[1] @ g.T @ w3["D2"].T)).mean(), w3["G"], w4["G"])
    assert (
        (w4["D"] == w1["D"]).all() and (w4["E"] == w2["E"]).all() and (w4["D2"] == w3["D2"]).all()
    )


def test_veegan():
    """Algorithm 1: all three at once, D's logit is for *generated* pairs, F sees the reconstruction
    only."""
    game = VEEGAN(linear(2, 3, 0), linear(5, 1, 1), linear(3, 2, 2), 2)
    moves, drawn, (before, after) = played(game)
    assert [(m.player, m.ascends) for m in moves] == [("D", True), ("F", False), ("G", False)]
    g = before["G"]
    d = before["D"]
    f = before["F"]
    z = drawn[0]

    def logit(z, x, d):
        return np.concatenate([x, z], 1) @ d.T

    def value(d):
        return (
            np.log(sigmoid(logit(z, z @ g.T, d))).mean()
            + np.log(1 - sigmoid(logit(X @ f.T, X, d))).mean()
        )

    def apart(g, f):
        return square(z - z @ g.T @ f.T)

    def loss(g):
        return logit(z, z @ g.T, d).mean() + apart(g, f)

    assert [m.value.item() for m in moves] == pytest.approx(
        [value(d), apart(g, f), loss(g)], rel=1e-12
    )
    assert_step(value, d, after["D"], sign=1)
    assert_step(lambda f: apart(g, f), f, after["F"])
    assert_step(loss, g, after["G"])


def test_veegan_with_a_gaussian_reconstructor():
    game = VEEGAN(linear(2, 3, 0), linear(5, 1, 1), linear(3, 4, 2), 2)
    z, told = RNG.normal(size=(4, 2)), RNG.normal(size=(4, 4))

    def gaussian(x, m, s):
        std = math.exp(s)
        return math.exp(-0.5 * ((x - m) / std) ** 2) / (std * math.sqrt(2 * math.pi))

    density = [
        -math.log(math.prod(gaussian(x, m, s) for x, m, s in zip(row, t[:2], t[2:])))
        for row, t in zip(z, told)
    ]
    assert game.distance(tensor_of(z), tensor_of(told)).item() == pytest.approx(
        np.mean(density), rel=1e-12
    )
    minigan.manual_seed(0)
    drawn = game.draw(
        tensor_of(np.tile([[1.0, -2.0, math.log(0.5), math.log(3.0)]], (20_000, 1)))
    ).numpy()
    np.testing.assert_allclose(drawn.mean(0), [1, -2], atol=0.07)
    np.testing.assert_allclose(drawn.std(0), [0.5, 3], rtol=0.03)
    moves, _, _ = played(game)
    assert all(math.isfinite(m.value.item()) for m in moves)


def test_veegan_at_the_truth():
    """G the inverse of F and the data those of G: pairs cannot be told apart, and latents come back
    exactly."""
    rng = np.random.default_rng(0)
    game = VEEGAN(linear(2, 2, 0), linear(4, 1, 1), linear(2, 2, 2), 2)
    game.F.weight = nn.Parameter(np.linalg.inv(game.G.weight.detach().numpy()))
    fixed(game)
    real = rng.normal(size=(20_000, 2)) @ game.G.weight.detach().numpy().T
    with minigan.no_grad():
        game.D.weight.fill_(0.0)
    ((d, f, g),) = game.moves(tensor_of(real))
    assert d.value.item() == pytest.approx(-2 * math.log(2)) and f.value.item() == pytest.approx(
        0, abs=1e-20
    )
    (slope,) = minigan.grad(d.value, [game.D.weight])
    assert np.abs(slope.numpy()).max() < 0.05


def test_mrgan_reaches_a_mode_that_g_never_makes():
    """G starts at -3 and D was never asked near 3; E and the reconstruction pull some of G's
    samples there."""
    minigan.manual_seed(0)
    G = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    D = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    E = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    with minigan.no_grad():
        G[2].bias.fill_(-3.0)
    game = MRGAN(G, D, E, 1)
    play = Trainer(
        game, {n: Adam(m.parameters(), 3e-3, (0.5, 0.99)) for n, m in game.players.items()}
    )
    rng = np.random.default_rng(0)
    data = [
        (rng.choice([-3.0, 3.0], (64, 1)) + 0.1 * rng.normal(size=(64, 1))).astype(np.float32)
        for _ in range(400)
    ]
    for batch in data:
        play.play(tensor_of(batch))
    again = G(E(tensor_of(data[0]))).detach().numpy()
    assert np.abs(again - data[0]).mean() < 0.5
    assert (game.sample(minigan.randn(500, 1)).numpy() > 1).mean() > 0.1
