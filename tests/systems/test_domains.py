"""DANN and ARDA: their losses written out in NumPy, whose gradient goes where, and that without the
adversary the source alone teaches, to the bit."""

import json

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.autograd import tensor_of
from minigan.data import ImageSet
from minigan.gan import DANN, WDGRL, Trainer
from minigan.gan.domains import Reversal
from minigan.nn import functional as F
from minigan.optim import Adam
from minigan.systems import system
from minigan.systems.command import main
from minigan.systems.domains import Domains, networks, outlined, streams, told_apart
from minigan.systems.system import facts_of

from .steps import assert_descends, assert_only, played

RNG = np.random.default_rng(3)
X, LABELS, T = RNG.normal(size=(4, 3)), np.array([1, 0, 2, 1]), RNG.normal(size=(4, 3))
FACTS = {"image_shape": [1, 28, 28], "classes": 10, "width": 2, "norm": "batch", "seed": 1,
         "batch_size": 8}  # fmt: skip


def linear(n_in, n_out, seed):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(np.random.default_rng(seed).normal(size=(n_out, n_in)))
    return layer


def parts():
    return linear(3, 2, 0), linear(2, 3, 1), linear(2, 1, 2)


def cross_entropy(features, W):
    """Mean of -log p(y|x), example by example."""
    found = [-np.log(np.exp(W @ h)[y] / np.exp(W @ h).sum()) for h, y in zip(features, LABELS)]
    return np.mean(found)


def domain_loss(source, target, V):
    """- mean log D(h) - mean log(1 - D(h_t))"""
    p = lambda h: 1 / (1 + np.exp(-(V @ h)[0]))
    return -np.mean([np.log(p(h)) for h in source]) - np.mean([np.log(1 - p(h)) for h in target])


def test_dann_is_one_move_and_features_ascend_what_the_domain_descends():
    game = DANN(*parts(), scale=0.3)
    (move,), (before, after) = played(game, X, LABELS, T)
    A, W, V = (before["N"][f"{k}.weight"] for k in "FCD")
    assert move.player == "N" and not move.ascends
    both = cross_entropy(X @ A.T, W) + domain_loss(X @ A.T, T @ A.T, V)
    np.testing.assert_allclose(move.value.item(), both, rtol=1e-6)
    new = {k: after["N"][f"{k}.weight"] for k in "FCD"}
    assert_descends(lambda W: cross_entropy(X @ A.T, W), W, new["C"])
    assert_descends(lambda V: domain_loss(X @ A.T, T @ A.T, V), V, new["D"])
    assert_descends(
        lambda A: cross_entropy(X @ A.T, W) - 0.3 * domain_loss(X @ A.T, T @ A.T, V), A, new["F"]
    )


def test_arda_the_critic_ascends_the_distance_less_its_penalty():
    game = WDGRL(*parts(), weight=0.5, penalty=2.0, k=2)
    moves, kept = played(game, X, LABELS, T)
    assert [m.player for m in moves] == ["D", "D", "N"]
    assert [m.ascends for m in moves] == [True, True, False]
    A, V = kept[0]["N"]["F.weight"], kept[0]["D"]["weight"]
    distance = lambda A, V: ((X @ A.T).mean(0) - (T @ A.T).mean(0)) @ V[0]
    # a linear critic has the same slope |V| everywhere
    cost = lambda V: 2.0 * (np.sqrt((V**2).sum()) - 1) ** 2
    np.testing.assert_allclose(moves[0].value.item(), distance(A, V) - cost(V), rtol=1e-5)
    assert_descends(lambda V: cost(V) - distance(A, V), V, kept[1]["D"]["weight"])
    for i, player in enumerate("DDN"):
        assert_only(player, kept[i], kept[i + 1])
    W, V = kept[2]["N"]["C.weight"], kept[2]["D"]["weight"]
    new = kept[3]["N"]
    assert_descends(lambda W: cross_entropy(X @ A.T, W), W, new["C.weight"])
    assert_descends(
        lambda A: cross_entropy(X @ A.T, W) + 0.5 * distance(A, V), A, new["F.weight"]
    )  # fmt: skip


def the_source_alone(batches, steps):
    """What F and C learn from the source, with nothing of the package's games."""
    minigan.manual_seed(5)
    features, head, *_ = networks(facts_of(FACTS))
    both = nn.Sequential(features, head)
    optimizer = Adam(both.parameters(), 1e-2)
    for images, labels, _ in batches[:steps]:
        optimizer.zero_grad()
        F.cross_entropy(both(images), labels).backward()
        optimizer.step()
    return [p.detach().numpy() for p in both.parameters()]


@pytest.mark.parametrize("kind, off, on", [
    (DANN, {"scale": 0.0, "ramp": 4}, {"scale": 1.0, "ramp": 4}),
    (WDGRL, {"weight": 0.0, "k": 2}, {"weight": 1.0, "k": 2}),
])  # fmt: skip
def test_at_scale_0_it_is_the_source_alone_to_the_bit(kind, off, on):
    rng = np.random.default_rng(0)
    batches = [
        (tensor_of(rng.normal(size=(8, 1, 28, 28)).astype("float32")),
         tensor_of(rng.integers(0, 10, 8)),
         tensor_of(rng.normal(size=(8, 1, 28, 28)).astype("float32")))
        for _ in range(5)
    ]  # fmt: skip

    def learnt(options):
        minigan.manual_seed(5)
        game = kind(*networks(facts_of(FACTS)), **options)
        rates = {n: Adam(p.parameters(), 1e-2) for n, p in game.players.items()}
        trainer = Trainer(game, rates)
        for batch in batches:
            trainer.play(*batch)
        return [p.detach().numpy() for p in game.classifier(1).parameters()]

    alone = the_source_alone(batches, 5)
    assert len(alone) == 10
    for mine, theirs in zip(learnt(off), alone):
        np.testing.assert_array_equal(mine, theirs)
    assert any((a != b).any() for a, b in zip(learnt(on), alone))


def test_each_domain_has_its_own_statistics():
    """Of layers whose weights are the same."""
    minigan.manual_seed(5)
    F, C, D, T = networks(facts_of(FACTS))
    game = DANN(F, C, D, T)
    weights = [p for p in game.players["N"].parameters()]
    assert len(weights) == 4 + 6 + 4 and F[0] is T[0] and F[1] is not T[1]
    x, t = (np.random.default_rng(0).normal(m, s, (8, 1, 28, 28)).astype("float32")
            for m, s in ((0, 1), (3, 2)))  # fmt: skip
    list(game.moves(tensor_of(x), tensor_of(LABELS.repeat(2)), tensor_of(t)))
    for features, images in ((F, x), (T, t)):
        maps = F[0](tensor_of(images)).detach().numpy()
        mean = features[1].running_mean.numpy()
        np.testing.assert_allclose(mean, 0.1 * maps.mean((0, 2, 3)), rtol=1e-4)
    plain = networks(facts_of(FACTS | {"norm": "none"}))
    assert not any(isinstance(m, nn.BatchNorm2d) for m in plain[0]) and plain[3][0] is plain[0][0]


def test_the_control_is_scale_0():
    c = facts_of(FACTS | {"scale": 1.0, "ramp": 7, "weight": 1.0, "k": 3, "control": True})
    assert system("dann").game(c).scale == 0 and system("arda").game(c).weight == 0
    c.control = False
    assert system("dann").game(c).scale == 1 and system("arda").game(c).weight == 1


def test_the_ramp():
    ramp, found = Reversal(4), []
    for _ in range(6):
        found.append(ramp().item())
    parts = np.array([0, 0.25, 0.5, 0.75, 1, 1])
    np.testing.assert_allclose(found, 2 / (1 + np.exp(-10 * parts)) - 1, rtol=1e-6)
    other = Reversal(4)
    other.load_state_dict(ramp.state_dict())
    assert other.done.item() == 6
    assert [Reversal(0)().item()] == [1.0]


def test_a_reversed_gradient_is_the_scaled_opposite():
    """By the very op that DANN uses, with a scale that is a Tensor."""
    from minigan.ops.reversal import gradient_reversal

    h = tensor_of(np.array([1.0, -2.0])).requires_grad_()
    (
        gradient_reversal(h, tensor_of(np.array(0.25))) * tensor_of(np.array([3.0, 5.0]))
    ).sum().backward()
    np.testing.assert_array_equal(h.grad.numpy(), [-0.75, -1.25])


def test_no_digit_is_in_both_domains(monkeypatch):
    kind = system("dann")
    options = facts_of({"dataset": "strokes", "target": "same", "data_dir": None})
    data = kind.data(options)
    assert len(data) == len(data.other) == 10_000
    seen = {x.tobytes() for x in data.images}
    assert not any(x.tobytes() in seen for x in data.other.images)
    options.target = "textures"
    coloured = kind.data(options)
    assert coloured.images.shape == coloured.other.images.shape == (10_000, 3, 28, 28)
    assert (coloured.images[:, 0] == data.images[:, 0]).all()
    assert coloured.checksum != data.checksum
    # the same digits as `same` has, on pictures
    np.testing.assert_array_equal(coloured.other.labels, data.other.labels)


def test_streams_of_both_domains():
    images = np.arange(20, dtype="uint8")[:, None, None, None] * np.ones((1, 1, 2, 2), "uint8")
    target = ImageSet(images[:5] + 100, np.zeros(5, "uint8"), "t", "here")
    data = Domains(images, np.arange(20, dtype="uint8") % 10, "made", "here", target=target)
    batches = streams(data, facts_of(FACTS), minigan.device("cpu"))
    number = lambda x: np.rint((x.numpy()[:, 0, 0, 0] + 1) * 127.5).astype(int)
    seen = []
    for source, labels, other in batches.epoch(0):
        assert (number(source) % 10 == labels.numpy()).all()
        assert set(number(other)) == {100, 101, 102, 103, 104}
        seen += number(source).tolist()
    assert len(seen) == len(set(seen)) == 16


def test_outlines():
    x = np.zeros((1, 1, 5, 5), np.uint8)
    x[0, 0, 2, 1:4] = 200
    expected = np.zeros((5, 5), np.uint8)
    expected[1:4] = 200
    expected[2, 1:4] = 0
    np.testing.assert_array_equal(outlined(x)[0, 0], expected)


def test_telling_domains_apart():
    rng = np.random.default_rng(0)
    noise = lambda n: rng.integers(0, 256, (n, 1, 4, 4)).astype("uint8")
    labels = np.zeros(400, "uint8")
    same = ImageSet(noise(400), labels, "t", "here")
    light = ImageSet(noise(400) // 2 + 128, labels, "t", "here")
    told = [told_apart((nn.Flatten(),) * 2, Domains(noise(400), labels, "m", "h", target=t), "cpu")
            for t in (same, light)]  # fmt: skip
    assert abs(told[0] - 0.5) < 0.1 and told[1] > 0.95


def test_measured_beside_its_control_and_nothing_to_draw(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("minigan.systems.domains.CEILING", 3)
    run = tmp_path / "run"
    words = ["--dataset", "strokes", "--target", "edges", "--batch-size", "8", "--max-steps", "3",
             "--width", "2", "--device", "cpu", "--quiet", "--out", str(run)]  # fmt: skip
    assert main(["train", "dann", *words]) == 0
    assert list((run / "samples").glob("0000003.png"))
    assert main(["measure", str(run), "--samples", "100", "--control"]) == 0
    rows = {r["name"]: r for r in json.loads((run / "measure.json").read_text())["rows"]}
    assert set(rows) == {"target accuracy", "source accuracy", "domains told apart"}
    for key in ("value", "control", "ceiling"):
        assert 0 <= rows["target accuracy"][key] <= 1
    capsys.readouterr()
    assert main(["draw", str(run)]) == 2
    assert "dann makes no pictures, so there are none to draw" in capsys.readouterr().err
    assert main(["train", "dann", *words, "--evaluate", "1"]) == 2
    assert "makes no pictures that could be evaluated" in capsys.readouterr().err
