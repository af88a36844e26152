"""Triple-GAN: its losses written out in NumPy, who moves when and along what, its control."""

import numpy as np
import pytest

from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.gan import TripleGAN
from minigan.gan.triple import Told
from minigan.systems import system
from minigan.systems.system import facts_of

from .steps import assert_descends, assert_only, played

RNG = np.random.default_rng(11)
NAMED, LABELS = RNG.normal(size=(4, 3)), np.array([1, 0, 1, 1])
UNLABELLED, Z = RNG.normal(size=(4, 3)), RNG.normal(size=(2, 2, 2))
ASKED = np.array([0, 1])
FACTS = {"image_shape": [1, 8, 8], "classes": 3, "latent_dim": 4, "alpha": 0.5, "pseudo": 0.1,
         "entropy": 0.3, "balance": 0.001, "first_balance": 0.3, "control": False, "stage": "alone",
         "alone_steps": 5, "pair_steps": 4, "pseudo_steps": 3}  # fmt: skip


def linear(n_in, n_out):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(RNG.normal(size=(n_out, n_in)))
    return layer


def told(n_in, n_out):
    return Told(nn.Sequential(linear(n_in + 2, n_out)), 2)


@pytest.fixture
def game():
    found = TripleGAN(told(2, 3), told(3, 1), linear(3, 2), 2, 2, alpha=0.4, pseudo=0.2,
                      entropy=0.3, balance=0.7)  # fmt: skip
    queue = [tensor_of(z) for z in Z]
    found.latents = lambda n, like: queue.pop(0)
    return found


def joined(x, labels):
    return np.concatenate([x, np.eye(2)[labels]], 1)


def softmax(x):
    return np.exp(x) / np.exp(x).sum(1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def classes_loss(W, d, g, steered=True, frozen=None):
    """C's loss by its weight W, example by example; frozen: the classes that are judged."""
    named, p = softmax(NAMED @ W.T), softmax(UNLABELLED @ W.T)
    loss = np.mean([-np.log(row[y]) for row, y in zip(named, LABELS)])
    loss += 0.3 * np.mean([-(row * np.log(row + 1e-8)).sum() for row in p])
    loss += 0.7 * -np.log(p.mean(0) + 1e-8).mean()
    if steered:
        said = p.argmax(1)[2:]
        odds = sigmoid(joined(UNLABELLED[2:], said) @ d.T)[:, 0]
        loss += 0.4 * np.mean([row[k] * -np.log(o) for row, k, o in zip(p[2:], said, odds)])
        fakes = softmax(joined(Z[0], ASKED) @ g.T @ W.T)
        loss += 0.2 * np.mean([-np.log(row[y]) for row, y in zip(fakes, ASKED)])
    return loss


def test_losses_and_steps_of_the_three_players(game):
    moves, kept = played(game, NAMED, LABELS, UNLABELLED)
    assert [(m.player, m.ascends) for m in moves] == [("D", True), ("C", False), ("G", False)]
    d, c, g = moves
    first, after_d, after_c, end = kept
    W, g0 = first["C"]["weight"], first["G"]["layers.0.weight"]
    said = (UNLABELLED @ W.T).argmax(1)
    fake = joined(Z[0], ASKED) @ g0.T

    def d_value(w):
        odds = lambda x, y: sigmoid(joined(x, y) @ w.T)[:, 0]
        real = [odds(NAMED[:1], LABELS[:1])[0], *odds(UNLABELLED[:2], said[:2])]
        judged = odds(UNLABELLED[2:], said[2:])
        return (np.log(real).mean() + 0.4 * np.log(1 - judged).mean()
                + 0.6 * np.log(1 - odds(fake, ASKED)).mean())  # fmt: skip

    w = first["D"]["layers.0.weight"]
    np.testing.assert_allclose(d.value.item(), d_value(w))
    assert_only("D", first, after_d)
    assert_descends(lambda w: -d_value(w), w, after_d["D"]["layers.0.weight"])

    new_d = after_d["D"]["layers.0.weight"]  # C is judged by the D that has moved
    np.testing.assert_allclose(c.value.item(), classes_loss(W, new_d, g0))
    assert_only("C", after_d, after_c)
    assert_descends(lambda w: classes_loss(w, new_d, g0), W, after_c["C"]["weight"])

    def g_loss(w):
        odds = sigmoid(joined(joined(Z[1], ASKED) @ w.T, ASKED) @ new_d.T)
        return 0.6 * -np.log(odds).mean()

    np.testing.assert_allclose(g.value.item(), g_loss(g0))
    assert_only("G", after_c, end)
    assert_descends(g_loss, g0, end["G"]["layers.0.weight"])


def test_in_the_control_c_learns_nothing_from_the_others(game):
    game.steered = False
    (d, c, g), kept = played(game, NAMED, LABELS, UNLABELLED)
    W = kept[0]["C"]["weight"]
    loss = lambda w: classes_loss(w, None, None, steered=False)
    np.testing.assert_allclose(c.value.item(), loss(W))
    assert_descends(loss, W, kept[2]["C"]["weight"])
    assert_only("G", kept[2], kept[3])  # G and D go on
    kind = system("triple-gan")
    assert kind.game(facts_of(FACTS)).steered
    assert not kind.game(facts_of(FACTS | {"control": True})).steered


def test_c_is_alone_at_first_and_has_no_pseudo_labels_then(game):
    game.alone = True
    (move,), kept = played(game, NAMED, LABELS, UNLABELLED)
    assert move.player == "C" and not move.ascends
    W = kept[0]["C"]["weight"]
    loss = lambda w: classes_loss(w, None, None, steered=False)
    np.testing.assert_allclose(move.value.item(), loss(W))
    assert_descends(loss, W, kept[1]["C"]["weight"])
    kind = system("triple-gan")
    games = [
        kind.game(facts_of(FACTS | {"stage": stage})) for stage in kind.stages(facts_of(FACTS))
    ]
    assert [g.alone for g in games] == [True, False, False]
    assert [g.pseudo for g in games] == [0, 0, 0.1]
    assert [g.balance for g in games] == [0.3, 0.001, 0.001]
    later = kind.game_after(games[0].players, facts_of(FACTS | {"stage": "pairs"}))
    assert later.players == games[0].players
    before = {name: x.clone() for name, x in later.D.state_dict().items()}
    kind.begin(later, None, facts_of(FACTS), "cpu")  # D goes on as it was
    assert all((later.D.state_dict()[name] == x).all() for name, x in before.items())


def test_each_linear_layer_is_told_the_label():
    net = Told(nn.Sequential(linear(5, 4), nn.Tanh(), linear(6, 2)), 2)
    x, labels = RNG.normal(size=(3, 3)), np.array([1, 0, 1])
    first, last = (net.layers[i].weight.detach().numpy() for i in (0, 2))
    expected = joined(np.tanh(joined(x, labels) @ first.T), labels) @ last.T
    found = net(tensor_of(x), tensor_of(labels))
    np.testing.assert_allclose(found.detach().numpy(), expected)
    assert net.per_example


def test_as_many_samples_of_each_label():
    game = system("triple-gan").game(facts_of(FACTS))
    latents, labels = game.inputs(6, Generator(0))
    assert labels.numpy().tolist() == [0, 0, 1, 1, 2, 2]
    assert game.sample(latents, labels).shape == (6, 1, 8, 8)
    other = game.sample(latents, tensor_of(np.array([1, 1, 2, 2, 0, 0])))
    assert np.abs(other.numpy() - game.sample(latents, labels).numpy()).max() > 1e-3
