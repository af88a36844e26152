"""Completion: its losses in NumPy, each move only where it belongs; masks; what is hidden stays
hidden; the control."""

from types import SimpleNamespace

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays import CPU, Generator
from minigan.autograd import tensor_of
from minigan.gan import Completion, Trainer, completion
from minigan.gan.completion import OfBoth, random_masks
from minigan.optim import SGD
from minigan.systems import system
from minigan.systems.completion import completed, halves, shown_masks

RNG = np.random.default_rng(4)
X = RNG.uniform(-1, 1, (4, 1, 2, 3))
M = (RNG.uniform(size=X.shape) < 0.5).astype(float)
Z = RNG.normal(size=(2, 4, 2))
WEIGHT = 0.7


def linear(n_in, n_out, seed):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(np.random.default_rng(seed).normal(size=(n_out, n_in)) * 0.5)
    return layer


def small(sees=True):
    G = nn.Sequential(linear(2 + 12, 6, 0), nn.Unflatten(1, (1, 2, 3)))
    return Completion(OfBoth(G), OfBoth(linear(6 + 12, 1, 1)), 2, (1, 2, 3), WEIGHT, sees)


def rows(x):
    return x.reshape(len(x), -1)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def losses(g, d, z, m):
    """(D's value, G's loss), with the seen part m x, m."""
    seen = np.concatenate([rows(m * X), rows(m)], 1)
    fake = np.concatenate([z, seen], 1) @ g.T
    says = lambda x: sigmoid(np.concatenate([x, seen], 1) @ d.T)
    filled = rows(m * X) + rows(1 - m) * fake
    value = np.log(says(rows(X))).mean() + np.log(1 - says(filled)).mean()
    return value, -np.log(says(filled)).mean() + WEIGHT * np.abs(rows(m) * (rows(X) - fake)).mean()


def slope(f, at):
    found = np.zeros_like(at)
    for i in np.ndindex(*at.shape):
        e = np.zeros_like(at)
        e[i] = 1e-6
        found[i] = (f(at + e) - f(at - e)) / 2e-6
    return found


@pytest.mark.parametrize("sees", [True, False])
def test_moves(monkeypatch, sees):
    game, draws = small(sees), list(Z)
    game.latents = lambda n, like: tensor_of(draws.pop(0))
    monkeypatch.setattr(completion, "random_masks", lambda *arguments: tensor_of(M))
    parts = {"G": game.G.network[0], "D": game.D.network}
    weights = lambda: [parts[n].weight.detach().numpy().copy() for n in "GD"]
    g, d = weights()
    trainer = Trainer(game, {n: SGD(m.parameters(), lr=1.0) for n, m in game.players.items()})
    moves = trainer.play(tensor_of(X))
    m = M if sees else 0 * M
    assert [(move.player, move.ascends) for move in moves] == [("D", True), ("G", False)]
    assert moves[0].value.item() == pytest.approx(losses(g, d, Z[0], m)[0], rel=1e-9)
    new_d = d + slope(lambda w: losses(g, w, Z[0], m)[0], d)
    assert moves[1].value.item() == pytest.approx(losses(g, new_d, Z[1], m)[1], rel=1e-6)
    new_g = g - slope(lambda w: losses(w, new_d, Z[1], m)[1], g)
    np.testing.assert_allclose(weights()[1], new_d, atol=1e-7)
    np.testing.assert_allclose(weights()[0], new_g, atol=1e-6)


def test_what_is_hidden_reaches_nobody():
    game = small()
    other = np.where(M == 1, X, RNG.uniform(-1, 1, X.shape))
    one, two = (game.complete(*map(tensor_of, (x, M, Z[0]))).numpy() for x in (X, other))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one[M == 1], X[M == 1])
    assert (one[M == 0] != X[M == 0]).all()
    third = game.complete(*map(tensor_of, (X, M, Z[1]))).numpy()
    assert (third[M == 0] != one[M == 0]).all()
    seen = game.seen(tensor_of(X), tensor_of(M))
    np.testing.assert_allclose(game.sample(tensor_of(Z[0]), seen).numpy(), one, rtol=1e-12)


def test_the_control_sees_nothing():
    game = small(sees=False)
    one, two = (game.complete(*map(tensor_of, (x, M, Z[0]))).numpy() for x in (X, -X))
    np.testing.assert_array_equal(one[M == 0], two[M == 0])  # whatever is known
    np.testing.assert_array_equal(two[M == 1], -X[M == 1])  # it is only pasted in
    c = SimpleNamespace(image_shape=(1, 8, 8), latent_dim=2, weight=1.0, control=True)
    assert not system("completion").game(c).sees
    c.control = False
    assert system("completion").game(c).sees


def test_drawing_completes_nothing_known():
    game = small()
    z, seen = game.inputs(3, Generator(0))
    assert z.shape == (3, 2) and seen.shape == (3, 2, 2, 3) and not seen.numpy().any()


def test_random_masks():
    """A tenth hides all; the rest in thirds: a rectangle, a half, pixels of any share."""
    minigan.manual_seed(0)
    n = 4000
    masks = random_masks(n, (8, 6)).numpy()
    assert masks.shape == (n, 1, 8, 6) and set(np.unique(masks)) == {0, 1}
    empty = ~masks.any((1, 2, 3))
    # the shares of pixels that are few leave some empty, too
    assert 0.09 < empty.mean() < 0.13
    half = np.zeros(n, bool)
    for mask in halves(8, 6):
        same = (masks == mask).all((1, 2, 3))
        assert same.mean() == pytest.approx(0.3 / 4, abs=0.02)
        half |= same
    hidden = 1 - masks[:, 0]
    rows_, columns = hidden.any(2), hidden.any(1)
    rectangle = (hidden == rows_[:, :, None] * columns[:, None]).all((1, 2)) & ~half & ~empty
    assert 0.27 < rectangle.mean() < 0.36
    dots = ~(rectangle | half | empty)
    known = masks[dots].mean((1, 2, 3))
    assert (
        0.25 < dots.mean() < 0.33
        and known.std() > 0.25
        and known.mean() == pytest.approx(0.5, abs=0.05)
    )
    assert len({mask.tobytes() for mask in masks[rectangle]}) > 300


def test_masks_that_are_shown():
    masks = shown_masks(28, 28)
    known = masks.mean((1, 2, 3))
    np.testing.assert_allclose(known[:6], [0.5, 0.5, 0.5, 0.5, 0.75, 0.25])
    assert 0.05 < known[6] < 0.15 and known[7] == 0
    assert masks[0, 0, :14].all() and not masks[0, 0, 14:].any()


def test_completed_pastes_what_is_known_and_varies_by_seed():
    game = small()
    game.G.to(minigan.float32)
    x, mask = X.astype(np.float32), M[:1].astype(np.float32)
    one, again, other = (completed(game, x, mask, CPU, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    hidden = np.broadcast_to(mask, x.shape) == 0
    np.testing.assert_array_equal(one[~hidden], x[~hidden])
    assert (one[hidden] != other[hidden]).all()
