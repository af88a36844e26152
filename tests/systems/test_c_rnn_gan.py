"""C-RNN-GAN: its networks, coding and losses against NumPy; when D rests; its control; draw and
measure."""

import json

import numpy as np
import pytest

from minigan import manual_seed
from minigan.arrays import Generator
from minigan.autograd import no_grad, tensor_of
from minigan.gan import Trainer
from minigan.gan.c_rnn_gan import CRNNGAN, Coding, Composer, Listener, Spoken, log_mean_sigmoid
from minigan.optim import Adam
from minigan.systems import load_game, system
from minigan.systems.c_rnn_gan import (
    bigram_of,
    edges_of,
    first_words,
    levels_of,
    places,
    walk_of,
    words_of,
)
from minigan.systems.command import main
from minigan.systems.system import facts_of

from .steps import assert_only, played, weights

RNG = np.random.default_rng(3)
LEVELS = [[60, 61, 62, 63, 64], [0.5, 1, 2], [64]]
EDGES = [[0, 0.1, 0.2, 0.5, 0.6, 1], [0, 0.25, 0.75, 1], [0, 1]]
N, T, F, WIDE = 4, 5, 3, np.sqrt(3)


def game(classes=0, **options):
    manual_seed(2)
    both = Coding(levels=LEVELS, edges=EDGES)
    G = Composer(both, 2, 4, classes).double()
    D = Listener(both, 3, classes).double()
    for p in (*G.parameters(), *D.parameters()):
        p.data = tensor_of(RNG.normal(size=p.shape) * 0.5)
    return CRNNGAN(G, D, T, 2, **options)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step(x, h, c, w, suffix=""):
    a = x @ w[f"weight_ih{suffix}"].T + w[f"bias_ih{suffix}"]
    a = a + h @ w[f"weight_hh{suffix}"].T + w[f"bias_hh{suffix}"]
    i, f, g, o = np.split(a, 4, 1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def under(weights, name):
    return {k.removeprefix(name): v for k, v in weights.items() if k.startswith(name)}


def composed(w, noise):
    """G, written out."""
    cell, last, found = under(w, "cell."), np.zeros((len(noise), F)), []
    h = c = np.zeros((len(noise), 4))
    for t in range(noise.shape[1]):
        h, c = lstm_step(np.concatenate([noise[:, t], last], 1), h, c, cell)
        last = WIDE * np.tanh(h @ w["out.weight"].T + w["out.bias"])
        found.append(last)
    return np.stack(found, 1)


def heard(w, y):
    """What D's last unit sees, written out."""
    sides = []
    for suffix, order in (("_l0", 1), ("_l0_reverse", -1)):
        h = c = np.zeros((len(y), 3))
        found = []
        for t in range(T)[::order]:
            h, c = lstm_step(y[:, t], h, c, under(w, "lstm."), suffix)
            found.append(h)
        sides.append(np.stack(found[::order], 1))
    return np.concatenate(sides, 2)


def judged(w, y):
    return sigmoid(heard(w, y) @ w["out.weight"].T + w["out.bias"])[..., 0].mean(1)


# --- coding ---


def test_notes_come_back():
    """Each is anywhere in its part of the numbers, and is found there."""
    values = np.stack([RNG.choice(row, (300, 7)) for row in LEVELS], 2)
    at, c = places(values, LEVELS), Coding(levels=LEVELS, edges=EDGES)
    assert at.max((0, 1)).tolist() == [4, 2, 0]
    manual_seed(0)
    y = c.coded(tensor_of(at))
    np.testing.assert_array_equal(c.decoded(y).numpy(), values)
    u = (y.numpy() / WIDE + 1) / 2
    for f, (row, edges) in enumerate(zip(LEVELS, EDGES)):
        for i, value in enumerate(row):
            here = u[..., f][values[..., f] == value]
            part = (here - edges[i]) / (edges[i + 1] - edges[i])
            assert 0 <= part.min() < 0.05 and 0.95 < part.max() < 1.0001
            assert abs(part.mean() - 0.5) < 0.08
    far = tensor_of(np.array([[[90.0, -90, 5], [-90, 90, -5]]], np.float32))
    assert c.decoded(far).numpy().tolist() == [[[64, 0.5, 64], [60, 2, 64]]]


def test_real_numbers_are_scaled():
    c = Coding([1.0], [5.0])
    x = tensor_of(np.array([[[1.0], [3.0], [5.0]]], np.float32))
    y = c.coded(x)
    np.testing.assert_allclose(y.numpy().ravel(), [-WIDE, 0, WIDE], atol=1e-6)
    np.testing.assert_allclose(c.decoded(y).numpy(), x.numpy(), rtol=1e-6)


def test_levels():
    values = np.zeros((1, 1000, 3))
    values[0, :, 0] = np.arange(1000) % 5 + 60
    values[0, :, 1] = np.where(np.arange(1000) % 4, 1, 2)
    levels = levels_of(values, True)
    assert levels == [[60, 61, 62, 63, 64], [1, 2], [0]]
    edges = edges_of(places(values, levels), levels)
    np.testing.assert_allclose(edges[0], [0, 0.2, 0.4, 0.6, 0.8, 1])
    assert edges[1:] == [[0, 0.75, 1], [0, 1]]
    found = levels_of(RNG.normal(size=(10, 100, 1)), False)
    assert len(found) == 1 and len(found[0]) == 64 and found[0] == sorted(found[0])


# --- networks and moves ---


def test_networks_are_those_of_numpy():
    g = game()
    w = {n: {k: p.detach().numpy() for k, p in x.named_parameters()} for n, x in g.players.items()}
    noise, y = RNG.normal(size=(N, T, 2)), RNG.normal(size=(N, T, F))
    with no_grad():
        np.testing.assert_allclose(g.G(tensor_of(noise)).numpy(), composed(w["G"], noise), 1e-5)
        np.testing.assert_allclose(
            g.D.features(tensor_of(y)).numpy(), heard(w["D"], y), rtol=1e-4, atol=1e-6
        )
        logits = g.D(tensor_of(y))
        np.testing.assert_allclose(log_mean_sigmoid(logits).exp().numpy(), judged(w["D"], y), 1e-5)
        other = log_mean_sigmoid(-logits).exp().numpy()
        np.testing.assert_allclose(other, 1 - judged(w["D"], y), rtol=1e-5)


@pytest.mark.parametrize("too_good", [0.0, 99.0])
def test_losses_and_steps(too_good):
    """D moves, or rests; then G goes where D's features are."""
    g = game(too_good=too_good)
    noise = [RNG.normal(size=(N, T, 2)) for _ in range(2)]
    queue = [tensor_of(x) for x in noise]
    g.made = lambda n, like, *labels: g.G(queue.pop(0))
    g.G.coding.coded = lambda y: y * 2
    real = RNG.normal(size=(N, T, F))
    moves, (first, after_d, end) = played(g, real)
    assert [(m.player, m.ascends) for m in moves] == [("D", True), ("G", False)]
    x, y = real * 2, composed(first["G"], noise[0])

    def value(w):
        weights = first["D"] | {"out.weight": w}
        return np.log(judged(weights, x)).mean() + np.log(1 - judged(weights, y)).mean()

    now = moves[0].report["d_value"].item()
    np.testing.assert_allclose(now, value(first["D"]["out.weight"]), 1e-5)
    if too_good:
        assert moves[0].report["plays"].item() == 0
        for name, old in first["D"].items():
            np.testing.assert_array_equal(old, after_d["D"][name])
    else:
        assert moves[0].report["plays"].item() == 1
        slope = (after_d["D"]["out.weight"] - first["D"]["out.weight"]) / 0.1
        e = 1e-6 * np.eye(6)[:, None]
        expected = [
            (value(first["D"]["out.weight"] + d) - value(first["D"]["out.weight"] - d)) / 2e-6
            for d in e
        ]
        np.testing.assert_allclose(slope[0], expected, rtol=1e-3, atol=1e-6)
        assert_only("D", first, after_d)
    target = heard(after_d["D"], x).mean((0, 1))

    def loss(w):
        fake = composed(after_d["G"] | {"out.bias": w}, noise[1])
        return ((heard(after_d["D"], fake).mean((0, 1)) - target) ** 2).sum()

    before = after_d["G"]["out.bias"]
    np.testing.assert_allclose(moves[1].value.item(), loss(before), rtol=1e-4)
    slope = (before - end["G"]["out.bias"]) / 0.1
    expected = [(loss(before + d) - loss(before - d)) / 2e-6 for d in 1e-6 * np.eye(F)]
    np.testing.assert_allclose(slope, expected, rtol=2e-3, atol=1e-6)
    assert_only("G", after_d, end)


def test_d_rests_below_its_part_of_gs_loss():
    g = game(too_good=0.7)
    g.G.coding.coded = lambda y: y
    real = RNG.normal(size=(N, T, F))
    for bias, plays in ((0.0, 1), (-3.0, 0)):  # D(x) = D(G(z)) = 1/2; D(G(z)) is small
        g.D.out.weight.data = g.D.out.weight * 0
        g.D.out.bias.data = g.D.out.bias * 0 + bias
        g.D.forward = lambda y, bias=bias: (
            tensor_of(np.concatenate([np.full((N, T), 3.0), np.full((N, T), bias)]))
            + 0 * g.D.out(g.D.features(y))[..., 0]
        )
        move = next(iter(g.moves(tensor_of(real))))
        lost = np.log1p(np.exp(-3.0)) + np.log1p(np.exp(bias))
        assert plays == (lost >= 0.7 * np.log1p(np.exp(-bias)))
        assert move.report["plays"].item() == plays


def test_a_resting_d_does_not_go_on_by_momentum():
    g = game(too_good=0.0)
    g.G.coding.coded = lambda y: y
    trainer = Trainer(g, {name: Adam(p.parameters(), 0.1) for name, p in g.players.items()})
    real = tensor_of(np.ones((N, T, F)))
    begin = weights(g)["D"]
    trainer.play(real)
    moved, g.too_good = weights(g)["D"], 99.0
    trainer.play(real)
    after = weights(g)["D"]
    for name, old in moved.items():
        assert not np.array_equal(begin[name], old)
        np.testing.assert_array_equal(old, after[name])


def test_labels_reach_both():
    g = game(classes=2)
    assert g.columns == ("series", "labels")
    noise, y = tensor_of(RNG.normal(size=(N, T, 2))), tensor_of(RNG.normal(size=(N, T, F)))
    one, other = (tensor_of(np.full(N, k)) for k in (0, 1))
    with no_grad():
        for made in (lambda k: g.G(noise, k), lambda k: g.D(y, k)):
            assert np.abs(made(one).numpy() - made(other).numpy()).max() > 1e-3
    assert g.inputs(4, Generator(0))[1].numpy().tolist() == [0, 0, 1, 1]


# --- the control, and what is measured ---


def test_the_control_says_notes():
    kind = system("c-rnn-gan")
    c = facts_of(kind.complete({}) | {"dataset": "made-tunes", "notes": 6, "hidden": 5})
    data, c.control = kind.data(c), True
    for name, fact in kind.facts(data, c).items():
        setattr(c, name, fact)
    g = kind.game(c)
    assert type(g) is Spoken and set(g.players) == {"G"} and g.columns == ("tokens",)
    tokens = words_of(data, c)
    np.testing.assert_array_equal(g.values(tensor_of(tokens)).numpy(), data.series)
    said = g.sample(*g.inputs(3, Generator(0))).numpy()
    assert said.shape == (3, 6, 4) and {tuple(x) for x in said.reshape(-1, 4)} <= {
        tuple(x) for x in data.series.reshape(-1, 4)
    }


def test_the_control_of_series_says_the_label_first():
    kind = system("c-rnn-gan")
    c = facts_of(kind.complete({}) | {"dataset": "made-days", "control": True, "hidden": 5})
    data = kind.data(c)
    for name, fact in kind.facts(data, c).items():
        setattr(c, name, fact)
    g, tokens = kind.game(c), words_of(data, c)
    assert tokens.shape == (68, 25) and (tokens[:, 0] == data.labels).all()
    values = g.values(tensor_of(tokens)).numpy()
    assert np.abs(values - data.series).mean() < 0.05
    labels = first_words(g, g.inputs(9, Generator(0)))
    assert set(labels) <= {0, 1}


def test_walks_and_bigrams():
    pitches = np.array([[60, 62, 60, 64], [62, 60, 62, 60]] * 5)
    found = bigram_of(pitches, 300)
    pairs = set(zip(found[:, :-1].ravel().tolist(), found[:, 1:].ravel().tolist()))
    assert {(60, 62), (62, 60), (60, 64)} <= pairs <= {
        (60, 62), (62, 60), (60, 64), *((64, k) for k in (60, 62)),
    }  # fmt: skip
    walk = walk_of(pitches, 2000)
    steps = np.diff(walk, axis=1)
    assert walk.min() == 60 and walk.max() == 64 and set(walk[:, 0]) == {60, 62}
    assert len(set(steps.ravel())) > 5


SMALL = [
    "--notes", "6", "--hidden", "6", "--d-hidden", "4", "--batch-size", "8", "--device", "cpu",
    "--quiet", "--max-steps", "3",
]  # fmt: skip


def test_draw_and_measure(tmp_path, capsys):
    run = tmp_path / "run"
    words = ["--dataset", "made-tunes", "--out", str(run)]
    assert main(["train", "c-rnn-gan", *SMALL, *words]) == 0
    assert (run / "samples" / "0000003.png").exists()
    g = load_game(run).game
    out = tmp_path / "x.npz"
    assert main(["draw", str(run), "--n", "3", "--seed", "4", "--out", str(out)]) == 0
    with np.load(out) as found:
        made = g.sample(*g.inputs(3, Generator(4))).numpy()
        np.testing.assert_array_equal(found["samples"], made)
    assert main(["draw", str(run), "--n", "3", "--out", str(tmp_path / "x.png")]) == 0
    assert main(["draw", str(run), "--n", "3", "--out", str(tmp_path / "x.txt")]) == 2
    assert "music are written as FILE.png, FILE.mid, FILE.npz" in capsys.readouterr().err
    assert main(["measure", str(run), "--samples", "100"]) == 0
    rows = {r["name"]: r for r in json.loads((run / "measure.json").read_text())["rows"]}
    assert {"JSD of intervals, bigram", "scale consistency", "repeats of 3", "tone span"} <= {*rows}


def test_what_is_drawn_is_heard(tmp_path):
    mido = pytest.importorskip("mido", reason="reads and writes MIDI files")
    run, out = tmp_path / "run", tmp_path / "x.mid"
    assert main(["train", "c-rnn-gan", *SMALL, "--dataset", "made-tunes", "--out", str(run)]) == 0
    assert main(["draw", str(run), "--n", "2", "--seed", "4", "--out", str(out)]) == 0
    g = load_game(run).game
    made = g.sample(*g.inputs(2, Generator(4))).numpy()
    on = [m.note for m in mido.MidiFile(out).tracks[0] if m.type == "note_on"]
    assert sorted(on) == sorted(made[..., 0].ravel().astype(int).tolist())


def test_series_with_labels(tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["train", "c-rnn-gan", *SMALL, "--dataset", "made-days", "--out", str(run)]) == 0
    assert main(["measure", str(run), "--samples", "100"]) == 0
    rows = {r["name"]: r for r in json.loads((run / "measure.json").read_text())["rows"]}
    assert rows["TSTR accuracy"]["ceiling"] > 0.9 and "off in mean of a time" in rows
    assert main(["draw", str(run), "--label", "summer", "--out", str(tmp_path / "a.png")]) == 0
    words = ["--dataset", "made-voices", "--out", str(tmp_path / "no")]
    assert main(["train", "c-rnn-gan", *SMALL, *words]) == 2
    assert "differ in length" in capsys.readouterr().err


@pytest.mark.parametrize("length", [6, 7])
def test_own_series_without_labels(length, tmp_path, capsys):
    """Series of as many times as a melody has --notes are no melodies; a picture shows eight."""
    path, run = tmp_path / "own.csv", tmp_path / "run"
    rows = [",".join(f"{x:.3f}" for x in row) for row in RNG.normal(size=(30, length))]
    path.write_text("\n".join([",".join(f"h{i}" for i in range(length)), *rows]))
    words = ["--dataset", str(path), "--out", str(run)]
    assert main(["train", "c-rnn-gan", *SMALL, *words]) == 0
    assert not load_game(run).game.music and (run / "samples" / "0000003.png").exists()
    capsys.readouterr()
    assert main(["draw", str(run), "--n", "20"]) == 0
    assert "written: 8 of 20 series in" in capsys.readouterr().out
    assert main(["draw", str(run), "--n", "20", "--out", str(tmp_path / "x.npz")]) == 0
    with np.load(tmp_path / "x.npz") as found:
        assert found["samples"].shape == (20, length, 1)
    assert "written: 20 series in" in capsys.readouterr().out
    assert main(["draw", str(run), "--label", "a"]) == 2
    assert "c-rnn-gan makes series, of no pictures and of no label" in capsys.readouterr().err
    assert main(["measure", str(run), "--samples", "100"]) == 0
    assert "off in size of steps" in capsys.readouterr().out


def test_labels_that_have_changed_are_not_measured(tmp_path, capsys):
    path, run = tmp_path / "own.csv", tmp_path / "run"
    rows = [f"{'ab'[i % 2]},{','.join(f'{x:.3f}' for x in RNG.normal(size=5))}" for i in range(30)]
    path.write_text("\n".join(["label,h0,h1,h2,h3,h4", *rows]))
    words = ["--dataset", str(path), "--out", str(run)]
    assert main(["train", "c-rnn-gan", *SMALL, *words]) == 0
    assert main(["measure", str(run), "--samples", "100"]) == 0
    path.write_text("\n".join(["label,h0,h1,h2,h3,h4", *rows]).replace("\na,", "\nc,"))
    assert main(["measure", str(run), "--samples", "100"]) == 2
    assert "its labels are others" in capsys.readouterr().err


def test_series_of_several_numbers_are_shown_side_by_side():
    g = game(music=False)
    picture = g.pictured(RNG.normal(size=(9, T, 3)))
    assert picture.names == [f"number {i} of 3" for i in (1, 2, 3)]
    assert list(picture.rows[0][1]) == [str(i) for i in range(1, 9)]
