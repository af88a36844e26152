"""Worlds: the pole is gymnasium's, step for step; the grid; draws of actions; episodes that go on
to the bit."""

import numpy as np
import pytest
from scipy import stats

from minigan.arrays import Generator
from minigan.data.worlds import WORLDS, CartPole, Grid, chosen, episode, expert, shown

# of gymnasium 1.4: a state, and after each action
BEGIN = [0.1, -0.2, 0.05, 0.3]
THEN = [
    (1, [0.096, -0.005625065781779709, 0.056, 0.02349585151852651]),
    (1, [0.09588749868436441, 0.18865093898455243, 0.056469917030370534, -0.2510059417029993]),
    (0, [0.09966051746405546, -0.007230027226275915, 0.05144979819631055, 0.058940488981630124]),
    (1, [0.09951591691952995, 0.18711792449209894, 0.052628607975943154, -0.21707611436266538]),
    (0, [0.10325827540937192, -0.008715334557741372, 0.04828708568868985, 0.09173272727627108]),
]


def test_the_pole_is_the_published_one():
    world = CartPole(2)
    world.state[:] = BEGIN
    for action, state in THEN:
        seen, reward, ended, cut = world.step(np.array([action, action]))
        np.testing.assert_array_equal(world.state, [state] * 2)
        np.testing.assert_array_equal(seen, np.float32([state] * 2))
        assert seen.dtype == np.float32 and reward.tolist() == [1, 1]
        assert not ended.any() and not cut.any()


def test_the_pole_is_gymnasiums():
    """Bit for bit, with draws and with a good controller, to the end of each episode."""
    gymnasium = pytest.importorskip("gymnasium")
    world, rng = CartPole(8), np.random.default_rng(0)
    world.reset(Generator(3))
    others = [gymnasium.make("CartPole-v1") for _ in range(8)]
    for other, state in zip(others, world.state.copy()):
        other.reset(seed=0)
        assert (np.abs(state) <= 0.05).all()
        other.unwrapped.state = state
    going = set(range(8))
    while going:
        good = world.controller(world.observed(), None)
        actions = np.where(np.arange(8) < 3, good, rng.integers(0, 2, 8))
        seen, reward, ended, cut = world.step(actions)
        for i in sorted(going):
            observed, value, terminated, truncated, _ = others[i].step(int(actions[i]))
            np.testing.assert_array_equal(seen[i], observed)
            np.testing.assert_array_equal(world.state[i], others[i].unwrapped.state)
            assert (value, terminated, truncated) == (reward[i], ended[i], cut[i])
            if terminated or truncated:
                going.remove(i)
    assert world.age[0] == 500


def test_where_the_pole_ends():
    """Published: beyond 12 degrees, or 2.4 from the middle, on either side."""
    world = CartPole(6)
    steep = 12 * 2 * np.pi / 360
    world.state[:, 2] = [steep - 1e-6, steep + 1e-6, -steep - 1e-6, 0, 0, 0]
    world.state[:, 0] = [0, 0, 0, 2.4 + 1e-6, -2.4 - 1e-6, 2.4 - 1e-6]
    _, _, ended, cut = world.step(np.ones(6, int))  # places do not move yet: speeds are 0
    assert ended.tolist() == [False, True, True, True, True, False] and not cut.any()
    world.age[:] = 499
    assert world.step(np.ones(6, int))[3].all()
    with pytest.raises(ValueError, match=r"expected \(6,\), each 0 to 1"):
        world.step(np.full(6, 2))
    with pytest.raises(ValueError, match=r"actions of shape \(5,\)"):
        world.step(np.ones(5, int))


def test_only_some_begin_anew():
    world = CartPole(5)
    world.reset(Generator(0))
    for _ in range(3):
        world.step(np.ones(5, int))
    before = world.state.copy()
    where = np.array([True, False, True, False, False])
    seen = world.reset(Generator(1), where)
    np.testing.assert_array_equal(world.state[~where], before[~where])
    assert world.age.tolist() == [0, 3, 0, 3, 3]
    np.testing.assert_array_equal(seen, world.state.astype(np.float32))
    assert (np.abs(world.state[where]) <= 0.05).all()


def test_the_grid():
    """Walls stop; the reward is that of the cell in which a step begins; nothing ends."""
    world = Grid(5, np.arange(25.0))
    ways = {0: [0, 5, 0, 1, 0], 12: [7, 17, 11, 13, 12], 24: [19, 24, 23, 24, 24]}
    for cell, ahead in ways.items():
        world.state[:] = cell
        seen, reward, ended, _ = world.step(np.arange(5))
        assert world.cells.tolist() == ahead and reward.tolist() == [cell] * 5
        np.testing.assert_array_equal(seen.argmax(1), ahead)
        assert seen.shape == (5, 25) and (seen.sum(1) == 1).all() and not ended.any()
        np.testing.assert_array_equal(Grid.ways()[cell], ahead)
    world.age[:] = 19
    assert world.step(np.zeros(5, int))[3].all()
    begun = Grid(5000).reset(Generator(0)).argmax(1)
    assert stats.chisquare(np.bincount(begun, minlength=25)).pvalue > 1e-3
    assert len(np.unique(Grid(1).reward)) == 25  # so ranks are known


def test_the_grids_best_policy():
    """Its values are what playing on, for ever, is worth: rewards and entropies, summed."""
    world, gamma = Grid(1), 0.9
    best = world.best(gamma)
    np.testing.assert_allclose(np.exp(best).sum(1), 1)
    pi, ahead = np.exp(best), np.zeros((25, 25))
    for cell, action in np.ndindex(25, 5):
        ahead[cell, world.ways()[cell, action]] += pi[cell, action]
    entropy = -(pi * best).sum(1)
    value = np.linalg.solve(np.eye(25) - gamma * ahead, world.reward + entropy)
    worth = world.reward[:, None] + gamma * value[world.ways()]
    np.testing.assert_allclose(best, worth - value[:, None], atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_actions_come_as_often_as_is_probable(dtype):
    n, logits = 40_000, np.array([0.3, -1.2, 2.0, 0.0], dtype)
    p = np.exp(np.float64(logits))
    p /= p.sum()
    drawn = chosen(np.tile(logits, (n, 1)), Generator(2).uniform((n,), dtype))
    assert drawn.dtype == np.int64
    assert stats.chisquare(np.bincount(drawn, minlength=4), p * n).pvalue > 1e-3
    edges = np.cumsum(p)[:-1]  # the first with p_0 + .. + p_a > u
    at = np.concatenate([[0], edges - 1e-6, edges + 1e-6, [1 - 2**-24]]).astype(dtype)
    found = chosen(np.tile(logits, (8, 1)), at)
    assert found.tolist() == [0, 0, 1, 2, 1, 2, 3, 3]
    sure = np.array([[1000, -1000, 0]], dtype)
    assert chosen(sure, np.array([0.999], dtype)).tolist() == [0]


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_goes_on_to_the_bit(name):
    random = Generator(1)
    first, second = WORLDS[name](4), WORLDS[name](4)
    first.reset(random)
    first.step(np.array([0, 1, 1, 0]))
    saved = {k: v.numpy().copy() for k, v in first.state_dict().items()}
    second.load_state_dict(saved)
    for _ in range(3):
        for a, b in zip(first.step(np.array([1, 1, 0, 0])), second.step(np.array([1, 1, 0, 0]))):
            np.testing.assert_array_equal(a, b)
    assert first.state_dict()["state"].array is first.state  # of a graph: always the same memory


def test_episodes():
    """Each to its end, after which it stays as it is, whatever the others do."""
    world = CartPole(6)
    world.reset(Generator(0))
    begin = world.state.copy()
    acts = lambda seen, numbers: (numbers < 0.5).astype(np.int64)
    seen, actions, steps, total = episode(world, acts, Generator(1))
    assert seen.shape == (6, 501, 4) and actions.shape == (6, 500)
    assert (total == steps).all() and len(set(steps)) > 1
    numbers = Generator(1).uniform((6, 500))
    for i in range(6):
        alone = CartPole(1)
        alone.state[:] = begin[i]
        path = [alone.observed()[0]]
        for t in range(steps[i]):
            now, _, ended, _ = alone.step(np.array([int(numbers[i, t] < 0.5)]))
            path.append(now[0])
            assert ended[0] == (t == steps[i] - 1)
        np.testing.assert_array_equal(seen[i, : steps[i] + 1], path)
        assert (seen[i, steps[i] :] == seen[i, steps[i]]).all()
        assert (actions[i, steps[i] :] == 0).all()


def test_what_an_expert_shows():
    world = CartPole(3)
    data = shown(world, expert(world), every=20, seed=4, who="a controller")
    assert data.returned.tolist() == [500] * 3 and len(data) == 3 * 25
    assert np.bincount(data.episode).tolist() == [25] * 3
    whole = CartPole(3)
    every = shown(whole, expert(whole), seed=4)
    assert len(every) == 1500
    for i in range(3):
        rows = every.states[every.episode == i]
        first = (rows == data.states[data.episode == i][0]).all(1).argmax()
        assert first < 20
        np.testing.assert_array_equal(data.states[data.episode == i], rows[first::20])
    one = CartPole(len(data))
    one.state[:] = data.states
    np.testing.assert_allclose(one.step(data.actions)[0], data.following, atol=1e-6)
    some = data.first(2)
    assert len(some) == 50 and some.returned.tolist() == [500] * 2
    assert len({some.checksum, data.checksum, every.checksum}) == 3
    assert "3 episodes" in repr(data)


def test_the_grids_expert_is_the_best_policy():
    world = Grid(400)
    data, best = shown(world, expert(world)), np.exp(world.best())
    at = data.states.argmax(1)
    cell = np.bincount(at).argmax()
    counts = np.bincount(data.actions[at == cell], minlength=5)
    assert stats.chisquare(counts, best[cell] * counts.sum()).pvalue > 1e-3
    others = np.delete(np.arange(25), cell)
    agree = [best[i, data.actions[at == i]].mean() for i in others if (at == i).sum() > 30]
    assert min(agree) > 0.2
