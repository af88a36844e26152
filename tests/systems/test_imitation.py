"""GAIL and AIRL as systems: nobody learns of the true reward; their controls; a run that is cut in
the middle of episodes goes on; draw and measure."""

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy import stats
from small_runs import state, train

from minigan import manual_seed
from minigan.arrays import CPU, Generator
from minigan.data.worlds import CartPole, Grid
from minigan.gan import Trainer
from minigan.systems import imitation, load_game, system
from minigan.systems.airl import ranked
from minigan.systems.command import main
from minigan.systems.gail import policies
from minigan.systems.imitation import apart
from minigan.systems.system import facts_of

from .steps import weights

RNG = np.random.default_rng(2)


@pytest.mark.parametrize("name", ["gail", "airl"])
def test_nobody_learns_of_the_true_reward(name, monkeypatch):
    """Other true rewards, and all players' bits are the same; only the log differs."""
    kind = system(name)
    c = facts_of(kind.complete({"dataset": kind.world, "batch_size": 8, "seed": 0}) | {
        "stage": "1 episode", "hidden": 4, "walkers": 2, "horizon": 30, "d_steps": 1, "passes": 1,
    })  # fmt: skip
    if name == "airl":
        c.episodes = 3
    world = {"gail": CartPole, "airl": Grid}[name]

    def learnt():
        manual_seed(1)
        data = kind.data(c)
        c.__dict__.update(kind.facts(data, c))
        game = kind.game(c)
        trainer = Trainer(game, kind.optimizers(game, c))
        batches = kind.batches(game, data, c, CPU)
        before = weights(game)
        for steps in itertools.islice(batches.numbers(0), 3):
            moves = trainer.play(*batches[steps])
        return before, weights(game), game.walkers.sums + game.walkers.last, game.measure(moves)

    before, first, sums, said = learnt()
    moved = world.moved

    def other(self, actions):
        then, reward, ended = moved(self, actions)
        return then, 7 - 3 * reward, ended

    monkeypatch.setattr(world, "moved", other)
    _, second, others, again = learnt()
    for player, own in first.items():
        for key, value in own.items():
            np.testing.assert_array_equal(value, second[player][key], err_msg=key)
        assert any((value != before[player][key]).any() for key, value in own.items())
    assert (sums != others).all()
    assert {k for k in said if said[k] != again[k]} == {"returned"}


def test_controls_and_options():
    kind = system("gail")
    c = facts_of(kind.complete({"dataset": "cartpole", "batch_size": 8, "seed": 0}))
    data = kind.data(c)
    assert len(data) == 250 and (data.returned == 500).all()
    assert kind.stages(c) == {f"{n} episode{'s' * (n > 1)}": 300 for n in (1, 4, 7, 10)}
    c.__dict__.update(kind.facts(data, c), stage="4 episodes", control=True, rewards="both",
                      horizon=3, passes=5, parts=6, d_steps=2, gamma=0.5, decay=0.25, clip=0.3,
                      entropy=0.125, walkers=7)  # fmt: skip
    g = kind.game(c)
    assert g.deaf and g.rewards == "both" and len(g.walkers.world) == 7
    found = g.horizon, g.passes, g.parts, g.d_steps, g.gamma, g.decay, g.clip, g.entropy
    assert found == (3, 5, 6, 2, 0.5, 0.25, 0.3, 0.125)
    assert kind.batches(g, data, c, "cpu").examples == 100
    rates = {k: o.param_groups[0]["lr"] for k, o in kind.optimizers(g, c).items()}
    assert rates == {"D": c.d_lr, "G": c.lr, "V": c.lr}
    after = kind.game_after(g.players, c)  # nothing is handed on
    assert not any(after.players[k] is g.players[k] for k in "DGV")
    kind = system("airl")
    c = facts_of(kind.complete({"dataset": "grid", "batch_size": 8, "seed": 0}))
    c.__dict__.update(kind.facts(None, c))
    assert kind.game(c).D.h is not None
    c.control = True
    assert kind.game(c).D.h is None


def test_one_episode_has_fewer_pairs_than_a_batch(tmp_path, capsys):
    out = ["--out", str(tmp_path / "run"), "--steps", "2", "--walkers", "2", "--horizon", "8"]
    assert main(["train", "gail", *out, "--episodes", "1"]) == 0
    assert "25 examples" in capsys.readouterr().out  # --batch-size is 64


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--episodes 1 1 4", "--episodes 1 1 4: expected each number once"),
        ("--episodes 1 --every 2000", "--every 2000: the first episode shows no pair"),
        ("--episodes 1 --walkers 2 --horizon 9 --parts 10", "--parts 10: the policy meets 18"),
        ("--episodes 1 --walkers 2 --horizon 9 --d-steps 10 --parts 1", "--d-steps 10: the policy"),
        ("--episodes 1 --walkers 1 --horizon 1 --parts 1", "meets 1 states"),
    ],
)
def test_options_that_make_no_sense(words, said, tmp_path, capsys):
    out = ["--out", str(tmp_path / "run"), "--steps", "2", "--batch-size", "8"]
    assert main(["train", "gail", *out, *words.split()]) == 2
    assert said in capsys.readouterr().err


def test_ranks():
    assert ranked(np.array([1, 2, 3.0]), np.array([10, 100, 1000.0])) == pytest.approx(1)
    a, b = RNG.normal(size=(2, 25))
    assert ranked(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)


def test_how_far_states_are_apart():
    a, b = RNG.normal(size=(2, 4000, 3))
    shift = np.array([0.5, 0, -1])
    assert apart(a + shift, b) == pytest.approx(0.5, abs=0.05)
    assert apart(3 * a, 3 * b) < 0.05 and apart(b, b) == 0
    expected = stats.wasserstein_distance(2 * a[:, 0], b[:, 0]) / b[:, 0].std()
    assert apart(2 * a[:, :1], b[:, :1]) == pytest.approx(expected, rel=0.02)


def test_draw_and_measure(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(imitation, "CLONING", 50)
    run = tmp_path / "run"
    assert train("gail", run, 7) == 0  # two stages
    gif, png, npz = (tmp_path / f"a.{kind}" for kind in ("gif", "png", "npz"))
    for out in (gif, png, npz):
        assert main(["draw", str(run), "--n", "3", "--seed", "2", "--out", str(out)]) == 0
    game, c = load_game(run)[1:3]
    seen = game.sample(*game.inputs(3, Generator(2))).numpy()
    with np.load(npz) as found:
        np.testing.assert_array_equal(found["samples"], seen)
    assert seen.shape == (3, 501, 4)
    with Image.open(gif) as picture:
        assert picture.n_frames > 1
    with Image.open(png) as picture:
        width, height = picture.size
        assert width > height
        assert (255, 214, 208) in {color for _, color in picture.getcolors(10**6)}  # it fell
    assert main(["draw", str(run)]) == 0 and (run / "drawn.gif").exists()
    assert main(["draw", str(run), "--out", "a.txt"]) == 2
    assert "episodes are written as FILE.gif, FILE.png, FILE.npz" in capsys.readouterr().err
    assert len(list((run / "samples").glob("*.gif"))) == 2
    assert main(["measure", str(run), "--samples", "100"]) == 0
    rows = {r["name"]: r for r in json.loads((run / "measure.json").read_text())["rows"]}
    assert {"return, 1 episode", "apart, 1 episode", "cloning return, 2 episodes"} <= set(rows)
    saved = state(run)  # of the episodes that it is in the middle of
    ages = saved[".trainer.game.walkers.world.age"]
    assert (ages == 16).any()  # over both rounds of the stage
    np.testing.assert_array_equal(game.walkers.world.age, ages)
    place = saved[".trainer.game.walkers.world.state"]
    np.testing.assert_array_equal(game.walkers.world.state, place)
    rates = [v for k, v in saved.items() if ".optimizers.G." in k and k.endswith(".lr")]
    assert rates == [pytest.approx(1e-3 * 3 / 5)]  # of five steps of the stage, two are made
    assert 5 < rows["return, 2 episodes"]["value"] < 100 and rows["return, 1 episode"]["target"]
    assert rows["return, 1 episode"]["ceiling"] == 500
    both = policies(game, SimpleNamespace(**vars(c), folder=run))
    assert list(both) == [1, 2] and both[2] is game.G
    first, last = (p.net[0].weight.detach().numpy() for p in (both[1], game.G))
    assert (first != last).any()


def test_draw_and_measure_a_grid(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(imitation, "CLONING", 50)
    run, png = tmp_path / "run", tmp_path / "a.png"
    assert train("airl", run, 3) == 0
    assert main(["draw", str(run), "--n", "2", "--out", str(png)]) == 0
    with Image.open(png) as picture:
        assert picture.width > 2 * picture.height
    assert main(["measure", str(run), "--samples", "100"]) == 0
    rows = {r["name"]: r for r in json.loads((run / "measure.json").read_text())["rows"]}
    game = load_game(run).game
    expected = stats.spearmanr(game.recovered(), Grid(1).reward).statistic
    assert rows["rank correlation"]["value"] == pytest.approx(expected)
    assert {"by visits alone", "return", "cloning"} <= set(rows)
    words = ["train", "airl", "--dataset", "moon"]
    with pytest.raises(SystemExit):
        main(words)
    assert main(["train", "gail", "--dataset", "cartpole", "--evaluate", "1"]) == 2
    assert "makes no pictures" in capsys.readouterr().err
