"""The 1-D examples and benchmarks: their numbers against what theory says."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigan
from minigan.autograd import tensor_of
from minigan.gan import KL, Pearson

ROOT = Path(__file__).parents[2]


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


theory, divergences = (
    load(ROOT / "examples" / "theory.py"),
    load(ROOT / "benchmarks" / "divergences.py"),
)
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


def test_theory_draws_its_figures(tmp_path):
    command = [
        sys.executable,
        str(ROOT / "examples" / "theory.py"),
        "--steps",
        "25",
        "--out",
        str(tmp_path / "t"),
    ]
    said = subprocess.run(command, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert {p.name for p in (tmp_path / "t").iterdir()} == {
        "optimal_d.png",
        "value.png",
        "vanishing.png",
    } and "JSD" not in said.stderr


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
