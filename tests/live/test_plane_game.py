"""A game in the plane, played a move at a time: it is the game that `Trainer.play` plays."""

import numpy as np
import pytest

import minigan
from minigan.arrays import Generator
from minigan.data.toy import PointBatches, ring
from minigan.gan import GAN, NonSaturating, Trainer
from minigan.live.plane import BATCH, LIMIT, Choice, History, PlaneGame, drawn, presets
from minigan.training import Diverged
from minigan.training.plane import GAMES, Players


def weights(game):
    return {
        name: np.concatenate([p.detach().numpy().ravel() for p in player.parameters()])
        for name, player in game.game.players.items()
    }


def moved(before, after):
    return {name for name in before if (before[name] != after[name]).any()}


def test_turns_are_the_rounds_of_the_trainer_to_the_bit():
    game = PlaneGame(Choice(k=2))
    for _ in range(3):
        assert [game.turn(), game.turn(), game.turn()] == [False, False, True]
    assert game.step == 3
    minigan.manual_seed(0)
    players = Players()
    G, D = players.generator(), players.critic()
    own = GAN(G, D, NonSaturating(), 2, k=2)
    trainer = Trainer(own, {n: players.optimizer(p) for n, p in own.players.items()})
    batches = PointBatches(ring(), BATCH).epoch(0)
    for _ in range(3):
        trainer.play(*next(batches))
    for name, player in own.players.items():
        there = np.concatenate([p.detach().numpy().ravel() for p in player.parameters()])
        np.testing.assert_array_equal(weights(game)[name], there)


def test_half_a_step_moves_one_player():
    game = PlaneGame(Choice())
    start = weights(game)
    assert not game.turn() and game.moved == ["D"] and game.step == 0
    half = weights(game)
    assert moved(start, half) == {"D"}
    assert game.turn() and game.moved == ["G"] and game.step == 1
    assert moved(half, weights(game)) == {"G"}
    assert game.losses.array()[0, 0] == 1 and np.isfinite(game.losses.array()).all()


@pytest.mark.parametrize("name", GAMES)
def test_every_game_plays_and_shows_itself(name):
    choice = Choice().changed({"game": name})
    game = PlaneGame(choice)
    while not game.turn():
        pass
    seen = game.look()
    assert seen["samples"].shape == (600, 2) and seen["surface"].shape == (40, 40)
    assert seen["field"].shape == (40, 40, 2) and seen["grid"].shape == (25, 25, 2)
    assert np.ptp(seen["surface"]) > 0 and np.abs(seen["field"]).max() > 0
    switches = presets()[name].switches
    assert (switches is None) == (type(GAMES[name](Players()).game) is not GAN or "pac" in name)


def test_what_a_game_brings_with_it():
    """Read from the games themselves."""
    chosen = Choice().changed({"game": "wgan-gp"})
    assert (chosen.objective, chosen.penalty, chosen.weight, chosen.k) == (
        "wasserstein", "gradient", 0.1, 5,
    )  # fmt: skip
    assert presets()["wgan-gp"].betas == (0.5, 0.9) and presets()["gan"].betas == (0.5, 0.999)
    assert chosen.changed({"k": 2}).objective == "wasserstein"
    wgan = Choice().changed({"game": "wgan"})
    assert wgan.constraint == "clip" and presets()["unrolled"].switches is None
    game = PlaneGame(wgan)
    game.turn()
    assert max(np.abs(p.detach().numpy()).max() for p in game.game.D.parameters()) <= 0.01


@pytest.mark.parametrize(
    "given, said",
    [
        ({"game": "chess"}, "game 'chess': expected one of gan, "),
        ({"data": "cloud"}, "data 'cloud': expected one of ring, "),
        ({"objective": 3}, "objective 3: expected one of "),
        ({"k": 0}, "k 0: expected a number from 1 to 20"),
        ({"k": 1.5}, "k 1.5"),
        ({"k": True}, "k True"),
        ({"weight": float("nan")}, "weight nan"),
        ({"wings": 2}, "nothing to choose by the name 'wings'"),
    ],
)
def test_what_cannot_be_chosen(given, said):
    with pytest.raises(ValueError, match=said):
        Choice().changed(given)


def test_other_rules_for_the_same_networks():
    game = PlaneGame(Choice())
    game.turn()
    before = weights(game)
    other = game.choice.changed({"objective": "relativistic", "penalty": "r1", "k": 3})
    assert other.same_players(game.choice)
    game.switch(other)
    assert not moved(before, weights(game))
    assert [game.turn() for _ in range(4)] == [False, False, False, True]
    assert game.game.objective.name == "relativistic" and game.game.penalties[0].name == "r1"
    assert moved(before, weights(game)) == {"D", "G"}
    assert not other.same_players(other.changed({"constraint": "spectral"}))


def test_rates_change_from_the_next_move_on():
    game = PlaneGame(Choice())
    game.set_rate("D", 0.0)
    game.set_rate("G", 0.5)
    assert game.rates == {"D": 0.0, "G": 0.5}
    before = weights(game)
    while not game.turn():
        pass
    assert moved(before, weights(game)) == {"G"}
    for player, rate in (("D", -1), ("D", float("inf")), ("Q", 0.1), ("G", "fast")):
        with pytest.raises(ValueError, match="expected"):
            game.set_rate(player, rate)


def test_a_drawn_distribution():
    points = np.array([[-1.0, 0.5], [1.0, -0.5]])
    x = drawn(points).draw(4000, Generator(0))
    near = np.linalg.norm(x[:, None] - points, axis=-1)
    assert near.min(1).max() < 0.25 and abs((near.argmin(1) == 0).mean() - 0.5) < 0.05
    game = PlaneGame(Choice(data="drawn"), points)
    assert game.plane.limit == LIMIT and not game.turn()
    for wrong in ([], [[0, 0, 0]], [[0, 9]], [[0, float("nan")]], [1, 2]):
        with pytest.raises(ValueError, match="drawing"):
            drawn(np.array(wrong, float))
    with pytest.raises(ValueError, match="nothing is drawn yet"):
        PlaneGame(Choice(data="drawn"))


def test_what_diverges_says_so():
    game = PlaneGame(Choice(objective="kl"))
    game.set_rate("D", 10.0)
    game.set_rate("G", 10.0)
    with pytest.raises(Diverged, match="left the plane. What helps: lower the learning rate"):
        for _ in range(200):
            game.turn()
            game.look()
    game.game.G[0].weight.array[:] = np.nan
    with pytest.raises(Diverged, match="value of D's move is nan. What helps"):
        game.turn()
    with pytest.raises(Diverged, match="no number"):
        game.look()


def test_how_good_the_samples_are():
    game = PlaneGame(Choice())
    game.judge(game.plane.draw(600, Generator(5)))
    game.judge(np.zeros((600, 2), np.float32))
    (_, near, all_modes), (_, far, none) = game.quality.array()
    assert near < 0.1 < 0.5 < far and all_modes == 1 and none == 0


def test_a_history_forgets_every_second_row():
    history = History(("step", "x"), 8)
    for i in range(100):
        history.add(i, -i)
    rows = history.array()
    assert len(rows) <= 8 and rows[0, 0] == 0 and rows[-1, 0] > 80
    assert len(set(np.diff(rows[:, 0]))) == 1 and (rows[:, 1] == -rows[:, 0]).all()
    assert History(("a", "b", "c")).array().shape == (0, 3)
