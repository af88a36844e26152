"""Sequences drawn from an LSTM in one call: against a plain loop, and by their frequencies."""

import fakecuda
import numpy as np
import pytest
from scipy import stats

from minigan.ops.rollout import lstm_rollout

V, H, T = 70, 5, 6  # tokens: more than one block of the kernel


def numbers(n, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    f = lambda *shape: rng.normal(size=shape).astype(dtype)
    return [
        rng.random((n, T)).astype(dtype), f(V + 1, 4 * H), f(4 * H, H), f(V, H), f(V), f(n, H),
        f(n, H), rng.integers(0, V, (n, T)), rng.integers(0, T + 1, n),
    ]  # fmt: skip


def plain(u, table, weight, out_weight, out_bias, h, c, tokens, begin):
    """One number after the other, in float64. Also how far u was from the edges that decided."""
    sigmoid = lambda x: 1 / (1 + np.exp(-x))
    found, margin = tokens.copy(), np.full(len(u), np.inf)
    for row in range(len(u)):
        hs, cs = np.float64(h[row]), np.float64(c[row])
        for s in range(begin[row], T):
            e = np.exp(np.float64(out_weight) @ hs + out_bias)
            edges = np.cumsum(e / e.sum())
            w = next(j for j in range(V) if edges[j] > u[row, s])
            found[row, s] = w
            margin[row] = min(margin[row], np.abs(edges - u[row, s]).min())
            a = np.float64(table[w]) + np.float64(weight) @ hs
            cs = sigmoid(a[H : 2 * H]) * cs + sigmoid(a[:H]) * np.tanh(a[2 * H : 3 * H])
            hs = sigmoid(a[3 * H :]) * np.tanh(cs)
    return found, margin


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("draw", [lstm_rollout, lstm_rollout.reference])
def test_what_is_drawn_is_what_a_plain_loop_draws(draw, dtype):
    given = numbers(300, dtype)
    before = [x.copy() for x in given]
    found = draw(*given)
    expected, margin = plain(*given)
    sure = margin > 1e-5
    assert sure.mean() > 0.8 and found.dtype == np.int64
    np.testing.assert_array_equal(found[sure], expected[sure])
    tokens, begin = given[-2:]
    for row in range(300):
        np.testing.assert_array_equal(found[row, : begin[row]], tokens[row, : begin[row]])
    for x, y in zip(given, before):
        np.testing.assert_array_equal(x, y)


def test_on_a_device_the_same_is_drawn_and_nothing_is_fetched():
    given = numbers(40)
    with fakecuda.installed():
        there = [fakecuda.asarray(x) for x in given]
        fakecuda.syncs = 0
        found = lstm_rollout(*there)
        assert isinstance(found, fakecuda.DeviceArray) and fakecuda.syncs == 0
    np.testing.assert_array_equal(found.storage, lstm_rollout.reference(*given))


@pytest.mark.parametrize("draw", [lstm_rollout, lstm_rollout.reference])
def test_a_row_draws_the_same_whatever_the_others_are(draw):
    given = numbers(50, np.float64 if draw is not lstm_rollout else np.float32)
    some = [x if i in (1, 2, 3, 4) else x[10:13] for i, x in enumerate(given)]
    np.testing.assert_array_equal(draw(*some), draw(*given)[10:13])


@pytest.mark.parametrize("u, w", [(0.0, 0), (np.nextafter(np.float32(1), np.float32(0)), V - 1)])
@pytest.mark.parametrize("draw", [lstm_rollout, lstm_rollout.reference])
def test_the_ends_of_the_unit_interval(draw, u, w):
    given = numbers(4)
    given[0][:], given[4][:], given[8][:] = u, 0, T - 1
    given[3][:] = 0  # all tokens are as likely
    assert (draw(*given)[:, -1] == w).all()


@pytest.mark.parametrize("draw", [lstm_rollout, lstm_rollout.reference])
def test_frequencies_are_the_probabilities(draw):
    """Chi-square of the first and, given the first, of the second token."""
    n = 20_000
    _, table, weight, out_weight, out_bias, h, c, _, _ = numbers(1)
    u = np.random.default_rng(1).random((n, 2)).astype(np.float32)
    rows = lambda x: np.repeat(x, n, 0)
    tokens, begin = np.zeros((n, 2), np.int64), np.zeros(n, np.int64)
    found = draw(u, table, weight, out_weight, out_bias, rows(h), rows(c), tokens, begin)
    e = np.exp(np.float64(out_weight) @ h[0] + out_bias)
    assert p_value(found[:, 0], e / e.sum()) > 1e-3
    first = np.bincount(found[:, 0]).argmax()
    sigmoid = lambda x: 1 / (1 + np.exp(-x))
    a = np.float64(table[first]) + weight @ h[0]
    cs = sigmoid(a[H : 2 * H]) * c[0] + sigmoid(a[:H]) * np.tanh(a[2 * H : 3 * H])
    e = np.exp(out_weight @ (sigmoid(a[3 * H :]) * np.tanh(cs)) + out_bias)
    assert p_value(found[found[:, 0] == first, 1], e / e.sum()) > 1e-3
    assert p_value(found[:, 0], e / e.sum()) < 1e-6  # the test can fail


def p_value(drawn, p):
    """Of Pearson's test; tokens that are expected fewer than 5 times count as one."""
    counts, expected = np.bincount(drawn, minlength=V), p * len(drawn)
    few = expected < 5
    counts = np.append(counts[~few], counts[few].sum())
    expected = np.append(expected[~few], expected[few].sum())
    return stats.chisquare(counts, expected).pvalue
