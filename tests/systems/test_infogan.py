"""InfoGAN and ss-InfoGAN: their losses in NumPy on four examples, whose gradients go where, codes
that reach the samples, the control, and the measures."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays import default_generator
from minigan.gan import InfoGAN, Joined, NonSaturating, SSInfoGAN
from minigan.systems import system
from minigan.systems.command import main, parse
from minigan.systems.infogan import correlation, matched

from .steps import assert_only, played

RNG = np.random.default_rng(1)
REAL, NAMED = RNG.normal(size=(4, 3)), RNG.normal(size=(2, 3))
LABELS = np.array([2, 0])
K, CODES, LATENT = 3, 2, 2
C1 = np.array([1, 0, 2, 2])
C23 = RNG.uniform(-1, 1, size=(4, CODES))
Z = RNG.normal(size=(4, LATENT))


def softplus(x):
    return np.log1p(np.exp(x))


def log_softmax_at(logits, labels):
    return np.mean([row[i] - np.log(np.exp(row).sum()) for row, i in zip(logits, labels)])


def log_q(outputs, sd, code_weight=1.0):
    """The mean of log Q(c | x): of the label, and of both numbers under a Gaussian, weighed."""
    means = outputs[:, 1 + K :]
    density = np.exp(-((C23 - means) ** 2) / (2 * sd**2)) / np.sqrt(2 * np.pi * sd**2)
    return log_softmax_at(outputs[:, 1 : 1 + K], C1) + code_weight * np.log(density).sum(1).mean()


@pytest.fixture
def known(monkeypatch):
    """Codes and latents that are known, in the order in which the game draws them."""
    heads = "minigan.gan.heads."
    monkeypatch.setattr(heads + "randint", lambda *a, **k: minigan.tensor(C1))
    monkeypatch.setattr(heads + "rand", lambda *a, **k: minigan.tensor((C23 + 1) / 2))
    monkeypatch.setattr("minigan.gan.games.randn", lambda *a, **k: minigan.tensor(Z))


def game(kind=InfoGAN, **named):
    minigan.manual_seed(3)
    G = Joined(nn.Linear(LATENT + CODES + K, 3, bias=False).double(), K)
    D = nn.Linear(3, 1 + K + CODES, bias=False).double()
    named = {"objective": NonSaturating(), "latent_dim": LATENT} | named
    return kind(G, D, classes=K, codes=CODES, **named)


def seen(before):
    """D's outputs on real, fake and labelled examples, given the weights before a move."""
    G, D = before["G"]["network.weight"].T, before["D"]["weight"].T
    fake = np.concatenate([Z, C23, np.eye(K)[C1]], 1) @ G
    return REAL @ D, fake @ D, NAMED @ D


def v(real, fake):
    return -softplus(-real[:, 0]).mean() - softplus(fake[:, 0]).mean()


def test_losses_and_who_moves(known):
    info = game(weight=0.7, sd=0.5, code_weight=0.2)
    (d, g), (start, middle, end) = played(info, REAL)
    real, fake, _ = seen(start)
    expected = v(real, fake) + 0.7 * log_q(fake, 0.5, 0.2)
    np.testing.assert_allclose(d.value.item(), expected, rtol=1e-12)
    _, fake, _ = seen(middle)
    expected = softplus(-fake[:, 0]).mean() - 0.7 * log_q(fake, 0.5, 0.2)
    np.testing.assert_allclose(g.value.item(), expected, rtol=1e-12)
    assert d.ascends and not g.ascends
    assert_only("D", start, middle)
    assert_only("G", middle, end)


def test_losses_with_labelled_images_and_who_moves(known):
    semi = game(SSInfoGAN, weight=0.7, labelled_weight=0.3)
    (d, g), (start, middle, end) = played(semi, NAMED, LABELS, REAL)
    real, fake, named = seen(start)
    told = log_softmax_at(named[:, 1 : 1 + K], LABELS)
    expected = v(real, fake) + 0.7 * log_q(fake, 1) + 0.3 * told
    np.testing.assert_allclose(d.value.item(), expected, rtol=1e-12)
    _, fake, _ = seen(middle)
    expected = softplus(-fake[:, 0]).mean() - 0.7 * log_q(fake, 1)  # labels are not G's concern
    np.testing.assert_allclose(g.value.item(), expected, rtol=1e-12)
    assert_only("D", start, middle)
    assert_only("G", middle, end)


def test_without_lambda_nobody_reads_codes(known):
    _, (start, middle, _) = played(game(weight=0.0), REAL)
    assert (middle["D"]["weight"][1:] == start["D"]["weight"][1:]).all()
    assert (middle["D"]["weight"][0] != start["D"]["weight"][0]).all()
    _, (start, middle, _) = played(game(SSInfoGAN, weight=0.0), NAMED, LABELS, REAL)
    same = middle["D"]["weight"] == start["D"]["weight"]
    assert same[1 + K :].all() and not same[: 1 + K].any()  # the label's head learns from labels


def test_codes_are_drawn_anew_each_round_and_as_they_should():
    minigan.manual_seed(0)
    found = game()
    like = minigan.zeros(3000, 3)
    rounds = [found.coded(like) for _ in range(2)]
    labels = [r.G.condition.numpy() for r in rounds]
    codes = [r.bound.numpy() for r in rounds]
    assert (labels[0] != labels[1]).any() and (codes[0] != codes[1]).all()
    assert np.bincount(labels[0]).tolist() == pytest.approx([1000] * 3, abs=130)
    assert codes[0].shape == (3000, 2) and -1 <= codes[0].min() < -0.99 < 0.99 < codes[0].max() <= 1
    assert abs(codes[0].mean()) < 0.05
    latents = rounds[0].latents(3000, like).numpy()
    assert latents.shape == (3000, 4) and (latents[:, LATENT:] == codes[0]).all()


def test_a_repeated_step_draws_other_codes():
    """With the step recorded and repeated as in a run, as without."""
    from minigan.data.batches import Batches
    from minigan.gan import Trainer
    from minigan.optim import SGD
    from minigan.training.run import round_of

    found = {}
    for graph in (True, False):
        minigan.manual_seed(4)
        small = system("infogan")
        c = SimpleNamespace(
            **vars(parse(small, ["--model", "mlp", "--d-norm", "none"]))
            | {"features": None, "image_shape": [1, 4, 4]}
        )
        info = small.game(c)
        trainer = Trainer(info, {n: SGD(p.parameters(), 0.1) for n, p in info.players.items()})
        batches = Batches(RNG.integers(0, 255, (8, 1, 4, 4)).astype("uint8") * 0 + 9, 4)
        step = round_of(trainer, batches, lambda text: None, graph)
        for epoch in range(4):
            for numbers in batches.numbers(epoch):
                step(numbers)
        found[graph] = [p.detach().numpy() for p in info.G.parameters()]
        state = default_generator.get_state()
        assert found.setdefault("random", state) == state
    for a, b in zip(found[True], found[False]):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_inputs_and_labels_that_are_asked_for():
    found = game()
    latents, labels = found.inputs(6, minigan.Generator(0))
    assert latents.shape == (6, 4) and labels.tolist() == [0, 0, 1, 1, 2, 2]
    many = found.inputs(500, minigan.Generator(0))[0].numpy()
    assert (np.abs(many[:, LATENT:]) <= 1).all() and (np.abs(many[:, :LATENT]) > 1.5).any()
    latents, asked = found.asked((latents, labels), 2)
    assert asked.tolist() == [2] * 6
    drawn = found.sample(latents.double(), asked).numpy()
    weight = found.G.network.weight.detach().numpy().T
    inputs = np.concatenate([latents.numpy(), np.eye(K)[asked.numpy()]], 1)
    np.testing.assert_allclose(drawn, inputs @ weight, rtol=1e-12)


def test_the_exhibit_sweeps_each_code():
    """G shows its inputs: rows are labels, the blocks samples, then a sweep of each code."""

    class Shows(nn.Module):
        def forward(self, x):
            return x.reshape(len(x), 1, 1, -1)

    found = game()
    found.G = Joined(Shows(), K)
    grid = found.exhibit(minigan.Generator(0))()
    rows, wide = found.grid
    assert (grid.rows, grid.columns) == (K, 3 * wide + 2) == (3, 26)
    cells = np.asarray(grid.images).reshape(3, 26, -1)
    assert (cells[:, [wide, 2 * wide + 1]] == 1).all()  # between the blocks
    blocks = cells[:, :wide], cells[:, wide + 1 : 2 * wide + 1], cells[:, 2 * wide + 2 :]
    for block in blocks:
        for label in range(K):
            np.testing.assert_array_equal(block[label, :, 4:], [np.eye(K)[label]] * wide)
    for i, block in enumerate(blocks[1:]):
        assert (block[:, :, :LATENT] == block[0, 0, :LATENT]).all()  # one z
        np.testing.assert_allclose(block[1, :, LATENT + i], np.linspace(-2, 2, wide), rtol=1e-6)
        assert (block[:, :, LATENT + 1 - i] == 0).all()


def test_each_code_means_one_label_so_that_most_are_right():
    # 0: label 1 three times of five; 1: label 0 three times of five; 2: label 0 always. Both 1 and
    # 2 want label 0, and it goes to the one that has more of it
    codes = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2])
    labels = np.array([1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0])
    assert matched(codes, labels, 3).tolist() == [1, 0, -1]
    assert matched(np.array([0, 1, 1, 0]), np.array([1, 0, 0, 1]), 2).tolist() == [1, 0]


def test_correlation_apart_from_what_comes_with_the_label():
    labels = np.repeat([0, 1], 50)
    x = RNG.uniform(-1, 1, 100)
    assert correlation(x, 2 * x + 10 * labels, labels) == pytest.approx(1)
    assert correlation(x, -x - 7 * labels, labels) == pytest.approx(-1)
    assert correlation(x, np.where(labels, x, -x), labels) == pytest.approx(0, abs=0.3)
    assert correlation(x, labels.astype(float), labels) == 0.0


@pytest.mark.parametrize("name, kind", [("infogan", InfoGAN), ("ss-infogan", SSInfoGAN)])
def test_the_system_and_its_control(name, kind):
    found = system(name)
    c = SimpleNamespace(**vars(parse(found, ["--features", "4"])), image_shape=[1, 28, 28])
    info = found.game(c)
    assert type(info) is kind and info.weight == 1 and info.classes == 10
    assert info.D(minigan.randn(2, 1, 28, 28)).shape == (2, 13)
    assert info.classifier(minigan.randn(2, 1, 28, 28)).shape == (2, 10)
    c.control = True
    assert found.game(c).weight == 0


def test_codes_are_loud_from_the_start():
    """The weights of c1 in G's first layer are so many times those without, the others the same."""
    found = system("infogan")
    first = {}
    for loudness in (10, 1):
        minigan.manual_seed(0)
        words = ["--features", "4", "--hidden", "8", "--latent-dim", "16"]
        c = parse(found, [*words, "--loudness", str(loudness)])
        c = SimpleNamespace(**vars(c), image_shape=[1, 28, 28])
        first[loudness] = found.game(c).G.network[0].weight.detach().numpy()
        assert first[loudness].shape == (8, 16 + 2 + 10)
    factor = np.repeat([1, 10], [16 + 2, 10])
    np.testing.assert_allclose(first[10], first[1] * factor, rtol=1e-5)
    assert first[1].std() == pytest.approx(0.02, rel=0.2)


@pytest.mark.parametrize("norm, kind", [("batch", nn.BatchNorm1d), ("layer", nn.GroupNorm),
                                        ("none", nn.Identity)])  # fmt: skip
def test_dense_layers(norm, kind):
    found = system("infogan")
    words = ["--features", "4", "--hidden", "8", "--d-norm", norm]
    c = SimpleNamespace(**vars(parse(found, words)), image_shape=[1, 28, 28])
    info = found.game(c)
    linear, normal, _, heads = list(info.D)[-4:]
    assert linear.weight.shape == (8, 8 * 7 * 7) and type(normal) is kind
    source, Q = heads.heads
    assert source.weight.shape == (1, 8) and Q[0].weight.shape == (128, 8)
    assert info.G.network[0].out_features == 8 == info.G.network[3].in_features


@pytest.mark.parametrize("name", ["infogan", "ss-infogan"])
def test_measure_of_a_run_that_has_learnt_nothing(name, tmp_path):
    out = str(tmp_path / "run")
    words = "--dataset strokes --features 4 --batch-size 8 --max-steps 2 --quiet --no-doctor"
    assert main(["train", name, *words.split(), "--device", "cpu", "--out", out]) == 0
    assert main(["measure", out, "--samples", "200"]) == 0
    found = json.loads((tmp_path / "run" / "measure.json").read_text())
    rows = {row["name"]: row for row in found["rows"]}
    assert 0.5 < rows["error of c1"]["value"] <= 1 and rows["error of c1"]["ceiling"] < 0.5
    assert rows["error of c1"]["target"] == {"infogan": 0.05, "ss-infogan": 0.04}[name]
    best = [max(rows[f"{c} and {what}"]["value"] for what in ("slant", "width"))
            for c in ("c2", "c3")]  # fmt: skip
    assert rows["weakest code"]["value"] == min(best) < 0.9


def test_a_label_code_without_a_class_is_refused():
    found = system("ss-infogan")
    c = parse(found, ["--categories", "9", "--dataset", "strokes"])
    with pytest.raises(ValueError, match="--categories 9: the label code needs a value for each"):
        found.facts(found.data(c), c)
