"""Philox 4x32-10 and the Generator on top of it."""

import numpy as np
import pytest

from minigan.arrays import Generator, default_generator, manual_seed
from minigan.arrays.random import philox_reference


def philox(counter, key):
    """Salmon et al. 2011 in Python's integers: four 32-bit words of counter, two of key."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [p1 >> 32 ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, p0 >> 32 ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


@pytest.mark.parametrize("counter, key, answer", [
    ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
])  # fmt: skip
def test_known_answers_of_the_definition(counter, key, answer):
    """Random123's kat_vectors hold for the definition that the next test holds the package
    against."""
    assert tuple(philox(counter, key)) == answer


def test_blocks_against_the_definition(blocks=philox_reference):
    """Counters of 64 bits (the upper half is 0) over the carry at 2**32, keys of 64 bits."""
    assert blocks(0, 0, 1).tolist() == [[0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]]
    for counter in (0, 1, 2**32 - 2, 2**40 + 5, 2**64 - 3):
        for key in (0, 1, 12345, 2**32, 0xFFFFFFFFFFFFFFFF, 0x299F31D0A4093822):
            expected = [
                philox(
                    ((counter + i) & 0xFFFFFFFF, (counter + i) >> 32, 0, 0),
                    (key & 0xFFFFFFFF, key >> 32),
                )
                for i in range(3)
            ]
            found = blocks(counter, key, 3)
            assert found.dtype == np.uint32 and found.tolist() == expected, (counter, key)


def test_a_stream_is_cut_without_overlap_or_gap():
    """Draws of whole blocks, one after the other, are the blocks of one stream."""
    g = Generator(42)
    parts = [g.integers32(n) for n in (4, 12, 8, 100)]
    assert (np.concatenate(parts) == Generator(42).integers32(124)).all()
    assert g.counter == 31


def test_consecutive_draws_share_no_block():
    g = Generator(1)
    seen = set()
    for n in (1, 2, 3, 5, 7, 1000, 6):
        before = g.counter
        g.integers32(n)
        used = set(range(before, g.counter))
        assert len(used) == -(-n // 4) and not used & seen
        seen |= used
    draws = np.concatenate([g.uniform((1001,), np.float64) for _ in range(20)])
    assert len(np.unique(draws)) == draws.size


@pytest.mark.parametrize("draw", [
    lambda g: g.uniform((3, 5)), lambda g: g.uniform((7,), np.float64), lambda g: g.normal((2, 3)),
    lambda g: g.normal((5,), np.float64),
    lambda g: g.integers(0, 10, (7,)), lambda g: g.permutation(11), lambda g: g.integers32(5),
])  # fmt: skip
def test_state(draw):
    """Saved and restored, also in another Generator, the stream goes on with the same numbers."""
    g = Generator(9)
    draw(g)
    state = g.get_state()
    assert set(state) == {"seed", "counter"} and all(isinstance(v, int) for v in state.values())
    expected = [draw(g), draw(g)]
    other = Generator(123)
    for h in (g, other):
        h.set_state(state)
        for e in expected:
            assert (draw(h) == e).all()
    assert (draw(Generator(9)) == draw(Generator(9))).all()
    assert not (draw(Generator(9)) == draw(Generator(10))).all()


def test_seeds():
    assert Generator(-1).seed == 2**64 - 1 and Generator(2**64 + 5).seed == 5
    for a, b in ((0, 1), (1, 2**32 + 1), (5, 2**63 + 5)):  # all 64 bits count
        assert not (Generator(a).integers32(8) == Generator(b).integers32(8)).any()
    g = Generator(3)
    first = g.uniform((4,))
    assert g.manual_seed(3) is g and (g.uniform((4,)) == first).all()
    assert manual_seed(11) is default_generator and default_generator.get_state() == {
        "seed": 11,
        "counter": 0,
    }


# --- distributions: against exact moments, and Kolmogorov's and Smirnov's distance of the sample's
# distribution function ---


def distance(sample, cdf):
    """sqrt(n) max |F_n - F|: above 2.2 with probability 1e-4 only."""
    x = np.sort(np.asarray(sample, np.float64))
    n = len(x)
    f = cdf(x)
    return np.sqrt(n) * max((np.arange(1, n + 1) / n - f).max(), (f - np.arange(n) / n).max())


def normal_cdf(x):
    import math

    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", [0, 1])
def test_uniform(dtype, seed):
    u = Generator(seed).uniform((100_000,), dtype)
    assert u.dtype == dtype and u.min() >= 0 and u.max() < 1
    x = u.astype(np.float64)
    assert abs(x.mean() - 1 / 2) < 5 * np.sqrt(1 / 12 / x.size) and abs(
        x.var() - 1 / 12
    ) < 5 * np.sqrt(1 / 180 / x.size)
    assert distance(x, lambda v: v) < 2.2
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 5 / np.sqrt(x.size)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", [0, 1])
def test_normal(dtype, seed):
    z = Generator(seed).normal((100_000,), dtype)
    assert z.dtype == dtype and np.isfinite(z).all()
    x = z.astype(np.float64)
    n = x.size
    assert abs(x.mean()) < 5 / np.sqrt(n) and abs(x.var() - 1) < 5 * np.sqrt(2 / n)
    assert abs((x**3).mean()) < 5 * np.sqrt(15 / n) and abs((x**4).mean() - 3) < 5 * np.sqrt(96 / n)
    assert distance(x, normal_cdf) < 2.2
    half = n // 2
    # cosine and sine of one angle
    assert abs(np.corrcoef(x[:half], x[half:])[0, 1]) < 5 / np.sqrt(half)
    assert 3.7 < np.abs(x).max() < 6


def test_floats_use_their_whole_resolution():
    u = Generator(0).uniform((200_000,))
    steps = u.astype(np.float64) * 2**24
    assert (steps == np.round(steps)).all() and (steps % 2 == 1).any()
    u = Generator(0).uniform((10_000,), np.float64) * 2.0**53
    assert (u == np.round(u)).all() and (u % 2 == 1).any()


def test_shapes():
    g = Generator(0)
    assert (
        g.uniform(()).shape == ()
        and g.normal((0, 3)).shape == (0, 3)
        and g.normal((2, 3, 5)).shape == (2, 3, 5)
    )
    assert (
        g.uniform((3,), np.float16).dtype == np.float16
        and g.normal((3,), np.float16).dtype == np.float16
    )
    assert g.permutation(0).tolist() == [] and g.integers(0, 1, (0,)).size == 0


def test_half_precision_stays_below_one():
    """0.99998 rounds to 1 in float16, but the interval is [0, 1)."""
    assert Generator(0).uniform((100_000,), np.float16).max() < 1


@pytest.mark.parametrize(
    "low, high", [(0, 10), (-3, 4), (5, 6), (-(2**31), 2**31), (2**40, 2**40 + 7)]
)
def test_integers(low, high):
    x = Generator(4).integers(low, high, (20_000,))
    assert x.dtype == np.int64 and x.min() >= low and x.max() < high
    if high - low <= 10:
        counts = np.bincount(x - low, minlength=high - low)
        expected = 20_000 / (high - low)
        # chi squared, at most 9 degrees of freedom
        assert ((counts - expected) ** 2 / expected).sum() < 40
    else:
        assert abs((x - low).mean() / (high - low) - 0.5) < 0.02


@pytest.mark.parametrize("low, high", [(0, 0), (3, 2), (0, 2**32 + 1)])
def test_integers_refuse(low, high):
    with pytest.raises(ValueError, match=f"low={low}, high={high}"):
        Generator(0).integers(low, high, (2,))


def test_permutation():
    g = Generator(6)
    for n in (1, 2, 10, 1000):
        p = g.permutation(n)
        assert p.dtype == np.int64 and sorted(p.tolist()) == list(range(n))
    assert (Generator(6).permutation(50) == Generator(6).permutation(50)).all()
    places = np.stack([g.permutation(5) for _ in range(5000)])
    counts = np.stack([np.bincount(places[:, i], minlength=5) for i in range(5)])
    # every number at every place equally often: 16 degrees of freedom
    assert ((counts - 1000) ** 2 / 1000).sum() < 60


@pytest.mark.gpu
def test_cuda_draws_the_same():
    from minigan.arrays import device

    for draw in (
        lambda g, **o: g.integers32(1001, **o),
        lambda g, **o: g.uniform((33,), np.float64, **o),
        lambda g, **o: g.permutation(100, **o),
    ):
        assert (draw(Generator(8)) == draw(Generator(8), device=device("cuda")).get()).all()
    cpu, cuda = (
        Generator(8).normal((1000,)),
        Generator(8).normal((1000,), device=device("cuda")).get(),
    )
    np.testing.assert_allclose(cuda, cpu, rtol=1e-5, atol=1e-6)
