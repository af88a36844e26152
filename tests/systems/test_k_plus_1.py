"""K+1: its losses written out in NumPy, who moves when, its networks' beginning, its labels."""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.autograd import tensor_of
from minigan.data import ImageSet
from minigan.gan import KPlusOne
from minigan.gan.k_plus_1 import begin_at, noisy_classifier, softplus_generator
from minigan.systems import system
from minigan.systems.labelled import beside_unlabelled, some_of_each
from minigan.systems.system import facts_of

from .steps import assert_descends, assert_only, played

RNG = np.random.default_rng(7)
NAMED, LABELS = RNG.normal(size=(4, 3)), np.array([1, 0, 2, 1])
UNLABELLED, Z = RNG.normal(size=(5, 3)), RNG.normal(size=(2, 5, 2))


def linear(n_in, n_out, seed):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(np.random.default_rng(seed).normal(size=(n_out, n_in)))
    return layer


def game_of(**options):
    D = nn.Sequential(linear(3, 4, 1), nn.ReLU(), linear(4, 3, 2))
    game = KPlusOne(linear(2, 3, 0), D, 2, **options)
    queue = [tensor_of(z) for z in Z]
    game.latents = lambda n, like: queue.pop(0)
    return game


def test_losses_and_steps_of_both_players():
    game = game_of()
    (d, g), (start, between, end) = played(game, NAMED, LABELS, UNLABELLED)
    G, A, B = (start[p][k] for p, k in (("G", "weight"), ("D", "0.weight"), ("D", "2.weight")))

    def d_loss(A, B):
        """-log p(y|x) - 1/2 log Z/(Z+1) - 1/2 log 1/(Z+1), example by example."""
        odds = lambda x: np.exp(B @ np.maximum(A @ x, 0))
        named = [-np.log(odds(x)[y] / odds(x).sum()) for x, y in zip(NAMED, LABELS)]
        real = [-np.log(odds(x).sum() / (odds(x).sum() + 1)) for x in UNLABELLED]
        fake = [-np.log(1 / (odds(G @ z).sum() + 1)) for z in Z[0]]
        return np.mean(named) + 0.5 * np.mean(real) + 0.5 * np.mean(fake)

    assert (d.player, d.ascends, g.player, g.ascends) == ("D", False, "G", False)
    np.testing.assert_allclose(d.value.item(), d_loss(A, B))
    assert_only("D", start, between)
    assert_descends(lambda w: d_loss(w, B), A, between["D"]["0.weight"])
    assert_descends(lambda w: d_loss(A, w), B, between["D"]["2.weight"])
    A = between["D"]["0.weight"]  # G meets the new D, and fakes of other latents

    def g_loss(G):
        return ((UNLABELLED.mean(0) @ A.T - (Z[1] @ G.T).mean(0) @ A.T) ** 2).sum()

    np.testing.assert_allclose(g.value.item(), g_loss(G))
    assert_only("G", between, end)
    assert_descends(g_loss, G, end["G"]["weight"])
    odds = lambda x: np.exp(
        start["D"]["2.weight"] @ np.maximum(start["D"]["0.weight"] @ x, 0)
    ).sum()
    reported = [odds(x) / (odds(x) + 1) for x in UNLABELLED]
    np.testing.assert_allclose(d.report["d_real"].detach().numpy(), reported)


def test_large_logits_give_finite_losses():
    game = game_of()
    game.D[2].weight = nn.Parameter(game.D[2].weight.detach().numpy() * 1e4)
    move = next(game.moves(*[tensor_of(x) for x in (NAMED, LABELS, UNLABELLED)]))
    assert np.isfinite(move.value.item()) and move.value.item() > 100


def test_the_control_learns_from_labels_alone():
    game = game_of(supervised=True)
    (move,), (start, end) = played(game, NAMED, LABELS, UNLABELLED)
    A, B = start["D"]["0.weight"], start["D"]["2.weight"]
    logits = np.maximum(NAMED @ A.T, 0) @ B.T
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(move.value.item(), -np.log(p[range(4), LABELS]).mean())
    assert_only("D", start, end)
    other = game_of(supervised=True)
    (again,), (_, after) = played(other, NAMED, LABELS, UNLABELLED + 100)
    assert again.value.item() == move.value.item()
    np.testing.assert_array_equal(after["D"]["0.weight"], end["D"]["0.weight"])
    kind = system("k-plus-1")
    facts = {"image_shape": [1, 8, 8], "classes": 3, "latent_dim": 4}
    assert kind.game(facts_of(facts | {"control": True})).supervised
    assert not kind.game(facts_of(facts | {"control": False})).supervised


def test_the_classifier_begins_with_standardised_units():
    minigan.manual_seed(2)
    net = noisy_classifier(6, 3, hidden=(5, 4)).eval()  # without noise, so that it can be repeated
    x = tensor_of(np.random.default_rng(0).normal(3, 2, (200, 6)).astype("float32"))
    begin_at(net, x)
    for layer in net:
        x = layer(x)
        if isinstance(layer, nn.Linear):
            np.testing.assert_allclose(x.mean(0).detach().numpy(), 0, atol=1e-5)
            np.testing.assert_allclose(x.std(0).detach().numpy(), np.sqrt(200 / 199), rtol=1e-4)
    # the directions are N(0, 0.1^2), the lengths of hidden layers are not learnt
    learnt = [n for n, p in net.named_parameters() if p.requires_grad and "original0" in n]
    assert learnt == ["7.parametrizations.weight.original0"]


def test_the_networks_have_the_papers_sizes():
    D, G = noisy_classifier(784, 10), softplus_generator(100, (1, 28, 28))
    sizes = [tuple(m.weight.shape) for m in D if isinstance(m, nn.Linear)]
    assert sizes == [(1000, 784), (500, 1000), (250, 500), (250, 250), (250, 250), (10, 250)]
    assert [m.std for m in D if isinstance(m, nn.GaussianNoise)] == [0.3, *[0.5] * 5]
    sizes = [tuple(m.weight.shape) for m in G if isinstance(m, nn.Linear)]
    assert sizes == [(500, 100), (500, 500), (784, 500)]
    minigan.manual_seed(0)
    images = G(minigan.randn(3, 100))
    assert images.shape == (3, 1, 28, 28)
    assert -1 < images.min().item() < 0 < images.max().item() < 1


def a_set(counts):
    labels = np.repeat(np.arange(len(counts)), counts).astype("uint8")
    images = np.arange(len(labels), dtype="uint8")[:, None, None, None] + np.zeros((1, 1, 2, 2))
    return ImageSet(images.astype("uint8"), labels, "made", "here")


def test_some_of_each_class_chosen_by_the_seed():
    data = a_set([30, 40, 50])
    few = some_of_each(data, 12, 0)
    assert few.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    # the images come with their labels, none twice
    assert (data.labels[few.images[:, 0, 0, 0]] == few.labels).all()
    assert len(set(few.images[:, 0, 0, 0].tolist())) == 12
    assert (some_of_each(data, 12, 0).images == few.images).all()
    assert (some_of_each(data, 12, 1).images != few.images).any()
    assert some_of_each(data, 11, 0).labels.tolist() == [0] * 4 + [1] * 4 + [2] * 3


@pytest.mark.parametrize("counts, n, said", [
    ([30, 40, 50], 2, "--labels 2: expected at least 3, one for each class"),
    ([30, 2, 50], 12, "4 of class 1, which has 2 images"),
    ([30], 10, "made has one class only"),
])  # fmt: skip
def test_labels_that_cannot_be_chosen(counts, n, said):
    with pytest.raises(ValueError, match=said):
        some_of_each(a_set(counts), n, 0)


def test_streams_of_labelled_and_of_all_images():
    data = a_set([30, 40, 50])
    c = facts_of({"labels": 6, "seed": 3, "batch_size": 8})
    batches = beside_unlabelled(data, c, minigan.device("cpu"))
    few = set(some_of_each(data, 6, 3).images[:, 0, 0, 0].tolist())
    number = lambda x: np.rint((x.numpy()[:, 0, 0, 0] + 1) * 127.5).astype(int)
    seen = []
    for images, labels, unlabelled in batches.epoch(0):
        assert set(number(images)) == few  # all six at each step
        assert (data.labels[number(images)] == labels.numpy()).all()
        seen += number(unlabelled).tolist()
    assert len(seen) == len(set(seen)) == 120  # every image, once an epoch
