"""VAW-GAN: its losses against NumPy, who moves on what; its controls; what it writes; what is
measured."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from small_runs import train

from minigan import manual_seed, nn
from minigan.arrays import CPU
from minigan.autograd import tensor_of
from minigan.data import series
from minigan.gan import VAWGAN, GradientPenalty, Joined, SpeakerVAE, Trainer
from minigan.systems import load_game, system, voices
from minigan.systems.command import main
from minigan.systems.system import facts_of

from .steps import assert_descends, played

RNG = np.random.default_rng(7)
N, C, CODES, WHO, SD, ALPHA = 4, 3, 2, 3, 0.5, 0.7
EPS = RNG.normal(size=(2 * N, CODES))
BATCH = (
    RNG.normal(size=(N, C)), np.array([0, 1, 2, 0]), RNG.normal(size=(N, C)), np.array([2, 0, 1, 1])
)  # fmt: skip


@pytest.fixture
def noise(monkeypatch):
    """The draw of z is z = m + exp(log v / 2) EPS."""
    drawn = lambda mean, log_var: mean + (0.5 * log_var).exp() * tensor_of(EPS[: len(mean)])
    monkeypatch.setattr("minigan.gan.vaw.reparametrize", drawn)


def networks():
    found = (
        nn.Linear(C, 2 * CODES), Joined(nn.Linear(CODES + WHO, C), WHO),
        Joined(nn.Linear(C + WHO, 1), WHO),
    )  # fmt: skip
    for p in (p for network in found for p in network.parameters()):
        p.data = tensor_of(0.6 * RNG.normal(size=p.shape))
    return found


def game(**options):
    return VAWGAN(*networks(), CODES, WHO, SD, **{"alpha": ALPHA, "k": 2} | options)


def joined(w, x, who):
    """Of `Joined(Linear)`: by hand."""
    return np.concatenate([x, np.eye(WHO)[who]], 1) @ w["network.weight"].T + w["network.bias"]


def bound(E, G, x, who):
    told = x @ E["weight"].T + E["bias"]
    m, log_v = told[:, :CODES], told[:, CODES:]
    off = x - joined(G, m + np.exp(log_v / 2) * EPS[: len(x)], who)
    kl = 0.5 * (np.exp(log_v) + m * m - 1 - log_v).sum(1)
    return (kl + (off * off).sum(1) / (2 * SD * SD)).mean()


def converted(E, G, x, who):
    return joined(G, (x @ E["weight"].T + E["bias"])[:, :CODES], who)


def test_a_round(noise):
    x, y, x_t, y_t = BATCH
    moves, kept = played(game(penalties=(GradientPenalty(10.0),)), *BATCH)
    assert [(m.player, m.ascends) for m in moves] == [
        ("D", True), ("D", True), ("E", False), ("G", False)
    ]  # fmt: skip
    first, *_, before, end = kept
    fake = converted(first["E"], first["G"], x, y_t)

    def value(w, of):
        D = of["D"] | {"network.weight": w}
        slope = np.sqrt((w[0, :C] ** 2).sum() + 1e-12)  # a linear critic's, wherever it is
        apart = joined(D, x_t, y_t).mean() - joined(D, fake, y_t).mean()
        return apart - 10 * (slope - 1) ** 2

    for i in range(2):
        w = kept[i]["D"]["network.weight"]
        np.testing.assert_allclose(moves[i].value.item(), value(w, kept[i]))
        assert_descends(lambda w, i=i: -value(w, kept[i]), w, kept[i + 1]["D"]["network.weight"])
        for player in "EG":
            for name, array in kept[i][player].items():
                np.testing.assert_array_equal(array, kept[i + 1][player][name])

    both, who = np.concatenate([x, x_t]), np.concatenate([y, y_t])

    def of_e(w):
        return bound(before["E"] | {"weight": w}, before["G"], both, who)

    def of_g(w):
        G = before["G"] | {"network.weight": w}
        made = converted(before["E"], G, x, y_t)
        apart = joined(before["D"], x_t, y_t).mean() - joined(before["D"], made, y_t).mean()
        return bound(before["E"], G, both, who) + ALPHA * apart

    np.testing.assert_allclose(moves[2].value.item(), of_e(before["E"]["weight"]))
    np.testing.assert_allclose(moves[3].value.item(), of_g(before["G"]["network.weight"]))
    assert_descends(of_e, before["E"]["weight"], end["E"]["weight"])
    assert_descends(of_g, before["G"]["network.weight"], end["G"]["network.weight"])
    for name, array in before["D"].items():
        np.testing.assert_array_equal(array, end["D"][name])


def test_the_first_stage(noise):
    E, G, _ = networks()
    vae = SpeakerVAE(E, G, CODES, WHO, SD)
    (move, _), (first, end) = played(vae, *BATCH[:2])
    x, y, *_ = BATCH
    weight = first["E"]["weight"]
    np.testing.assert_allclose(move.value.item(), bound(first["E"], first["G"], x, y))
    parts = [move.report[k].detach().numpy() for k in ("kl", "reconstruction")]
    np.testing.assert_allclose(sum(parts).mean(), move.value.item())
    loss = lambda w: bound(first["E"] | {"weight": w}, first["G"], x, y)
    assert_descends(loss, weight, end["E"]["weight"])


def test_what_is_converted_is_what_another_speaker_says():
    g = game()
    E, G = ({k: p.detach().numpy() for k, p in n.named_parameters()} for n in (g.E, g.G))
    x, y, z, _ = BATCH
    given = tensor_of(x), tensor_of(y)
    np.testing.assert_allclose(g.convert(*given).numpy(), converted(E, G, x, y))
    np.testing.assert_allclose(
        g.sample(tensor_of(z[:, :CODES]), given[1]).numpy(), joined(G, z[:, :CODES], y)
    )
    deaf = VAWGAN(g.E, g.G, g.D, CODES, WHO, told=False)
    np.testing.assert_allclose(deaf.convert(*given).numpy(), converted(E, G, x, 0 * y))


def facts(**options):
    data = series("made-voices")
    kind = system("vaw-gan")
    given = {"dataset": "made-voices", "batch_size": 32, "seed": 0, "control": False}
    c = facts_of(kind.complete(given | options))
    return kind, data, facts_of(vars(c) | kind.facts(data, c))


def test_one_pair_of_speakers():
    kind, data, c = facts(source="speaker 2", target="speaker 4")
    c.stage = "adversarial"
    batches = kind.batches(None, data, c, CPU)
    for x, y, x_t, y_t in batches.epoch(0):
        assert set(y.numpy()) == {1} and set(y_t.numpy()) == {3}
        assert x.shape == x_t.shape == (32, 12)
    c.stage = "VAE"
    y = np.concatenate([y.numpy() for _, y, *_ in kind.batches(None, data, c, CPU).epoch(0)])
    assert set(y) == {0, 1, 2, 3}
    assert {pair[1:] for pair in voices.all_pairs(data, c)} == {(1, 3)}
    x = np.concatenate([b[0].numpy() for b in kind.batches(None, data, c, CPU).epoch(0)])
    np.testing.assert_allclose(x.std(0), 1, atol=0.1)  # frames are scaled
    with pytest.raises(ValueError, match="expected two speakers"):
        facts(source="speaker 2", target="speaker 2")
    with pytest.raises(ValueError, match="no label 'bob'"):
        facts(target="bob")


def trained(steps, more, **options):
    """(system, facts, game) after so many steps of the first stage, and of the second."""
    small = {"hidden": 32, "latent_dim": 4, "batch_size": 64, "lr": 0.01, "k": 1}
    kind, data, c = facts(**small | options)
    manual_seed(0)
    game = None
    for stage, n in zip(kind.stages(c), (steps, more), strict=True):
        c.stage = stage
        game = kind.game_after(game.players, c) if game else kind.game(c)
        trainer = Trainer(game, kind.optimizers(game, c), kind.constraints(game, c))
        batches, played = kind.batches(None, data, c, CPU), 0
        while played < n:
            for batch in itertools.islice(batches.epoch(0), n - played):
                trainer.play(*batch)
                played += 1
    return kind, c, game


@pytest.mark.parametrize("name", ["control", "deaf"])
def test_controls(name):
    """The game is off; or G is deaf, and the source is heard."""
    kind, c, game = trained(150, 2, **{name: True})
    assert set(game.players) == set("EG" if name == "control" else "EGD")
    rows = {row.name: row.value for row in kind.measure(game, c, 200, CPU)}
    target, source = rows["target heard, frames"], rows["source heard, frames"]
    if name == "control":
        assert target > 0.8 and source < 0.1
    else:
        assert target < 0.2 and source > 0.5


def test_clipped():
    _, _, game = trained(1, 3, lipschitz="clip", clip=0.02)
    assert not game.penalties
    largest = max(np.abs(p.detach().numpy()).max() for p in game.D.parameters())
    np.testing.assert_allclose(largest, 0.02)


def test_draw(tmp_path, capsys):
    run, out = tmp_path / "run", tmp_path / "said.csv"
    assert train("vaw-gan", run, 3) == 0
    capsys.readouterr()
    words = ["draw", str(run), "--label", "speaker 3", "--n", "6"]
    assert main([*words, "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"written: 6 series in {out}\n"
    kind, game, c, _ = load_game(run)
    made = kind.own([str(out)], c)
    assert len(made) == 6 and made.classes == ("speaker 3",)
    again = tmp_path / "again.csv"
    assert main(["draw", str(run), "--from", str(out), "--label", "speaker 1", "--out",
                 str(again)]) == 0  # fmt: skip
    pairs = [(x, 2, 0) for x in made.each()]
    expected = voices.converted(game, pairs, c, CPU)
    for a, b in zip(kind.own([str(again)], c).each(), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    capsys.readouterr()
    assert main(["draw", str(run), "--n", "9"]) == 0
    assert "8 of 9 series in" in capsys.readouterr().out and (run / "drawn.png").exists()
    other = tmp_path / "other.csv"
    other.write_text("series,label,a\nu,x,1\nu,x,2\n")
    for more, said in (
        (["--label", "speker 3"], "did you mean 'speaker 3'?"),
        (["--label", "9"], "there is no label 9: they are 0 to 3"),
        (["--out", "x.gif"], "FILE.png (curves) or FILE.csv"),
        (["--from", "x.png"], "expected a .csv of series"),
        (["--from", str(other)], "1 numbers at a time, and the run has learnt from 12"),
        (["--from", str(tmp_path / "none.csv")], "cannot be read"),
    ):
        assert main(["draw", str(run), *more]) == 2
        assert said in capsys.readouterr().err


def test_own_series(tmp_path, capsys):
    """Some with missing values; one is left out of the run's, and named."""
    rng, lines = np.random.default_rng(0), ["series,speaker,a,b"]
    for i in range(24):
        for t in range(5):
            b = "" if (i, t) == (3, 2) else f"{rng.normal() - t:.3f}"
            lines.append(f"u{i},{('ann', 'bob')[i % 2]},{i % 2 + rng.normal():.3f},{b}")
    path, run = tmp_path / "own.csv", tmp_path / "run"
    path.write_text("\n".join(lines))
    assert train("vaw-gan", run, 3, "--dataset", str(path)) == 0
    assert "1 of 24 series are left out (series u3: 1 missing value)" in capsys.readouterr().out
    assert (run / "left_out.txt").read_text() == "series u3\t1 missing value\n"
    assert main(["measure", str(run)]) == 0
    assert main(["draw", str(run), "--label", "ann", "--out", str(tmp_path / "x.csv")]) == 0
    assert (tmp_path / "x.csv").read_text().startswith("series,label,c1,c2\n1,ann,")
    path.write_text("\n".join(lines).replace("ann", "cid"))
    assert main(["measure", str(run)]) == 2
    assert "has changed since the run: its labels are others" in capsys.readouterr().err


# --- what is measured ---


def test_variances_and_courses():
    data = series("made-voices")
    of = {k: voices.global_variance(data, k) for k in range(4)}
    first = [x for x, y in zip(data.each(), data.labels) if y == 2]
    np.testing.assert_allclose(of[2], np.mean([x.var(0) for x in first], 0))
    off, share = voices.variances_off(data.each(), data.labels, of)
    assert off < 1e-6 and abs(share - 1) < 1e-6
    half = [0.5 * x for x in data.each()]
    off, share = voices.variances_off(half, data.labels, of)
    np.testing.assert_allclose([off, share], [np.log(4), 0.25], rtol=1e-5)
    of[1][3] = 0  # what does not vary does not count
    np.testing.assert_allclose(voices.variances_off(half, data.labels, of), [off, share], rtol=1e-5)
    nothing = {k: 0 * x for k, x in of.items()}
    assert np.isnan(voices.variances_off(half, data.labels, nothing)).all()

    t = np.linspace(0, 1, 9)[:, None] * [1.0, -2.0]
    np.testing.assert_allclose(voices.correlation(t, 3 * t + 1), 1)
    np.testing.assert_allclose(voices.correlation(t, t * [1, -1]), 0, atol=1e-12)
    pairs = [(x, 0, 1) for x in data.each()[:5]]
    np.testing.assert_allclose(voices.course(pairs, [-x for x, *_ in pairs]), -1, rtol=1e-6)
    assert -1 < voices.crossed(pairs, data) < 1


def test_whom_a_classifier_hears():
    known = SimpleNamespace(log_probabilities=lambda x: x)
    parts = [np.array([[0.0, 3.0], [2.0, 1.0], [1.5, 1.0]]), np.array([[5.0, 0.0]])]
    frames, utterances = voices.heard_in(known, parts)
    assert frames.tolist() == [1, 0, 0, 0] and utterances.tolist() == [1, 0]
    c = facts_of({"classes": 3, "source": None, "target": None, "class_names": list("abc")})
    data = SimpleNamespace(each=lambda: [np.zeros((2, 1))] * 3, labels=np.arange(3))
    assert len(voices.all_pairs(data, c)) == 6
