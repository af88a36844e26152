"""The 1-D examples and benchmarks: their numbers against what theory says."""

import sys
from pathlib import Path

import numpy as np
import pytest
from load_script import load_script

import minigan
from minigan.autograd import tensor_of
from minigan.gan import KL, NonSaturating, Pearson
from minigan.optim import Adam

ROOT = Path(__file__).parents[2]


def load(path):
    return load_script(path)


sys.path.insert(0, str(ROOT / "examples"))  # theory.py has its parts in files beside it

theory, divergences = (
    load(ROOT / "examples" / "theory.py"),
    load(ROOT / "benchmarks" / "divergences.py"),
)
games = theory.theory_games
gaussian = load(ROOT / "examples" / "gaussian_1d.py")


def test_jensen_shannon_of_known_pairs():
    p = theory.normal(theory.X, 0, 0.5)
    assert theory.jensen_shannon(p, p) == pytest.approx(0, abs=1e-12)
    assert theory.jensen_shannon(
        theory.normal(theory.X, -5, 0.3), theory.normal(theory.X, 5, 0.3)
    ) == pytest.approx(np.log(2), rel=1e-6)
    samples = theory.P.sample(20_000).numpy()
    assert samples.mean() == pytest.approx(-0.1, abs=0.04) and samples.std() == pytest.approx(
        np.sqrt(0.54 + 2.94), abs=0.04
    )


def test_the_best_d_reaches_minus_log_4_plus_two_jsd():
    p, q = theory.P.density(theory.X), theory.generator(1.5).density(theory.X)
    best = np.log(p + 1e-300) - np.log(q + 1e-300)
    limit = -np.log(4) + 2 * theory.jensen_shannon(p, q)
    assert theory.value(best, p, q) == pytest.approx(limit, abs=1e-9)
    assert theory.value(best + 0.3, p, q) < limit - 0.01
    minigan.manual_seed(0)
    _, values = theory.train(theory.generator(1.5), 300, batch=128)
    # V of a trained D comes near, and never beyond
    assert limit - 0.05 < values[-1, 1] < limit + 1e-9


def test_the_saturating_loss_vanishes_by_the_formula():
    numbers, _ = theory.vanishing(None)
    d_fake, minimax, nonsaturating = next(
        row for what, row in numbers.items() if "3.0 apart" in what
    )
    assert minimax == pytest.approx(d_fake * 3.0 / 0.25, rel=1e-6)  # -D v', v' = -shift / std^2
    assert nonsaturating == pytest.approx((1 - d_fake) * 3.0 / 0.25, rel=1e-6)
    minimax, nonsaturating = next(row[1:] for what, row in numbers.items() if "6.0 apart" in what)
    assert minimax < 1e-6 and nonsaturating > 10


def test_theory_draws_its_figures(tmp_path, capsys):
    words = [
        "--steps",
        "25",
        "--only",
        *("optimal_d", "value", "vanishing", "distances", "saturation", "law", "panels"),
        "--out",
        str(tmp_path / "t"),
    ]
    assert theory.main(words) == 0
    assert {p.name for p in (tmp_path / "t").iterdir()} == {
        "optimal_d.png",
        "value.png",
        "vanishing.png",
        "distances.png",
        "saturation.png",
        "law.png",
        "panels.png",
    } and "JSD" not in capsys.readouterr().err


def test_jsd_stays_at_log_2_where_w1_goes_on():
    """Uniform on [0, 1] and [d, d + 1]: JSD = min(d, 1) log 2, KL is infinite, W1 = d. N(0, s) and
    N(d, s): KL = d^2 / 2 s^2, W1 = d."""
    numbers, *_ = theory.distances(None)
    for d in (0.5, 1.0, 2.0, 4.0):
        found = numbers[f"uniform, {d} apart: JSD, KL, W1"]
        np.testing.assert_allclose(found, (min(d, 1) * np.log(2), np.inf, d), rtol=1e-6)
        jsd, kl, w1 = numbers[f"normal, {d} apart: JSD, KL, W1"]
        np.testing.assert_allclose((kl, w1), (2 * d * d, d), rtol=1e-6)
        assert jsd < np.log(2)
    assert jsd == pytest.approx(np.log(2), abs=1e-4)


def test_least_squares_pulls_far_fakes_in_and_cross_entropy_does_not():
    """D's least squares are a regression: slope cov / var = 0.5 / (1 + 0.3^2)."""
    minigan.manual_seed(0)
    numbers, *_ = theory.saturation(800)
    slope, offset = numbers["least squares: D's slope and offset"]
    assert slope == pytest.approx(0.5 / 1.09, abs=0.02)
    assert offset == pytest.approx(0.5 + 0.5 / 1.09, abs=0.02)
    for x in (1.0, 3.0, 6.0):
        found = numbers[f"least squares: |dL/dx| of a fake at {x}"]
        assert found == pytest.approx(slope * abs(slope * x + offset - 1), rel=1e-4)
    a, b = numbers["cross entropy: D's slope and offset"]
    found = numbers["cross entropy: |dL/dx| of a fake at 3.0"]
    assert found == pytest.approx(a / (1 + np.exp(3 * a + b)), rel=1e-3) and found < 1e-3
    ends = "those fakes after 60 steps of 0.5 dL/dx"
    np.testing.assert_allclose(numbers[f"least squares: {ends}"], (1 - offset) / slope, atol=0.05)
    assert numbers[f"cross entropy: {ends}"][2] == pytest.approx(6, abs=1e-3)


def test_the_gradients_of_minus_log_d_grow_and_vary_as_d_gets_better():
    minigan.manual_seed(0)
    numbers, *_ = games.variance(900, critics=3)
    stages = [row for what, row in numbers.items() if what.startswith("step")]
    first, last = stages[0], stages[-1]
    assert last[0] < 0.05 < first[0]  # D(G(z))
    assert last[2] < first[2] < last[4] and last[4] > 10 * first[4]  # the variances
    assert last[3] > 2 and last[1] < 0.2
    # theorem 2.6: a Cauchy distribution
    assert numbers["normal noise on a perfect D: median |gradient| (theory: 1)"] == pytest.approx(
        1, abs=0.02
    )
    assert numbers["share beyond 10 (theory, Cauchy: 0.0635)"] == pytest.approx(0.0635, abs=0.004)


def test_gradients_in_theta_are_those_of_finite_differences():
    minigan.manual_seed(1)
    D = games.discriminator(24, n_in=2)
    at = lambda x: D(tensor_of(np.array([[x, 0.125]], np.float32))).item()
    slope = (at(1.01) - at(0.99)) / 0.02
    d = 1 / (1 + np.exp(-at(1.0)))
    minimax, nonsaturating = (
        games.theta_gradients(D, objective, n=4)[0]
        for objective in (games.Minimax(), games.NonSaturating())
    )
    assert minimax == pytest.approx(-d * slope, rel=1e-2)
    assert nonsaturating == pytest.approx(-(1 - d) * slope, rel=1e-2)


def test_the_law_of_g_needs_all_inverse_images_and_no_inverse():
    minigan.manual_seed(0)
    numbers, *_ = games.law(None)
    over_z, over_x, one_only, sampled = numbers.values()
    assert over_x == pytest.approx(over_z, abs=1e-4)
    assert sampled == pytest.approx(over_z, abs=2e-3)
    assert abs(one_only - over_z) > 0.2


def test_the_four_panels_are_the_stages_of_figure_1():
    minigan.manual_seed(0)
    numbers, *draws = games.panels(400)
    a, b, c, d = numbers.values()
    assert len(draws) == 4
    assert b[0] == a[0] and b[1] < a[1] / 2  # only D has moved, towards D*
    assert c[0] < b[0]  # G has moved to the data
    assert d[0] < a[0] / 2 and d[2] < 0.1  # G is near the data, D says about 1/2


def test_too_many_steps_of_g_collapse_it():
    """The best answer to a fixed D is one point, where D is highest; with D moving seldom G gets
    there again and again."""
    minigan.manual_seed(0)
    one, many = (games.spread(g_steps, 150)[0][-5:].mean() for g_steps in (1, 50))
    assert many < 0.2 < 1.5 < one

    G, D = games.network(), lambda x: -((x - 1.5) ** 2)
    optimizer = Adam(G.parameters(), 5e-3)
    for _ in range(400):
        loss = NonSaturating().g_loss(D(G(minigan.randn(64, 1))))
        optimizer.step_with(minigan.grad(loss, list(G.parameters())))
    x = G(minigan.randn(500, 1)).detach().numpy()
    assert x.std() < 0.1 and x.mean() == pytest.approx(1.5, abs=0.1)


# --- f-divergences in one dimension ---


def test_direct_minimisers_of_the_divergences():
    """KL(p || q) over normal q is smallest at p's mean and standard deviation."""
    (w, m0, s0), (v, m1, s1) = divergences.PARTS
    mean = w * m0 + v * m1
    std = np.sqrt(w * (s0**2 + m0**2) + v * (s1**2 + m1**2) - mean**2)
    np.testing.assert_allclose(
        divergences.direct(divergences.FITS["kl"][1]), (mean, std), atol=2e-3
    )
    samples = divergences.data(20_000).numpy()
    assert samples.mean() == pytest.approx(mean, abs=0.03) and samples.std() == pytest.approx(
        std, abs=0.03
    )
    widths = {name: divergences.direct(f)[1] for name, (_, f) in divergences.FITS.items()}
    assert (
        widths["pearson"]
        > widths["kl"]
        > widths["jensen-shannon"]
        > widths["reverse-kl"]
        > widths["neyman"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("make", [KL, Pearson])
def test_games_fit_what_the_divergence_says(make):
    minigan.manual_seed(0)
    _, f = divergences.FITS[make.name]
    np.testing.assert_allclose(divergences.fit(make(), 800), divergences.direct(f), atol=0.06)


@pytest.mark.parametrize("name", ["lsgan", "hinge", "nonsaturating, r1"])
def test_games_find_the_data(name):
    minigan.manual_seed(0)
    assert name in divergences.GAMES
    np.testing.assert_allclose(
        divergences.play(name, 500, batch=128), divergences.TARGET, atol=0.12
    )


def test_a_critic_with_bounded_slope_measures_w1():
    minigan.manual_seed(0)
    assert divergences.estimate("spectral", 1.0, 300, batch=128) == pytest.approx(1.0, abs=0.05)


# --- gan-intro ---


@pytest.mark.parametrize("extra", [[], ["--minibatch"]])
def test_gaussian_1d_leaves_a_figure_and_an_animation(tmp_path, extra):
    out, gif = tmp_path / "a" / "g.png", tmp_path / "b" / "g.gif"
    options = [
        "--steps",
        "20",
        "--pretrain",
        "20",
        "--hidden",
        "4",
        "--out",
        str(out),
        "--anim",
        str(gif),
        *extra,
    ]
    assert gaussian.main(options) == 0
    assert out.read_bytes()[:4] == b"\x89PNG" and gif.read_bytes()[:4] == b"GIF8"


def test_looking_at_a_run_does_not_change_it():
    options = gaussian.parse_arguments(["--steps", "12", "--pretrain", "5", "--minibatch"])
    (_, plain), (_, watched) = gaussian.train(options, 0), gaussian.train(options, 0, every=3)
    assert len(plain) == 1 and len(watched) == 5 and (plain[-1][-1] == watched[-1][-1]).all()


def test_what_gaussian_1d_shows_is_averaged():
    """Over 1 / (1 - decay) steps, about; --ema 0 is the last step's G."""
    words = ["--steps", "40", "--pretrain", "0", "--hidden", "4", "--minibatch", "--ema"]
    games = [gaussian.train(gaussian.parse_arguments([*words, e]), 0)[0] for e in ("0.9", "0")]
    weights = []
    options = gaussian.parse_arguments([*words, "0"])
    for options.steps in range(1, 41):
        weights.append(gaussian.train(options, 0)[0].G[0].weight.detach().numpy().copy())
    np.testing.assert_array_equal(games[1].G[0].weight.detach().numpy(), weights[-1])
    share = 0.9 ** np.arange(39, -1, -1)
    expected = (np.stack(weights) * share[:, None, None]).sum(0) / share.sum()
    np.testing.assert_allclose(games[0].G[0].weight.detach().numpy(), expected, rtol=1e-5)
    assert np.abs(expected - weights[-1]).max() > 1e-4


def test_gaussian_1d_is_the_published_protocol():
    options = gaussian.parse_arguments([])
    assert (options.steps, options.pretrain, options.batch_size, options.lr) == (
        1200,
        1000,
        12,
        0.005,
    )
    minigan.manual_seed(0)
    G, D = gaussian.networks(options)
    assert [type(m).__name__ for m in G] == ["Linear", "Softplus", "Linear"]
    assert [type(m).__name__ for m in D] == ["Linear", "Tanh"] * 3 + ["Linear"]
    z = gaussian.Line(G, D, None, 1).latents(5, None).numpy()[:, 0] - np.linspace(-8, 8, 5)
    assert (z >= -1e-6).all() and (z < 0.0101).all() and len(set(z)) == 5
    x = np.linspace(2, 6, 9)
    np.testing.assert_allclose(gaussian.density(tensor_of(x)).numpy(), theory.normal(x, 4, 0.5))


def test_gaussian_1d_refuses_other_animations(capsys):
    with pytest.raises(SystemExit):
        gaussian.parse_arguments(["--anim", "x.avi"])
    assert ".gif" in capsys.readouterr().err
