"""ACGAN: its losses in NumPy on four examples, whose gradients go where, the control, switches."""

from types import SimpleNamespace

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.gan import ACGAN, GradientPenalty, Joined, NonSaturating, Trainer, Wasserstein
from minigan.optim import SGD
from minigan.systems import system
from minigan.systems.command import parse

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(4, 3))
LABELS = np.array([0, 2, 1, 2])
K, LATENT = 3, 2


def softplus(x):
    return np.log1p(np.exp(x))


def log_likelihood(outputs, labels):
    """The mean of log P(C = label): logits are the outputs after the first."""
    rows = []
    for row, label in zip(outputs[:, 1:], labels):
        rows.append(row[label] - np.log(np.exp(row).sum()))
    return np.mean(rows)


def game(**named):
    """One without layers that do more than multiply."""
    minigan.manual_seed(3)
    G = Joined(nn.Linear(LATENT + K, 3, bias=False).double(), K)
    D = nn.Linear(3, 1 + K, bias=False).double()
    named = {"objective": NonSaturating(), "latent_dim": LATENT} | named
    return ACGAN(G, D, classes=K, **named)


@pytest.fixture
def known(monkeypatch):
    z = RNG.normal(size=(4, LATENT))
    monkeypatch.setattr(ACGAN, "latents", lambda self, n, like: minigan.tensor(z))
    return z


def outputs(played, z):
    """D's outputs on real and fake examples, in NumPy."""
    one_hot = np.eye(K)[LABELS]
    fake = np.concatenate([z, one_hot], 1) @ played.G.network.weight.detach().numpy().T
    w = played.D.weight.detach().numpy().T
    return REAL @ w, fake @ w


def moves(played):
    return played.moves(minigan.tensor(REAL), minigan.tensor(LABELS))


def test_losses(known):
    played = game(weight=0.7)
    d, g = list(moves(played))
    real, fake = outputs(played, known)
    source = -softplus(-real[:, 0]).mean() - softplus(fake[:, 0]).mean()
    told = log_likelihood(real, LABELS) + log_likelihood(fake, LABELS)
    assert (d.player, d.ascends, g.player, g.ascends) == ("D", True, "G", False)
    np.testing.assert_allclose(d.value.item(), source + 0.7 * told, rtol=1e-12)
    expected = softplus(-fake[:, 0]).mean() - 0.7 * log_likelihood(fake, LABELS)
    np.testing.assert_allclose(g.value.item(), expected, rtol=1e-12)


def test_the_source_may_have_any_objective_and_its_penalty_sees_the_source_only(known):
    played = game(objective=Wasserstein(), penalties=GradientPenalty(2.0))
    d, g = list(moves(played))
    real, fake = outputs(played, known)
    told = log_likelihood(real, LABELS) + log_likelihood(fake, LABELS)
    slope = np.linalg.norm(played.D.weight.detach().numpy()[0])  # of a linear map everywhere
    value = real[:, 0].mean() - fake[:, 0].mean() + told - 2 * (slope - 1) ** 2
    np.testing.assert_allclose(d.value.item(), value, rtol=1e-9)
    np.testing.assert_allclose(g.value.item(), -fake[:, 0].mean() - log_likelihood(fake, LABELS))


def test_each_move_changes_its_player_only(known):
    played = game()
    trainer = Trainer(played, {n: SGD(p.parameters(), 0.1) for n, p in played.players.items()})
    before = (
        played.D.weight.detach().numpy().copy(),
        played.G.network.weight.detach().numpy().copy(),
    )
    turns = moves(played)
    trainer.perform(next(turns))
    assert (played.D.weight.detach().numpy() != before[0]).all()
    assert (played.G.network.weight.detach().numpy() == before[1]).all()
    middle = played.D.weight.detach().numpy().copy()
    trainer.perform(next(turns))
    assert (played.D.weight.detach().numpy() == middle).all()
    assert (played.G.network.weight.detach().numpy() != before[1]).all()


def test_without_its_weight_the_class_head_learns_nothing(known):
    played = game(weight=0.0)
    trainer = Trainer(played, {n: SGD(p.parameters(), 0.1) for n, p in played.players.items()})
    before = played.D.weight.detach().numpy().copy()
    for _ in range(2):
        trainer.play(minigan.tensor(REAL), minigan.tensor(LABELS))
    after = played.D.weight.detach().numpy()
    assert (after[1:] == before[1:]).all() and (after[0] != before[0]).all()


def test_labels_reach_the_samples():
    played = game()
    z = minigan.tensor(np.zeros((3, LATENT)))
    drawn = played.sample(z, minigan.tensor([0, 1, 2])).numpy()
    np.testing.assert_array_equal(drawn, played.G.network.weight.detach().numpy().T[LATENT:])


def test_the_log_knows_the_source_only(known):
    played = game()
    found = played.measure(list(moves(played)))
    real, fake = outputs(played, known)
    np.testing.assert_allclose(found["d_real"], (1 / (1 + np.exp(-real[:, 0]))).mean())
    np.testing.assert_allclose(found["d_fake"], (1 / (1 + np.exp(-fake[:, 0]))).mean())


@pytest.mark.parametrize("more", [["--features", "4"], ["--model", "mlp"]])
def test_the_system_has_heads_on_one_trunk_and_a_control_without(more):
    kind = system("acgan")
    c = SimpleNamespace(**vars(parse(kind, more)), image_shape=[1, 28, 28], classes=10)
    played = kind.game(c)
    images = minigan.randn(2, 1, 28, 28)
    assert played.D(images).shape == (2, 11) and played.weight == 1
    assert played.sample(*played.inputs(4, minigan.Generator(0))).shape == (4, 1, 28, 28)
    c.control = True
    assert kind.game(c).weight == 0
    shuffled = kind.data(SimpleNamespace(dataset="strokes", size=28, seed=0, control=True))
    plain = kind.data(SimpleNamespace(dataset="strokes", size=28, seed=0, control=False))
    assert (shuffled.labels == plain.labels).all()  # the control is the weight alone


@pytest.mark.parametrize("words", [["--pack", "2"], ["--feature-matching"]])
def test_switches_that_do_not_fit_are_refused(words):
    kind = system("acgan")
    c = SimpleNamespace(**vars(parse(kind, words)), image_shape=[1, 28, 28], classes=10)
    with pytest.raises(ValueError, match="Pack|feature-matching"):
        kind.game(c)
