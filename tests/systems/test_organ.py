"""ORGAN: its objectives and rewards by hand, that only they differ from SeqGAN's; its control;
draw and measure."""

import json

import numpy as np
import pytest

from minigan import manual_seed
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.data.texts import END
from minigan.gan import ORGAN, Policy, SeqGAN, TextCritic
from minigan.gan.organ import Intervals, TunesByLikelihood, pitches_of, validity
from minigan.systems import load_game, system
from minigan.systems.command import main
from minigan.systems.organ import distinct
from minigan.systems.system import facts_of

WORDS = [END, "|", "C", "G2", "D", "c", "z", "^F/2"]
TUNES = [
    "C G2 | C G2 |", "C D C c", "C | G2 D |", "z C z", "c ^F/2 | G2 C", "C C C C",
]  # fmt: skip


def tokens_of(lines, length=7):
    found = np.zeros((len(lines), length), np.int64)
    for row, line in zip(found, lines):
        words = [WORDS.index(w) for w in line.split()]
        row[: len(words)] = words
    return found


def test_objectives():
    tokens = tokens_of(TUNES)
    assert pitches_of(WORDS).tolist() == [0, 0, 60, 67, 62, 72, 0, 66]
    # intervals: 7 -7 7; 2 -2 12; 7 -5; none; -6 1 -7; 0 0 0
    expected = {"tonality": [1, 0, 1 / 2, 0, 1 / 3, 0], "steps": [0, 2 / 3, 0, 0, 1 / 3, 0]}
    for name, values in expected.items():
        found = Intervals(name, WORDS)(tensor_of(tokens)).numpy()
        np.testing.assert_allclose(found, values, rtol=1e-6)
    tokens[1, 1] = 0  # what is behind the end does not count
    assert Intervals("steps", WORDS)(tensor_of(tokens)).numpy()[1] == 0


def test_validity_and_distinct():
    lines = ["C G2 | D c c |", "C G2 | D c |", "C G2 |", "C G2 | D c c", "| | ", "^F/2 ^F/2 | C |"]
    assert validity(tokens_of(lines), WORDS) == pytest.approx(2 / 6)
    # C D C, D C D, C D C, D C c
    assert distinct(tokens_of(["C D C D", "C D C c"]), WORDS) == 3 / 4


def game(kind=ORGAN, **options):
    manual_seed(1)
    G, D = Policy(len(WORDS), 4, 5), TextCritic(len(WORDS), 7, 3, 2)
    return kind(G, D, WORDS, 7, " ", rollouts=2, d_steps=1, **options)


def test_worth():
    """lambda D + (1 - lambda) O / copies, copies among those that were drawn together."""
    tokens = tokens_of([TUNES[k] for k in (0, 2, 0, 0, 2, 4, 4, 4)])  # twice four of them
    g = game(wanted=Intervals("tonality", WORDS), weight=0.3)
    d = np.linspace(0.1, 0.8, 8).astype(np.float32)
    g.judged = lambda given: tensor_of(d)
    copies = [3, 1, 3, 3, 1, 3, 3, 3]
    assert g.copies(tensor_of(tokens), 4).numpy().tolist() == copies
    wanted = np.array([1, 1 / 2, 1, 1, 1 / 2, 1 / 3, 1 / 3, 1 / 3]) / copies
    found = g.worth_of(tensor_of(tokens), 4).numpy()
    np.testing.assert_allclose(found, 0.3 * d + 0.7 * wanted, rtol=1e-6)
    noise = np.random.default_rng(0).integers(0, 8, (64, 7))  # as by comparing them
    by_hand = (noise[:, None] == noise[None]).all(2).sum(1)
    assert (g.copies(tensor_of(noise), 64).numpy() == by_hand).all()


def test_lambda_1_is_seqgan_and_0_does_without_d():
    tokens = tensor_of(tokens_of(TUNES))

    def values(g):
        manual_seed(5)
        return g.values(tokens).numpy()

    wanted = {"wanted": Intervals("steps", WORDS)}
    plain = values(game(SeqGAN))
    np.testing.assert_array_equal(values(game(**wanted, weight=1.0)), plain)
    mixed, none = values(game(**wanted, weight=0.5)), values(game(**wanted, weight=0.0))
    np.testing.assert_allclose(mixed, (plain + none) / 2, atol=1e-6)
    assert np.abs(none - plain).max() > 0.1
    other = game(**wanted, weight=0.0)
    other.judged = lambda given: tensor_of(np.zeros(len(given), np.float32))
    np.testing.assert_array_equal(values(other), none)


def test_the_last_rewards_are_those_of_the_sequences():
    g = game(wanted=Intervals("tonality", WORDS), weight=0.0)
    found = g.values(tensor_of(tokens_of(TUNES))).numpy()
    np.testing.assert_allclose(found[:, -1], [1, 0, 1 / 2, 0, 1 / 3, 0], atol=1e-6)


# --- the system ---


def test_the_control_plays_with_d_alone():
    kind = system("organ")
    c = facts_of(kind.complete({}) | {
        "vocabulary": WORDS, "length": 7, "between": " ", "stage": "adversarial", "control": True,
    })  # fmt: skip
    first = kind.game(c)
    assert type(first) is TunesByLikelihood and list(kind.stages(c)) == [
        "MLE", "D alone", "adversarial",
    ]  # fmt: skip
    g = kind.game_after(first.players, c)
    assert type(g) is ORGAN and g.weight == 1 and g.baseline == c.baseline
    c.control, c.weight, c.objective = False, 0.25, "steps"
    g = kind.game_after(first.players, c)
    assert (g.weight, g.wanted.least, g.wanted.most) == (0.25, 1, 2) and c.control is False


SMALL = [
    "--batch-size", "8", "--mle-steps", "3", "--d-first-steps", "1", "--steps", "2", "--rollouts",
    "2", "--hidden", "6", "--filters", "2", "--device", "cpu", "--quiet",
]  # fmt: skip


def test_draw_and_measure(tmp_path, capsys):
    run = tmp_path / "run"
    words = ["--dataset", "made-tunes", "--out", str(run)]
    assert main(["train", "organ", *SMALL, *words]) == 0
    assert (run / "samples" / "0000006.png").exists()
    g = load_game(run).game
    lines = g.lines(g.sample(*g.inputs(5, Generator(2))).numpy())
    out = tmp_path / "x.txt"
    assert main(["draw", str(run), "--n", "5", "--seed", "2", "--out", str(out)]) == 0
    assert out.read_text().splitlines() == lines
    assert main(["draw", str(run), "--n", "5", "--out", str(tmp_path / "x.png")]) == 0
    assert main(["measure", str(run), "--samples", "100"]) == 0
    rows = {r["name"]: r for r in json.loads((run / "measure.json").read_text())["rows"]}
    names = {"tonality", "steps", "validity", "distinct-3", "NLL test"}
    assert set(rows) == names | {f"{name} after MLE" for name in names}
    assert rows["validity"]["ceiling"] == 1 and rows["steps"]["ceiling"] > 0.3


def test_own_tunes(tmp_path, capsys):
    own, run = tmp_path / "own.txt", tmp_path / "run"
    own.write_text("C2 D2 | E4 |\nG4 | c4 |\n" * 30)
    assert main(["train", "organ", *SMALL, "--dataset", str(own), "--out", str(run)]) == 0
    assert set(load_game(run).c.vocabulary) == {"", "C2", "D2", "E4", "G4", "c4", "|"}
    own.write_text("C2 D2 | E4 |\nG4 | d4 |\n" * 30)
    assert main(["measure", str(run), "--samples", "100"]) == 2
    assert "has changed since the run: its words are others" in capsys.readouterr().err
    own.write_text("no notes here\n" * 30)
    assert main(["train", "organ", *SMALL, "--dataset", str(own), "--out", str(run) + "2"]) == 2
    assert "none of its words is a note" in capsys.readouterr().err
