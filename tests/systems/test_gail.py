"""GAIL's and AIRL's games: losses and rewards against NumPy, who moves when, walkers, cloning."""

import numpy as np
import pytest
from scipy import stats

from minigan import manual_seed
from minigan.arrays import Generator
from minigan.autograd import grad, no_grad, tensor_of
from minigan.data.worlds import CartPole, Grid, expert, shown
from minigan.gan.policies import AIRL, GAIL, advantages
from minigan.gan.walkers import (
    Actor,
    Experience,
    Judge,
    Rows,
    Shaped,
    Value,
    Walkers,
    cloned,
    rows_of,
)
from minigan.optim import Adam

from .steps import assert_descends, assert_only, played

RNG = np.random.default_rng(2)


def doubled(module, seed=0):
    """In float64, with weights of some size."""
    rng = np.random.default_rng(seed)
    for p in module.parameters():
        p.data = tensor_of(rng.normal(size=p.shape) * 0.7)
    for b in module.buffers():
        b.data = b.double()
    return module


def layers(w, x, of="net"):
    """A network of `layered` in NumPy; w: name -> weights."""
    names = sorted({int(k.split(".")[-2]) for k in w if k.startswith(of)})
    for i, n in enumerate(names):
        x = (np.tanh(x) if i else x) @ w[f"{of}.{n}.weight"].T + w[f"{of}.{n}.bias"]
    return x


def log_softmax(x):
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def table(n):
    """n rows of the cart and pole, as columns."""
    ended = np.arange(n) % 4 == 3
    return {
        "states": RNG.normal(size=(n, 4)), "following": RNG.normal(size=(n, 4)),
        "actions": np.arange(n) * 5 // 3 % 2, "ended": ended,
        "over": ended | (np.arange(n) % 4 == 1),
    }  # fmt: skip


def gail(horizon=4, **options):
    game = GAIL(
        doubled(Actor(4, 2, 3), 1), doubled(Judge(4, 2, 3), 2), doubled(Value(4, 3), 3),
        Walkers(CartPole(1)), horizon=horizon, passes=1, parts=1, **options,
    )  # fmt: skip
    return game


def airl(shaping=True, **options):
    return AIRL(
        doubled(Actor(4, 2, 3), 1), doubled(Shaped(4, 3, 0.9, shaping), 2), doubled(Value(4, 3), 3),
        Walkers(CartPole(1)), horizon=4, passes=1, parts=1, **options,
    )  # fmt: skip


def together(*tables):
    return np.concatenate([rows_of(**t).astype(np.float64) for t in tables])


def naive_advantages(r, v, ahead, ended, over, gamma, decay):
    found = np.zeros(len(r))
    for t in range(len(r)):
        weight = 1.0
        for k in range(t, len(r)):
            found[t] += weight * (r[k] + gamma * (0 if ended[k] else ahead[k]) - v[k])
            if over[k]:
                break
            weight *= gamma * decay
    return found


# --- parts ---


def test_advantages_are_sums_that_end_with_an_episode():
    shape = 7, 3
    r, v, ahead = RNG.normal(size=(3, *shape))
    ended = RNG.random(shape) < 0.2
    over = ended | (RNG.random(shape) < 0.2)
    assert ended.any() and (over & ~ended).any()
    found = advantages(r, v, ahead, ended * 1.0, over * 1.0, 0.9, 0.8)
    for i in range(3):
        expected = naive_advantages(*(x[:, i] for x in (r, v, ahead, ended, over)), 0.9, 0.8)
        np.testing.assert_allclose(found[:, i], expected)


@pytest.mark.parametrize("hidden", [0, 5])
def test_a_policy_in_numpy_is_the_same(hidden):
    policy, states = doubled(Actor(4, 3, hidden)), RNG.normal(size=(6, 4))
    expected = policy(tensor_of(states)).detach().numpy()
    np.testing.assert_allclose(policy.on_cpu()(states), expected, rtol=1e-12)
    actions = RNG.integers(0, 3, 6)
    found = policy.log_p(tensor_of(states), tensor_of(actions)).detach().numpy()
    np.testing.assert_allclose(found, log_softmax(expected)[np.arange(6), actions])


def test_its_actions_come_as_often_as_is_probable():
    policy, n = doubled(Actor(4, 3, 5), 4), 20_000
    unit = np.array([1, 2, 0.5, 1])
    seen = np.tile(RNG.normal(size=4), (n, 1))
    drawn = policy.acts(unit)(seen, Generator(0).uniform((n,)))
    with no_grad():
        p = np.exp(log_softmax(policy(tensor_of(seen[:1] / unit)).numpy()[0]))
    assert stats.chisquare(np.bincount(drawn, minlength=3), p * n).pvalue > 1e-3


def test_the_mean_gradient_is_that_of_what_is_to_come():
    """At first all ratios are 1: G's gradient, over many draws, is that of the expected advantage,
    by all actions."""
    game = gail(horizon=2000)
    states = np.tile(RNG.normal(size=(1, 4)), (2000, 1))
    worth = np.array([0.3, -1.1])
    parameters = list(game.G.parameters())
    with no_grad():
        log_p = log_softmax(game.G(tensor_of(states[:1])).numpy())[0]
    p = np.exp(log_p)
    expected = (game.G(tensor_of(states[:1])).log_softmax(1).exp()[0] * tensor_of(worth)).sum()
    exact = np.concatenate([g.numpy().ravel() for g in grad(expected, parameters)])
    found = []
    for i in range(60):
        actions = (Generator(i).uniform((2000,)) > p[0]).astype(np.int64)
        rows = Rows(tensor_of(rows_of(states, states, actions, *np.zeros((2, 2000)))
                              .astype(np.float64)))  # fmt: skip
        move = game.climb(rows, tensor_of(log_p[actions]), tensor_of(worth[actions]), rows.ended)
        found.append(np.concatenate([g.numpy().ravel() for g in grad(move.value, parameters)]))
    mean, se = np.mean(found, 0), np.std(found, 0) / np.sqrt(len(found))
    assert (np.abs(mean - exact) <= 4.5 * se + 1e-9).all()
    assert np.linalg.norm(mean - exact) < 0.1 * np.linalg.norm(exact)


# --- moves ---


def check_policy(first, last, moves, met, reward, gamma=0.99, decay=0.95, entropy=0.0):
    """G's and V's simultaneous moves, from the players' weights before."""
    rows = np.arange(len(met["actions"]))
    v = lambda w, x: layers(w, x)[:, 0]
    value, ahead = v(first["V"], met["states"]), v(first["V"], met["following"])
    gain = naive_advantages(reward, value, ahead, met["ended"], met["over"], gamma, decay)
    aim, gain = gain + value, (gain - gain.mean()) / (gain.std(ddof=1) + 1e-8)
    before = log_softmax(layers(first["G"], met["states"]))[rows, met["actions"]]

    def lost(weights):
        return ((v(weights, met["states"]) - aim) ** 2).mean()

    def gained(weights):
        log_p = log_softmax(layers(weights, met["states"]))
        q = np.exp(log_p[rows, met["actions"]] - before)
        least = np.minimum(q * gain, np.clip(q, 0.8, 1.2) * gain).mean()
        return least - entropy * (np.exp(log_p) * log_p).sum(1).mean()

    climb, descent = moves
    np.testing.assert_allclose(climb.value.item(), gained(first["G"]), atol=1e-7)
    np.testing.assert_allclose(descent.value.item(), lost(first["V"]), rtol=1e-6)
    for player, loss in (("G", lambda w: -gained(w)), ("V", lost)):
        for name in ("net.4.weight", "net.0.bias"):
            assert_descends(
                lambda w, p=player, n=name, f=loss: f(first[p] | {n: w}),
                first[player][name], last[player][name],
            )  # fmt: skip
    for name, w in first["D"].items():
        np.testing.assert_array_equal(w, last["D"][name])


@pytest.mark.parametrize("make", [gail, airl])
def test_several_processes_have_together_the_moves_of_one(make):
    """Values and gradients of three, with 7 rows of the policy in two ascents of D, 3 and 4, and 8
    of the expert."""
    rows = tensor_of(together(table(7), table(8)))

    def moves(rank, ranks):
        game = make(d_steps=2)
        game.horizon, game.parts = 7, 2
        experience = Experience(game, shown(CartPole(1), expert(CartPole(1)), 100), 4)
        experience.share(rank, ranks)
        ((whole, first, last),) = experience.parts
        manual_seed(5)
        for turn in game.moves(rows):
            for move in turn if isinstance(turn, tuple) else (turn,):
                parameters = list(game.players[move.player].parameters())
                found = grad(move.value, parameters, retain_graph=True)
                arrays = [move.value.detach().numpy(), *(g.numpy() for g in found)]
                yield [a * (last - first) / whole for a in arrays]

    several = list(zip(*(list(moves(r, 3)) for r in range(3))))
    assert len(several) == 2 + 2 * 2
    for one, parts in zip(moves(0, 1), several, strict=True):
        for whole, *each in zip(one, *parts, strict=True):
            np.testing.assert_allclose(sum(each), whole, rtol=1e-10, atol=1e-12)
    with pytest.raises(ValueError, match="a step from 3 rows has none for each of 4 processes"):
        next(moves(0, 4))


@pytest.mark.parametrize("rewards", ["positive", "negative", "both"])
def test_moves_of_gail(rewards):
    met, theirs = table(4), table(3)
    game = gail(rewards=rewards, entropy=0.1)
    moves, kept = played(game, together(met, theirs))
    assert [(m.player, m.ascends) for m in moves] == [("D", True), ("G", True), ("V", False)]
    first, told, last = kept

    def logits(w, t):
        return layers(w, np.concatenate([t["states"], np.eye(2)[t["actions"]]], 1))[:, 0]

    def value(w):
        return log_sigmoid(logits(w, met)).mean() + log_sigmoid(-logits(w, theirs)).mean()

    met, theirs = ({k: np.float32(x) if x.ndim == 2 else x for k, x in t.items()}
                   for t in (met, theirs))  # fmt: skip
    np.testing.assert_allclose(moves[0].value.item(), value(first["D"]))
    name = "net.4.weight"
    assert_descends(lambda w: -value(first["D"] | {name: w}), first["D"][name], told["D"][name])
    assert_only("D", first, told)
    d = sigmoid(logits(told["D"], met))  # as it is after its step
    reward = {"positive": -np.log(d), "negative": np.log(1 - d), "both": np.log(1 - d) - np.log(d)}
    check_policy(told, last, moves[1:], met, reward[rewards], entropy=0.1)
    assert (reward["positive"] > 0).all() and (reward["negative"] < 0).all()


@pytest.mark.parametrize("shaping", [True, False])
def test_moves_of_airl(shaping):
    met, theirs = table(4), table(3)
    moves, kept = played(airl(shaping), together(met, theirs))
    assert [(m.player, m.ascends) for m in moves] == [("D", True), ("G", True), ("V", False)]
    first, told, last = kept
    met, theirs = ({k: np.float32(x) if x.ndim == 2 else x for k, x in t.items()}
                   for t in (met, theirs))  # fmt: skip

    def f(w, t):
        g, h = (lambda x, of=of: layers(w, x, of)[:, 0] for of in ("g.net", "h.net"))
        if not shaping:
            return g(t["states"])
        return g(t["states"]) + 0.9 * ~t["ended"] * h(t["following"]) - h(t["states"])

    def log_pi(t):
        found = log_softmax(layers(first["G"], t["states"]))
        return found[np.arange(len(found)), t["actions"]]

    def value(w):
        d = lambda t: np.exp(f(w, t)) / (np.exp(f(w, t)) + np.exp(log_pi(t)))  # as in the paper
        return np.log(d(theirs)).mean() + np.log(1 - d(met)).mean()

    np.testing.assert_allclose(moves[0].value.item(), value(first["D"]))
    for name in ("g.net.4.weight", *(["h.net.4.weight"] if shaping else [])):
        assert_descends(lambda w, name=name: -value(first["D"] | {name: w}),
                        first["D"][name], told["D"][name])  # fmt: skip
    check_policy(told, last, moves[1:], met, f(told["D"], met) - log_pi(met))


def test_d_steps_and_parts_of_a_pass():
    """Each ascent of D sees other rows; a pass sees each of the policy's rows once."""
    game = gail(d_steps=2)
    game.passes, game.parts, seen = 2, 2, []
    ascent, climb = game.ascent, game.climb
    game.ascent = lambda a, b: seen.append((a.all.numpy(), b.all.numpy())) or ascent(a, b)
    game.climb = lambda rows, *rest: seen.append(rows.all.numpy()) or climb(rows, *rest)
    rows = together(table(4), table(6))
    moves, _ = played(game, rows)
    assert [m.player for m in moves] == ["D", "D", *("GV" * 4)]
    np.testing.assert_array_equal(np.concatenate([seen[0][0], seen[1][0]]), rows[:4])
    np.testing.assert_array_equal(np.concatenate([seen[0][1], seen[1][1]]), rows[4:])
    ordered = lambda x: x[np.argsort(x[:, 0])]
    for a, b in (seen[2:4], seen[4:6]):
        np.testing.assert_array_equal(ordered(np.concatenate([a, b])), ordered(rows[:4]))


def test_the_deaf_reward_is_a_constant():
    rows = Rows(tensor_of(together(table(4))))
    for rewards, value in (("positive", np.log(2)), ("negative", -np.log(2)), ("both", 0)):
        found = gail(rewards=rewards, deaf=True).reward(rows).detach().numpy()
        np.testing.assert_allclose(found, value)
        assert np.ptp(gail(rewards=rewards).reward(rows).detach().numpy()) > 0.02
    with pytest.raises(ValueError, match="rewards='none': expected one of positive"):
        gail(rewards="none")


def test_airl_rests_where_g_is_the_true_reward():
    """With the best policy, g the reward and h its values, f = log pi*: D is 1/2 everywhere."""
    world = Grid(25)
    best, gamma = world.best(), 0.9
    policy, D = Actor(25, 5, 0), Shaped(25, 0, gamma)
    eye = np.eye(25)
    value = np.zeros(25)
    for _ in range(2000):
        value = np.log(np.exp(world.reward[:, None] + gamma * value[world.ways()]).sum(1))
    for layer, table_ in ((policy.net[0], best.T), (D.g.net[0], world.reward[None]),
                          (D.h.net[0], value[None])):  # fmt: skip
        layer.weight.data, layer.bias.data = tensor_of(table_), tensor_of(np.zeros(len(table_)))
    game = AIRL(policy, D, doubled(Value(25, 0)), Walkers(world), horizon=5, gamma=gamma)
    cells, actions = np.divmod(np.arange(125), 5)
    nothing = np.zeros(125)
    rows = rows_of(eye[cells], eye[world.ways()[cells, actions]], actions, nothing, nothing)
    moves, _ = played(game, np.concatenate([rows, rows]).astype(np.float64))
    np.testing.assert_allclose(moves[0].report["d_expert"].detach().numpy(), 0.5, atol=1e-6)
    np.testing.assert_allclose(moves[0].value.item(), -2 * np.log(2))
    # recovered is shifted to the true reward's mean, for people
    maps = game.maps()
    np.testing.assert_allclose(maps["recovered"] - maps["true reward"], 0, atol=0.3)


# --- experience ---


def test_experience_is_what_the_policy_met():
    """Each row is a step of the world, by actions that the policy draws; then the expert's rows."""
    manual_seed(0)
    world = CartPole(3)
    data = shown(world, expert(world), 20)
    game = GAIL(Actor(4, 2, 4), Judge(4, 2, 4), Value(4, 4), Walkers(CartPole(3), 5), horizon=40,
                d_steps=2)  # fmt: skip
    batches = Experience(game, data, 6, seed=5)
    (steps,) = batches[next(batches.numbers(0))]
    assert steps.shape == (40 * 3 + 12, 11) and steps.dtype == np.float32
    met = Rows(steps[:120])
    states, following = (x.numpy() * game.unit for x in (met.states, met.following))
    one = CartPole(120)
    one.state[:] = states
    then, _, ended, _ = one.step(met.actions.numpy())
    np.testing.assert_allclose(then, following, atol=1e-5)
    over, ended_ = met.over.numpy().astype(bool), met.ended.numpy().astype(bool)
    assert over.any() and (over == ended_).all()  # untrained poles fall
    walks = lambda x: x.reshape(40, 3, *x.shape[1:])
    kept = ~walks(over)[:-1]
    np.testing.assert_allclose(walks(states)[1:][kept], walks(following)[:-1][kept], atol=1e-6)
    assert (np.abs(walks(states)[1:][~kept]) <= 0.0501).all()  # those begin anew
    known = {tuple(x) for x in np.round(data.states / game.unit, 5)}
    theirs = Rows(steps[120:])
    assert {tuple(x) for x in np.round(theirs.states.numpy(), 5)} <= known
    again = Experience(game, data, 6, seed=5)  # the walkers have gone on, the expert's order not
    (more,) = again[next(again.numbers(0))]
    np.testing.assert_array_equal(more.numpy()[120:], steps.numpy()[120:])
    assert not (more.numpy()[:120] == steps.numpy()[:120]).all(1).any()


def test_cut_episodes_are_over_but_have_not_ended():
    walkers = Walkers(Grid(2), 1)
    _, _, _, ended, over = walkers.walk(Actor(25, 5, 0).acts(), 45)
    assert not ended.any() and over.any(1).nonzero()[0].tolist() == [19, 39]
    assert walkers.world.age.tolist() == [5, 5] and (walkers.last != 0).all()


def test_cloning_keeps_what_names_held_out_actions_best():
    states = RNG.normal(size=(40, 4)).astype(np.float32)
    actions = (states[:, 0] > 0).astype(np.int64)
    actions[:28] ^= RNG.random(28) < 0.4  # what it learns from is wrong, often
    manual_seed(0)
    policy = Actor(4, 2, 16)
    cloned(policy, tensor_of(states), tensor_of(actions),
           Adam(policy.parameters(), 0.02), 300)  # fmt: skip
    with no_grad():
        log_p = log_softmax(policy(tensor_of(states)).numpy())
    held = -log_p[np.arange(28, 40), actions[28:]].mean()
    assert held < 0.75  # later on it knows the wrong ones by heart
