"""CoGAN: its losses written out in NumPy, whose gradient goes where, what is shared, and what is
measured on known pictures."""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.gan import CoGAN, Coupled, Trainer
from minigan.optim import Adam
from minigan.systems import system
from minigan.systems.cogan import TRUTH, agreement, critics, generators
from minigan.systems.command import main
from minigan.systems.domains import outlined
from minigan.systems.system import facts_of

from .steps import assert_descends, assert_only, played

RNG = np.random.default_rng(3)
X, LABELS, T = RNG.normal(size=(4, 3)), np.array([1, 0, 2, 1]), RNG.normal(size=(4, 3))
Z = RNG.normal(size=(2, 4, 2))
FACTS = {
    "image_shape": [1, 28, 28], "classes": 10, "latent_dim": 4, "features": 2, "weight": 1.0,
    "control": False,
}  # fmt: skip


def linear(n_in, n_out, seed):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(np.random.default_rng(seed).normal(size=(n_out, n_in)))
    return layer


def a_game(weight=0.7):
    """G_i(z) = B_i A z, D_i(x) = v V_i x: A and v are shared."""
    A, v = linear(2, 2, 0), linear(2, 1, 1)
    G = Coupled(*(nn.Sequential(A, linear(2, 3, seed)) for seed in (2, 3)))
    D = Coupled(*(nn.Sequential(linear(3, 2, seed), v) for seed in (4, 5)))
    game = CoGAN(G, D, linear(2, 3, 6), 2, weight)
    queue = [tensor_of(z) for z in Z]
    game.latents = lambda n, like: queue.pop(0)
    return game


def weights(at):
    D, G = at["D"], at["G"]
    return {
        "A": G["first.0.weight"], "B1": G["first.1.weight"], "B2": G["second.1.weight"],
        "V1": D["D.first.0.weight"], "V2": D["D.second.0.weight"], "v": D["D.first.1.weight"],
        "C": D["C.weight"],
    }  # fmt: skip


def d_loss(A, B1, B2, V1, V2, v, C, weight):
    """Example by example."""
    p = lambda V, x: 1 / (1 + np.exp(-(v @ V @ x)[0]))
    total = 0.0
    for B, V, real in ((B1, V1, X), (B2, V2, T)):
        total -= np.mean([np.log(p(V, x)) for x in real])
        total -= np.mean([np.log(1 - p(V, B @ A @ z)) for z in Z[0]])
    named = [np.exp(C @ V1 @ x) for x in X]
    return total - weight * np.mean([np.log(e[y] / e.sum()) for e, y in zip(named, LABELS)])


def g_loss(A, B1, B2, V1, V2, v, C):
    p = lambda V, x: 1 / (1 + np.exp(-(v @ V @ x)[0]))
    pairs = ((B1, V1), (B2, V2))
    return -sum(np.mean([np.log(p(V, B @ A @ z)) for z in Z[1]]) for B, V in pairs)


def test_losses_and_steps_of_both_players():
    moves, kept = played(a_game(), X, LABELS, T)
    assert [m.player for m in moves] == ["D", "G"] and not any(m.ascends for m in moves)
    for i, player in enumerate("DG"):
        assert_only(player, kept[i], kept[i + 1])
    for i, loss, own in ((0, lambda **w: d_loss(**w, weight=0.7), ("V1", "V2", "v", "C")),
                         (1, g_loss, ("A", "B1", "B2"))):  # fmt: skip
        before, after = weights(kept[i]), weights(kept[i + 1])
        np.testing.assert_allclose(moves[i].value.item(), loss(**before), rtol=1e-6)
        for name in own:
            assert_descends(lambda x: loss(**before | {name: x}), before[name], after[name])


def test_without_weight_labels_teach_nothing():
    moves, (before, after, _) = played(a_game(0.0), X, LABELS, T)
    np.testing.assert_allclose(
        moves[0].value.item(), d_loss(**weights(before), weight=0), rtol=1e-6
    )
    np.testing.assert_array_equal(before["D"]["C.weight"], after["D"]["C.weight"])


def test_shared_layers_have_one_optimiser_state():
    game = a_game()
    counts = {name: len(list(p.parameters())) for name, p in game.players.items()}
    assert counts == {"D": 4, "G": 3}
    rates = {n: Adam(p.parameters()) for n, p in game.players.items()}
    Trainer(game, rates).play(*[tensor_of(x) for x in (X, LABELS, T)])
    assert len(rates["G"].state_dict()["state"]) == 3
    first, second = game.G.first, game.G.second
    assert first[0] is second[0] and first[1] is not second[1]


def test_what_is_shared_is_computed_once():
    """With the values and gradients of twice; statistics are taken once."""
    found = []
    for once in (True, False):
        minigan.manual_seed(0)
        G = generators(facts_of(FACTS | {"control": False}))
        z = minigan.randn(3, 4)
        one, two = G(z, z if once else z[:])
        (one.square().sum() + (two * one).sum()).backward()
        seen = {int(x.item()) for n, x in G.named_buffers() if n.endswith("batches_tracked")}
        assert seen == ({1} if once else {2})
        found.append([one, two, *(p.grad for p in G.parameters())])
    for a, b in zip(*found, strict=True):
        a, b = a.detach().numpy(), b.detach().numpy()
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5 * (1 + abs(b).max()))


@pytest.mark.parametrize("control", [False, True])
def test_what_the_networks_share(control):
    c = facts_of(FACTS | {"control": control})
    minigan.manual_seed(0)
    G, D = generators(c), critics(c)
    same = lambda pair: [a is b for a, b in zip(pair.first, pair.second)]
    own = [False, False]
    assert same(G) == ([False] * len(same(G)) if control else [True] * (len(same(G)) - 2) + own)
    assert same(D) == ([False] * 8 if control else own + [True] * 6)
    z, x = minigan.randn(3, 4), minigan.randn(3, 1, 28, 28)
    assert [tuple(y.shape) for y in G(z, z)] == [(3, 1, 28, 28)] * 2
    assert [tuple(y.shape) for y in D(x, x)] == [(3, 1)] * 2
    for pair, given in ((G, z), (D, x)):  # they begin alike
        one, two = pair(given, given)
        np.testing.assert_array_equal(one.detach().numpy(), two.detach().numpy())


def test_samples_of_both_domains_and_their_pairs():
    game = system("cogan").game(facts_of(FACTS))
    z, domains = game.inputs(6, Generator(0))
    assert domains.numpy().tolist() == [0, 0, 0, 1, 1, 1]
    one, two = (x.numpy() for x in game.pairs(z))
    found = game.sample(z, domains).numpy()
    np.testing.assert_array_equal(found, np.concatenate([one[:3], two[3:]]))
    target = game.sample(*game.asked((z, domains), 1)).numpy()
    np.testing.assert_array_equal(target, two)
    assert game.G.training


def test_agreement_of_known_pictures():
    x = RNG.integers(0, 256, (20, 1, 28, 28)).astype("uint8")
    assert agreement(TRUTH["negative"](x), 255 - x) == 1.0
    assert agreement(TRUTH["edges"](x), outlined(x)) == 1.0
    assert agreement(x, 255 - x) == 0.0
    y = x.copy()
    y[:, :, :14] = 255 - y[:, :, :14]
    assert agreement(x, y) == 0.5


def test_drawing_one_domain_and_measuring(tmp_path, capsys):
    run = tmp_path / "run"
    # long enough for averaged weights, which name what is shared once
    words = ["--dataset", "strokes", "--batch-size", "8", "--max-steps", "12", "--features", "2",
             "--weight", "1", "--device", "cpu", "--quiet", "--no-doctor",
             "--out", str(run)]  # fmt: skip
    assert main(["train", "cogan", *words]) == 0
    out = tmp_path / "some.npz"
    assert main(["draw", str(run), "--label", "target", "--n", "4", "--out", str(out)]) == 0
    with np.load(out) as found:
        assert found["images"].shape == (4, 28, 28) and found["labels"].tolist() == [1] * 4
    assert main(["draw", str(run), "--label", "third"]) == 2
    assert "they are 'source', 'target'" in capsys.readouterr().err
    assert main(["measure", str(run), "--samples", "100"]) == 0
    said = capsys.readouterr().out
    for name in ("pixel agreement", "of other pairs", "target accuracy", "source accuracy"):
        assert name in said
